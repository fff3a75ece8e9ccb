//! Ways out of the place: which one is used, and how each gets its address.
//!
//! `judge` decides by what was tried, `watch` tries and tells the supervisor, `dial` asks
//! providers for addresses. Routes,
//! rules and addresses are the supervisor's; nothing here touches the kernel's tables.

pub mod dial;
pub mod judge;
pub mod watch;

use crate::config::Uplink;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// Names of the ways, as sections of gateway.toml have them: the provider's, the community's.
pub const NAMES: [&str; 2] = ["uplink", "backup"];

/// The name of the way with this number.
#[must_use]
pub fn name(line: usize) -> &'static str {
    NAMES.get(line).copied().unwrap_or("uplink")
}

/// Why the place goes over to another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its cable is out, or its interface is gone.
    NoCarrier,
    /// Nothing answers over it.
    Silent,
    /// The provider's line has been good again for long enough.
    Back,
    /// Nothing answers over the community's line, and the provider's does.
    BackupLost,
}

impl Why {
    /// The name that events and words use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Why::NoCarrier => "no_carrier",
            Why::Silent => "silent",
            Why::Back => "back",
            Why::BackupLost => "backup_lost",
        }
    }
}

/// Writes servers for names as the system's own file has them; one that says the same is left alone.
///
/// # Errors
/// What the disk says.
pub fn write_servers(file: &Path, servers: &[IpAddr]) -> io::Result<()> {
    let text: String = servers.iter().map(|s| format!("nameserver {s}\n")).collect();
    if std::fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::write(file, text)
}

/// A way as the supervisor has it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LineState {
    /// Its name: `uplink` or `backup`.
    pub name: String,
    /// What packets leave by.
    pub interface: String,
    /// How it gets its address.
    pub kind: String,
    /// Whose it is; empty for the provider's.
    pub owner: String,
    /// Whether the place uses it now.
    pub in_use: bool,
    /// Whether something answered over it last; none where nobody tries.
    pub answers: Option<bool>,
    /// Its addresses.
    pub addresses: Vec<IpNet>,
    /// The place's network that an address of it overlaps, in words; none where all is well.
    pub overlap: Option<String>,
    /// What went wrong with getting its address last, in English; none while all is well.
    pub trouble: Option<String>,
    /// Bytes that it carried from the place since the box was set up; counted where there are two ways.
    pub up_bytes: u64,
    /// Bytes that it carried to the place.
    pub down_bytes: u64,
}

/// What a way was given: by DHCP, or written in gateway.toml.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// Its addresses with their prefixes.
    pub addresses: Vec<IpNet>,
    /// The routers that lead on, one of each family.
    pub routers: Vec<IpAddr>,
    /// Servers for names.
    pub dns: Vec<IpAddr>,
}

impl Lease {
    /// What gateway.toml says of a static way.
    #[must_use]
    pub fn written(uplink: &Uplink) -> Self {
        let routers =
            uplink.gateway4.map(IpAddr::V4).into_iter().chain(uplink.gateway6.map(IpAddr::V6)).collect();
        Lease { addresses: uplink.networks().collect(), routers, dns: uplink.dns.clone() }
    }
}
