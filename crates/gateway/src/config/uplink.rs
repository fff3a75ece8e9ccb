//! The ways out: the provider's line, the community's, and how each gets its address.
//!
//! After reading, `interface` names what packets leave by: the link itself, the link of
//! its VLAN (`wan0.20`), or the one that PPPoE makes on it (`ppp0`). `below` keeps the
//! link that has the cable.

use super::{ConfigError, Kind, is_interface, segment};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// How a way out gets its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UplinkKind {
    /// As the system set it; the box changes nothing.
    #[default]
    System,
    /// By DHCP, asked for by the box.
    Dhcp,
    /// As written here.
    Static,
    /// By PPPoE, dialled by the box.
    Pppoe,
}

impl UplinkKind {
    /// The name that gateway.toml, status and words use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            UplinkKind::System => "system",
            UplinkKind::Dhcp => "dhcp",
            UplinkKind::Static => "static",
            UplinkKind::Pppoe => "pppoe",
        }
    }
}

/// The interface to a provider.
#[derive(Clone, Debug, Deserialize)]
pub struct Uplink {
    /// What packets leave by.
    pub interface: String,
    /// The link that has the cable, where it is another one.
    #[serde(skip)]
    pub below: Option<String>,
    /// How it gets its address.
    #[serde(default)]
    pub kind: UplinkKind,
    /// The number of its VLAN; the box makes the link.
    pub vlan: Option<u16>,
    /// `static`: the box's IPv4 address with its prefix.
    pub address4: Option<Ipv4Net>,
    /// `static`: the provider's IPv4 router.
    pub gateway4: Option<Ipv4Addr>,
    /// `static`: the box's IPv6 address with its prefix.
    pub address6: Option<Ipv6Net>,
    /// `static`: the provider's IPv6 router.
    pub gateway6: Option<Ipv6Addr>,
    /// `static`: the provider's resolvers.
    #[serde(default)]
    pub dns: Vec<IpAddr>,
    /// `pppoe`: the name that the provider gave.
    pub user: Option<String>,
    /// `pppoe`: the file whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// Translates IPv6 too, for a provider that delegates no prefix.
    #[serde(default)]
    pub nat6: bool,
    /// Lets SSH in from the provider's side.
    #[serde(default)]
    pub ssh: bool,
}

/// A second way out that belongs to the community; used while the first one is dead.
#[derive(Clone, Debug, Deserialize)]
pub struct Backup {
    /// Its interface and how it gets its address.
    #[serde(flatten)]
    pub uplink: Uplink,
    /// Whose line it is, in words; it is shown beside what it carried.
    pub owner: String,
    /// Which kinds of segments may use it.
    #[serde(rename = "for", default = "everybody")]
    pub serves: Vec<Kind>,
    /// What it gives to the place, kbit/s; none is not known, then it is not shared out.
    pub down_kbps: Option<u32>,
    /// What it takes from the place, kbit/s.
    pub up_kbps: Option<u32>,
    /// How long the first way must have been good before the place goes back to it, seconds.
    #[serde(default = "return_after_s")]
    pub return_after_s: u32,
}

const EVERYBODY: [Kind; 3] = [Kind::Public, Kind::Staff, Kind::Service];

fn everybody() -> Vec<Kind> {
    EVERYBODY.to_vec()
}

fn return_after_s() -> u32 {
    60
}

/// One of the ways out.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its interface and how it gets its address.
    pub uplink: &'a Uplink,
    /// Which kinds of segments may use it.
    pub serves: &'a [Kind],
    /// Whose it is; empty for the provider's.
    pub owner: &'a str,
}

impl super::Config {
    /// The ways out, the provider's first.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let first = Line { uplink: &self.uplink, serves: &EVERYBODY, owner: "" };
        let second =
            self.backup.as_ref().map(|b| Line { uplink: &b.uplink, serves: &b.serves, owner: &b.owner });
        [first].into_iter().chain(second)
    }

    /// Where the servers for names are written that come with a way out.
    ///
    /// The system's own file, unless the box sets some way itself.
    #[must_use]
    pub fn resolv_conf(&self) -> PathBuf {
        if self.lines().any(|l| l.uplink.kind != UplinkKind::System) {
            self.data.join("resolv.conf")
        } else {
            PathBuf::from("/etc/resolv.conf")
        }
    }
}

/// The link of a VLAN on top of another.
pub(super) fn vlan_name(below: &str, id: u16) -> String {
    format!("{below}.{id}")
}

/// Checks a VLAN's number and the name that its link will have.
pub(super) fn check_vlan(below: &str, vlan: Option<u16>) -> Result<(), String> {
    let Some(id) = vlan else { return Ok(()) };
    if !(1..=4094).contains(&id) {
        return Err(format!("{id} is no VLAN; they are 1 to 4094"));
    }
    let name = vlan_name(below, id);
    if is_interface(&name) {
        Ok(())
    } else {
        Err(format!("{}: rename {below}", segment::not_an_interface(&name)))
    }
}

impl Uplink {
    /// Checks what was written and settles which interface packets leave by; `unit` numbers PPPoE's.
    pub(super) fn settle(&mut self, section: &str, unit: usize) -> Result<(), ConfigError> {
        let bad = |key: &str, why: String| Err(ConfigError::Value { key: format!("{section}.{key}"), why });
        if !is_interface(&self.interface) {
            return bad("interface", segment::not_an_interface(&self.interface));
        }
        if let Err(why) = check_vlan(&self.interface, self.vlan) {
            return bad("vlan", why);
        }
        let fixed = [
            ("address4", self.address4.is_some()),
            ("gateway4", self.gateway4.is_some()),
            ("address6", self.address6.is_some()),
            ("gateway6", self.gateway6.is_some()),
            ("dns", !self.dns.is_empty()),
        ];
        let dialled = [("user", self.user.is_some()), ("password_file", self.password_file.is_some())];
        let only = |keys: &[(&'static str, bool)], kind: UplinkKind| {
            let odd = keys.iter().find(|(_, given)| *given).filter(|_| self.kind != kind);
            odd.map(|(key, _)| (*key, format!("is for kind = \"{}\" only", kind.as_str())))
        };
        if let Some((key, why)) = only(&fixed, UplinkKind::Static).or(only(&dialled, UplinkKind::Pppoe)) {
            return bad(key, why);
        }
        match self.kind {
            UplinkKind::Static => self.check_static(section)?,
            UplinkKind::Pppoe => {
                let user = self.user.as_deref().unwrap_or_default();
                if user.is_empty() || user.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
                    return bad("user", "give the name that the provider gave, without quotes".to_owned());
                }
                if self.password_file.is_none() {
                    return bad("password_file", "name the file whose first line is the password".to_owned());
                }
            }
            UplinkKind::System | UplinkKind::Dhcp => {}
        }
        if let Some(id) = self.vlan {
            let name = vlan_name(&self.interface, id);
            let below = std::mem::replace(&mut self.interface, name);
            self.below = Some(below);
        }
        if self.kind == UplinkKind::Pppoe {
            let wire = std::mem::replace(&mut self.interface, format!("ppp{unit}"));
            self.below = Some(wire);
        }
        Ok(())
    }

    fn check_static(&self, section: &str) -> Result<(), ConfigError> {
        let bad = |key: &str, why: String| Err(ConfigError::Value { key: format!("{section}.{key}"), why });
        if self.networks().next().is_none() {
            return bad("address4", "a static way needs address4, address6 or both".to_owned());
        }
        let (via4, via6) = (self.gateway4.map(IpAddr::V4), self.gateway6.map(IpAddr::V6));
        for (key, via, net) in [
            ("gateway4", via4, self.address4.map(IpNet::V4)),
            ("gateway6", via6, self.address6.map(IpNet::V6)),
        ] {
            match (via, net) {
                (None, Some(net)) => return bad(key, format!("{net} leads nowhere without its router")),
                (Some(_), None) => return bad(key, "has no address beside it".to_owned()),
                (Some(via), Some(net)) if !is_near(via, &net) => {
                    return bad(key, format!("{via} is not in {net}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The addresses that were written, IPv4 first.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.address4.map(IpNet::V4).into_iter().chain(self.address6.map(IpNet::V6))
    }

    /// The link that has the cable.
    #[must_use]
    pub fn wire(&self) -> &str {
        match (self.kind, self.vlan, &self.below) {
            (UplinkKind::Pppoe, Some(_), Some(link)) => {
                link.rsplit_once('.').map_or(link, |(below, _)| below)
            }
            (_, _, Some(link)) => link,
            (_, _, None) => &self.interface,
        }
    }

    /// The VLAN's link and what it stands on, where there is one.
    #[must_use]
    pub fn vlan_link(&self) -> Option<(&str, &str, u16)> {
        let name = if self.kind == UplinkKind::Pppoe { self.below.as_deref()? } else { &self.interface };
        Some((name, self.wire(), self.vlan?))
    }
}

/// Whether a router is reached directly: in the network, or by its link-local address.
fn is_near(via: IpAddr, net: &IpNet) -> bool {
    net.contains(&via) || matches!(via, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

impl Backup {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |key: &str, why: &str| {
            Err(ConfigError::Value { key: format!("backup.{key}"), why: why.to_owned() })
        };
        if self.owner.trim().is_empty() || self.owner.chars().count() > 80 {
            return bad("owner", "say whose line it is, in 1 to 80 letters");
        }
        if self.serves.is_empty() {
            return bad("for", "name the kinds of segments that may use it: public, staff, service");
        }
        if self.down_kbps == Some(0) || self.up_kbps == Some(0) {
            return bad("down_kbps", "leave rates out where they are not known");
        }
        if !(5..=86_400).contains(&self.return_after_s) {
            return bad("return_after_s", "is 5 to 86400 seconds");
        }
        Ok(())
    }
}
