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
