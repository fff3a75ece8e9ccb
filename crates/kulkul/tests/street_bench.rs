//! Figures of the box on the street: click to packets, memory, packets per second.
//!
//! Ignored in ordinary runs: `cargo test --release -p kulkul --test street_bench -- --ignored`.
//! Each writes JSON under target/bench/.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]
#![cfg(all(feature = "gateway", feature = "sim"))]

mod town;

use kulkul_gateway::clock::Clock;
use kulkul_gateway::config::Kind;
use kulkul_gateway::firewall::Caps;
use kulkul_gateway::orders::Orders;
use kulkul_gateway::sessions::book::Book;
use kulkul_gateway::sessions::{Counted, Live, Phase, Today};
use kulkul_model::session::{Mac, SessionId, Usage, WayIn};
use kulkul_sim::street::ground::{permitted, skip, until};
use kulkul_sim::street::layout::{PHONE4, Street, WORLD4};
use kulkul_sim::street::roles;
use std::path::Path;

/// Not a test: what this program does when a street starts it again inside a namespace.
#[test]
fn a_role_in_a_namespace() {
    roles::play().unwrap();
}

fn write(name: &str, figures: &serde_json::Value) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(format!("{name}.json")), serde_json::to_vec_pretty(figures).unwrap()).unwrap();
    println!("{name}: {figures}");
}

fn quantile(sorted: &[i64], share: f64) -> i64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

#[test]
#[ignore = "a benchmark"]
fn click_to_packets_and_memory_with_a_thousand_online() {
    let Some(town) = town::town("click_to_packets", "clicks") else { return };
    let street = &town.street;
    street.crowd(1_100).unwrap();
    let first = roles::numbers(&street.phone, "click", "1 1000").unwrap();
    assert_eq!(first.len(), 1_000);
    let mut clicks = roles::numbers(&street.phone, "click", "1001 1100").unwrap();
    clicks.sort_unstable();
    let status = std::fs::read_to_string(format!("/proc/{}/status", town.gateway.0.id())).unwrap();
    let field = |name: &str| -> i64 {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // The small build for routers has figures of its own.
    let router = std::env::var_os("KULKUL_GATEWAY").is_some();
    write(
        if router { "gateway-clicks-router" } else { "gateway-clicks" },
        &serde_json::json!({
            "people_online": 1_000, "clicks": clicks.len(), "median_us": quantile(&clicks, 0.5), "p95_us": quantile(&clicks, 0.95),
            "rss_kib": field("VmRSS:"), "rss_anon_kib": field("RssAnon:"), "peak_kib": field("VmHWM:"), "bar_median_us": 10_000, "bar_rss_kib": 16 * 1024,
        }),
    );
}

/// Processor time that a program has taken so far, by the kernel's ticks of ten milliseconds.
fn cpu_us(program: &kulkul_sim::street::ground::Running) -> i64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.0.id())).unwrap();
    // User and system time are the 12th and 13th field after the name in brackets.
    let after = stat.rsplit_once(')').unwrap().1;
    let ticks = after.split_whitespace().skip(11).take(2).map(|t| t.parse::<i64>().unwrap());
    ticks.sum::<i64>() * 10_000
}

#[test]
#[ignore = "a benchmark"]
fn a_thousand_devices_come_within_ten_seconds() {
    let Some(town) = town::town("a_thousand_devices_come_within_ten_seconds", "storm") else { return };
    town.street.crowd(1_000).unwrap();
    let before = cpu_us(&town.gateway);
    let mut took = roles::numbers(&town.street.phone, "storm", "1 1000 10").unwrap();
    took.sort_unstable();
    let cpu_us_each = (cpu_us(&town.gateway) - before) / 1_000;
    write(
        "gateway-storm",
        &serde_json::json!({
            "devices": 1_000, "online": took.len(), "median_us": quantile(&took, 0.5),
            "p99_us": quantile(&took, 0.99), "most_us": took.last(), "cpu_us_each": cpu_us_each, "bar_p99_us": 250_000,
        }),
    );
}

/// A box with a book of five thousand sessions, as one that was killed; `shared` gives each a class.
fn five_thousand(street: &Street, shared: bool) -> std::path::PathBuf {
    let data = street.dir.path().join("gateway");
    std::fs::create_dir_all(&data).unwrap();
    let clock = Clock::machine();
    let (mut book, _) = Book::open(&data).unwrap();
    let mut orders = Orders::default();
    if shared {
        (orders.line.down_kbps, orders.line.up_kbps) = (Some(200_000), Some(50_000));
    }
    std::fs::write(data.join("orders.json"), serde_json::to_vec(&orders).unwrap()).unwrap();
    for n in 0..5_000u16 {
        let [hi, lo] = n.to_be_bytes();
        let now = clock.mono_ms();
        let live = Live {
            id: SessionId([1, hi, lo, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            mac: Mac([2, 0, 0, 2, hi, lo]),
            way_in: WayIn::ClickThrough,
            terms: Some(1),
            language: "id".to_owned(),
            phase: Phase::Online,
            began_mono_ms: now,
            limit_ms: 12 * 3_600_000,
            seen_mono_ms: now,
            told_mono_ms: now,
            addresses: [([10, 77, hi + 100, lo].into(), Counted::default())].into(),
            carried: Usage::default(),
            caps: Caps::default(),
            kind: Kind::Public,
            today: Today::default(),
            basis: None,
            own: None,
            bound: None,
        };
        book.put(clock.stamp(), &live).unwrap();
    }
    // The box serves the place by itself: no hub is measured here.
    street.gateway_toml("hub = \"https://198.51.100.130:8443\"\nalone = true", "").unwrap()
}

#[test]
#[ignore = "a benchmark"]
fn clicks_and_a_killed_daemon_with_five_thousand_online() {
    if let Err(why) = permitted() {
        return skip("clicks_and_a_killed_daemon", &why);
    }
    for shared in [false, true] {
        let mut street = Street::build(if shared { "five-shared" } else { "five" }).unwrap();
        street.start_world().unwrap();
        let config = five_thousand(&street, shared);
        let mut gateway = town::start_gateway(&street, &config);
        street.crowd(101).unwrap();
        let mut clicks = roles::numbers(&street.phone, "click", "1 101").unwrap();
        clicks.remove(0);
        clicks.sort_unstable();
        let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.0.id())).unwrap();
        let rss = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        let rss: i64 = rss.split_whitespace().nth(1).unwrap().parse().unwrap();
        // Somebody goes on sending while the daemon is killed and comes back.
        let from = kulkul_sim::street::ground::client(1);
        let sending = street
            .phone
            .command("ping")
            .args(["-q", "-i", "0.005", "-w", "6", "-I", &from.to_string(), WORLD4])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut took = Vec::new();
        for _ in 0..3 {
            gateway.kill();
            let seen = town::log_of(&street).len();
            gateway = town::start_gateway(&street, &config);
            let log = town::log_of(&street);
            let line =
                log[seen..].lines().find(|l| l.contains("sessions and kernel are one")).unwrap().to_owned();
            let (_, ms) = line.split_once("took_ms=").unwrap();
            assert!(line.contains("people=5101") && line.contains("changed=0"), "{line}");
            took.push(ms.split_whitespace().next().unwrap().parse::<i64>().unwrap());
        }
        let pings = String::from_utf8_lossy(&sending.wait_with_output().unwrap().stdout).into_owned();
        let lost = pings.lines().find(|l| l.contains("packet loss")).unwrap().trim().to_owned();
        took.sort_unstable();
        write(
            if shared { "gateway-five-shared" } else { "gateway-five" },
            &serde_json::json!({
                "people_online": 5_000, "clicks": clicks.len(), "median_us": quantile(&clicks, 0.5),
                "p95_us": quantile(&clicks, 0.95), "bar_median_us": 5_000, "reconcile_ms": took, "bar_reconcile_ms": 300,
                "pings": lost, "rss_kib": rss, "bar_rss_kib": 32_000,
            }),
        );
    }
}

#[test]
#[ignore = "a benchmark"]
fn packets_per_second_with_five_thousand_people() {
    if let Err(why) = permitted() {
        return skip("packets_per_second", &why);
    }
    let street = Street::build("pps").unwrap();
    street.gateway.ip("addr add 10.77.0.1/16 dev lan0").unwrap();
    street.gateway.sysctl("net.ipv4.ip_forward", "1").unwrap();
    let to = format!("{WORLD4}:9");
    let measure = |role: &str, with: &str| -> i64 {
        roles::numbers(&street.gateway, role, with).unwrap();
        let drain = roles::command(&street.world, "drain", &format!("{to} 4"))
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        until("the drain is open", 60, || {
            street.world.run("ss -Hlun sport = :9").ok().filter(|s| !s.is_empty())
        });
        roles::numbers(&street.phone, "pour", &format!("{PHONE4} {to} 2")).unwrap();
        let out = String::from_utf8_lossy(&drain.wait_with_output().unwrap().stdout).into_owned();
        let line = out.lines().find_map(|l| l.split_once("=> ")).unwrap().1.trim().parse::<i64>().unwrap();
        line / 2
    };
    let (mut plain, mut full, mut capped) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        plain.push(measure("plain", ""));
        full.push(measure("fill", "5000"));
        capped.push(measure("fill-capped", "5000"));
    }
    for list in [&mut plain, &mut full, &mut capped] {
        list.sort_unstable();
    }
    let (p, f, c) = (quantile(&plain, 0.5), quantile(&full, 0.5), quantile(&capped, 0.5));
    write(
        "gateway-pps",
        &serde_json::json!({
            "plain_pps": p, "people": 5_000, "with_people_pps": f, "ratio": f as f64 / p as f64,
            "with_rates_pps": c, "ratio_with_rates": c as f64 / p as f64, "bar_ratio": 0.9,
        }),
    );
}

#[test]
#[ignore = "a benchmark"]
fn a_batch_of_two_elements() {
    if let Err(why) = permitted() {
        return skip("a_batch_of_two_elements", &why);
    }
    let street = Street::build("batch").unwrap();
    roles::numbers(&street.gateway, "fill", "1000").unwrap();
    let mut ns = roles::numbers(&street.gateway, "batch", "").unwrap();
    ns.sort_unstable();
    write(
        "gateway-batch",
        &serde_json::json!({ "people_online": 1_000, "elements": 2, "median_ns": quantile(&ns, 0.5), "p99_ns": quantile(&ns, 0.99) }),
    );
}
