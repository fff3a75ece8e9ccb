//! Policy to nft text: the whole table that a gateway enforces, IPv4 and IPv6 mirrored.
//!
//! The text replaces the table in one transaction (`nft -f`), people who are online
//! included; after that only set elements change, by netlink. There is never a rule
//! per person. Order matters and is tested: a packet is authenticated before it can
//! touch anybody's rate or quota. ICMPv6 follows RFC 4890.

mod text;
mod tunnel;

pub use tunnel::Tunnel;

use crate::netlink::Element;
use ipnet::IpNet;
use kulkul_model::session::Mac;
use sha2::{Digest as _, Sha256};

/// The table's family and name, as nft writes them.
pub const TABLE: &str = "kulkul";

/// The largest number of elements in a set of people.
pub const SIZE: u32 = 65_535;

/// Minor numbers of the classes that every shared line has.
pub mod classes {
    /// The line itself.
    pub const LINE: u16 = 1;
    /// What the box itself sends, and whatever has no class.
    pub const OWN: u16 = 2;
    /// People on public segments, above their devices' classes.
    pub const PUBLIC: u16 = 3;
    /// People on staff segments, above their devices' classes.
    pub const STAFF: u16 = 4;
    /// Devices of service segments.
    pub const SERVICE: u16 = 5;
    /// Devices that are not admitted, in the walled garden.
    pub const STRANGERS: u16 = 6;
    /// The first class of a device.
    pub const FIRST_DEVICE: u16 = 16;
}

/// Whom a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Unknown people: captive, kept from private ranges.
    Public,
    /// Civil servants: captive, may reach private ranges.
    Staff,
    /// The regency's own devices, by the allow list alone.
    Service,
}

/// One interface of the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The interface's name; checked by the caller (letters, digits, `.`, `-`, `_`).
    pub interface: String,
    /// Whom it is for.
    pub audience: Audience,
}

/// A way out of the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uplink {
    /// The interface that packets leave by; checked by the caller like a segment's.
    pub interface: String,
    /// Translates IPv6 too; without it IPv6 is routed.
    pub nat6: bool,
    /// Accepts SSH from its side.
    pub ssh: bool,
    /// Who may use it.
    pub audiences: Vec<Audience>,
}

/// Names of the counters of the way with this place in the list: to the provider, to the place.
#[must_use]
pub fn counters(way: usize) -> [String; 2] {
    [format!("up_{way}"), format!("down_{way}")]
}

/// All that decides the table's text, people aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The ways out, the provider's first; where there are several, what each carries is counted.
    pub uplinks: Vec<Uplink>,
    /// The place's interfaces.
    pub segments: Vec<Segment>,
    /// Where the box listens for captured DNS.
    pub dns_port: u16,
    /// Where the box listens for captured HTTP.
    pub http_port: u16,
    /// Where the box listens for its own HTTPS.
    pub https_port: u16,
    /// Whether some plan has rates: without one nobody's packets are looked up for a cap.
    pub caps: bool,
    /// Whether some plan has a quota.
    pub quotas: bool,
    /// Refuses encrypted DNS on its own port (853): names are asked of the box.
    pub strict_names: bool,
    /// Whether packets wait in the class of their device.
    pub fair: bool,
    /// Ranges that public people never reach: private, shared and the uplinks' own.
    pub mgmt: Vec<IpNet>,
    /// Exceptions from `mgmt`.
    pub reach: Vec<IpNet>,
    /// Access points: never sent to the portal.
    pub radios: Vec<Mac>,
    /// Where access points may go by themselves.
    pub controllers: Vec<IpNet>,
    /// The way to the data centre, if there is one.
    pub tunnel: Option<Tunnel>,
}

/// Ranges that are private, shared by carriers or local, IPv4 and IPv6.
#[must_use]
pub fn private_ranges() -> Vec<IpNet> {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        "fec0::/10",
    ]
    .iter()
    .filter_map(|t| t.parse().ok())
    .collect()
}

impl Uplink {
    /// A way that everybody may use, with IPv6 routed and nothing let in.
    #[must_use]
    pub fn plain(interface: &str) -> Self {
        let audiences = vec![Audience::Public, Audience::Staff, Audience::Service];
        Uplink { interface: interface.to_owned(), nat6: false, ssh: false, audiences }
    }
}

impl Policy {
    /// SHA-256 of the table's text without people, 32 hexadecimal digits; the table's comment holds it.
    #[must_use]
    pub fn digest(&self) -> String {
        let sum = Sha256::digest(text::table(self, "").as_bytes());
        hex::encode(sum.get(..16).unwrap_or_default())
    }

    /// The text that replaces the table in one transaction, with `people` in its sets.
    #[must_use]
    pub fn text(&self, people: &[Element]) -> String {
        let mut out = format!("table inet {TABLE}\ndelete table inet {TABLE}\n");
        out.push_str(&text::table(self, &self.digest()));
        out.push_str(&text::elements(people));
        out
    }
}

/// The text that removes the table; harmless when there is none.
#[must_use]
pub fn teardown() -> String {
    format!("table inet {TABLE}\ndelete table inet {TABLE}\n")
}

#[cfg(test)]
mod tests;
