//! Connections as the kernel tells of them (linux/netfilter/nfnetlink_conntrack.h).

use super::Garbled;
use super::message::{DUMP, Message, REQUEST, Writer, find};
use std::net::IpAddr;

/// The groups that tell of new and of ended connections, as the mask of a socket's address.
pub const GROUPS: u32 = 0b101;

const NEW: u16 = 0x100;
const GET: u16 = 0x101;
const DELETE: u16 = 0x102;

const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const ID: u16 = 12;
const ADDRESSES: u16 = 1;
const PROTOCOL: u16 = 2;
const NUMBER: u16 = 1;
const REPLY_PORT: u16 = 3;

/// A connection, without where it goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The kernel's number of it, while it lasts.
    pub id: u32,
    /// The address that it was begun from, before any translation.
    pub near: IpAddr,
    /// The transport protocol.
    pub protocol: u8,
    /// Its source port after translation; 0 where the protocol has none.
    pub port: u16,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It began, or is there.
    Began(Flow),
    /// It ended; its number.
    Ended(u32),
}

/// Asks for all connections that there are.
#[must_use]
pub fn all(seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GET, REQUEST | DUMP, seq, &[0, 0, 0, 0]);
    w.end(m);
    w.finish()
}

/// What a message tells; nothing where it is of something else, or of a connection that stays.
///
/// `stays` says of the address that answers whether it is at the place; it is told to nobody else.
///
/// # Errors
/// `Garbled` when a connection lacks what every one has.
pub fn heard_from(message: &Message<'_>, stays: impl Fn(IpAddr) -> bool) -> Result<Option<Heard>, Garbled> {
    if !matches!(message.kind, NEW | DELETE) {
        return Ok(None);
    }
    let attributes = message.body.get(4..).ok_or(Garbled::Length)?;
    let id = find(attributes, ID).and_then(|id| id.first_chunk()).ok_or(Garbled::Value)?;
    let id = u32::from_be_bytes(*id);
    if message.kind == DELETE {
        return Ok(Some(Heard::Ended(id)));
    }
    let tuple = |kind| find(attributes, kind).ok_or(Garbled::Value);
    let (original, reply) = (tuple(ORIGINAL)?, tuple(REPLY)?);
    let near = source(original).ok_or(Garbled::Value)?;
    if source(reply).is_none_or(stays) {
        return Ok(None);
    }
    let transport = find(reply, PROTOCOL).ok_or(Garbled::Value)?;
    let protocol = *find(transport, NUMBER).and_then(<[u8]>::first).ok_or(Garbled::Value)?;
    // What answers come to is what the other side saw as the source.
    let port = find(transport, REPLY_PORT).and_then(|p| p.first_chunk());
    let port = port.map_or(0, |p| u16::from_be_bytes(*p));
    Ok(Some(Heard::Began(Flow { id, near, protocol, port })))
}

/// Where the packets of a direction come from.
fn source(tuple: &[u8]) -> Option<IpAddr> {
    const V4: u16 = 1;
    const V6: u16 = 3;
    let addresses = find(tuple, ADDRESSES)?;
    let four = find(addresses, V4).and_then(|a| <[u8; 4]>::try_from(a).ok());
    let six = || find(addresses, V6).and_then(|a| <[u8; 16]>::try_from(a).ok());
    four.map(IpAddr::from).or_else(|| six().map(IpAddr::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::Messages;

    /// A message as the kernel makes it for a TCP connection through address translation.
    fn told(kind: u16, answers: [u8; 4]) -> Vec<u8> {
        let mut w = Writer::new();
        let m = w.begin(kind, 0, 0, &[2, 0, 0, 0]);
        let sides = [
            (ORIGINAL, [10, 77, 3, 4], answers, 40_000, 443),
            (REPLY, answers, [100, 64, 7, 2], 443, 51_234),
        ];
        for (side, from, to, out, into) in sides {
            let tuple = w.nest(side);
            let addresses = w.nest(ADDRESSES);
            w.put(1, &from);
            w.put(2, &to);
            w.close(addresses);
            let transport = w.nest(PROTOCOL);
            w.put(NUMBER, &[6]);
            w.put(2, &u16::to_be_bytes(out));
            w.put(REPLY_PORT, &u16::to_be_bytes(into));
            w.close(transport);
            w.close(tuple);
        }
        w.put(ID, &[0, 0, 1, 2]);
        w.end(m);
        w.finish()
    }

    #[test]
    fn a_connection_is_its_near_end_and_the_port_that_the_outside_saw() {
        let bytes = told(NEW, [203, 0, 113, 80]);
        let read = |stays: fn(IpAddr) -> bool| {
            Messages(&bytes).map(|m| heard_from(&m.unwrap(), stays).unwrap()).collect::<Vec<_>>()
        };
        let flow = Flow { id: 258, near: "10.77.3.4".parse().unwrap(), protocol: 6, port: 51_234 };
        assert_eq!(read(|_| false), [Some(Heard::Began(flow))]);
        assert_eq!(read(|ip| ip.to_string() == "203.0.113.80"), [None], "what stays at the place is no flow");
        let over = told(DELETE, [203, 0, 113, 80]);
        let over = Messages(&over).next().unwrap().unwrap();
        assert_eq!(heard_from(&over, |_| false), Ok(Some(Heard::Ended(258))));
    }

    #[test]
    fn what_is_cut_is_garbled_and_does_no_harm() {
        let whole = told(NEW, [203, 0, 113, 80]);
        for end in 16..whole.len() {
            let mut cut = whole[..end].to_vec();
            cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
            let message = Messages(&cut).next().unwrap().unwrap();
            assert!(heard_from(&message, |_| false).is_err(), "{end}");
        }
    }
}
