//! Neighbours and addresses of rtnetlink (linux/neighbour.h, linux/if_addr.h).

use super::Garbled;
use super::message::{ACK, Attributes, CREATE, DUMP, Message, REQUEST, Writer};
use ipnet::IpNet;
use kulkul_model::session::Mac;
use std::net::IpAddr;

/// The bit of rtnetlink's groups that tells of neighbours.
pub const NEIGHBOUR_GROUP: u32 = 1 << 2;

const NEWLINK: u16 = 16;
const NEWADDR: u16 = 20;
const DELADDR: u16 = 21;
const GETADDR: u16 = 22;
const NEWNEIGH: u16 = 28;
const DELNEIGH: u16 = 29;
const GETNEIGH: u16 = 30;

const INET: u8 = 2;
const INET6: u8 = 10;

/// INCOMPLETE, FAILED and NOARP: the kernel does not know who answers, or does not ask.
const USELESS: u16 = 0x01 | 0x20 | 0x40;

/// What the neighbour table says of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The interface's index.
    pub interface: u32,
    /// The address.
    pub ip: IpAddr,
    /// Who answers; none when it is gone or not known.
    pub mac: Option<Mac>,
}

/// Asks for one neighbour.
#[must_use]
pub fn neighbour(interface: u32, ip: IpAddr, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETNEIGH, REQUEST, seq, &ndmsg(family(ip), interface));
    match ip {
        IpAddr::V4(v4) => w.put(1, &v4.octets()),
        IpAddr::V6(v6) => w.put(1, &v6.octets()),
    }
    w.end(m);
    w.finish()
}

/// Asks for all neighbours of one family; `six` selects IPv6.
#[must_use]
pub fn neighbours(six: bool, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETNEIGH, REQUEST | DUMP, seq, &ndmsg(if six { INET6 } else { INET }, 0));
    w.end(m);
    w.finish()
}

fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { INET } else { INET6 }
}

fn ndmsg(family: u8, interface: u32) -> [u8; 12] {
    let [a, b, c, d] = interface.to_ne_bytes();
    [family, 0, 0, 0, a, b, c, d, 0, 0, 0, 0]
}

/// Asks the kernel to find out at once whether a device still answers for an address.
///
/// The address is put to the device's name in state PROBE: the kernel asks that device
/// alone (ARP, or neighbour solicitation), three times within about three seconds.
#[must_use]
pub fn probe_neighbour(interface: u32, ip: IpAddr, mac: Mac, seq: u32) -> Vec<u8> {
    const REPLACE: u16 = 0x100;
    const PROBE: [u8; 2] = 0x10u16.to_ne_bytes();
    let mut fixed = ndmsg(family(ip), interface);
    for (at, byte) in fixed.iter_mut().skip(8).zip(PROBE) {
        *at = byte;
    }
    let mut w = Writer::new();
    let m = w.begin(NEWNEIGH, REQUEST | ACK | CREATE | REPLACE, seq, &fixed);
    match ip {
        IpAddr::V4(v4) => w.put(1, &v4.octets()),
        IpAddr::V6(v6) => w.put(1, &v6.octets()),
    }
    w.put(2, &mac.0);
    w.end(m);
    w.finish()
}

/// Whether a neighbour's message says that it was heard just now (state REACHABLE).
#[must_use]
pub fn is_reachable(message: &Message<'_>) -> bool {
    let state = message.body.get(8..10).and_then(|b| b.first_chunk()).map(|b| u16::from_ne_bytes(*b));
    message.kind == NEWNEIGH && state.is_some_and(|s| s & 0x02 != 0)
}

/// Reads a neighbour from a message; nothing when the message is about something else.
///
/// # Errors
/// `Garbled` when the body is cut or an address has the wrong size.
pub fn neighbour_from(message: &Message<'_>) -> Result<Option<Neighbour>, Garbled> {
    if message.kind != NEWNEIGH && message.kind != DELNEIGH {
        return Ok(None);
    }
    let Some(([family, _, _, _, i0, i1, i2, i3, s0, s1, _, _], attributes)) =
        message.body.split_first_chunk::<12>()
    else {
        return Err(Garbled::Length);
    };
    let mut ip = None;
    let mut mac = None;
    for (kind, value) in Attributes(attributes) {
        match kind {
            1 => ip = Some(ip_from(*family, value)?),
            2 => mac = value.first_chunk().filter(|_| value.len() == 6).map(|m| Mac(*m)),
            _ => {}
        }
    }
    let state = u16::from_ne_bytes([*s0, *s1]);
    let known = message.kind == NEWNEIGH && state & USELESS == 0 && state != 0;
    let real = mac.filter(|m| known && m.0 != [0; 6] && m.0 != [0xff; 6]);
    let interface = u32::from_ne_bytes([*i0, *i1, *i2, *i3]);
    Ok(ip.map(|ip| Neighbour { interface, ip, mac: real }))
}

fn ip_from(family: u8, value: &[u8]) -> Result<IpAddr, Garbled> {
    match family {
        INET => value.first_chunk::<4>().filter(|_| value.len() == 4).map(|b| IpAddr::from(*b)),
        INET6 => value.first_chunk::<16>().filter(|_| value.len() == 16).map(|b| IpAddr::from(*b)),
        _ => None,
    }
    .ok_or(Garbled::Value)
}

/// Asks for all addresses of all interfaces.
#[must_use]
pub fn addresses(seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETADDR, REQUEST | DUMP, seq, &[0; 8]);
    w.end(m);
    w.finish()
}

/// Gives an interface an address with its prefix; one that is there already stays.
#[must_use]
pub fn add_address(interface: u32, net: IpNet, seq: u32) -> Vec<u8> {
    address(interface, net, NEWADDR, REQUEST | ACK | CREATE, seq)
}

/// Takes an address away from an interface; it must be there.
#[must_use]
pub fn remove_address(interface: u32, net: IpNet, seq: u32) -> Vec<u8> {
    address(interface, net, DELADDR, REQUEST | ACK, seq)
}

fn address(interface: u32, net: IpNet, kind: u16, flags: u16, seq: u32) -> Vec<u8> {
    let [a, b, c, d] = interface.to_ne_bytes();
    let mut w = Writer::new();
    let m = w.begin(kind, flags, seq, &[family(net.addr()), net.prefix_len(), 0, 0, a, b, c, d]);
    let octets = match net.addr() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    w.put(2, &octets);
    w.put(1, &octets);
    if net.addr().is_ipv6() && kind == NEWADDR {
        // Without duplicate detection the address works at once; nobody else has the box's.
        w.put(8, &2u32.to_ne_bytes());
    }
    w.end(m);
    w.finish()
}

/// Switches an interface on.
#[must_use]
pub fn link_up(interface: u32, seq: u32) -> Vec<u8> {
    let mut fixed = [0; 16];
    for (at, byte) in fixed.iter_mut().skip(4).zip(interface.to_ne_bytes()) {
        *at = byte;
    }
    // ifi_flags and ifi_change both name IFF_UP.
    for (at, byte) in fixed.iter_mut().skip(8).zip([1, 0, 0, 0, 1, 0, 0, 0]) {
        *at = byte;
    }
    let mut w = Writer::new();
    let m = w.begin(NEWLINK, REQUEST | ACK, seq, &fixed);
    w.end(m);
    w.finish()
}

/// Sets the largest packet of an interface.
#[must_use]
pub fn link_mtu(interface: u32, mtu: u32, seq: u32) -> Vec<u8> {
    let mut fixed = [0; 16];
    for (at, byte) in fixed.iter_mut().skip(4).zip(interface.to_ne_bytes()) {
        *at = byte;
    }
    let mut w = Writer::new();
    let m = w.begin(NEWLINK, REQUEST | ACK, seq, &fixed);
    w.put(4, &mtu.to_ne_bytes());
    w.end(m);
    w.finish()
}

/// Reads an interface's index and one of its addresses with its prefix.
///
/// # Errors
/// `Garbled` when the body is cut or an address has the wrong size.
pub fn address_from(message: &Message<'_>) -> Result<Option<(u32, IpNet)>, Garbled> {
    if message.kind != NEWADDR {
        return Ok(None);
    }
    let Some(([family, prefix, _, _, i0, i1, i2, i3], attributes)) = message.body.split_first_chunk::<8>()
    else {
        return Err(Garbled::Length);
    };
    let mut found = None;
    for (kind, value) in Attributes(attributes) {
        // IFA_LOCAL wins over IFA_ADDRESS, which is the peer's on point-to-point links.
        if kind == 2 || (kind == 1 && found.is_none()) {
            found = Some(ip_from(*family, value)?);
        }
    }
    let Some(ip) = found else { return Ok(None) };
    let net = IpNet::new(ip, *prefix).map_err(|_| Garbled::Value)?;
    Ok(Some((u32::from_ne_bytes([*i0, *i1, *i2, *i3]), net)))
}
