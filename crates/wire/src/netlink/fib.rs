//! What messages about routes and routing rules share (linux/rtnetlink.h, linux/fib_rules.h).

use super::Garbled;
use super::message::Writer;
use std::net::IpAddr;

pub(super) const NEWROUTE: u16 = 24;
pub(super) const DELROUTE: u16 = 25;
pub(super) const GETROUTE: u16 = 26;
pub(super) const NEWRULE: u16 = 32;
pub(super) const DELRULE: u16 = 33;
pub(super) const GETRULE: u16 = 34;
pub(super) const REPLACE: u16 = 0x100;
pub(super) const EXCL: u16 = 0x200;

/// Who set a route: a number of our own, so that those of others are left alone.
pub(super) const PROTOCOL: u8 = 84;
pub(super) const UNIVERSE: u8 = 0;
pub(super) const LINK: u8 = 253;
pub(super) const UNICAST: u8 = 1;
pub(super) const UNREACHABLE: u8 = 7;

pub(super) const DST: u16 = 1;
pub(super) const OIF: u16 = 4;
pub(super) const GATEWAY: u16 = 5;
pub(super) const PRIORITY: u16 = 6;
pub(super) const ROUTE_TABLE: u16 = 15;
pub(super) const RULE_IIF: u16 = 3;
pub(super) const RULE_PRIORITY: u16 = 6;
pub(super) const RULE_SUPPRESS: u16 = 14;
pub(super) const RULE_TABLE: u16 = 15;

const INET: u8 = 2;
const INET6: u8 = 10;
const TO_TABLE: u8 = 1;

/// The fixed part of a route's message, of a route to `prefix` bits.
pub(super) const fn rtmsg(six: bool, prefix: u8, protocol: u8, scope: u8, kind: u8) -> [u8; 12] {
    [if six { INET6 } else { INET }, prefix, 0, 0, 0, protocol, scope, kind, 0, 0, 0, 0]
}

/// The fixed part of a message about a rule that leads to a table.
pub(super) const fn rule_header(six: bool) -> [u8; 12] {
    rtmsg(six, 0, 0, 0, TO_TABLE)
}

/// Whether a family is IPv6's; none for neither.
pub(super) const fn is_six(family: u8) -> Option<bool> {
    match family {
        INET => Some(false),
        INET6 => Some(true),
        _ => None,
    }
}

/// An attribute that is a number.
pub(super) fn word(value: &[u8]) -> Result<u32, Garbled> {
    value.first_chunk().map(|b| u32::from_ne_bytes(*b)).ok_or(Garbled::Value)
}

/// An attribute that is an address of a family.
pub(super) fn address(six: bool, value: &[u8]) -> Result<IpAddr, Garbled> {
    let four = || value.first_chunk::<4>().map(|b| IpAddr::from(*b));
    let all = if six { value.first_chunk::<16>().map(|b| IpAddr::from(*b)) } else { four() };
    all.ok_or(Garbled::Value)
}

/// Writes an address.
pub(super) fn put_address(w: &mut Writer, attribute: u16, ip: IpAddr) {
    match ip {
        IpAddr::V4(v4) => w.put(attribute, &v4.octets()),
        IpAddr::V6(v6) => w.put(attribute, &v6.octets()),
    }
}
