//! A full line shared out by the real kernel: classes, turns, promises of segments.
//!
//! The box's classes and table are made by the same code as at a place. Streams are
//! TCP; what is measured is what the phones received.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, reports by printing and measures in real time"
)]

#[path = "../../sim/src/street/ground.rs"]
mod ground;
#[path = "fair_share/streams.rs"]
mod streams;

use ground::{Place, Running, permitted, skip, until, wire};
use kulkul_gateway::config::Kind;
use kulkul_gateway::firewall::{Caps, Person};
use kulkul_gateway::kernel::Kernel;
use kulkul_gateway::kernel::linux::Linux;
use kulkul_gateway::shaping::{Leaves, Side, Way};
use kulkul_model::session::Mac;
use kulkul_wire::link::desired::{LineSection, PlanSection, SegmentShare};
use kulkul_wire::netlink::queues::{Class, Queue};
use kulkul_wire::netlink::{Change, Counter, Element, Extra, Key, Set};
use kulkul_wire::ruleset::classes::{LINE, OWN, PUBLIC, STAFF};
use kulkul_wire::ruleset::{self, Audience, Policy, Segment, Uplink};
use std::net::IpAddr;
use streams::{pull, serve};

const ROLE: &str = "KULKUL_FAIR_ROLE";
const LINE_KBPS: u32 = 40_000;
const WORLD: &str = "203.0.113.1:5001";

/// Not a test: what this program does when a test starts it again inside a namespace.
#[test]
fn a_role_in_a_namespace() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let words: Vec<&str> = role.split_whitespace().collect();
    match words.as_slice() {
        ["serve"] => serve(),
        ["share", shares, plan] => share(shares == &"promised", plan.parse().unwrap()),
        ["together"] => together(),
        ["apart"] => {
            let mut kernel = Linux::open().unwrap();
            for on in ["lan0", "lan1"] {
                kernel.shape(on, &[Queue::NotThrough]).unwrap();
            }
        }
        ["pull", from, flows, seconds] => {
            pull(from.parse().unwrap(), flows.parse().unwrap(), seconds.parse().unwrap());
        }
        other => panic!("no role {other:?}"),
    }
}

fn command(place: &Place, role: &str) -> std::process::Command {
    let mut command = place.command(std::env::current_exe().unwrap().to_str().unwrap());
    command.args(["--exact", "a_role_in_a_namespace", "--nocapture", "-q"]).env(ROLE, role);
    command
}

fn policy() -> Policy {
    Policy {
        uplinks: vec![Uplink::plain("wan0")],
        segments: vec![Segment { interface: "lan0".into(), audience: Audience::Public }],
        dns_port: 5300,
        http_port: 8080,
        https_port: 8443,
        caps: false,
        quotas: false,
        strict_names: false,
        fair: true,
        mgmt: ruleset::private_ranges(),
        reach: Vec::new(),
        radios: Vec::new(),
        controllers: Vec::new(),
        tunnel: None,
    }
}

fn phone(n: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, n])
}

/// The third device's place, an interface of its own.
const OTHER: &str = "10.79.0.11";

/// Shares the box's line between three devices: two of public people, one of staff.
fn share(promised: bool, most_kbps: u32) {
    let share =
        |kind: &str, min_percent, priority| SegmentShare { kind: kind.to_owned(), min_percent, priority };
    let shares = if promised { vec![share("staff", 60, 1), share("public", 20, 2)] } else { Vec::new() };
    let line = LineSection { down_kbps: Some(LINE_KBPS), shares, ..LineSection::default() };
    let plan = PlanSection { down_kbps: Some(most_kbps), ..PlanSection::default() };
    let side = Side::of(&line, &plan, Way::Down, Leaves::default()).unwrap();
    let mut kernel = Linux::open().unwrap();
    for on in ["wan0", "port9"] {
        kernel.join_packets(on, true).unwrap();
        kernel.join_packets(on, false).unwrap();
        let features = std::process::Command::new("ethtool").args(["-k", on]).output().unwrap();
        let features = String::from_utf8_lossy(&features.stdout).into_owned();
        assert!(features.contains("generic-receive-offload: off"), "{features}");
    }
    let devices: Vec<Class> = [(16, Kind::Public), (17, Kind::Public), (18, Kind::Staff)]
        .map(|(minor, kind)| side.device(minor, kind, None))
        .to_vec();
    let mut queues = vec![Queue::Root { default: OWN }];
    let all = side.frame().into_iter().chain(devices.iter().copied());
    queues.extend(
        all.flat_map(|c| {
            let leaf = Queue::Leaf(c.minor, side.leaf(&c));
            [Some(Queue::Class(c)), Some(leaf).filter(|_| ![LINE, PUBLIC, STAFF].contains(&c.minor))]
        })
        .flatten(),
    );
    kernel.shape("lan0", &queues).unwrap();
    // What the kernel says of its classes is what was asked for.
    let mut there = kernel.classes("lan0").unwrap();
    there.sort_by_key(|c| c.minor);
    let mut wanted: Vec<Class> = side.frame().into_iter().chain(devices).collect();
    wanted.sort_by_key(|c| c.minor);
    assert_eq!(there, wanted);
    kernel.load(&policy().text(&[])).unwrap();
    let none = Counter::default();
    let people = (0..3u8).flat_map(|n| {
        let caps = Caps { class: Some(16 + u16::from(n)), ..Caps::default() };
        let ip = IpAddr::from([10, 77, 0, 9 + n]);
        Person { mac: phone(9 + n), ip, caps }.elements(600_000, none, none)
    });
    let changes: Vec<Change> = people.map(Change::Add).collect();
    kernel.change(&changes).unwrap();
    let class = kernel.dump(Set::Class4).unwrap();
    assert!(
        class
            .iter()
            .any(|e: &Element| e.key == Key::Address([10, 77, 0, 10].into())
                && e.extra == Extra::Class(0x1_0011)),
        "{class:?}"
    );
}

struct Ground {
    phones: Vec<Place>,
    gateway: Place,
    world: Place,
    _server: Running,
}

/// Three phones on a bridge of the box, and a server outside.
fn lay(what: &str) -> Ground {
    let place = |n: &str| Place::new(&format!("{what}-{n}")).unwrap();
    let (gateway, world) = (place("gw"), place("world"));
    let phones: Vec<Place> = (9..12).map(|n| place(&format!("p{n}"))).collect();
    gateway.ip("link add lan0 type bridge").unwrap();
    for (n, phone) in (9..).zip(&phones) {
        wire(phone, "eth0", &gateway, &format!("port{n}")).unwrap();
        gateway.ip(&format!("link set port{n} master lan0")).unwrap();
        phone.ip(&format!("link set eth0 address 02:00:00:00:00:{n:02x}")).unwrap();
        phone.ip(&format!("addr add 10.77.0.{n}/16 dev eth0")).unwrap();
        phone.ip("route add default via 10.77.0.1").unwrap();
    }
    wire(&gateway, "wan0", &world, "eth0").unwrap();
    for (place, words) in [
        (&gateway, "link set lan0 up"),
        (&gateway, "addr add 10.77.0.1/16 dev lan0"),
        (&gateway, "addr add 198.51.100.2/24 dev wan0"),
        (&gateway, "route add default via 198.51.100.1"),
        // A provider's line carries single frames; a virtual wire would carry forty at once.
        (&world, "link set eth0 gso_max_segs 1"),
        (&world, "addr add 198.51.100.1/24 dev eth0"),
        (&world, "addr add 203.0.113.1/32 dev lo"),
    ] {
        place.ip(words).unwrap();
    }
    gateway.sysctl("net.ipv4.ip_forward", "1").unwrap();
    let server = Running::start(&mut command(&world, "serve")).unwrap();
    until("the server listens", 60, || {
        world.run("ss -ltnH sport = :5001").ok().filter(|o| !o.is_empty()).map(|_| ())
    });
    Ground { phones, gateway, world, _server: server }
}

impl Ground {
    /// Shares the line; a plan's rate bounds each device.
    fn share(&self, shares: &str, most_kbps: u32) {
        let out = command(&self.gateway, &format!("share {shares} {most_kbps}")).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// What phones with so many connections each receive side by side, as parts of the line.
    fn pull(&self, flows: &[(usize, usize)]) -> Vec<f64> {
        let running: Vec<_> = flows
            .iter()
            .map(|(n, flows)| {
                let from = self.phones[*n].run("ip -4 -o addr show dev eth0").unwrap();
                let from = from.split_whitespace().nth(3).unwrap().split('/').next().unwrap();
                let mut c = command(&self.phones[*n], &format!("pull {from} {flows} 6"));
                c.stdout(std::process::Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let parts: Vec<f64> = running
            .into_iter()
            .map(|child| {
                let out = child.wait_with_output().unwrap();
                let text = String::from_utf8_lossy(&out.stdout).into_owned();
                let rate: f64 =
                    text.split("=> ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
                rate * 8.0 / 1_000.0 / f64::from(LINE_KBPS)
            })
            .collect();
        println!("{flows:?}: {parts:.3?}");
        parts
    }
}

fn ground(test: &str, what: &str) -> Option<Ground> {
    match permitted() {
        Ok(()) => Some(lay(what)),
        Err(why) => {
            skip(test, &why);
            None
        }
    }
}

/// Shares one line between two interfaces of the place: both go through the queues of a third.
fn together() {
    let line = LineSection { down_kbps: Some(LINE_KBPS), ..LineSection::default() };
    let side = Side::of(&line, &PlanSection::default(), Way::Down, Leaves::default()).unwrap();
    let mut kernel = Linux::open().unwrap();
    for _ in 0..2 {
        // Twice, as after a restart of the daemon.
        kernel.ensure_link("kulkul-down", "ifb").unwrap();
        let through = [Queue::Through(kernel.index("kulkul-down").unwrap())];
        kernel.shape("lan0", &through).unwrap();
        kernel.shape("lan1", &through).unwrap();
    }
    let mut queues = vec![Queue::Root { default: OWN }];
    queues.extend(side.frame().into_iter().map(Queue::Class));
    queues.extend([16, 18].map(|minor| Queue::Class(side.device(minor, Kind::Public, None))));
    kernel.shape("kulkul-down", &queues).unwrap();
    let policy = Policy {
        segments: ["lan0", "lan1"]
            .map(|i| Segment { interface: i.into(), audience: Audience::Public })
            .to_vec(),
        mgmt: Vec::new(),
        ..policy()
    };
    kernel.load(&policy.text(&[])).unwrap();
    let none = Counter::default();
    for (ip, n, class) in [("10.77.0.9", 9, 16), (OTHER, 11, 18)] {
        let caps = Caps { class: Some(class), ..Caps::default() };
        let person = Person { mac: phone(n), ip: ip.parse().unwrap(), caps };
        let changes: Vec<Change> =
            person.elements(600_000, none, none).into_iter().map(Change::Add).collect();
        kernel.change(&changes).unwrap();
    }
}

#[test]
fn two_interfaces_of_a_place_share_one_line() {
    let Some(ground) = ground("two_interfaces_of_a_place_share_one_line", "two") else { return };
    let (gateway, phone) = (&ground.gateway, &ground.phones[2]);
    for words in ["link add lan1 type bridge", "link set port11 nomaster", "link set port11 master lan1"] {
        gateway.ip(words).unwrap();
    }
    gateway.ip("link set lan1 up").unwrap();
    gateway.ip("addr add 10.79.0.1/24 dev lan1").unwrap();
    phone.ip("addr flush dev eth0").unwrap();
    phone.ip(&format!("addr add {OTHER}/24 dev eth0")).unwrap();
    phone.ip("route add default via 10.79.0.1").unwrap();
    let out = command(gateway, "together").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let both = ground.pull(&[(0, 8), (2, 8)]);
    assert!((0.85..=1.01).contains(&(both[0] + both[1])), "one line for both: {both:?}");
    assert!((both[0] / (both[0] + both[1]) - 0.5).abs() < 0.06, "evenly: {both:?}");
    let alone = ground.pull(&[(2, 2)]);
    assert!((0.85..=1.01).contains(&alone[0]), "and all of it for one alone: {alone:?}");
    let hooks = |on: &str| gateway.run(&format!("tc qdisc show dev {on}")).unwrap();
    assert!(hooks("lan0").contains("clsact") && hooks("lan1").contains("clsact"));
    let out = command(gateway, "apart").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!hooks("lan0").contains("clsact") && !hooks("lan1").contains("clsact"));
}

#[test]
fn one_alone_gets_the_line_and_fifty_flows_get_no_more_than_one() {
    let Some(ground) = ground("one_alone_gets_the_line_and_fifty_flows_get_no_more_than_one", "fair") else {
        return;
    };
    ground.share("even", 1_000_000);
    let alone = ground.pull(&[(0, 1)]);
    // Of a line's bits TCP's own headers take some 4 percent.
    assert!((0.85..=1.01).contains(&alone[0]), "{alone:?}");
    let two = ground.pull(&[(0, 1), (1, 50)]);
    let (modest, greedy) = (two[0], two[1]);
    assert!((modest + greedy) > 0.85, "the line is full: {two:?}");
    assert!((modest / (modest + greedy) - 0.5).abs() < 0.05, "the modest one gets its half: {two:?}");
}

#[test]
fn a_segment_gets_what_was_promised_and_a_plan_bounds_a_device() {
    let Some(ground) = ground("a_segment_gets_what_was_promised_and_a_plan_bounds_a_device", "promise")
    else {
        return;
    };
    ground.share("promised", 1_000_000);
    let all = ground.pull(&[(0, 20), (1, 20), (2, 1)]);
    assert!(all[2] > 0.55, "staff are sure of 60 percent: {all:?}");
    assert!(all[0] + all[1] > 0.15, "and public people of 20: {all:?}");
    ground.gateway.run("tc qdisc del dev lan0 root").unwrap();
    ground.share("even", 4_000);
    let slow = ground.pull(&[(0, 8)]);
    assert!((0.08..=0.105).contains(&slow[0]), "a tenth of the line by the plan: {slow:?}");
    assert!(ground.world.run("true").is_ok());
}

/// Segments that the world has sent again so far.
fn sent_again(ground: &Ground) -> u64 {
    let text = ground.world.run("cat /proc/net/snmp").unwrap();
    let mut tcp = text.lines().filter(|l| l.starts_with("Tcp:"));
    let (names, values) = (tcp.next().unwrap(), tcp.next().unwrap());
    let at = names.split_whitespace().position(|n| n == "RetransSegs").unwrap();
    values.split_whitespace().nth(at).unwrap().parse().unwrap()
}

#[test]
#[ignore = "a benchmark"]
fn share_error_and_segments_sent_again() {
    let Some(ground) = ground("share_error_and_segments_sent_again", "error") else { return };
    let median = |mut list: Vec<f64>| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    };
    let measure = |what: &str| {
        let (mut errors, mut again) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let before = sent_again(&ground);
            let two = ground.pull(&[(0, 1), (1, 50)]);
            again.push((sent_again(&ground) - before) as f64);
            errors.push((two[0] / (two[0] + two[1]) - 0.5).abs() * 2.0);
        }
        println!("{what}: {errors:?} {again:?}");
        (median(errors), median(again))
    };
    ground.share("even", 1_000_000);
    let (error, again) = measure("shared");
    ground.gateway.run("tc qdisc del dev lan0 root").unwrap();
    // The same line without classes: one queue of the same length in time.
    ground.gateway.run("tc qdisc add dev lan0 root tbf rate 40mbit burst 64kb limit 1000000").unwrap();
    let (plain_error, plain_again) = measure("one queue");
    let figures = format!(
        "{{\"line_kbps\": {LINE_KBPS}, \"flows\": [1, 50], \"share_error\": {error}, \"sent_again\": {again}, \
          \"share_error_of_one_queue\": {plain_error}, \"sent_again_of_one_queue\": {plain_again}, \"bar_share_error\": 0.05}}\n"
    );
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("gateway-fair.json"), &figures).unwrap();
    println!("{figures}");
}
