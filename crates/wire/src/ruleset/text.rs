//! The nft text itself. Each family's half is made by the same lines.

use super::{Audience, Policy, SIZE, TABLE, classes, counters, tunnel};
use crate::netlink::{Element, Extra, burst};
use ipnet::IpNet;
use std::fmt::Write as _;

/// A family: the digit of its sets, its keyword, its netfilter protocol.
pub(super) const FAMILIES: [(char, &str, &str); 2] = [('4', "ip", "ipv4"), ('6', "ip6", "ipv6")];

/// The table; `digest` goes into its comment.
pub(super) fn table(p: &Policy, digest: &str) -> String {
    let mut o = String::with_capacity(8_000);
    let _ = writeln!(o, "table inet {TABLE} {{");
    let _ = writeln!(o, "  comment \"kulkul {digest}\"");
    for (d, ip, _) in FAMILIES {
        sets(&mut o, p, d, ip);
    }
    let _ = writeln!(o, "  set allowed {{ typeof ether saddr; size 4096; }}");
    let _ = writeln!(o, "  set blocked {{ typeof ether saddr; size 4096; flags timeout; }}");
    if p.uplinks.len() > 1 {
        carried(&mut o, p);
    }
    if !p.radios.is_empty() {
        let list: Vec<String> = p.radios.iter().map(ToString::to_string).collect();
        let _ = writeln!(o, "  set radios {{ typeof ether saddr; elements = {{ {} }}; }}", list.join(", "));
    }
    tunnel::sets(&mut o, p);
    capture(&mut o, p);
    forward(&mut o, p);
    for audience in [Audience::Public, Audience::Staff, Audience::Service] {
        if p.segments.iter().any(|s| s.audience == audience) {
            up(&mut o, p, audience);
        }
    }
    if interfaces(p, &[Audience::Public, Audience::Staff]).is_some() {
        online_up(&mut o, p);
    }
    down(&mut o, p);
    tunnel::chains(&mut o, p);
    input(&mut o, p);
    source(&mut o, p);
    o.push_str("}\n");
    o
}

fn sets(o: &mut String, p: &Policy, d: char, ip: &str) {
    let type_name = if d == '4' { "ipv4_addr" } else { "ipv6_addr" };
    let key = format!("typeof ether saddr . {ip} saddr; size {SIZE}; flags timeout;");
    // `known` has no counter: the capture chain would count a connection's first packet twice.
    let _ = writeln!(o, "  set known{d} {{ {key} }}");
    let _ = writeln!(o, "  set auth{d} {{ {key} counter; }}");
    let _ = writeln!(o, "  set down{d} {{ typeof {ip} daddr; size {SIZE}; flags timeout; counter; }}");
    for (dir, field) in [("up", "saddr"), ("dn", "daddr")] {
        // The rate written here is only the form; each element carries its plan's own rate.
        let _ = writeln!(
            o,
            "  set cap_{dir}{d} {{ typeof {ip} {field}; size {SIZE}; flags timeout; limit rate over 1 mbytes/second; }}"
        );
    }
    let _ =
        writeln!(o, "  map class{d} {{ typeof {ip} saddr : meta priority; size {SIZE}; flags timeout; }}");
    let _ = writeln!(o, "  map quota{d} {{ type {type_name} : quota; size {SIZE}; }}");
    let _ = writeln!(o, "  set walled{d} {{ type {type_name}; size {SIZE}; flags timeout; }}");
    for (name, nets) in [("mgmt", &p.mgmt), ("reach", &p.reach), ("control", &p.controllers)] {
        if name == "control" && p.radios.is_empty() {
            continue;
        }
        let mut nets: Vec<&IpNet> = nets.iter().filter(|n| matches!(n, IpNet::V4(_)) == (d == '4')).collect();
        nets.sort();
        let list: Vec<String> = nets.iter().map(|n| n.trunc().to_string()).collect();
        let elements =
            if list.is_empty() { String::new() } else { format!(" elements = {{ {} }};", list.join(", ")) };
        let _ = writeln!(o, "  set {name}{d} {{ type {type_name}; flags interval; auto-merge;{elements} }}");
    }
}

pub(super) fn interfaces(p: &Policy, wanted: &[Audience]) -> Option<String> {
    set(p.segments.iter().filter(|s| wanted.contains(&s.audience)).map(|s| &s.interface))
}

/// Every way out.
fn uplinks(p: &Policy) -> Option<String> {
    set(p.uplinks.iter().map(|u| &u.interface))
}

/// Interfaces as a packet's is compared with them; nothing where there are none.
fn set<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut names: Vec<String> = names.map(|n| format!("\"{n}\"")).collect();
    names.sort();
    match names.as_slice() {
        [] => None,
        // One name is compared; a set of one would be looked up for each packet.
        [one] => Some(one.clone()),
        _ => Some(format!("{{ {} }}", names.join(", "))),
    }
}

const ALL: [Audience; 3] = [Audience::Public, Audience::Staff, Audience::Service];

/// Counts what each way carries for the place, after all that drops and translates.
fn carried(o: &mut String, p: &Policy) {
    for name in (0..p.uplinks.len()).flat_map(counters) {
        let _ = writeln!(o, "  counter {name} {{\n  }}");
    }
    let Some(names) = interfaces(p, &ALL) else { return };
    o.push_str("  chain carried {\n    type filter hook postrouting priority srcnat + 10; policy accept;\n");
    for (way, uplink) in p.uplinks.iter().enumerate() {
        let ([up, down], out) = (counters(way), &uplink.interface);
        // What the box itself sends has come in by no interface.
        let _ = writeln!(o, "    iifname {names} oifname \"{out}\" counter name \"{up}\"");
        let _ = writeln!(o, "    iifname \"{out}\" oifname {names} counter name \"{down}\"");
    }
    o.push_str("  }\n");
}

/// Sends what unknown devices try to the box itself.
fn capture(o: &mut String, p: &Policy) {
    o.push_str("  chain capture {\n    type nat hook prerouting priority dstnat; policy accept;\n");
    if let Some(names) = interfaces(p, &ALL) {
        let _ = writeln!(
            o,
            "    iifname {names} meta l4proto {{ tcp, udp }} th dport 53 redirect to :{}",
            p.dns_port
        );
        let _ =
            writeln!(o, "    iifname {names} fib daddr type local tcp dport 80 redirect to :{}", p.http_port);
        let _ = writeln!(
            o,
            "    iifname {names} fib daddr type local tcp dport 443 redirect to :{}",
            p.https_port
        );
    }
    if let Some(names) = interfaces(p, &[Audience::Public, Audience::Staff]) {
        let _ = writeln!(o, "    iifname {names} tcp dport 80 jump captive");
    }
    o.push_str("  }\n  chain captive {\n");
    if !p.radios.is_empty() {
        o.push_str("    ether saddr @radios return\n");
    }
    for (d, ip, _) in FAMILIES {
        let _ = writeln!(o, "    ether saddr . {ip} saddr @known{d} return");
    }
    for (d, ip, _) in FAMILIES {
        let _ = writeln!(o, "    {ip} daddr @walled{d} return");
    }
    let _ = writeln!(o, "    tcp dport 80 redirect to :{}\n  }}", p.http_port);
}

fn forward(o: &mut String, p: &Policy) {
    o.push_str("  chain forward {\n    type filter hook forward priority filter; policy drop;\n");
    // `rt mtu` looks both ways, so this one rule clamps SYN and SYN-ACK alike.
    o.push_str("    tcp flags syn tcp option maxseg size set rt mtu\n");
    tunnel::forward(o, p);
    for (audience, chain) in
        [(Audience::Public, "public_up"), (Audience::Staff, "staff_up"), (Audience::Service, "service_up")]
    {
        let ways = set(p.uplinks.iter().filter(|u| u.audiences.contains(&audience)).map(|u| &u.interface));
        if let (Some(names), Some(ways)) = (interfaces(p, &[audience]), ways) {
            let _ = writeln!(o, "    iifname {names} oifname {ways} goto {chain}");
        }
    }
    if let Some(names) = interfaces(p, &ALL) {
        if let Some(ways) = uplinks(p) {
            let _ = writeln!(o, "    iifname {ways} oifname {names} ct state established,related goto down");
        }
        // Between segments, and to nowhere: refused at once, so that phones fail fast.
        let _ = writeln!(o, "    iifname {names} jump refuse");
    }
    o.push_str("  }\n  chain refuse {\n    meta l4proto tcp reject with tcp reset\n");
    o.push_str("    reject with icmpx type admin-prohibited\n  }\n");
}

/// From the place to the provider: blocked, private ranges, authenticated, then the rest.
fn up(o: &mut String, p: &Policy, audience: Audience) {
    let name = match audience {
        Audience::Public => "public_up",
        Audience::Staff => "staff_up",
        Audience::Service => "service_up",
    };
    let _ = writeln!(o, "  chain {name} {{\n    ether saddr @blocked drop");
    if audience == Audience::Service {
        let class = wait_in(p, classes::SERVICE);
        let _ = writeln!(o, "    ether saddr @allowed {class}ct mark set 1 accept\n    jump refuse\n  }}");
        return;
    }
    if !p.radios.is_empty() {
        // Before the private ranges: a controller may stand in the regency's own network.
        let class = wait_in(p, classes::SERVICE);
        for (d, ip, _) in FAMILIES {
            let _ = writeln!(o, "    ether saddr @radios {ip} daddr @control{d} {class}ct mark set 1 accept");
        }
    }
    if audience == Audience::Public {
        for (d, ip, _) in FAMILIES {
            let _ = writeln!(o, "    {ip} daddr @mgmt{d} {ip} daddr != @reach{d} drop");
        }
    }
    if p.strict_names {
        // DoT and DoQ (RFC 7858, RFC 9250): refused at once, so that phones fall back.
        o.push_str("    meta l4proto { tcp, udp } th dport 853 jump refuse\n");
    }
    // Authenticate first: a spoofed source must not burn its owner's rate or quota.
    for (d, ip, _) in FAMILIES {
        let _ = writeln!(o, "    ether saddr . {ip} saddr @auth{d} goto online_up{d}");
    }
    o.push_str("    meta l4proto { icmp, ipv6-icmp } ct state related accept\n");
    let class = wait_in(p, classes::STRANGERS);
    for (d, ip, _) in FAMILIES {
        let _ = writeln!(o, "    {ip} daddr @walled{d} {class}accept");
    }
    // Phones want the time before they want the portal.
    o.push_str("    udp dport 123 limit rate 50/second accept\n    jump refuse\n  }\n");
}

/// The words that put a packet into a class of the line's own, where the line is shared out.
pub(super) fn wait_in(p: &Policy, class: u16) -> String {
    if p.fair { format!("meta priority set 1:{class:x} ") } else { String::new() }
}

/// Drops what is over an address's cap or quota, and puts the rest into its class.
fn bounds(o: &mut String, p: &Policy, way: &str, field: &str, (d, ip): (char, &str)) {
    if p.caps {
        let _ = writeln!(o, "    {ip} {field} @cap_{way}{d} drop");
    }
    if p.quotas {
        let _ = writeln!(o, "    quota name {ip} {field} map @quota{d} drop");
    }
    if p.fair {
        let _ = writeln!(o, "    meta priority set {ip} {field} map @class{d}");
    }
}

fn online_up(o: &mut String, p: &Policy) {
    for (d, ip, _) in FAMILIES {
        let _ = writeln!(o, "  chain online_up{d} {{");
        bounds(o, p, "up", "saddr", (d, ip));
        o.push_str("    accept\n  }\n");
    }
}

/// From the provider to the place: only what belongs to something that went up.
fn down(o: &mut String, p: &Policy) {
    o.push_str("  chain down {\n    meta nfproto vmap { ipv4 : goto down4, ipv6 : goto down6 }\n  }\n");
    for (d, ip, _) in FAMILIES {
        let _ = writeln!(o, "  chain down{d} {{");
        bounds(o, p, "dn", "daddr", (d, ip));
        let _ = writeln!(o, "    {ip} daddr @down{d} accept");
        let (service, strangers) = (wait_in(p, classes::SERVICE), wait_in(p, classes::STRANGERS));
        let _ = writeln!(o, "    ct mark 1 {service}accept");
        o.push_str("    meta l4proto { icmp, ipv6-icmp } ct state related accept\n");
        let _ = writeln!(
            o,
            "    {ip} saddr @walled{d} {strangers}accept\n    udp sport 123 accept\n    drop\n  }}"
        );
    }
}

/// What the box itself accepts, from the place and from the provider.
fn input(o: &mut String, p: &Policy) {
    o.push_str("  chain input {\n    type filter hook input priority filter; policy accept;\n");
    o.push_str("    iif lo accept\n");
    if let Some(names) = interfaces(p, &ALL) {
        let _ = writeln!(o, "    iifname {names} goto from_place");
    }
    if let Some(ways) = uplinks(p) {
        let _ = writeln!(o, "    iifname {ways} goto from_provider");
    }
    tunnel::input(o, p);
    o.push_str(
        "  }\n  chain from_place {\n    ether saddr @blocked drop\n    ct state established,related accept\n",
    );
    let _ = writeln!(o, "    tcp dport {{ {}, {}, {} }} accept", p.dns_port, p.http_port, p.https_port);
    let _ = writeln!(o, "    udp dport {{ 67, 547, {} }} accept", p.dns_port);
    o.push_str("    jump icmp_in\n    jump refuse\n  }\n");
    o.push_str(
        "  chain from_provider {\n    ct state established,related accept\n    ct state invalid drop\n",
    );
    o.push_str("    udp sport 67 udp dport 68 accept\n");
    o.push_str("    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept\n");
    match set(p.uplinks.iter().filter(|u| u.ssh).map(|u| &u.interface)) {
        Some(ways) if Some(&ways) != uplinks(p).as_ref() => {
            let _ = writeln!(o, "    iifname {ways} tcp dport 22 accept");
        }
        Some(_) => o.push_str("    tcp dport 22 accept\n"),
        None => {}
    }
    o.push_str("    jump icmp_in\n    drop\n  }\n");
    tunnel::input_chain(o, p);
    // RFC 4890 4.4: errors, neighbour discovery, multicast listeners; echo within reason.
    o.push_str("  chain icmp_in {\n    icmp type { destination-unreachable, time-exceeded, parameter-problem } accept\n");
    o.push_str("    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept\n");
    o.push_str("    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept\n");
    o.push_str("    icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept\n");
    o.push_str("    icmp type echo-request limit rate 200/second accept\n");
    o.push_str("    icmpv6 type echo-request limit rate 200/second accept\n  }\n");
}

fn source(o: &mut String, p: &Policy) {
    o.push_str("  chain source {\n    type nat hook postrouting priority srcnat; policy accept;\n");
    for u in &p.uplinks {
        let only = if u.nat6 { "" } else { "meta nfproto ipv4 " };
        let _ = writeln!(o, "    {only}oifname \"{}\" masquerade", u.interface);
    }
    tunnel::source(o, p);
    o.push_str("  }\n");
}

/// People, as elements that follow the table in the same transaction.
pub(super) fn elements(people: &[Element]) -> String {
    let mut o = String::new();
    for e in people {
        let _ = write!(o, "add element inet {TABLE} {} {{ {}", e.set.name(), e.key);
        match e.extra {
            Extra::None | Extra::Class(_) => {}
            Extra::Counter(c) => {
                let _ = write!(o, " counter packets {} bytes {}", c.packets, c.bytes);
            }
            Extra::Cap { bytes_per_s } => {
                let _ = write!(
                    o,
                    " limit rate over {bytes_per_s} bytes/second burst {} bytes",
                    burst(bytes_per_s)
                );
            }
        }
        if let Some(left_ms) = e.left_ms {
            let _ = write!(o, " timeout {}ms", left_ms.max(1));
        }
        if let Extra::Class(class) = e.extra {
            let _ = write!(o, " : {:x}:{:x}", class >> 16, class & 0xffff);
        }
        o.push_str(" }\n");
    }
    o
}
