//! The place's policy and its people, as the table and elements that enforce them.
//!
//! Pure: configuration and desired state in, policy and elements out.

use crate::config::{Config, Kind};
use crate::orders::Orders;
use crate::sessions::Own;
use crate::tunnel;
use ipnet::IpNet;
use kulkul_model::session::Mac;
use kulkul_wire::link::desired::PlanSection;
use kulkul_wire::netlink::{Change, Counter, Element, Extra, Key, Set, queues};
use kulkul_wire::ruleset::{Audience, Policy, Segment, Tunnel, Uplink, private_ranges};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The table's policy for this box, these orders and the uplink's own networks.
///
/// `caps` bound addresses by themselves; `fair` puts their packets into classes.
#[must_use]
pub fn policy(config: &Config, orders: &Orders, uplink: &[IpNet], caps: bool, fair: bool) -> Policy {
    let mut mgmt = private_ranges();
    mgmt.extend(&orders.management);
    mgmt.extend(uplink.iter().map(IpNet::trunc));
    mgmt.sort();
    mgmt.dedup();
    let segments = config
        .segments
        .iter()
        .map(|s| Segment { interface: s.interface.clone(), audience: audience(s.kind) });
    let uplinks = config.lines().map(|line| Uplink {
        interface: line.uplink.interface.clone(),
        nat6: line.uplink.nat6,
        ssh: line.uplink.ssh,
        audiences: line.serves.iter().copied().map(audience).collect(),
    });
    Policy {
        uplinks: uplinks.collect(),
        segments: segments.collect(),
        dns_port: config.dns.port,
        http_port: config.portal.http_port,
        https_port: config.portal.https_port,
        caps,
        quotas: false,
        strict_names: orders.strict_names,
        fair,
        mgmt,
        reach: Vec::new(),
        radios: orders.fleet.radios(),
        controllers: orders.fleet.controllers.clone(),
        tunnel: tunnel::is_wanted(&orders.tunnel, config).then(|| Tunnel {
            interface: tunnel::INTERFACE.to_owned(),
            prefixes: orders.tunnel.prefixes.clone(),
            audiences: tunnel::kinds(&orders.tunnel).into_iter().map(audience).collect(),
        }),
    }
}

fn audience(kind: Kind) -> Audience {
    match kind {
        Kind::Public => Audience::Public,
        Kind::Staff => Audience::Staff,
        Kind::Service => Audience::Service,
    }
}

/// What bounds one address: the most that it may send and receive, and the class that it waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Caps {
    /// From the device, bytes per second; none for no limit of its own.
    pub up: Option<u64>,
    /// To the device, bytes per second; none for no limit of its own.
    pub down: Option<u64>,
    /// Minor number of the device's class where the line is shared out.
    #[serde(default)]
    pub class: Option<u16>,
}

/// The kernel counts tokens in nanoseconds and refuses rates that would overflow: 100 Gbit/s is enough.
const MOST_RATE: u64 = 12_500_000_000;

impl Caps {
    /// What the plan gives, or what a voucher or account gives instead.
    #[must_use]
    pub fn of(plan: &PlanSection, own: Option<Own>) -> Self {
        let bytes = |kbps: Option<u32>| kbps.map(|k| (u64::from(k) * 125).clamp(1_000, MOST_RATE));
        let (up, down) = own.map_or((None, None), |own| (own.up_kbps, own.down_kbps));
        Caps { up: bytes(up.or(plan.up_kbps)), down: bytes(down.or(plan.down_kbps)), class: None }
    }
}

/// One address of a device that is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The device.
    pub mac: Mac,
    /// The address.
    pub ip: IpAddr,
    /// Its limits.
    pub caps: Caps,
}

impl Person {
    /// The elements that let it pass for `left_ms`, counters going on from `up` and `down`.
    #[must_use]
    pub fn elements(&self, left_ms: u64, up: Counter, down: Counter) -> Vec<Element> {
        let device = Key::Device(self.mac, self.ip);
        let address = Key::Address(self.ip);
        let element = |set, key, extra| Element { set, key, left_ms: Some(left_ms), extra };
        let s = self.sets();
        let mut all = vec![
            element(s.known, device, Extra::None),
            element(s.auth, device, Extra::Counter(up)),
            element(s.down, address, Extra::Counter(down)),
        ];
        let cap = |set, rate: Option<u64>| rate.map(|r| element(set, address, Extra::Cap { bytes_per_s: r }));
        all.extend(cap(s.cap_up, self.caps.up));
        all.extend(cap(s.cap_dn, self.caps.down));
        let class = self.caps.class.map(|c| element(s.class, address, Extra::Class(queues::handle(c))));
        all.extend(class);
        all
    }

    /// The changes that stop it.
    #[must_use]
    pub fn removal(&self) -> Vec<Change> {
        let none = Counter::default();
        self.elements(0, none, none).iter().map(|e| Change::Remove(e.set, e.key)).collect()
    }

    fn sets(&self) -> Sets {
        if self.ip.is_ipv4() {
            Sets {
                known: Set::Known4,
                auth: Set::Auth4,
                down: Set::Down4,
                cap_up: Set::CapUp4,
                cap_dn: Set::CapDn4,
                class: Set::Class4,
            }
        } else {
            Sets {
                known: Set::Known6,
                auth: Set::Auth6,
                down: Set::Down6,
                cap_up: Set::CapUp6,
                cap_dn: Set::CapDn6,
                class: Set::Class6,
            }
        }
    }
}

struct Sets {
    known: Set,
    auth: Set,
    down: Set,
    cap_up: Set,
    cap_dn: Set,
    class: Set,
}

/// The sets that hold one element for each address that is online.
pub const PEOPLE: [Set; 12] = [
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
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_follow_the_plan_in_bytes() {
        let plan = PlanSection { down_kbps: Some(2_000), up_kbps: None, ..PlanSection::default() };
        assert_eq!(Caps::of(&plan, None), Caps { up: None, down: Some(250_000), class: None });
        let own = Own { holder: None, limit_ms: None, down_kbps: Some(512), up_kbps: Some(256) };
        let better = Caps { up: Some(32_000), down: Some(64_000), class: None };
        assert_eq!(Caps::of(&plan, Some(own)), better);
        assert_eq!(Caps::of(&plan, Some(Own { down_kbps: None, ..own })).down, Some(250_000));
        let plan = PlanSection { down_kbps: Some(u32::MAX), up_kbps: Some(0), ..PlanSection::default() };
        assert_eq!(Caps::of(&plan, None), Caps { up: Some(1_000), down: Some(MOST_RATE), class: None });
    }

    #[test]
    fn what_is_added_is_what_is_removed() {
        let caps = Caps { up: Some(1), down: Some(2), class: Some(16) };
        for ip in ["10.77.0.9", "fd77::9"] {
            let person = Person { mac: Mac([2; 6]), ip: ip.parse().unwrap(), caps };
            let added = person.elements(1_000, Counter::default(), Counter::default());
            assert_eq!(added.len(), 6);
            let removed: Vec<_> = added.iter().map(|e| Change::Remove(e.set, e.key)).collect();
            assert_eq!(person.removal(), removed);
            assert!(added.iter().all(|e| PEOPLE.contains(&e.set)));
        }
    }
}
