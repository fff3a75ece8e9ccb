//! Carrying packets between the tunnel's interface and the other end, for as long as it is ordered.

use super::device::Device;
use super::peer::{Done, Peer};
use super::silence::Silence;
use super::{INTERFACE, TunnelState, is_wanted, key};
use crate::clock::Clock;
use crate::config::Config;
use crate::journal::Journal;
use crate::supervisor::Supervisor;
use boringtun::x25519::StaticSecret;
use futures_util::future::BoxFuture;
use kulkul_wire::link::desired::{TunnelSection, key_from, key_text};
use kulkul_wire::link::{Entry, Event};
use kulkul_wire::netlink::queues;
use kulkul_wire::ruleset::classes;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks at the protocol's timers, milliseconds.
const TICK_MS: i64 = 250;
/// Before another try where the interface or the socket could not be made, milliseconds.
const AGAIN_MS: i64 = 5_000;
/// Packets in one direction before the other has its turn.
const AT_ONCE: usize = 64;
/// The system's buffers of the socket: a burst of a fast line.
const SOCKET_BUFFER: usize = 1 << 20;

/// The tunnel of this box.
#[derive(Clone)]
pub struct Tunnel {
    /// The box's settings.
    pub config: Arc<Config>,
    /// What is ordered, as the supervisor has taken it in.
    pub orders: watch::Receiver<TunnelSection>,
    /// Makes routes and addresses of the interface.
    pub supervisor: Supervisor,
    /// Where it is told that the tunnel came and went.
    pub journal: Journal,
    /// The clock.
    pub clock: Clock,
    /// The box's own key.
    pub key: StaticSecret,
    /// Where it shows how it is.
    pub tell: Arc<watch::Sender<TunnelState>>,
}

enum Ended {
    Stopped,
    OrderedAnew,
}

type Look = BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// One tunnel while its orders hold.
struct Going {
    endpoint: String,
    device: Device,
    socket: UdpSocket,
    peer: Peer,
    silence: Silence,
    at: Option<SocketAddr>,
    look: Option<Look>,
    trouble: Option<String>,
}

impl Tunnel {
    /// Carries packets whenever a tunnel is ordered, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let section = self.orders.borrow_and_update().clone();
            let ordered = is_wanted(&section, &self.config);
            self.show(&section, None);
            if ordered {
                match self.carry(&section, &stop).await {
                    Ok(Ended::Stopped) => return,
                    Ok(Ended::OrderedAnew) => continue,
                    Err(error) => {
                        tracing::error!(%error, "the tunnel cannot be made; it is tried again");
                        self.tell.send_modify(|state| state.trouble = Some(error.to_string()));
                    }
                }
            }
            let wait_ms = if ordered { AGAIN_MS } else { i64::from(u32::MAX) };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = self.orders.changed() => if changed.is_err() { return },
                () = self.clock.sleep_ms(wait_ms) => {}
            }
        }
    }

    async fn carry(&mut self, section: &TunnelSection, stop: &CancellationToken) -> io::Result<Ended> {
        let key = key_from(&section.key).ok_or_else(|| io::Error::other("the other end's key"))?;
        let clock = self.clock.clone();
        let mut going = Going {
            endpoint: section.endpoint.clone(),
            device: Device::make(INTERFACE)?,
            socket: socket()?,
            peer: Peer::new(&self.key, key, section.keepalive_s, &section.prefixes),
            silence: Silence::new(section.keepalive_s, clock.mono_ms()),
            at: None,
            look: None,
            trouble: None,
        };
        self.supervisor.tunnel_made().await;
        tracing::info!(endpoint = section.endpoint, "the tunnel's interface is there");
        let (mut packet, mut datagram) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            let tick = clock.sleep_ms(TICK_MS);
            tokio::pin!(tick);
            loop {
                // Not in a fixed order: neither direction may wait for the other.
                tokio::select! {
                    () = stop.cancelled() => return Ok(Ended::Stopped),
                    changed = self.orders.changed() => match changed {
                        Ok(()) => return Ok(Ended::OrderedAnew),
                        Err(_) => return Ok(Ended::Stopped),
                    },
                    () = &mut tick => break,
                    found = found(&mut going.look) => going.found(found),
                    ready = going.device.readable() => {
                        ready?;
                        going.out(&mut packet).await?;
                    }
                    came = going.socket.recv_from(&mut datagram) => match came {
                        Ok((length, from)) => {
                            let mono_ms = clock.mono_ms();
                            let back = going.came(&mut datagram, (length, from), mono_ms).await;
                            if let Some(lost_ms) = back {
                                self.note_up(lost_ms).await;
                            }
                        }
                        // What the network says of an earlier packet.
                        Err(error) => tracing::debug!(%error, "the tunnel's socket"),
                    },
                }
            }
            if going.tick(clock.mono_ms()).await {
                let from = || format!("nothing comes from {}", going.endpoint);
                let why = going.trouble.clone().unwrap_or_else(from);
                self.note_down(why).await;
            }
            self.show(section, Some(&going));
        }
    }

    fn show(&self, section: &TunnelSection, going: Option<&Going>) {
        let mono_ms = self.clock.mono_ms();
        let seconds = |ms: i64| u64::try_from(ms / 1_000).unwrap_or(0);
        let mut state = TunnelState {
            ordered: is_wanted(section, &self.config),
            endpoint: section.endpoint.clone(),
            public_key: key_text(&key::public(&self.key)),
            ..TunnelState::default()
        };
        if let Some(going) = going {
            let (since, up, down) = going.peer.counts();
            state.up = going.silence.is_up();
            state.handshake_s = since.map(seconds);
            state.heard_s = going.silence.since(mono_ms).map(seconds);
            state.at = going.at.map(plain);
            (state.up_bytes, state.down_bytes) = (up, down);
            state.trouble.clone_from(&going.trouble);
        }
        self.tell.send_if_modified(|old| {
            let changed = *old != state;
            *old = state;
            changed
        });
    }

    async fn note_up(&self, lost_ms: i64) {
        tracing::info!(lost_ms, "the data centre's end of the tunnel answers");
        self.note(Event::TunnelUp { lost_ms: lost_ms.unsigned_abs() }).await;
    }

    async fn note_down(&self, why: String) {
        tracing::warn!(why, "the data centre's end of the tunnel does not answer");
        self.note(Event::TunnelDown { why }).await;
    }

    async fn note(&self, event: Event) {
        if let Err(error) = self.journal.append(Entry::Event(event)).await {
            tracing::warn!(%error, "an event of the tunnel was not recorded");
        }
    }
}

impl Going {
    /// Takes packets of the place, and sends them.
    async fn out(&mut self, packet: &mut [u8]) -> io::Result<()> {
        for _ in 0..AT_ONCE {
            let Some(length) = self.device.take(packet)? else { return Ok(()) };
            let done = self.peer.out(packet.get(..length).unwrap_or_default());
            send(&self.socket, self.at, done, &mut self.trouble).await;
        }
        Ok(())
    }

    /// Takes what came, and whatever came with it; gives how long the other end was gone if it was.
    async fn came(
        &mut self,
        datagram: &mut [u8],
        (mut length, mut from): (usize, SocketAddr),
        mono_ms: i64,
    ) -> Option<i64> {
        let mut back = None;
        for _ in 0..AT_ONCE {
            let bytes = datagram.get(..length).unwrap_or_default();
            let proof = Peer::is_proof(bytes);
            match self.peer.came(plain(from), bytes) {
                Done::Refused => {}
                done => {
                    if proof {
                        back = back.or(self.silence.heard(mono_ms));
                        self.trouble = None;
                        // The other end is where it sends from.
                        self.at = Some(from);
                    }
                    match done {
                        Done::Deliver(packet) => self.device.put(packet),
                        Done::Send(_) => {
                            send(&self.socket, Some(from), done, &mut self.trouble).await;
                            self.send_waiting().await;
                        }
                        Done::Nothing | Done::Refused => {}
                    }
                }
            }
            match self.socket.try_recv_from(datagram) {
                Ok(next) => (length, from) = next,
                Err(_) => break,
            }
        }
        back
    }

    async fn send_waiting(&mut self) {
        for _ in 0..Peer::most_waiting() {
            match self.peer.waiting() {
                done @ Done::Send(_) => send(&self.socket, self.at, done, &mut self.trouble).await,
                _ => return,
            }
        }
    }

    /// What the time asks for; true when the other end has just come to count as gone.
    async fn tick(&mut self, mono_ms: i64) -> bool {
        let advice = self.silence.tick(mono_ms);
        if advice.look && !self.silence.is_up() {
            self.peer.begin_anew();
        }
        if advice.look && self.look.is_none() {
            let name = self.endpoint.clone();
            self.look = Some(Box::pin(async move {
                Ok(tokio::net::lookup_host(name).await?.collect::<Vec<SocketAddr>>())
            }));
        }
        let done = self.peer.tick();
        send(&self.socket, self.at, done, &mut self.trouble).await;
        if advice.shake && self.at.is_some() {
            let done = self.peer.shake();
            send(&self.socket, self.at, done, &mut self.trouble).await;
        }
        advice.lost
    }

    /// Takes in where the other end is: of several addresses the one after that which is silent.
    fn found(&mut self, found: io::Result<Vec<SocketAddr>>) {
        self.look = None;
        match found {
            Ok(all) if !all.is_empty() => {
                let now = self.at.map(plain);
                let next = all.iter().position(|a| Some(*a) == now).map_or(0, |i| i + 1);
                self.at = all.get(next).or_else(|| all.first()).copied();
                self.trouble = None;
            }
            Ok(_) => self.trouble = Some(format!("{} has no address", self.endpoint)),
            Err(error) => self.trouble = Some(format!("{} is not found: {error}", self.endpoint)),
        }
    }
}

/// Sends what is to be sent; what the system says against it is kept for people.
async fn send(socket: &UdpSocket, to: Option<SocketAddr>, done: Done<'_>, trouble: &mut Option<String>) {
    let (Done::Send(bytes), Some(to)) = (done, to) else { return };
    let six = socket.local_addr().is_ok_and(|a| a.is_ipv6());
    if let Err(error) = socket.send_to(bytes, as_family(to, six)).await {
        *trouble = Some(format!("sending to {}: {error}", plain(to)));
    }
}

/// An IPv4 address as a socket of both families takes it.
fn as_family(to: SocketAddr, six: bool) -> SocketAddr {
    match to {
        SocketAddr::V4(v4) if six => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        to => to,
    }
}

/// An address as people write it.
fn plain(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip().to_canonical(), at.port())
}

/// A socket of both families, or of IPv4 where there is no other.
fn socket() -> io::Result<UdpSocket> {
    let both = || {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
        Ok::<_, io::Error>(socket)
    };
    let four = || {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into())?;
        Ok::<_, io::Error>(socket)
    };
    let socket = both().or_else(|_| four())?;
    socket.set_nonblocking(true)?;
    // Where the line is shared out its packets wait among those of service devices, not before everybody.
    if let Err(error) = socket.set_priority(queues::handle(classes::SERVICE)) {
        tracing::debug!(%error, "the tunnel's packets wait with the box's own");
    }
    // As large as the system allows; smaller only means that a burst loses more.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    UdpSocket::from_std(StdSocket::from(socket))
}

/// Waits for where the other end is; for ever while nobody looks.
async fn found(look: &mut Option<Look>) -> io::Result<Vec<SocketAddr>> {
    match look {
        Some(look) => look.await,
        None => std::future::pending().await,
    }
}
