//! Names that are answered here and never asked for outside.
//!
//! The box's own names, and the special names that have no meaning in public DNS
//! (RFC 6761, RFC 6303, RFC 9462 section 8). `use-application-dns.net` is not among
//! them: where nothing is filtered browsers may keep their own resolver.

use super::settings::{Settings, is_of};
use kulkul_wire::dns::{Ask, Record, RecordType, ResponseCode, address_record};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How long devices keep the box's own addresses, in seconds.
const OWN_TTL_S: u32 = 60;

/// Zones that do not exist outside.
const NOWHERE: [&str; 10] = [
    "local.",
    "onion.",
    "invalid.",
    "home.arpa.",
    "10.in-addr.arpa.",
    "168.192.in-addr.arpa.",
    "254.169.in-addr.arpa.",
    "127.in-addr.arpa.",
    "d.f.ip6.arpa.",
    "8.e.f.ip6.arpa.",
];

/// Whether a name is answered here, whatever the answer is.
#[must_use]
pub fn is_ours(name: &str, settings: &Settings) -> bool {
    let within =
        |zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    settings.own_names.iter().any(|own| own == name)
        || NOWHERE.into_iter().chain(["localhost.", "resolver.arpa."]).any(within)
}

/// The answer to a question that stays here; nothing for all others.
#[must_use]
pub fn answer(ask: &Ask, settings: &Settings, peer: IpAddr) -> Option<(ResponseCode, Vec<Record>)> {
    let within = |zone: &str| is_of(&ask.name, &[zone.to_owned()]);
    if settings.own_names.contains(&ask.name) {
        return Some(own(ask, settings.own_addresses(peer)));
    }
    if within("localhost.") {
        let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Some(own(ask, here.into_iter()));
    }
    // Discovery of an encrypted resolver: there is none here, and none is promised.
    if within("resolver.arpa.") {
        return Some((ResponseCode::NoError, Vec::new()));
    }
    NOWHERE.into_iter().any(within).then(|| (ResponseCode::NXDomain, Vec::new()))
}

fn own(ask: &Ask, addresses: impl Iterator<Item = IpAddr>) -> (ResponseCode, Vec<Record>) {
    let records = addresses
        .filter(|ip| match ask.kind {
            RecordType::A => ip.is_ipv4(),
            RecordType::AAAA => ip.is_ipv6(),
            _ => false,
        })
        .filter_map(|ip| address_record(&ask.name, ip, OWN_TTL_S))
        .collect();
    (ResponseCode::NoError, records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::dns;

    #[test]
    fn own_and_special_names_stay_here() {
        let settings = Settings {
            networks: ["10.77.0.1/16", "fd77::1/64"].map(|n| n.parse().unwrap()).into(),
            own_names: vec!["portal.home.arpa.".to_owned()],
            ..Settings::default()
        };
        let said = |name: &str, kind| {
            let asked = dns::read_ask(&dns::ask(name, kind, 0).unwrap().1).unwrap();
            answer(&asked, &settings, "10.77.0.9".parse().unwrap()).map(|(code, r)| (code, r.len()))
        };
        let good = ResponseCode::NoError;
        assert_eq!(said("portal.home.arpa.", RecordType::A), Some((good, 1)));
        assert_eq!(said("PORTAL.home.arpa", RecordType::AAAA), Some((good, 1)));
        assert_eq!(said("portal.home.arpa.", RecordType::HTTPS), Some((good, 0)));
        assert_eq!(said("other.home.arpa.", RecordType::A), Some((ResponseCode::NXDomain, 0)));
        assert_eq!(said("_dns.resolver.arpa.", RecordType::SVCB), Some((good, 0)));
        assert_eq!(said("printer.local.", RecordType::A), Some((ResponseCode::NXDomain, 0)));
        assert_eq!(said("9.0.77.10.in-addr.arpa.", RecordType::PTR), Some((ResponseCode::NXDomain, 0)));
        assert_eq!(said("a.localhost.", RecordType::A), Some((good, 1)));
        assert_eq!(said("example.org.", RecordType::A), None);
        assert_eq!(said("use-application-dns.net.", RecordType::A), None);
    }
}
