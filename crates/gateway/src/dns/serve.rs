//! The resolver's process: its sockets, its signals, and the loop over questions.

use super::{Over, Resolver, Settings};
use crate::clock::Clock;
use crate::portal::crowd::Crowd;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Questions that are worked on at a time; more are dropped and asked again.
const MOST_AT_ONCE: usize = 512;
/// Streams in all and from one address.
const STREAMS: (usize, usize) = (128, 8);
/// How long a stream may be idle, in milliseconds.
const IDLE_MS: i64 = 5_000;
/// Questions on one stream.
const MOST_ON_STREAM: usize = 100;
/// How often a port is drawn anew when streams do not get the one of datagrams.
const DRAWS: usize = 32;

/// The two sockets on which questions come.
#[derive(Debug)]
pub struct Sockets {
    /// Datagrams.
    pub udp: Socket,
    /// Streams.
    pub tcp: Socket,
}

impl Sockets {
    /// Opens both on every address, IPv6 and IPv4 on one socket where IPv6 exists.
    ///
    /// They may be opened while an earlier resolver still has its own. Port 0 draws
    /// one that is free for both.
    ///
    /// # Errors
    /// What the system says, for example that the port is taken.
    pub fn open(port: u16) -> io::Result<Self> {
        let draws = if port == 0 { DRAWS } else { 1 };
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..draws {
            match Self::open_once(port) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                done => return done,
            }
        }
        Err(last)
    }

    fn open_once(port: u16) -> io::Result<Self> {
        let bound = |at: SocketAddr, kind, protocol| -> io::Result<Socket> {
            let socket = Socket::new(Domain::for_address(at), kind, Some(protocol))?;
            if at.is_ipv6() {
                socket.set_only_v6(false)?;
            }
            socket.set_reuse_address(true)?;
            socket.set_reuse_port(true)?;
            socket.set_nonblocking(true)?;
            socket.bind(&at.into())?;
            Ok(socket)
        };
        let both = |at: SocketAddr| -> io::Result<Self> {
            let udp = bound(at, Type::DGRAM, Protocol::UDP)?;
            // The port that was drawn for datagrams is also that of streams.
            let drawn = udp.local_addr()?.as_socket().map_or(at.port(), |a| a.port());
            let tcp = bound(SocketAddr::new(at.ip(), drawn), Type::STREAM, Protocol::TCP)?;
            tcp.listen(128)?;
            Ok(Sockets { udp, tcp })
        };
        both(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).or_else(|e| match e.kind() {
            io::ErrorKind::AddrInUse => Err(e),
            _ => both(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
        })
    }

    /// The sockets that the keeper handed over as standard input and output, if it did.
    #[must_use]
    pub fn inherited() -> Option<Self> {
        let input = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
        let output = std::io::stdout().as_fd().try_clone_to_owned().ok()?;
        let (udp, tcp) = (Socket::from(input), Socket::from(output));
        let sound = udp.r#type().ok()? == Type::DGRAM && tcp.r#type().ok()? == Type::STREAM;
        udp.set_nonblocking(true).ok()?;
        tcp.set_nonblocking(true).ok()?;
        sound.then_some(Sockets { udp, tcp })
    }

    /// A second handle on both, for a child process.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn handles(&self) -> io::Result<(OwnedFd, OwnedFd)> {
        Ok((self.udp.try_clone()?.into(), self.tcp.try_clone()?.into()))
    }
}

/// Runs the resolver over the settings in `data` until SIGTERM.
///
/// # Errors
/// When the settings cannot be read or the port cannot be opened.
pub async fn run(data: &Path) -> io::Result<()> {
    let clock = Clock::machine();
    let first = Settings::read(data)?;
    let sockets = match Sockets::inherited() {
        Some(sockets) => sockets,
        None => Sockets::open(first.port)?,
    };
    let (told, settings) = watch::channel(Arc::new(first));
    let stop = CancellationToken::new();
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let serving = serve(sockets, Resolver::new(settings, clock.clone()), clock, stop.clone());
    tokio::pin!(serving);
    loop {
        tokio::select! {
            biased;
            done = serving.as_mut() => return done,
            _ = terminate.recv() => stop.cancel(),
            _ = hang_up.recv() => match Settings::read(data) {
                Ok(settings) => { told.send_replace(Arc::new(settings)); }
                Err(error) => tracing::warn!(%error, "resolver: settings unreadable, the last ones stay"),
            },
        }
    }
}

/// Answers on both sockets until `stop`, then finishes what is under way.
///
/// # Errors
/// When a socket cannot be used at all.
pub async fn serve(
    sockets: Sockets,
    resolver: Resolver,
    clock: Clock,
    stop: CancellationToken,
) -> io::Result<()> {
    let udp = Arc::new(UdpSocket::from_std(sockets.udp.into())?);
    let tcp = TcpListener::from_std(sockets.tcp.into())?;
    let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let streams = Crowd::new(STREAMS.0, STREAMS.1);
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            got = udp.recv_from(&mut buffer) => {
                // An error belongs to an earlier answer that could not be delivered.
                let Ok((length, peer)) = got else { continue };
                let Ok(permit) = room.clone().try_acquire_owned() else { continue };
                let question = buffer.get(..length).unwrap_or_default().to_vec();
                let (udp, resolver) = (udp.clone(), resolver.clone());
                tokio::spawn(async move {
                    if let Some(answer) = resolver.answer(&question, peer, Over::Udp).await {
                        // A device that has gone needs no answer.
                        let _ = udp.send_to(&answer, peer).await;
                    }
                    drop(permit);
                });
            }
            got = tcp.accept() => {
                let Ok((stream, peer)) = got else {
                    clock.sleep_ms(20).await;
                    continue;
                };
                let Some(place) = streams.enter(peer.ip()) else { continue };
                let (resolver, clock) = (resolver.clone(), clock.clone());
                tokio::spawn(async move {
                    // A stream that fails is simply over.
                    let _ = serve_stream(stream, peer, &resolver, &clock).await;
                    drop(place);
                });
            }
        }
    }
    let all = u32::try_from(MOST_AT_ONCE).unwrap_or(u32::MAX);
    clock.at_most(4_000, Box::pin(room.acquire_many(all))).await;
    Ok(())
}

async fn serve_stream(
    mut stream: TcpStream,
    peer: SocketAddr,
    resolver: &Resolver,
    clock: &Clock,
) -> io::Result<()> {
    for _ in 0..MOST_ON_STREAM {
        let read = async {
            let length = stream.read_u16().await?;
            let mut question = vec![0; usize::from(length)];
            stream.read_exact(&mut question).await?;
            io::Result::Ok(question)
        };
        let Some(question) = clock.at_most(IDLE_MS, Box::pin(read)).await else { break };
        let Some(answer) = resolver.answer(&question?, peer, Over::Tcp).await else { break };
        let length = u16::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend_from_slice(&answer);
        if clock.at_most(IDLE_MS, Box::pin(stream.write_all(&framed))).await.is_none() {
            break;
        }
    }
    Ok(())
}
