//! Router advertisements for the segments with IPv6 (RFC 4861, section 6.2).
//!
//! Our own sender, because option 37 has to be in it while a certificate is valid. It
//! never calls itself a default router where it leads nowhere: a place with private
//! IPv6 only and no translation (rulings) would make phones wait for nothing.

use crate::clock::Clock;
use crate::config::{Config, Segment};
use ipnet::Ipv6Net;
use kulkul_wire::advert::{Advert, Prefix, is_solicitation};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// Between unasked advertisements, in milliseconds: 200 to 600 s (section 6.2.1).
const UNASKED_MS: (i64, i64) = (200_000, 600_000);
/// The first three follow each other faster (section 6.2.4).
const INITIAL: (u32, i64) = (3, 16_000);
/// Between two to all devices, at least (MIN_DELAY_BETWEEN_RAS).
const APART_MS: i64 = 3_000;
/// How long the box is a default router after its last word, in seconds.
const ROUTER_S: u16 = 1_800;
/// How long the resolver holds: three times the longest pause (RFC 8106, section 5.1).
const DNS_S: u32 = 1_800;
/// How long addresses hold, in seconds.
const ADDRESS_S: (u32, u32) = (7_200, 3_600);
/// How long an interface that is not there yet is waited for, in milliseconds.
const AGAIN_MS: i64 = 5_000;

/// What is said on a segment, without what the interface itself adds.
///
/// Nothing for a segment without IPv6. `nat6` tells that private addresses are
/// translated on the uplink, so that the box does lead somewhere.
#[must_use]
pub fn said(segment: &Segment, nat6: bool, captive: Option<&str>) -> Option<Advert> {
    let net = segment.address6?;
    let leads_somewhere = nat6 || !is_private(net);
    Some(Advert {
        router_s: if leads_somewhere { ROUTER_S } else { 0 },
        other: segment.dhcp,
        prefixes: vec![Prefix { net: net.trunc(), valid_s: ADDRESS_S.0, preferred_s: ADDRESS_S.1 }],
        dns: vec![net.addr()],
        dns_s: DNS_S,
        mtu: None,
        mac: None,
        captive: captive.map(str::to_owned),
    })
}

const fn is_private(net: Ipv6Net) -> bool {
    net.addr().is_unique_local()
}

/// Advertises on every segment with IPv6 until `stop`, and then takes leave.
pub async fn run(
    config: Arc<Config>,
    captive: watch::Receiver<Option<String>>,
    clock: Clock,
    stop: CancellationToken,
) {
    let all = config.segments.iter().filter(|s| s.address6.is_some()).map(|segment| {
        let (captive, clock, stop) = (captive.clone(), clock.clone(), stop.clone());
        let nat6 = config.uplink.nat6;
        async move {
            while !stop.is_cancelled() {
                if let Err(error) = on_segment(segment, nat6, captive.clone(), &clock, &stop).await {
                    tracing::warn!(interface = segment.interface, %error, "router advertisements: trying again");
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = clock.sleep_ms(AGAIN_MS) => {}
                    }
                }
            }
        }
    });
    futures_util::future::join_all(all).await;
}

async fn on_segment(
    segment: &Segment,
    nat6: bool,
    mut captive: watch::Receiver<Option<String>>,
    clock: &Clock,
    stop: &CancellationToken,
) -> io::Result<()> {
    let link = Link::open(&segment.interface)?;
    let now_said = |captive: &watch::Receiver<Option<String>>| {
        said(segment, nat6, captive.borrow().as_deref()).map(|a| link.complete(a))
    };
    let mut sent: u32 = 0;
    let mut last_ms = i64::MIN / 2;
    let mut next_ms = clock.mono_ms();
    let mut following = true;
    let mut buffer = [0; 1500];
    loop {
        let Some(advert) = now_said(&captive) else { return Ok(()) };
        tokio::select! {
            biased;
            () = stop.cancelled() => {
                // Goodbye: nobody's router, nobody's resolver (section 6.2.5).
                let leave = Advert { router_s: 0, dns_s: 0, captive: None, ..advert };
                return link.send(&leave, ALL_NODES).await;
            }
            got = captive.changed(), if following => {
                following = got.is_ok();
                (sent, next_ms) = (0, clock.mono_ms());
            }
            got = link.receive(&mut buffer) => {
                let (length, from) = got?;
                if !is_solicitation(buffer.get(..length).unwrap_or_default(), from.is_unspecified()) {
                    continue;
                }
                if from.is_unicast_link_local() {
                    link.send(&advert, from).await?;
                } else {
                    next_ms = next_ms.min(clock.mono_ms());
                }
            }
            // In slices: a new interface of the same name is another one for the socket.
            () = clock.sleep_ms((next_ms.max(last_ms.saturating_add(APART_MS)) - clock.mono_ms()).clamp(0, AGAIN_MS)) => {
                link.check()?;
                if clock.mono_ms() < next_ms.max(last_ms.saturating_add(APART_MS)) {
                    continue;
                }
                link.send(&advert, ALL_NODES).await?;
                sent = sent.saturating_add(1);
                last_ms = clock.mono_ms();
                let pause = if sent < INITIAL.0 { INITIAL.1 } else { drawn(UNASKED_MS) };
                next_ms = last_ms.saturating_add(pause);
            }
        }
    }
}

/// A number between two, drawn anew each time.
fn drawn((least, most): (i64, i64)) -> i64 {
    let mut bytes = [0; 4];
    // Without randomness all boxes would only speak at the same pace.
    let _ = getrandom::fill(&mut bytes);
    least + i64::from(u32::from_ne_bytes(bytes)) % (most - least).max(1)
}

/// A raw ICMPv6 socket on one interface.
struct Link {
    socket: UdpSocket,
    interface: String,
    index: u32,
    mac: Option<[u8; 6]>,
    mtu: Option<u32>,
}

impl Link {
    fn open(interface: &str) -> io::Result<Self> {
        let index = fact(interface, "ifindex")?;
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        socket.bind_device(Some(interface.as_bytes()))?;
        socket.set_multicast_if_v6(index)?;
        // Anything but 255 is not believed (section 6.1.2).
        socket.set_multicast_hops_v6(255)?;
        socket.set_unicast_hops_v6(255)?;
        socket.set_multicast_loop_v6(false)?;
        socket.join_multicast_v6(&ALL_ROUTERS, index)?;
        socket.set_nonblocking(true)?;
        let mac = std::fs::read_to_string(format!("/sys/class/net/{interface}/address")).ok();
        let mac = mac.and_then(|m| kulkul_model::session::Mac::parse(m.trim()).ok()).map(|m| m.0);
        // The runtime's datagram socket only hands messages through, whatever they are.
        let socket = UdpSocket::from_std(OwnedFd::from(socket).into())?;
        let mtu = fact(interface, "mtu").ok();
        Ok(Link { socket, interface: interface.to_owned(), index, mac, mtu })
    }

    /// Whether the interface of this name is still the one that the socket is on.
    fn check(&self) -> io::Result<()> {
        if fact(&self.interface, "ifindex")? == self.index {
            return Ok(());
        }
        Err(io::Error::other("another interface has its name now"))
    }

    fn complete(&self, advert: Advert) -> Advert {
        Advert { mac: self.mac, mtu: self.mtu, ..advert }
    }

    async fn send(&self, advert: &Advert, to: Ipv6Addr) -> io::Result<()> {
        let to = SocketAddrV6::new(to, 0, 0, self.index);
        match self.socket.send_to(&advert.encode(), SocketAddr::V6(to)).await {
            // The link has no address yet, or is down: the next one may go through.
            Err(e) if matches!(e.raw_os_error(), Some(99..=101)) => {
                tracing::debug!(error = %e, "router advertisement not sent");
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// The next ICMPv6 message and its sender.
    async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Ipv6Addr)> {
        let (length, from) = self.socket.recv_from(buffer).await?;
        match from.ip() {
            IpAddr::V6(ip) => Ok((length, ip)),
            IpAddr::V4(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn fact(interface: &str, name: &str) -> io::Result<u32> {
    let text = std::fs::read_to_string(format!("/sys/class/net/{interface}/{name}"))?;
    text.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(address6: Option<&str>) -> Segment {
        Segment {
            name: "public".to_owned(),
            kind: crate::config::Kind::Public,
            vlan: None,
            below: None,
            interface: "lan0".to_owned(),
            address4: None,
            address6: address6.map(|a| a.parse().unwrap()),
            dhcp: true,
        }
    }

    #[test]
    fn a_box_that_leads_nowhere_is_no_default_router() {
        let router = |address, nat6| said(&segment(Some(address)), nat6, None).unwrap().router_s;
        assert_eq!(router("fd77::1/64", false), 0);
        assert_eq!(router("fd77::1/64", true), ROUTER_S);
        assert_eq!(router("2001:db8::1/64", false), ROUTER_S);
        assert_eq!(said(&segment(None), true, None), None);
    }

    #[test]
    fn the_network_is_announced_not_the_boxs_own_address() {
        let advert = said(&segment(Some("fd77::1/64")), false, Some("https://a/captive/api")).unwrap();
        assert_eq!(advert.prefixes[0].net.to_string(), "fd77::/64");
        assert_eq!(advert.dns, ["fd77::1".parse::<Ipv6Addr>().unwrap()]);
        assert_eq!(advert.captive.as_deref(), Some("https://a/captive/api"));
        assert!((0..100).all(|_| (200_000..600_000).contains(&drawn(UNASKED_MS))));
    }
}
