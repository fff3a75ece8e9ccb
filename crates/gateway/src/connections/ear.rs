//! Hears of connections, as the kernel tells of them.

use crate::kernel::KernelError;
use ipnet::IpNet;
use kulkul_wire::netlink::flows::{self, GROUPS, Heard};
use kulkul_wire::netlink::message::Messages;
use netlink_sys::{AsyncSocket as _, AsyncSocketExt as _, SocketAddr, TokioSocket};
use std::net::IpAddr;

/// The family of netlink that tells of the packet filter.
const NETFILTER: isize = 12;
/// What the kernel says when events did not fit into the socket.
const ENOBUFS: i32 = 105;
/// A burst of connections waits in this much, bytes.
const BUFFER: usize = 4 << 20;
const MOST_LEFT: usize = 100_000;

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These connections began or ended.
    Heard(Vec<Heard>),
    /// Some events were lost.
    Lost,
}

/// A socket that hears of connections.
pub struct Ear {
    socket: TokioSocket,
    /// Networks of the place: what is answered from there went nowhere.
    places: Vec<IpNet>,
    seq: u32,
}

fn failed(source: std::io::Error) -> KernelError {
    KernelError::Io { doing: "listening to connections", source }
}

impl Ear {
    /// Opens the socket.
    ///
    /// # Errors
    /// `KernelError::Io` when it cannot be opened.
    pub fn open(places: Vec<IpNet>) -> Result<Self, KernelError> {
        let mut socket = TokioSocket::new(NETFILTER).map_err(failed)?;
        // Without the right to force it the system's own size has to do.
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(socket.socket_mut(), BUFFER);
        socket.socket_mut().bind(&SocketAddr::new(0, GROUPS)).map_err(failed)?;
        Ok(Ear { socket, places, seq: 0 })
    }

    /// Asks for all connections that there are; `next` hears of them as of new ones.
    ///
    /// # Errors
    /// `KernelError::Io` when the kernel cannot be asked.
    pub fn ask_all(&mut self) -> Result<(), KernelError> {
        self.seq = self.seq.wrapping_add(1);
        let bytes = flows::all(self.seq);
        let to_kernel = SocketAddr::new(0, 0);
        self.socket.socket_mut().send_to(&bytes, &to_kernel, 0).map(drop).map_err(failed)
    }

    fn drain(&mut self) -> Result<(), KernelError> {
        for _ in 0..MOST_LEFT {
            match self.socket.socket_mut().recv_from_full() {
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(e) if e.raw_os_error() == Some(ENOBUFS) => {}
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(())
    }

    /// Waits for the next events.
    ///
    /// # Errors
    /// `KernelError::Io` when the socket has failed for good.
    pub async fn next(&mut self) -> Result<News, KernelError> {
        match self.socket.recv_from_full().await {
            Ok((bytes, _)) => {
                let stays = |ip: IpAddr| self.places.iter().any(|net| net.contains(&ip));
                let found = Messages(&bytes).flatten();
                Ok(News::Heard(found.filter_map(|m| flows::heard_from(&m, stays).ok().flatten()).collect()))
            }
            Err(e) if e.raw_os_error() == Some(ENOBUFS) => {
                self.drain()?;
                Ok(News::Lost)
            }
            Err(source) => Err(failed(source)),
        }
    }
}
