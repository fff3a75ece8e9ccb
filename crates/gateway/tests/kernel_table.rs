//! The table and its elements on the real kernel, in namespaces of their own.
//!
//! Each test runs itself again inside the gateway's namespace.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

#[path = "kernel_table/around.rs"]
mod around;
#[path = "../../sim/src/street/ground.rs"]
mod ground;

use ground::{Place, permitted, skip, until, wire};
use kulkul_gateway::firewall::{Caps, Person};
use kulkul_gateway::kernel::linux::Linux;
use kulkul_gateway::kernel::{Kernel, KernelError};
use kulkul_model::session::Mac;
use kulkul_wire::netlink::{Change, Counter, Element, Extra, Key, Set};
use kulkul_wire::ruleset::{self, Audience, Policy, Segment, Uplink};
use std::net::IpAddr;
use std::process::Command;

const INSIDE: &str = "KULKUL_TEST_INSIDE";
const PHONE: &str = "02:00:00:00:00:09";

/// A phone, a box and a world on wires: 10.77.0.9 - lan0 [box] wan0 - 198.51.100.1.
struct Street {
    phone: Place,
    gateway: Place,
    world: Place,
}

fn street(what: &str) -> Street {
    let (phone, gateway, world) = (
        Place::new(&format!("{what}-phone")).unwrap(),
        Place::new(&format!("{what}-gw")).unwrap(),
        Place::new(&format!("{what}-world")).unwrap(),
    );
    wire(&phone, "eth0", &gateway, "lan0").unwrap();
    wire(&gateway, "wan0", &world, "eth0").unwrap();
    for (place, words) in [
        (&phone, format!("link set eth0 address {PHONE}")),
        (&phone, "addr add 10.77.0.9/16 dev eth0".into()),
        (&phone, "addr add 2001:db8:77::9/64 dev eth0 nodad".into()),
        (&phone, "route add default via 10.77.0.1".into()),
        (&phone, "-6 route add default via 2001:db8:77::1".into()),
        (&gateway, "addr add 10.77.0.1/16 dev lan0".into()),
        (&gateway, "addr add 2001:db8:77::1/64 dev lan0 nodad".into()),
        (&gateway, "addr add 198.51.100.2/24 dev wan0".into()),
        (&gateway, "addr add 2001:db8:1::2/64 dev wan0 nodad".into()),
        (&gateway, "route add default via 198.51.100.1".into()),
        (&gateway, "-6 route add default via 2001:db8:1::1".into()),
        (&world, "addr add 198.51.100.1/24 dev eth0".into()),
        (&world, "addr add 203.0.113.1/32 dev lo".into()),
        (&world, "addr add 2001:db8:1::1/64 dev eth0 nodad".into()),
        (&world, "addr add 2001:db8:2::1/128 dev lo nodad".into()),
        (&world, "-6 route add 2001:db8:77::/64 via 2001:db8:1::2".into()),
    ] {
        place.ip(&words).unwrap();
    }
    gateway.sysctl("net.ipv4.ip_forward", "1").unwrap();
    gateway.sysctl("net.ipv6.conf.all.forwarding", "1").unwrap();
    Street { phone, gateway, world }
}

/// Runs the test again inside the box's namespace, the phone's and the world's names in the environment.
fn inside(test: &str) -> Option<(String, String)> {
    if let Ok(names) = std::env::var(INSIDE) {
        let (phone, world) = names.split_once(',').unwrap();
        return Some((phone.to_owned(), world.to_owned()));
    }
    if let Err(why) = permitted() {
        skip(test, &why);
        return None;
    }
    let street = street(&test.rsplit("::").next().unwrap().chars().take(8).collect::<String>());
    let out = street
        .gateway
        .command(std::env::current_exe().unwrap().to_str().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, format!("{},{}", street.phone.name, street.world.name))
        .output()
        .unwrap();
    print!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{test} failed inside the namespace");
    None
}

fn policy() -> Policy {
    Policy {
        uplinks: vec![Uplink::plain("wan0")],
        segments: vec![Segment { interface: "lan0".into(), audience: Audience::Public }],
        dns_port: 5300,
        http_port: 8080,
        https_port: 8443,
        caps: true,
        quotas: true,
        strict_names: false,
        fair: false,
        mgmt: ruleset::private_ranges(),
        reach: Vec::new(),
        radios: Vec::new(),
        controllers: Vec::new(),
        tunnel: None,
    }
}

fn phone() -> Mac {
    Mac::parse(PHONE).unwrap()
}

fn person(ip: &str) -> Person {
    Person { mac: phone(), ip: ip.parse().unwrap(), caps: Caps::default() }
}

fn adds(p: Person, left_ms: u64) -> Vec<Change> {
    p.elements(left_ms, Counter::default(), Counter::default()).into_iter().map(Change::Add).collect()
}

fn pings(from: &str, to: &str) -> bool {
    let out = Command::new("ip").args(["netns", "exec", from, "ping", "-c1", "-W1", to]).output().unwrap();
    out.status.success()
}

fn counter(kernel: &mut Linux, set: Set) -> Counter {
    match kernel.dump(set).unwrap().first().unwrap().extra {
        Extra::Counter(c) => c,
        other => panic!("{other:?}"),
    }
}

#[test]
fn people_pass_when_their_elements_are_there_and_counters_are_exact() {
    let Some((phone_ns, world_ns)) =
        inside("people_pass_when_their_elements_are_there_and_counters_are_exact")
    else {
        return;
    };
    let mut kernel = Linux::open().unwrap();
    kernel.load(&policy().text(&[])).unwrap();
    assert_eq!(kernel.digest().unwrap(), Some(policy().digest()));
    for (ip, world, auth, down, bytes) in [
        ("10.77.0.9", "203.0.113.1", Set::Auth4, Set::Down4, 84),
        ("2001:db8:77::9", "2001:db8:2::1", Set::Auth6, Set::Down6, 104),
    ] {
        assert!(!pings(&phone_ns, world), "{ip} passed before it was let in");
        kernel.change(&adds(person(ip), 60_000)).unwrap();
        until("the way is known to both sides", 60, || pings(&phone_ns, world).then_some(()));
        let before = (counter(&mut kernel, auth), counter(&mut kernel, down));
        assert!(pings(&phone_ns, world), "{ip} is let in");
        let one = |c: Counter| Counter { packets: c.packets + 1, bytes: c.bytes + bytes };
        let after = (counter(&mut kernel, auth), counter(&mut kernel, down));
        assert_eq!(after, (one(before.0), one(before.1)), "{ip}");
        kernel.change(&person(ip).removal()).unwrap();
        assert!(!pings(&phone_ns, world), "{ip} is out again");
    }
    // The same address from another device does not pass.
    kernel.change(&adds(person("10.77.0.9"), 60_000)).unwrap();
    let ip = |words: &[&str]| assert!(Command::new("ip").args(words).status().unwrap().success());
    ip(&["-n", &phone_ns, "link", "set", "eth0", "address", "02:00:00:00:00:66"]);
    assert!(!pings(&phone_ns, "203.0.113.1"), "a stolen address passes");
    ip(&["-n", &phone_ns, "link", "set", "eth0", "address", PHONE]);
    until("the owner passes again", 60, || pings(&phone_ns, "203.0.113.1").then_some(()));
    // The provider's side reaches neither the box's ports nor the place.
    let closed = Command::new("ip")
        .args([
            "netns",
            "exec",
            &world_ns,
            "timeout",
            "2",
            "bash",
            "-c",
            "exec 3<>/dev/tcp/198.51.100.2/8080",
        ])
        .output()
        .unwrap();
    assert!(!closed.status.success());
    assert!(pings(&world_ns, "198.51.100.2"), "the box answers echo from outside");
    assert!(!pings(&world_ns, "2001:db8:77::9"), "nobody gets in from outside");
}

#[test]
fn one_bad_change_rolls_the_batch_back() {
    if inside("one_bad_change_rolls_the_batch_back").is_none() {
        return;
    }
    let mut kernel = Linux::open().unwrap();
    kernel.load(&policy().text(&[])).unwrap();
    // The slowest and the fastest plan that there can be are both taken.
    let plan = |kbps| kulkul_wire::link::desired::PlanSection {
        down_kbps: Some(kbps),
        up_kbps: Some(kbps),
        ..Default::default()
    };
    for (kbps, ip) in [(0, "10.77.0.30"), (u32::MAX, "10.77.0.31")] {
        let p = Person { caps: Caps::of(&plan(kbps), None), ..person(ip) };
        kernel.change(&adds(p, 60_000)).unwrap();
        kernel.change(&p.removal()).unwrap();
    }
    let mut changes = adds(person("10.77.0.9"), 60_000);
    changes.push(Change::Remove(Set::Auth4, Key::Device(phone(), "10.77.0.77".parse().unwrap())));
    changes.extend(adds(person("10.77.0.10"), 60_000));
    let error = kernel.change(&changes).unwrap_err();
    assert!(matches!(error, KernelError::Refused { index: Some(3), .. }), "{error}");
    assert!(error.is_missing(), "{error}");
    assert!(kernel.dump(Set::Auth4).unwrap().is_empty(), "nothing of the batch took effect");
    kernel.change(&adds(person("10.77.0.9"), 60_000)).unwrap();
    assert_eq!(kernel.dump(Set::Auth4).unwrap().len(), 1);
}

#[test]
fn elements_are_renewed_and_counters_carried_on_kernels_of_both_kinds() {
    if inside("elements_are_renewed_and_counters_carried_on_kernels_of_both_kinds").is_none() {
        return;
    }
    let mut kernel = Linux::open().unwrap();
    kernel.load(&policy().text(&[])).unwrap();
    let carried = Counter { packets: 7, bytes: 777 };
    let p = person("10.77.0.9");
    let add = |left: u64| -> Vec<Change> {
        p.elements(left, carried, carried).into_iter().map(Change::Add).collect()
    };
    kernel.change(&add(20_000)).unwrap();
    assert_eq!(counter(&mut kernel, Set::Auth4), carried);
    let left = |kernel: &mut Linux| kernel.dump(Set::Auth4).unwrap()[0].left_ms.unwrap();
    assert!(left(&mut kernel) <= 20_000);
    // As kernels before 6.12 need it: out and in again in one transaction.
    let mut both = p.removal();
    both.extend(add(40_000));
    kernel.change(&both).unwrap();
    assert!((20_001..=40_000).contains(&left(&mut kernel)));
    assert_eq!(counter(&mut kernel, Set::Auth4), carried);
    if kernel.renews() {
        kernel.change(&add(60_000)).unwrap();
        assert!((40_001..=60_000).contains(&left(&mut kernel)), "added again, with a later end");
        kernel.change(&add(60_000)).unwrap();
        assert_eq!(counter(&mut kernel, Set::Auth4), carried, "the counter goes on");
    }
    // And by text, which replaces the whole table in one transaction.
    let people = p.elements(90_000, carried, carried);
    kernel.load(&policy().text(&people)).unwrap();
    assert_eq!(counter(&mut kernel, Set::Auth4), carried);
    assert!(left(&mut kernel) > 60_000);
}

#[test]
fn others_changes_are_seen_in_generation_and_structure() {
    if inside("others_changes_are_seen_in_generation_and_structure").is_none() {
        return;
    }
    let mut kernel = Linux::open().unwrap();
    assert_eq!(kernel.digest().unwrap(), None);
    kernel.load(&policy().text(&[])).unwrap();
    let (generation, structure) = (kernel.generation().unwrap(), kernel.structure().unwrap());
    kernel.change(&adds(person("10.77.0.9"), 60_000)).unwrap();
    assert_eq!(kernel.generation().unwrap(), generation + 1, "our own batch is one step");
    assert_eq!(kernel.structure().unwrap(), structure, "elements are not structure");
    assert!(Command::new("nft").args(["add", "table", "inet", "other"]).status().unwrap().success());
    assert_eq!(kernel.structure().unwrap(), structure, "another table is not ours");
    assert!(
        Command::new("nft").args(["flush", "chain", "inet", "kulkul", "forward"]).status().unwrap().success()
    );
    assert!(kernel.generation().unwrap() > generation + 1);
    assert_ne!(kernel.structure().unwrap(), structure);
    assert!(Command::new("nft").args(["flush", "ruleset"]).status().unwrap().success());
    assert_eq!(kernel.digest().unwrap(), None);
}

#[test]
fn thousands_of_elements_and_neighbours_are_read() {
    if inside("thousands_of_elements_and_neighbours_are_read").is_none() {
        return;
    }
    let mut kernel = Linux::open().unwrap();
    kernel.load(&policy().text(&[])).unwrap();
    let all: Vec<Element> = (0..5_000u32)
        .map(|n| {
            let [_, _, hi, lo] = n.to_be_bytes();
            Person {
                mac: Mac([2, 0, 0, 1, hi, lo]),
                ip: IpAddr::from([10, 77, hi + 1, lo]),
                caps: Caps::default(),
            }
        })
        .flat_map(|p| p.elements(600_000, Counter::default(), Counter::default()))
        .collect();
    for part in all.chunks(500) {
        kernel.change(&part.iter().map(|e| Change::Add(*e)).collect::<Vec<_>>()).unwrap();
    }
    assert_eq!(kernel.dump(Set::Auth4).unwrap().len(), 5_000);
    assert_eq!(kernel.dump(Set::Down4).unwrap().len(), 5_000);
    let (phone_ip, names) = ("10.77.0.9".parse::<IpAddr>().unwrap(), std::env::var(INSIDE).unwrap());
    assert!(pings(names.split_once(',').unwrap().0, "10.77.0.1"));
    let n = kernel.neighbour("lan0", phone_ip).unwrap().unwrap();
    assert_eq!((n.mac, Some(n.interface)), (Some(phone()), kernel.index("lan0")));
    assert!(kernel.neighbours().unwrap().iter().any(|n| n.ip == phone_ip));
    assert_eq!(kernel.neighbour("lan0", "10.77.0.250".parse().unwrap()).unwrap().and_then(|n| n.mac), None);
    assert!(kernel.addresses("lan0").unwrap().contains(&"10.77.0.1/16".parse().unwrap()));
    kernel.ensure_address("lan0", "10.78.0.1/16".parse().unwrap()).unwrap();
    kernel.ensure_address("lan0", "fd78::1/64".parse().unwrap()).unwrap();
    assert_eq!(
        kernel.addresses("lan0").unwrap().iter().filter(|n| !n.to_string().starts_with("fe80")).count(),
        4
    );
}
