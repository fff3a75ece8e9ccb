//! What the data centre's end must know of the boxes, and which networks it had better not. Pure.
//!
//! A network is a box's own word, so it is judged: a box that claimed the data centre's ranges, or another
//! place's cameras, would get their packets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use kulkul_model::site::SiteCode;
use kulkul_store::tunnel::TunnelEnd;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Why a network is left out of the data centre's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Its devices are reached by the box's own address.
    Staff,
    /// It is wider than a place's network is.
    Wide,
    /// It belongs to the internet.
    Outside,
    /// It overlaps the data centre's ranges or the boxes' addresses.
    Reserved(IpNet),
    /// It overlaps a network of another box.
    Twice(SiteCode),
}

impl Left {
    /// In English, for the settings' comments.
    #[must_use]
    pub fn said(&self) -> String {
        match self {
            Left::Staff => "staff come from the box's own address".to_owned(),
            Left::Wide => "it is wider than a place's network is".to_owned(),
            Left::Outside => "it belongs to the internet".to_owned(),
            Left::Reserved(net) => format!("it overlaps {net}, which is the data centre's or the boxes'"),
            Left::Twice(site) => format!("{site} has it too"),
        }
    }

    /// The key of its words.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Left::Staff => "staff",
            Left::Wide => "wide",
            Left::Outside => "outside",
            Left::Reserved(_) => "reserved",
            Left::Twice(_) => "twice",
        }
    }
}

/// A box's end, each network judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// As it is kept.
    pub end: TunnelEnd,
    /// Its networks, with why they are left out.
    pub networks: Vec<(IpNet, Option<Left>)>,
}

impl Told {
    /// The public key as `wg` writes it.
    #[must_use]
    pub fn key(&self) -> String {
        STANDARD.encode(self.end.key)
    }

    /// What the data centre may send to this box and hear from it.
    #[must_use]
    pub fn allowed(&self) -> Vec<IpNet> {
        let own = self.end.addresses.iter().map(|a| IpNet::from(*a));
        own.chain(self.networks.iter().filter(|(_, left)| left.is_none()).map(|(net, _)| *net)).collect()
    }
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// Whether a place's own devices may have such addresses: private ones, or those of IPv6 that are routed.
fn is_of_a_place(net: &IpNet) -> bool {
    match net.network() {
        // Beside the private ones those that providers share out among their customers (RFC 6598).
        IpAddr::V4(v4) => {
            v4.is_private() || matches!(v4.octets(), [100, second, ..] if (64..128).contains(&second))
        }
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_multicast() && !v6.is_unicast_link_local(),
    }
}

/// Judges every network of every end; `reserved` are ranges that no place has.
#[must_use]
pub fn judge(ends: Vec<TunnelEnd>, reserved: &[IpNet]) -> Vec<Told> {
    let all: Vec<(usize, IpNet)> = ends
        .iter()
        .enumerate()
        .flat_map(|(i, e)| e.networks.iter().filter(|(kind, _)| kind == "service").map(move |n| (i, n.1)))
        .collect();
    let twice = |i: usize, net: &IpNet| {
        let own = ends.get(i)?;
        let hit = |(other, n): &&(usize, IpNet)| {
            let Some(theirs) = ends.get(*other) else { return false };
            // A box that was put in another's place has its networks; the one that told last counts.
            let gone = theirs.site == own.site && theirs.told_at <= own.told_at;
            *other != i && !gone && overlap(n, net)
        };
        all.iter().find(hit).and_then(|(other, _)| ends.get(*other)).map(|e| e.site.clone())
    };
    let judged = |(i, end): (usize, &TunnelEnd)| {
        let one = |(kind, net): &(String, IpNet)| {
            let least = if net.addr().is_ipv4() { 16 } else { 48 };
            let left = if kind != "service" {
                Some(Left::Staff)
            } else if !is_of_a_place(net) {
                Some(Left::Outside)
            } else if net.prefix_len() < least {
                Some(Left::Wide)
            } else if let Some(hit) = reserved.iter().find(|r| overlap(r, net)) {
                Some(Left::Reserved(*hit))
            } else {
                twice(i, net).map(Left::Twice)
            };
            (*net, left)
        };
        end.networks.iter().map(one).collect::<Vec<_>>()
    };
    let networks: Vec<_> = ends.iter().enumerate().map(judged).collect();
    ends.into_iter().zip(networks).map(|(end, networks)| Told { end, networks }).collect()
}

/// The settings as `wg` reads them; `name` calls a place by its name.
#[must_use]
pub fn text(all: &[Told], name: impl Fn(&SiteCode) -> String, now: &str) -> String {
    let mut out = format!(
        "# The boxes of the regency's public places, for the data centre's end of the tunnel; made by kulkul at {now}.\n\
         # It goes below the [Interface] of that end. To load it without dropping anybody: wg syncconf wg0 FILE\n"
    );
    for told in all {
        let name: String = name(&told.end.site).chars().filter(|c| !c.is_control()).collect();
        let title = format!("{} {name}, box {}", told.end.site, told.end.gateway);
        if told.end.addresses.is_empty() {
            let _ =
                write!(out, "\n# {title}: it has no address in the tunnel\n# PublicKey = {}\n", told.key());
            continue;
        }
        let allowed: Vec<String> = told.allowed().iter().map(ToString::to_string).collect();
        let _ = write!(
            out,
            "\n[Peer]\n# {title}\nPublicKey = {}\nAllowedIPs = {}\n",
            told.key(),
            allowed.join(", ")
        );
        for (net, left) in &told.networks {
            if let Some(left) = left.as_ref().filter(|l| **l != Left::Staff) {
                let _ = writeln!(out, "# left out: {net}, {}", left.said());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::Moment;
    use kulkul_model::gateway::GatewayId;

    fn end(n: u8, site: &str, address: &str, networks: &[(&str, &str)]) -> TunnelEnd {
        TunnelEnd {
            gateway: GatewayId::parse(&format!("gw-{n:2>26}")).unwrap(),
            site: SiteCode::parse(site).unwrap(),
            key: [n; 32],
            networks: networks.iter().map(|(k, n)| ((*k).to_owned(), n.parse().unwrap())).collect(),
            told_at: Moment::from_ms(i64::from(n)),
            addresses: vec![address.parse().unwrap()],
            is_up: None,
            changed_at: None,
            why: None,
        }
    }

    fn left(told: &Told) -> Vec<Option<&'static str>> {
        told.networks.iter().map(|(_, l)| l.as_ref().map(Left::key)).collect()
    }

    #[test]
    fn a_network_that_is_not_a_places_own_is_left_out() {
        let reserved: Vec<IpNet> = vec!["10.200.0.0/16".parse().unwrap(), "10.201.0.0/24".parse().unwrap()];
        let all = judge(
            vec![
                end(1, "BJ-001", "10.201.0.2", &[("service", "10.79.1.0/24"), ("staff", "10.78.0.0/24")]),
                end(2, "BJ-002", "10.201.0.3", &[("service", "10.79.2.0/24"), ("service", "10.200.4.0/24")]),
                end(3, "BJ-003", "10.201.0.4", &[("service", "10.79.2.128/25"), ("service", "100.4.8.0/24")]),
                end(
                    4,
                    "BJ-004",
                    "10.201.0.5",
                    &[
                        ("service", "10.0.0.0/8"),
                        ("service", "2001:db8:79::/64"),
                        ("service", "100.64.9.0/24"),
                    ],
                ),
            ],
            &reserved,
        );
        assert_eq!(left(&all[0]), [Some("twice"), Some("staff")], "a wide one hides it");
        assert_eq!(left(&all[1]), [Some("twice"), Some("reserved")]);
        assert_eq!(left(&all[2]), [Some("twice"), Some("outside")]);
        assert_eq!(left(&all[3]), [Some("wide"), None, None]);
        let allowed: Vec<String> = all[3].allowed().iter().map(ToString::to_string).collect();
        assert_eq!(allowed, ["10.201.0.5/32", "2001:db8:79::/64", "100.64.9.0/24"]);
    }

    #[test]
    fn the_box_that_took_anothers_place_has_its_networks() {
        let cameras = [("service", "10.79.1.0/24")];
        let all = judge(
            vec![end(1, "BJ-001", "10.201.0.2", &cameras), end(2, "BJ-001", "10.201.0.3", &cameras)],
            &[],
        );
        assert_eq!((left(&all[0]), left(&all[1])), (vec![Some("twice")], vec![None]));
    }

    #[test]
    fn the_settings_are_as_wg_reads_them() {
        let mut homeless = end(2, "BJ-002", "10.201.0.3", &[]);
        homeless.addresses.clear();
        let ends = vec![
            end(1, "BJ-001", "10.201.0.2", &[("service", "10.79.1.0/24"), ("service", "8.8.8.0/24")]),
            homeless,
        ];
        let said = text(&judge(ends, &[]), |_| "Bale\nBanjar".to_owned(), "2026-11-25T09:00:00+08:00");
        let lines: Vec<&str> = said.lines().filter(|l| !l.is_empty()).skip(2).collect();
        assert_eq!(
            lines,
            [
                "[Peer]",
                "# BJ-001 BaleBanjar, box gw-22222222222222222222222221",
                "PublicKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
                "AllowedIPs = 10.201.0.2/32, 10.79.1.0/24",
                "# left out: 8.8.8.0/24, it belongs to the internet",
                "# BJ-002 BaleBanjar, box gw-22222222222222222222222222: it has no address in the tunnel",
                "# PublicKey = AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
            ]
        );
    }
}
