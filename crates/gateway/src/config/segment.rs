//! Segments: the networks of a place, and the rules that keep them apart.

use super::{ConfigError, is_interface, uplink};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Whom a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Unknown people, captive until they accept the terms.
    #[default]
    Public,
    /// Civil servants.
    Staff,
    /// The regency's own devices, admitted by the allow list.
    Service,
}

/// One network of the place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Segment {
    /// What people call it.
    pub name: String,
    /// Whom it is for.
    pub kind: Kind,
    /// The interface; after reading, with `vlan`, the link of the VLAN on it.
    pub interface: String,
    /// The number of its VLAN; the box makes the link.
    pub vlan: Option<u16>,
    /// The link that the VLAN's stands on.
    #[serde(skip)]
    pub below: Option<String>,
    /// The box's IPv4 address there, with its prefix: `10.77.0.1/16`.
    pub address4: Option<Ipv4Net>,
    /// The box's IPv6 address there, with its prefix: `fd77::1/64`.
    pub address6: Option<Ipv6Net>,
    /// Serves addresses there (dnsmasq, supervised).
    #[serde(default)]
    pub dhcp: bool,
}

impl Segment {
    /// Checks the VLAN and settles which interface the segment is on.
    pub(super) fn settle(&mut self) -> Result<(), ConfigError> {
        let key = |k: &str| format!("segment \"{}\": {k}", self.name);
        if !is_interface(&self.interface) {
            return Err(ConfigError::Value { key: key("interface"), why: not_an_interface(&self.interface) });
        }
        uplink::check_vlan(&self.interface, self.vlan)
            .map_err(|why| ConfigError::Value { key: key("vlan"), why })?;
        if let Some(id) = self.vlan {
            let name = uplink::vlan_name(&self.interface, id);
            self.below = Some(std::mem::replace(&mut self.interface, name));
        }
        Ok(())
    }

    /// The networks of this segment, IPv4 first.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> + '_ {
        self.address4.map(IpNet::V4).into_iter().chain(self.address6.map(IpNet::V6))
    }

    /// Whether `ip` is an address of this segment; link-local IPv6 is of every segment.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.networks().any(|n| n.contains(&ip))
    }
}

pub(super) fn not_an_interface(name: &str) -> String {
    format!("\"{name}\" is not an interface's name (1 to 15 letters, digits, '.', '-', '_')")
}

pub(super) fn check(segments: &[Segment], uplinks: &[&str]) -> Result<(), ConfigError> {
    let bad = |key: String, why: String| Err(ConfigError::Value { key, why });
    if segments.is_empty() {
        return bad("segment".to_owned(), "a place needs at least one [[segment]]".to_owned());
    }
    for (i, s) in segments.iter().enumerate() {
        let key = |k: &str| format!("segment \"{}\": {k}", s.name);
        if let Some(uplink) = uplinks.iter().find(|u| **u == s.interface) {
            return bad(key("interface"), format!("\"{uplink}\" is the uplink already"));
        }
        if s.networks().next().is_none() {
            return bad(key("address4"), "give address4, address6 or both".to_owned());
        }
        for net in s.networks() {
            let host = net.addr();
            if host == net.network() && net.prefix_len() < net.max_prefix_len() {
                return bad(
                    key("address"),
                    format!("{net} is the network itself; give the box's own address in it, such as .1"),
                );
            }
        }
        for other in segments.iter().take(i) {
            if other.interface == s.interface {
                return bad(key("interface"), format!("segment \"{}\" has it already", other.name));
            }
            if let Some((a, b)) = overlap(s.networks(), other.networks()) {
                return bad(key("address"), format!("{a} overlaps {b} of segment \"{}\"", other.name));
            }
        }
    }
    Ok(())
}

pub(super) fn check_uplink(segments: &[Segment], uplink: &str, have: &[IpNet]) -> Result<(), ConfigError> {
    for s in segments {
        // Link-local networks are on every interface and overlap without harm.
        let wan = have.iter().copied().filter(|n| !is_link_local(n.addr()));
        if let Some((a, b)) = overlap(s.networks(), wan) {
            return Err(ConfigError::Value {
                key: format!("segment \"{}\": address", s.name),
                why: format!("{a} overlaps {b}, which {uplink} has; choose another network for the place"),
            });
        }
    }
    Ok(())
}

fn overlap(a: impl Iterator<Item = IpNet>, b: impl Iterator<Item = IpNet>) -> Option<(IpNet, IpNet)> {
    let b: Vec<IpNet> = b.collect();
    a.flat_map(|x| b.iter().map(move |y| (x, *y)))
        .find(|(x, y)| x.contains(&y.network()) || y.contains(&x.network()))
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}
