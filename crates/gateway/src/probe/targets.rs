//! What is measured against: the desired state's word, else the configuration's, else defaults.

use crate::config::Config;
use kulkul_wire::link::desired::{Desired, HttpProbe};
use std::net::{IpAddr, Ipv4Addr};

/// Outside anchors when nobody names others: two operators' public resolvers.
const ANCHORS: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)), IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8))];

/// The targets of one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// The hub's host: a name or an address.
    pub hub: String,
    /// The two outside anchors.
    pub anchors: [Option<IpAddr>; 2],
    /// The name to look up.
    pub name: Option<String>,
    /// The page to fetch.
    pub page: Option<HttpProbe>,
}

impl Targets {
    /// The targets for this box.
    #[must_use]
    pub fn of(config: &Config, desired: Option<&Desired>) -> Self {
        let network = desired.map(|d| &d.network);
        let hub = host_of(&config.hub).to_owned();
        let named = network.map(|n| n.anchors.as_slice()).filter(|a| !a.is_empty());
        let anchors: &[IpAddr] = match named {
            Some(anchors) => anchors,
            None if config.probe.anchors.is_empty() => &ANCHORS,
            None => &config.probe.anchors,
        };
        let hubs_name = Some(hub.clone()).filter(|h| h.parse::<IpAddr>().is_err());
        let own_page = config.probe.url.as_ref().map(|url| HttpProbe {
            url: url.clone(),
            status: if config.probe.body.is_some() { 200 } else { 204 },
            begins: config.probe.body.clone().unwrap_or_default(),
        });
        Targets {
            anchors: [anchors.first().copied(), anchors.get(1).copied()],
            name: network
                .and_then(|n| n.dns_probe.clone())
                .or_else(|| config.probe.name.clone())
                .or(hubs_name),
            page: network.and_then(|n| n.http_probe.clone()).or(own_page),
            hub,
        }
    }
}

/// The host of an address such as `https://hub.example.go.id:8443/x`, without brackets.
pub(crate) fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, r)| r);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_desired_state_wins_over_the_configuration_and_that_over_defaults() {
        let config = |probe: &str| {
            let text = format!(
                "hub = \"https://hub.test:8443\"\ndata = \"/d\"\n[uplink]\ninterface = \"w\"\n[[segment]]\nname = \"p\"\nkind = \"public\"\ninterface = \"l\"\naddress4 = \"10.77.0.1/16\"\n{probe}"
            );
            Config::parse(&text, []).unwrap()
        };
        let plain = Targets::of(&config(""), None);
        assert_eq!((plain.anchors[0], plain.name.as_deref()), (Some(ANCHORS[0]), Some("hub.test")));
        assert_eq!(plain.page, None);
        let own = config(
            "[probe]\nanchors = [\"203.0.113.1\"]\nname = \"a.test\"\nurl = \"http://a.test/ok\"\nbody = \"yes\"\n",
        );
        let targets = Targets::of(&own, None);
        assert_eq!(targets.anchors, [Some("203.0.113.1".parse().unwrap()), None]);
        assert_eq!(targets.page.as_ref().map(|p| (p.status, p.begins.as_str())), Some((200, "yes")));
        let desired: Desired = serde_json::from_value(json!({
            "version": {"epoch": 1, "counter": 1}, "site": {"code": "BJ-001", "name": "x"},
            "network": {"anchors": ["203.0.113.5", "203.0.113.6"], "dns_probe": "b.test"}
        }))
        .unwrap();
        let targets = Targets::of(&own, Some(&desired));
        assert_eq!(targets.anchors[1], Some("203.0.113.6".parse().unwrap()));
        assert_eq!(targets.name.as_deref(), Some("b.test"));
        assert!(targets.page.is_some());
    }

    #[test]
    fn a_host_is_found_in_an_address() {
        for (address, host) in [
            ("https://hub.test", "hub.test"),
            ("https://hub.test:8443/x", "hub.test"),
            ("http://10.0.0.1:8080", "10.0.0.1"),
            ("https://[fd00::1]:8443/", "fd00::1"),
        ] {
            assert_eq!(host_of(address), host);
        }
    }
}
