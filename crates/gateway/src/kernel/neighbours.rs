//! Tells of neighbours that come and go, as the kernel does.
//!
//! An overflow of the socket loses events; the listener then says so, and the
//! supervisor reads the whole table again.

use super::KernelError;
use kulkul_wire::netlink::message::Messages;
use kulkul_wire::netlink::routes::{self, Neighbour};
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, SocketAddr, TokioSocket};

/// What the listener has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// These neighbours changed.
    Changed(Vec<Neighbour>),
    /// Some events were lost.
    Lost,
}

/// A socket that hears of neighbours.
pub struct Listener(TokioSocket);

impl Listener {
    /// Opens the socket.
    ///
    /// # Errors
    /// `KernelError::Io` when it cannot be opened.
    pub fn open() -> Result<Self, KernelError> {
        let err = |source| KernelError::Io { doing: "listening to neighbours", source };
        let mut socket = TokioSocket::new(0).map_err(err)?;
        socket.socket_mut().bind(&SocketAddr::new(0, routes::NEIGHBOUR_GROUP)).map_err(err)?;
        Ok(Listener(socket))
    }

    /// Waits for the next events.
    ///
    /// # Errors
    /// `KernelError::Io` when the socket has failed for good.
    pub async fn next(&mut self) -> Result<Heard, KernelError> {
        match self.0.recv_from_full().await {
            Ok((bytes, _)) => {
                let found = Messages(&bytes).flatten();
                Ok(Heard::Changed(found.filter_map(|m| routes::neighbour_from(&m).ok().flatten()).collect()))
            }
            Err(e) if e.raw_os_error() == Some(105) => Ok(Heard::Lost),
            Err(source) => Err(KernelError::Io { doing: "listening to neighbours", source }),
        }
    }
}
