//! The tunnel to the regency's data centre: WireGuard, spoken by this program itself.
//!
//! `key` is the box's own, `device` the interface that packets come out of, `peer` the
//! protocol with its buffers, `silence` when the other end counts as gone, `carry` moves
//! packets. The supervisor says what is ordered and owns routes, rules and addresses;
//! nothing here touches the kernel's tables. It works for as long as the orders of the
//! last run lie here, whether the hub is there or not.

mod carry;
mod device;
pub mod key;
mod peer;
mod silence;

pub use carry::Tunnel;

use crate::config::{Config, Kind};
use ipnet::IpNet;
use kulkul_wire::link::desired::{NotOrders, TunnelSection};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The tunnel's interface.
pub const INTERFACE: &str = "kulkul-dc";

/// What WireGuard adds to a packet, with an IPv6 header around it.
const AROUND: u32 = 80;
/// The least that IPv6 wants to get through in one piece.
const LEAST_MTU: u32 = 1_280;

/// How the tunnel is, for status, doctor and the first page.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelState {
    /// Whether one is ordered that this place has segments for.
    pub ordered: bool,
    /// Whether the data centre's end answers.
    pub up: bool,
    /// Seconds since both ends agreed on keys last; none when they never did.
    pub handshake_s: Option<u64>,
    /// Seconds since anything came from the other end; none when nothing ever did.
    pub heard_s: Option<u64>,
    /// The other end, as it was ordered.
    pub endpoint: String,
    /// Where it was found.
    pub at: Option<SocketAddr>,
    /// Bytes that went into it since it was ordered.
    pub up_bytes: u64,
    /// Bytes that came out of it.
    pub down_bytes: u64,
    /// The box's own public key; empty where no segment could use a tunnel.
    pub public_key: String,
    /// What is in its way on this box, in English; none while nothing is.
    pub trouble: Option<String>,
}

/// Kinds of segments that may use it; never the public's.
#[must_use]
pub fn kinds(section: &TunnelSection) -> Vec<Kind> {
    let named = |name: &str| section.segments.iter().any(|s| s == name);
    [(Kind::Staff, named("staff")), (Kind::Service, named("service"))]
        .into_iter()
        .filter_map(|(kind, is_named)| is_named.then_some(kind))
        .collect()
}

/// Whether a place like this has segments that a tunnel could be for.
#[must_use]
pub fn could_be_used(config: &Config) -> bool {
    config.segments.iter().any(|s| s.kind != Kind::Public)
}

/// Interfaces of the segments that may use it.
#[must_use]
pub fn interfaces(section: &TunnelSection, config: &Config) -> Vec<String> {
    let kinds = kinds(section);
    config.segments.iter().filter(|s| kinds.contains(&s.kind)).map(|s| s.interface.clone()).collect()
}

/// Whether one is ordered that somebody here may use.
#[must_use]
pub fn is_wanted(section: &TunnelSection, config: &Config) -> bool {
    section.is_on() && !interfaces(section, config).is_empty()
}

/// Checks that the tunnel's ranges and addresses leave the place's own networks alone.
///
/// # Errors
/// `NotOrders::Tunnel` names both networks.
pub fn fits(section: &TunnelSection, config: &Config) -> Result<(), NotOrders> {
    if !section.is_on() {
        return Ok(());
    }
    let own = section.addresses.iter().map(|a| IpNet::from(*a));
    for net in section.prefixes.iter().copied().chain(own) {
        for segment in &config.segments {
            let hit = segment.networks().find(|n| n.contains(&net.network()) || net.contains(&n.network()));
            if let Some(hit) = hit {
                let why =
                    format!("{net} overlaps {}, this place's segment \"{}\"", hit.trunc(), segment.name);
                return Err(NotOrders::Tunnel(why));
            }
        }
    }
    Ok(())
}

/// The largest packet inside: what was ordered, else what the smallest uplink leaves.
#[must_use]
pub fn mtu(section: &TunnelSection, uplinks: impl Iterator<Item = u32>) -> u32 {
    let outer = uplinks.min().unwrap_or(1_500);
    section.mtu.map_or_else(|| outer.saturating_sub(AROUND).max(LEAST_MTU), u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::parse(
            "hub = \"https://hub.example\"\ndata = \"/tmp/x\"\n[uplink]\ninterface = \"wan0\"\n\
             [[segment]]\nname = \"guests\"\nkind = \"public\"\ninterface = \"lan0\"\naddress4 = \"10.77.0.1/16\"\n\
             [[segment]]\nname = \"desk\"\nkind = \"staff\"\ninterface = \"lan1\"\naddress4 = \"10.78.0.1/24\"\n",
            [],
        )
        .unwrap()
    }

    fn section(prefix: &str) -> TunnelSection {
        TunnelSection {
            endpoint: "203.0.113.7:51820".to_owned(),
            prefixes: vec![prefix.parse().unwrap()],
            addresses: vec!["10.201.0.7".parse().unwrap()],
            ..TunnelSection::default()
        }
    }

    #[test]
    fn a_range_that_hides_the_place_is_refused_by_name() {
        assert_eq!(fits(&section("10.200.0.0/16"), &config()), Ok(()));
        for (prefix, hit) in [("10.0.0.0/8", "10.77.0.0/16"), ("10.78.0.128/25", "10.78.0.0/24")] {
            let why = fits(&section(prefix), &config()).unwrap_err().to_string();
            assert!(why.contains(prefix) && why.contains(hit), "{why}");
        }
        let own = TunnelSection { addresses: vec!["10.77.3.3".parse().unwrap()], ..section("10.200.0.0/16") };
        assert!(fits(&own, &config()).unwrap_err().to_string().contains("10.77.3.3/32 overlaps"));
    }

    #[test]
    fn only_segments_that_are_named_use_it_and_never_the_public() {
        let all = section("10.200.0.0/16");
        assert_eq!(interfaces(&all, &config()), ["lan1"]);
        let odd = TunnelSection { segments: vec!["public".to_owned(), "service".to_owned()], ..all };
        assert!(interfaces(&odd, &config()).is_empty() && !is_wanted(&odd, &config()));
    }

    #[test]
    fn packets_are_as_large_as_the_smallest_way_out_leaves() {
        let plain = section("10.200.0.0/16");
        assert_eq!(mtu(&plain, [1_500, 1_492].into_iter()), 1_412);
        assert_eq!(mtu(&plain, [1_300].into_iter()), 1_280);
        assert_eq!(mtu(&TunnelSection { mtu: Some(1_380), ..plain }, [1_500].into_iter()), 1_380);
    }
}
