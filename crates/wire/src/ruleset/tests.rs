use super::*;
use crate::netlink::{Counter, Extra, Key, Set};

pub(super) fn policy() -> Policy {
    let mut mgmt = private_ranges();
    mgmt.push("203.0.113.0/24".parse().unwrap());
    Policy {
        uplinks: vec![Uplink::plain("wan0")],
        segments: vec![
            Segment { interface: "lan0".to_owned(), audience: Audience::Public },
            Segment { interface: "lan1".to_owned(), audience: Audience::Staff },
            Segment { interface: "lan2".to_owned(), audience: Audience::Service },
        ],
        dns_port: 5300,
        http_port: 8080,
        https_port: 8443,
        caps: true,
        quotas: true,
        strict_names: true,
        fair: true,
        mgmt,
        reach: vec!["10.20.0.0/16".parse().unwrap()],
        radios: Vec::new(),
        controllers: Vec::new(),
        tunnel: None,
    }
}

fn chain(text: &str, name: &str) -> String {
    let from = text.find(&format!("  chain {name} {{")).unwrap();
    text[from..].split("\n  }").next().unwrap().to_owned()
}

#[test]
fn the_table_is_as_reviewed() {
    let people = [
        Element {
            set: Set::Auth4,
            key: Key::Device(kulkul_model::session::Mac([2, 0, 0, 0, 0, 1]), "10.77.0.9".parse().unwrap()),
            left_ms: Some(3_600_000),
            extra: Extra::Counter(Counter { packets: 3, bytes: 180 }),
        },
        Element {
            set: Set::CapDn6,
            key: Key::Address("fd77::9".parse().unwrap()),
            left_ms: Some(60_000),
            extra: Extra::Cap { bytes_per_s: 250_000 },
        },
    ];
    insta::assert_snapshot!(policy().text(&people));
}

#[test]
fn an_access_point_is_not_captured_and_reaches_its_controller_alone() {
    let plain = policy().text(&[]);
    assert!(!plain.contains("radios") && !plain.contains("control4"), "no word of what there is not");
    let with = Policy {
        radios: vec![kulkul_model::session::Mac([2, 0, 0, 0, 0, 0xa1])],
        controllers: vec!["10.30.0.5/32".parse().unwrap()],
        ..policy()
    };
    let text = with.text(&[]);
    assert!(text.contains("set radios { typeof ether saddr; elements = { 02:00:00:00:00:a1 }; }"), "{text}");
    let captive = chain(&text, "captive");
    assert!(captive.lines().nth(1).unwrap().contains("@radios return"), "{captive}");
    let up = chain(&text, "public_up");
    let (own, private) = (up.find("@radios ip daddr @control4").unwrap(), up.find("@mgmt4").unwrap());
    assert!(own < private, "a controller may stand in a private range: {up}");
    assert_eq!(
        up.matches("@radios").count(),
        2,
        "a way to its controller in each family, and none else: {up}"
    );
    assert!(!chain(&text, "service_up").contains("radios"), "service segments have their allow list");
}

#[test]
fn people_are_authenticated_before_they_touch_a_cap_or_a_quota() {
    let text = policy().text(&[]);
    for name in ["public_up", "staff_up"] {
        let up = chain(&text, name);
        assert!(!up.contains("cap_up") && !up.contains("quota"), "{up}");
    }
    for d in ['4', '6'] {
        let online = chain(&text, &format!("online_up{d}"));
        assert!(online.contains(&format!("cap_up{d}")) && online.contains(&format!("@quota{d}")), "{online}");
    }
}

#[test]
fn packets_are_not_looked_up_for_what_no_plan_has() {
    let text = Policy { caps: false, quotas: false, fair: false, ..policy() }.text(&[]);
    for rule in ["@cap_up4", "@cap_dn6", "@quota4", "@quota6", "@class4", "@class6", "meta priority set 1:"] {
        assert!(policy().text(&[]).contains(rule) && !text.contains(rule), "{rule}");
    }
    assert!(text.contains("set cap_up4"), "the sets stay, so that plans come and go");
}

#[test]
fn both_families_have_the_same_lines() {
    let text = policy().text(&[]);
    for d in ["known", "auth", "down", "cap_up", "cap_dn", "quota", "class", "walled", "mgmt", "reach"] {
        let count = |n: char| text.matches(&format!("{d}{n}")).count();
        assert_eq!(count('4'), count('6'), "{d}");
        assert!(count('4') >= 2, "{d} is made and used");
    }
}

#[test]
fn the_digest_follows_the_policy_and_not_the_people() {
    let p = policy();
    assert_eq!(p.digest().len(), 32);
    assert!(p.text(&[]).contains(&p.digest()));
    let with = |uplink: Uplink| Policy { uplinks: vec![uplink], ..p.clone() };
    let other = with(Uplink { ssh: true, ..Uplink::plain("wan0") });
    assert_ne!(p.digest(), other.digest());
    assert!(other.text(&[]).contains("tcp dport 22 accept"));
    let nat6 = with(Uplink { nat6: true, ..Uplink::plain("wan0") });
    assert!(!nat6.text(&[]).contains("meta nfproto ipv4 oifname"));
}

#[test]
fn two_ways_out_are_kept_apart_and_counted() {
    let second =
        Uplink { ssh: true, audiences: vec![Audience::Staff, Audience::Service], ..Uplink::plain("wwan0") };
    let p = Policy { uplinks: vec![Uplink::plain("wan0"), second], ..policy() };
    let text = p.text(&[]);
    let forward = chain(&text, "forward");
    assert!(forward.contains("iifname \"lan0\" oifname \"wan0\" goto public_up"), "{forward}");
    assert!(forward.contains("iifname \"lan1\" oifname { \"wan0\", \"wwan0\" } goto staff_up"), "{forward}");
    assert!(chain(&text, "from_provider").contains("iifname \"wwan0\" tcp dport 22 accept"), "{text}");
    for (name, rule) in [
        ("carried", "iifname { \"lan0\", \"lan1\", \"lan2\" } oifname \"wan0\" counter name \"up_0\""),
        ("carried", "iifname \"wwan0\" oifname { \"lan0\", \"lan1\", \"lan2\" } counter name \"down_1\""),
        ("source", "meta nfproto ipv4 oifname \"wan0\" masquerade"),
        ("source", "meta nfproto ipv4 oifname \"wwan0\" masquerade"),
    ] {
        assert!(chain(&text, name).contains(rule), "{name}: {rule}");
    }
    assert!(!policy().text(&[]).contains("chain carried"), "one way alone is not counted twice");
}

#[test]
fn the_tunnel_is_for_whom_it_is_named_and_never_for_the_public() {
    let plain = policy().text(&[]);
    assert!(!plain.contains("centre") && !plain.contains("_in4"), "no word of what there is not");
    let tunnel = |audiences: &[Audience]| Tunnel {
        interface: "dc0".to_owned(),
        prefixes: vec!["10.200.0.0/16".parse().unwrap(), "fd20::/48".parse().unwrap()],
        audiences: audiences.to_vec(),
    };
    let with = |audiences| Policy { tunnel: Some(tunnel(audiences)), ..policy() }.text(&[]);
    let text = with(&[Audience::Public, Audience::Staff, Audience::Service]);
    let forward = chain(&text, "forward");
    assert!(!forward.lines().any(|l| l.contains("dc0") && l.contains("lan0")), "{forward}");
    for rule in [
        "iifname \"lan1\" oifname \"dc0\" goto staff_in",
        "iifname \"dc0\" oifname \"lan1\" ct state established,related goto down",
        "iifname \"lan2\" oifname \"dc0\" goto service_in",
        "iifname \"dc0\" oifname \"lan2\" goto centre_to_service",
    ] {
        assert!(forward.contains(rule), "{rule}: {forward}");
    }
    for lan in ["lan1", "lan2"] {
        let guard = forward.find(&format!("iifname \"{lan}\" ip6 daddr @centre6 jump refuse")).unwrap();
        let out = forward.find(&format!("iifname \"{lan}\" oifname \"wan0\"")).unwrap();
        assert!(guard < out, "nothing leaks before it is refused: {forward}");
    }
    let staff = chain(&text, "staff_in");
    assert!(staff.contains("@auth4 goto online_up4") && staff.trim_end().ends_with("jump refuse"), "{staff}");
    assert!(chain(&text, "source").contains("iifname \"lan1\" oifname \"dc0\" masquerade"));
    assert!(chain(&text, "from_tunnel").trim_end().ends_with("drop"));
    let one = with(&[Audience::Service]);
    let forward = chain(&one, "forward");
    assert!(!forward.contains("staff_in") && !forward.contains("\"lan1\" ip daddr @centre4"), "{forward}");
    assert!(!chain(&one, "source").contains("dc0"), "cameras keep their addresses");
}
