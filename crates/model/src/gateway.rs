//! Gateways: the boxes at sites, as the hub and the link name them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A gateway's id: `gw-` and 26 lower-case letters and digits, given at enrolment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GatewayId(String);

/// The text is not a gateway's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a gateway's id")]
pub struct NotAGatewayId(pub String);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl GatewayId {
    /// Makes an id from 128 bits that the caller drew.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        let mut text = String::with_capacity(29);
        text.push_str("gw-");
        for i in (0..26).rev() {
            let five = (bits >> (i * 5)) as usize & 31;
            text.push(ALPHABET.get(five).map_or('0', |b| char::from(*b)));
        }
        GatewayId(text)
    }

    /// Reads an id.
    ///
    /// # Errors
    /// `NotAGatewayId` when the text has another form.
    pub fn parse(text: &str) -> Result<Self, NotAGatewayId> {
        let ok = text
            .strip_prefix("gw-")
            .is_some_and(|rest| rest.len() == 26 && rest.bytes().all(|b| ALPHABET.contains(&b)));
        if ok { Ok(GatewayId(text.to_owned())) } else { Err(NotAGatewayId(text.to_owned())) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GatewayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for GatewayId {
    type Error = NotAGatewayId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        GatewayId::parse(&text)
    }
}

impl From<GatewayId> for String {
    fn from(id: GatewayId) -> String {
        id.0
    }
}

/// How far a box is with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateStep {
    /// The program is there and checked; it waits for the quiet hours.
    Ready,
    /// It is being tried.
    Begun,
    /// It has proven that it serves the place, and stays.
    Proven,
    /// It was not tried.
    Refused,
    /// It was tried and did not prove itself; the one before runs again.
    Undone,
}

impl UpdateStep {
    /// Every step, in the order in which they come.
    pub const ALL: [UpdateStep; 5] =
        [UpdateStep::Ready, UpdateStep::Begun, UpdateStep::Proven, UpdateStep::Refused, UpdateStep::Undone];

    /// The name that the link, tables and words use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            UpdateStep::Ready => "ready",
            UpdateStep::Begun => "begun",
            UpdateStep::Proven => "proven",
            UpdateStep::Refused => "refused",
            UpdateStep::Undone => "undone",
        }
    }

    /// The step with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        UpdateStep::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

/// Which machines this program runs on, as releases name it: `x86_64-linux-gnu`.
#[must_use]
pub fn target() -> String {
    let libc = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
    format!("{}-{}-{libc}", std::env::consts::ARCH, std::env::consts::OS)
}

/// What the kernel and hardware of a box can do, found at start.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// `kulkul` version, for example `0.1.0`.
    pub version: String,
    /// Which programs it runs, for example `x86_64-linux-gnu`; empty from boxes before this field.
    pub target: String,
    /// Kernel release.
    pub kernel: String,
    /// Whether the kernel was asked; else the features below say nothing.
    pub probed: bool,
    /// Address translation and redirection in nf_tables.
    pub nat: bool,
    /// Rate limits that set elements carry.
    pub limit: bool,
    /// Quota objects that a map chooses.
    pub quota: bool,
    /// Transparent proxying in nf_tables.
    pub tproxy: bool,
    /// Flow offload through nf_tables flowtables.
    pub flowtable: bool,
    /// The HTB queue discipline: classes that share a line.
    pub htb: bool,
    /// The cake queue discipline.
    pub cake: bool,
    /// The fq_codel queue discipline.
    pub fq_codel: bool,
    /// The sfq queue discipline.
    pub sfq: bool,
    /// Intermediate functional block devices.
    pub ifb: bool,
    /// WireGuard in the kernel.
    pub wireguard: bool,
    /// IPv6 in the kernel.
    pub ipv6: bool,
}

impl Capabilities {
    /// Every feature by the name that its makers gave it, in the order of the fields.
    #[must_use]
    pub const fn features(&self) -> [(&'static str, bool); 12] {
        [
            ("nat", self.nat),
            ("limit", self.limit),
            ("quota", self.quota),
            ("tproxy", self.tproxy),
            ("flowtable", self.flowtable),
            ("htb", self.htb),
            ("cake", self.cake),
            ("fq_codel", self.fq_codel),
            ("sfq", self.sfq),
            ("ifb", self.ifb),
            ("wireguard", self.wireguard),
            ("ipv6", self.ipv6),
        ]
    }

    /// The names of features that are there, or that are lacking, separated by commas.
    #[must_use]
    pub fn named(&self, there: bool) -> String {
        let names: Vec<&str> = self.features().into_iter().filter(|f| f.1 == there).map(|f| f.0).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back() {
        let id = GatewayId::from_bits(u128::MAX);
        assert_eq!(id.as_str(), "gw-7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(GatewayId::parse(id.as_str()).unwrap(), id);
        assert!(GatewayId::parse("gw-7ZZZ").is_err());
    }

    #[test]
    fn features_are_told_by_name() {
        let has = Capabilities { nat: true, sfq: true, ..Capabilities::default() };
        assert_eq!(has.named(true), "nat, sfq");
        assert!(has.named(false).starts_with("limit, quota,"));
    }
}
