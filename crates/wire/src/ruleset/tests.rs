use super::*;
use crate::netlink::{Counter, Extra, Key, Set};

pub(super) fn policy() -> Policy {
    let mut mgmt = private_ranges();
    mgmt.push("203.0.113.0/24".parse().unwrap());
    Policy {
        uplink: "wan0".to_owned(),
        nat6: false,
        ssh: false,
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
    let other = Policy { ssh: true, ..p.clone() };
    assert_ne!(p.digest(), other.digest());
    assert!(other.text(&[]).contains("tcp dport 22 accept"));
    let nat6 = Policy { nat6: true, ..p };
    assert!(!nat6.text(&[]).contains("meta nfproto ipv4 oifname"));
}
