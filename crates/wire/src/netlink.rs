//! Netlink messages that the gateway exchanges with the kernel, and nothing else.
//!
//! `message` knows headers and attributes, `tables` the batches and dumps of
//! nf_tables, `routes` neighbours and addresses, `ways` default routes, `tunnel` those of the tunnel, `devices` links, `flows` connections,
//! `queues` classes that share a line. Integers of nf_tables are
//! big-endian, those of the headers and of rtnetlink are the machine's. Nothing here
//! opens a socket; decoders take any bytes and never panic.

pub mod devices;
pub mod features;
mod fib;
pub mod flows;
pub mod message;
pub mod queues;
pub mod routes;
pub mod tables;
pub mod tunnel;
pub mod ways;

use kulkul_model::session::Mac;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// The bytes are not a message of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// A length points outside the bytes.
    #[error("a netlink length does not fit its bytes")]
    Length,
    /// A key or a value has the wrong size.
    #[error("a netlink value has the wrong size")]
    Value,
}

/// The sets whose elements change while the table stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Set {
    /// Device and IPv4 address: let past the capture.
    Known4,
    /// Device and IPv6 address: let past the capture.
    Known6,
    /// Device and IPv4 address: may send; counts.
    Auth4,
    /// Device and IPv6 address: may send; counts.
    Auth6,
    /// IPv4 address: may receive; counts.
    Down4,
    /// IPv6 address: may receive; counts.
    Down6,
    /// Most that an IPv4 address may send.
    CapUp4,
    /// Most that an IPv6 address may send.
    CapUp6,
    /// Most that an IPv4 address may receive.
    CapDn4,
    /// Most that an IPv6 address may receive.
    CapDn6,
    /// IPv4 address to the class that its packets wait in.
    Class4,
    /// IPv6 address to the class that its packets wait in.
    Class6,
    /// Walled garden, IPv4.
    Walled4,
    /// Walled garden, IPv6.
    Walled6,
    /// Devices that nothing is accepted from.
    Blocked,
    /// The regency's own devices on service segments.
    Allowed,
}

impl Set {
    /// All sets.
    pub const ALL: [Set; 16] = [
        Set::Known4,
        Set::Known6,
        Set::Auth4,
        Set::Auth6,
        Set::Down4,
        Set::Down6,
        Set::CapUp4,
        Set::CapUp6,
        Set::CapDn4,
        Set::CapDn6,
        Set::Class4,
        Set::Class6,
        Set::Walled4,
        Set::Walled6,
        Set::Blocked,
        Set::Allowed,
    ];

    /// The set's name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Set::Known4 => "known4",
            Set::Known6 => "known6",
            Set::Auth4 => "auth4",
            Set::Auth6 => "auth6",
            Set::Down4 => "down4",
            Set::Down6 => "down6",
            Set::CapUp4 => "cap_up4",
            Set::CapUp6 => "cap_up6",
            Set::CapDn4 => "cap_dn4",
            Set::CapDn6 => "cap_dn6",
            Set::Class4 => "class4",
            Set::Class6 => "class6",
            Set::Walled4 => "walled4",
            Set::Walled6 => "walled6",
            Set::Blocked => "blocked",
            Set::Allowed => "allowed",
        }
    }

    /// Whether elements of this set end by themselves.
    #[must_use]
    pub const fn has_timeout(self) -> bool {
        !matches!(self, Set::Allowed)
    }
}

/// What an element is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A device at an address.
    Device(Mac, IpAddr),
    /// An address.
    Address(IpAddr),
    /// A device.
    Mac(Mac),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Device(mac, ip) => write!(f, "{mac} . {ip}"),
            Key::Address(ip) => write!(f, "{ip}"),
            Key::Mac(mac) => write!(f, "{mac}"),
        }
    }
}

/// What an element has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counter {
    /// Packets.
    pub packets: u64,
    /// Bytes, network header and up.
    pub bytes: u64,
}

/// The expression that an element carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Extra {
    /// None, or one that is not ours.
    #[default]
    None,
    /// A counter and its value.
    Counter(Counter),
    /// A limit; what is over it matches.
    Cap {
        /// Bytes per second.
        bytes_per_s: u64,
    },
    /// The handle of the class that an address is mapped to.
    Class(u32),
}

/// One element of one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The set.
    pub set: Set,
    /// The key.
    pub key: Key,
    /// Milliseconds until it ends by itself; none for sets without timeout.
    pub left_ms: Option<u64>,
    /// Its counter or limit.
    pub extra: Extra,
}

/// One change of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds the element; one that is there already gets the new timeout on kernels that do so (6.12 and later).
    Add(Element),
    /// Removes the element; it must be there.
    Remove(Set, Key),
}

/// How many bytes a limit lets pass at once: a quarter second, at least 16 full frames.
#[must_use]
pub fn burst(bytes_per_s: u64) -> u32 {
    u32::try_from((bytes_per_s / 4).max(24_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
