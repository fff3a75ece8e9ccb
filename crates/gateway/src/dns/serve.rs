//! The resolver's process: its sockets, its signals, and the loop over questions.

use super::{Orders, Over, Quick, Resolver, Settings, TOLD_SOCKET, Told, tell};
use crate::clock::Clock;
use crate::portal::crowd::Crowd;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Questions that are worked on at a time; more are dropped and asked again.
const MOST_AT_ONCE: usize = 512;
/// Datagrams that are read before others have their turn.
const AT_A_TIME: usize = 64;
/// How often the main process is told what was blocked, in milliseconds.
const TELL_MS: i64 = 5_000;
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
    let first = Orders::open(first, None);
    let (told, orders) = watch::channel(Arc::new(first));
    let stop = CancellationToken::new();
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let resolver = Resolver::new(orders, clock.clone());
    let serving = serve(sockets, resolver.clone(), clock.clone(), stop.clone());
    tokio::pin!(serving);
    let telling = tell_counts(&resolver, &clock, data.join(TOLD_SOCKET));
    tokio::pin!(telling);
    loop {
        tokio::select! {
            biased;
            done = serving.as_mut() => return done,
            () = telling.as_mut() => {}
            _ = terminate.recv() => stop.cancel(),
            _ = hang_up.recv() => follow(data, &told).await,
        }
    }
}

/// Takes new settings; questions are answered by the old ones until all is open.
async fn follow(data: &Path, told: &watch::Sender<Arc<Orders>>) {
    let (data, held) = (data.to_owned(), told.borrow().clone());
    let read = move || Settings::read(&data).map(|settings| Orders::open(settings, Some(&held)));
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(orders)) => drop(told.send_replace(Arc::new(orders))),
        Ok(Err(error)) => tracing::warn!(%error, "resolver: settings unreadable, the last ones stay"),
        Err(error) => tracing::error!(%error, "resolver: settings not taken"),
    }
}

async fn tell_counts(resolver: &Resolver, clock: &Clock, socket: PathBuf) {
    loop {
        clock.sleep_ms(TELL_MS).await;
        let blocked = resolver.take_counts();
        if !blocked.is_empty() {
            tell(&socket, &Told::Blocked(blocked)).await;
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
    let mut desk =
        Desk { udp, resolver: resolver.clone(), room: room.clone(), buffer: [0; 4096], out: Vec::new() };
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            // An error belongs to an earlier answer that could not be delivered.
            _ = desk.udp.readable() => {
                desk.some(clock.mono_ms());
                // Streams and lookups have their turn.
                tokio::task::yield_now().await;
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

/// Where datagrams are read and most are answered.
struct Desk {
    udp: Arc<UdpSocket>,
    resolver: Resolver,
    room: Arc<Semaphore>,
    buffer: [u8; 4096],
    out: Vec<u8>,
}

impl Desk {
    /// Reads what has come, at most `AT_A_TIME`, and answers what needs nobody else.
    fn some(&mut self, now_ms: i64) {
        let orders = self.resolver.orders();
        for _ in 0..AT_A_TIME {
            let (length, peer) = match self.udp.try_recv_from(&mut self.buffer) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => continue,
            };
            let ip = peer.ip().to_canonical();
            if !orders.settings.is_neighbour(ip) {
                continue;
            }
            let question = self.buffer.get(..length).unwrap_or_default();
            let Some(online) = self.resolver.knows(ip, now_ms) else {
                let resolver = self.resolver.clone();
                let question = question.to_vec();
                self.later(peer, async move { resolver.answer(&question, peer, Over::Udp).await });
                continue;
            };
            match self.resolver.quick(&orders, question, ip, Over::Udp, now_ms, &mut self.out) {
                // A device that has gone needs no answer; one that floods loses some.
                Quick::Answered => drop(self.udp.try_send_to(&self.out, peer)),
                Quick::Silent => {}
                Quick::Whole => {
                    let (resolver, orders, question) =
                        (self.resolver.clone(), orders.clone(), question.to_vec());
                    self.later(peer, async move {
                        resolver.answer_whole(&orders, &question, (ip, online), Over::Udp).await
                    });
                }
            }
        }
    }

    /// Answers once `answer` is there; one too many at a time is dropped and asked again.
    fn later(&self, peer: SocketAddr, answer: impl Future<Output = Option<Vec<u8>>> + Send + 'static) {
        let Ok(permit) = self.room.clone().try_acquire_owned() else { return };
        let udp = self.udp.clone();
        tokio::spawn(async move {
            if let Some(answer) = answer.await {
                // A device that has gone needs no answer.
                let _ = udp.send_to(&answer, peer).await;
            }
            drop(permit);
        });
    }
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
