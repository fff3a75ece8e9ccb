//! Tells of neighbours that come and go, as the kernel does.
//!
//! An overflow of the socket loses events; the listener then says so, and the
//! supervisor reads the whole table again.

use super::KernelError;
use kulkul_wire::netlink::message::Messages;
use kulkul_wire::netlink::routes::{self, Neighbour};
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, SocketAddr, TokioSocket};

/// What the kernel says when events did not fit into the socket.
const ENOBUFS: i32 = 105;
/// Messages that a socket's buffer can hold, with room to spare.
const MOST_LEFT: usize = 100_000;

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

    /// Takes what is left in a socket that overflowed.
    ///
    /// The kernel tells nothing new before it is empty, not even that it lost more; a table that
    /// is read sooner could miss what came in between.
    fn drain(&mut self) -> Result<(), KernelError> {
        for _ in 0..MOST_LEFT {
            match self.0.socket_mut().recv_from_full() {
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(e) if e.raw_os_error() == Some(ENOBUFS) => {}
                Err(source) => return Err(KernelError::Io { doing: "listening to neighbours", source }),
            }
        }
        Ok(())
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
            Err(e) if e.raw_os_error() == Some(ENOBUFS) => {
                self.drain()?;
                Ok(Heard::Lost)
            }
            Err(source) => Err(KernelError::Io { doing: "listening to neighbours", source }),
        }
    }
}
