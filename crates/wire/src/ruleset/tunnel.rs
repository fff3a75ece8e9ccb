//! The tunnel's part of the table: who may go in, what may come out, and that nothing leaks.

use super::text::{FAMILIES, interfaces, wait_in};
use super::{Audience, Policy, classes};
use ipnet::IpNet;
use std::fmt::Write as _;

/// The tunnel to the data centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Its interface.
    pub interface: String,
    /// What is reached through it.
    pub prefixes: Vec<IpNet>,
    /// Who may use it; public people never do, whatever is said here.
    pub audiences: Vec<Audience>,
}

impl Tunnel {
    fn serves(&self, audience: Audience) -> bool {
        audience != Audience::Public && self.audiences.contains(&audience)
    }
}

/// The interfaces of those who may use it, of one kind.
fn from(p: &Policy, t: &Tunnel, audience: Audience) -> Option<String> {
    interfaces(p, &[audience]).filter(|_| t.serves(audience))
}

/// The ranges that are reached through it.
pub(super) fn sets(o: &mut String, p: &Policy) {
    let Some(t) = &p.tunnel else { return };
    for (d, _, type_name) in [('4', "ip", "ipv4_addr"), ('6', "ip6", "ipv6_addr")] {
        let mut nets: Vec<String> = t
            .prefixes
            .iter()
            .filter(|n| n.addr().is_ipv4() == (d == '4'))
            .map(|n| n.trunc().to_string())
            .collect();
        nets.sort();
        let elements = match nets.as_slice() {
            [] => String::new(),
            _ => format!(" elements = {{ {} }};", nets.join(", ")),
        };
        let _ = writeln!(o, "  set centre{d} {{ type {type_name}; flags interval; auto-merge;{elements} }}");
    }
}

/// Rules of the forward chain, before all others.
pub(super) fn forward(o: &mut String, p: &Policy) {
    let Some(t) = &p.tunnel else { return };
    let tunnel = &t.interface;
    if let Some(names) = from(p, t, Audience::Staff) {
        let _ = writeln!(o, "    iifname {names} oifname \"{tunnel}\" goto staff_in");
        let _ =
            writeln!(o, "    iifname \"{tunnel}\" oifname {names} ct state established,related goto down");
    }
    if let Some(names) = from(p, t, Audience::Service) {
        let _ = writeln!(o, "    iifname {names} oifname \"{tunnel}\" goto service_in");
        let _ = writeln!(o, "    iifname \"{tunnel}\" oifname {names} goto centre_to_service");
    }
    for audience in [Audience::Staff, Audience::Service] {
        let Some(names) = from(p, t, audience) else { continue };
        // While the tunnel is away nothing for the data centre takes another way in the clear.
        for (d, ip, _) in FAMILIES {
            let _ = writeln!(o, "    iifname {names} {ip} daddr @centre{d} jump refuse");
        }
    }
}

/// The chains that those rules lead to.
pub(super) fn chains(o: &mut String, p: &Policy) {
    let Some(t) = &p.tunnel else { return };
    let class = wait_in(p, classes::SERVICE);
    if from(p, t, Audience::Staff).is_some() {
        o.push_str("  chain staff_in {\n    ether saddr @blocked drop\n");
        if !p.radios.is_empty() {
            for (d, ip, _) in FAMILIES {
                let _ = writeln!(o, "    ether saddr @radios {ip} daddr @control{d} ct mark set 1 accept");
            }
        }
        // As on the way out: authenticated before anything counts against somebody.
        for (d, ip, _) in FAMILIES {
            let _ = writeln!(o, "    ether saddr . {ip} saddr @auth{d} goto online_up{d}");
        }
        o.push_str("    jump refuse\n  }\n");
    }
    if from(p, t, Audience::Service).is_some() {
        o.push_str("  chain service_in {\n    ether saddr @blocked drop\n");
        // Answers to what the data centre began, then what the allow list lets begin by itself.
        o.push_str("    ct state established,related accept\n    ether saddr @allowed accept\n");
        o.push_str("    jump refuse\n  }\n");
        let _ =
            writeln!(o, "  chain centre_to_service {{\n    ct state invalid drop\n    {class}accept\n  }}");
    }
}

/// What the box itself accepts out of the tunnel: answers and echoes.
pub(super) fn input(o: &mut String, p: &Policy) {
    let Some(t) = &p.tunnel else { return };
    let _ = writeln!(o, "    iifname \"{}\" goto from_tunnel", t.interface);
}

/// The chain that this leads to.
pub(super) fn input_chain(o: &mut String, p: &Policy) {
    if p.tunnel.is_some() {
        o.push_str("  chain from_tunnel {\n    ct state established,related accept\n");
        o.push_str("    jump icmp_in\n    drop\n  }\n");
    }
}

/// Staff are translated to the box's own address; service devices are reached by theirs.
pub(super) fn source(o: &mut String, p: &Policy) {
    let Some(t) = &p.tunnel else { return };
    if let Some(names) = from(p, t, Audience::Staff) {
        let _ = writeln!(o, "    iifname {names} oifname \"{}\" masquerade", t.interface);
    }
}
