//! The portal's listeners: accepting, bounding, serving, and closing with care.

use super::crowd::{Crowd, Place};
use super::tls::Tls;
use super::{At, Door, Portal};
use crate::clock::Clock;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections in all; each holds about 10 kB.
pub const MOST: usize = 512;
/// Connections from one address: a browser opens six, a router in front of people more.
pub const MOST_EACH: usize = 48;
/// How long a request's head may take, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(8);
/// The largest request head, in bytes; more is answered with 431.
const LARGEST_HEAD: usize = 16 * 1024;
/// How much of an unread request is taken in before the connection is closed.
const LINGER_BYTES: usize = 4 * 1024 * 1024;
const LINGER_MS: i64 = 2_000;
const HANDSHAKE_MS: i64 = 8_000;

/// Listens on a port of every address, IPv6 and IPv4 on one socket where IPv6 exists.
///
/// # Errors
/// What the system says, for example that the port is taken.
pub fn bind(port: u16) -> io::Result<TcpListener> {
    bind_at(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port).or_else(|e| match e.kind() {
        io::ErrorKind::AddrInUse => Err(e),
        _ => bind_at(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port),
    })
}

fn bind_at(ip: IpAddr, port: u16) -> io::Result<TcpListener> {
    let at = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(1024)?;
    TcpListener::from_std(socket.into())
}

/// Serves the portal on a listener until `stop`; over TLS when `tls` is given.
pub async fn serve<D: Door>(
    listener: TcpListener,
    portal: Portal<D>,
    tls: Option<Tls>,
    crowd: Crowd,
    clock: Clock,
    stop: CancellationToken,
) {
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // No room: closing at once is the cheapest answer, and the browser tries again.
                let Some(place) = crowd.enter(peer.ip()) else { continue };
                let one = Connection {
                    portal: portal.clone(),
                    tls: tls.clone(),
                    clock: clock.clone(),
                    stop: stop.clone(),
                    peer,
                    _place: place,
                };
                tasks.spawn(one.run(stream));
            }
            Err(e) => {
                // Out of descriptors, or a peer that left early: wait a little, go on.
                tracing::debug!(error = %e, "portal: accept");
                clock.sleep_ms(20).await;
            }
        }
    }
    tasks.close();
    clock.at_most(3_000, tasks.wait()).await;
}

struct Connection<D> {
    portal: Portal<D>,
    tls: Option<Tls>,
    clock: Clock,
    stop: CancellationToken,
    peer: SocketAddr,
    _place: Place,
}

impl<D: Door> Connection<D> {
    async fn run(self, stream: TcpStream) {
        let Ok(local) = stream.local_addr() else { return };
        // Pages are small and whole: waiting for more to send only adds delay.
        let _ = stream.set_nodelay(true);
        let at = At { peer: self.peer, local, secure: self.tls.is_some() };
        match &self.tls {
            None => self.serve(stream, at).await,
            Some(tls) => {
                let Some(acceptor) = tls.acceptor() else { return };
                let hands = self.clock.at_most(HANDSHAKE_MS, acceptor.accept(stream)).await;
                if let Some(Ok(stream)) = hands {
                    self.serve(stream, at).await;
                }
            }
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, at: At) {
        let service =
            service_fn(|request| async move { Ok::<_, Infallible>(self.portal.answer(request, at).await) });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(LARGEST_HEAD)
            .max_headers(64)
            .half_close(true);
        let ended = {
            let connection = builder.serve_connection(TokioIo::new(&mut stream), service);
            tokio::pin!(connection);
            tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = self.stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.as_mut().await
                }
            }
        };
        if ended.is_err() {
            self.linger(&mut stream).await;
        }
    }

    /// Reads what is still on its way after an error answer, for a moment.
    ///
    /// Closing with unread bytes resets the connection, and the peer would lose the
    /// answer that says what was wrong.
    async fn linger<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut S) {
        let drain = async {
            if stream.shutdown().await.is_err() {
                return;
            }
            let mut left = LINGER_BYTES;
            let mut buffer = [0; 4096];
            while left > 0 {
                match stream.read(&mut buffer).await {
                    Ok(n) if n > 0 => left = left.saturating_sub(n),
                    _ => return,
                }
            }
        };
        self.clock.at_most(LINGER_MS, drain).await;
    }
}
