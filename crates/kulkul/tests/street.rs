//! The namespace street: the built program on the real kernel, end to end.
//!
//! Each test builds a street of its own, so that they run side by side. Conditions are
//! polled with deadlines. Where namespaces are not permitted each test says so.
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

#[path = "street/access_points.rs"]
mod access_points;
#[path = "street/captive_api.rs"]
mod captive_api;
#[path = "street/connections.rs"]
mod connections;
#[path = "street/first_boot.rs"]
mod first_boot;
#[path = "street/portal_days.rs"]
mod portal_days;

#[path = "street/interfaces.rs"]
mod interfaces;

#[path = "street/names.rs"]
mod names;

#[path = "street/diagnostics.rs"]
mod diagnostics;

#[path = "street/disconnect.rs"]
mod disconnect;

#[path = "street/orders.rs"]
mod orders;

#[path = "street/exhaustion.rs"]
mod exhaustion;

#[path = "street/leases.rs"]
mod leases;

#[path = "street/provider.rs"]
mod provider;

#[path = "street/updates.rs"]
mod updates;

#[path = "street/vouchers.rs"]
mod vouchers;

#[path = "street/tunnel.rs"]
mod tunnel;

#[path = "street/two_lines.rs"]
mod two_lines;

use kulkul_sim::street::ground::{skip, until};
use kulkul_sim::street::layout::{PHONE4, Street, WORLD4, WORLD6};
use kulkul_sim::street::roles;
use std::path::Path;
use town::{SITE, accept, fetch, log_of, start_gateway, start_hub, town};

/// Not a test: what this program does when a street starts it again inside a namespace.
#[test]
fn a_role_in_a_namespace() {
    roles::play().unwrap();
}

#[test]
fn a_phone_lands_on_the_portal_accepts_and_reaches_the_page() {
    let Some(town) = town("a_phone_lands_on_the_portal_accepts_and_reaches_the_page", "land") else { return };
    let street = &town.street;
    let before4 = fetch(street, "-4", "http://outside.example/");
    assert!(before4.0.starts_with("302 http://"), "{before4:?}");
    let before6 = fetch(street, "-6", "http://outside.example/");
    assert!(before6.0.starts_with("302 http://"), "{before6:?}");
    // HTTPS is refused at once, never hijacked.
    let refused = street.phone.run(&format!("curl -s -m 5 https://{WORLD4}/"));
    assert!(refused.is_err());
    accept(street, "10.77.0.1");
    until("the page is reached over IPv4", 60, || {
        fetch(street, "-4", "http://outside.example/").1.starts_with("hello").then_some(())
    });
    // One admission is for the device: its IPv6 address joins.
    until("the page is reached over IPv6", 60, || {
        fetch(street, "-6", "http://outside.example/").1.starts_with("hello").then_some(())
    });
    // Private ranges behind the uplink stay closed to public people.
    street.world.ip("addr add 192.168.1.1/24 dev lo").unwrap();
    assert!(!fetch(street, "-m 2", "http://192.168.1.1/").1.starts_with("hello"));
}

#[test]
fn a_phone_with_ipv6_only_gets_online() {
    let Some(town) = town("a_phone_with_ipv6_only_gets_online", "six") else { return };
    let street = &town.street;
    street.phone.ip(&format!("addr del {PHONE4}/16 dev eth0")).unwrap();
    let url = format!("http://[{WORLD6}]/");
    let before = fetch(street, "-g", &url);
    assert!(before.0.starts_with("302 http://"), "{before:?}");
    // The portal's own name resolves over IPv6 too, whatever server the phone asks.
    std::fs::write(format!("/etc/netns/{}/resolv.conf", street.phone.name), format!("nameserver {WORLD6}\n"))
        .unwrap();
    let named = before.0.split_once(' ').unwrap().1.to_owned();
    assert!(fetch(street, "", &named).0.starts_with("200"), "{named}: {:?}", fetch(street, "-v", &named));
    accept(street, "[2001:db8:77::1]");
    until("the page is reached", 60, || fetch(street, "-g", &url).1.starts_with("hello").then_some(()));
}

#[test]
fn vendors_probes_are_sent_to_the_portal_until_the_device_is_online() {
    let test = "vendors_probes_are_sent_to_the_portal_until_the_device_is_online";
    let Some(town) = town(test, "probe") else { return };
    let street = &town.street;
    let probes = [
        "http://captive.apple.com/hotspot-detect.html",
        "http://connectivitycheck.gstatic.com/generate_204",
        "http://www.msftconnecttest.com/connecttest.txt",
        "http://detectportal.firefox.com/canonical.html",
        "http://nmcheck.gnome.org/check_network_status.txt",
    ];
    for probe in probes {
        let (status, body) = fetch(street, "", probe);
        assert!(status.starts_with("302 http://") || status.starts_with("511"), "{probe}: {status}");
        assert!(!body.contains("Success") && !body.contains("Microsoft Connect Test"), "{probe}: {body}");
    }
    accept(street, "10.77.0.1");
    for probe in probes {
        until("the probe reaches the vendor", 60, || {
            fetch(street, "", probe).1.starts_with("hello").then_some(())
        });
    }
}

#[test]
fn a_stolen_address_does_not_pass_from_another_device() {
    let Some(town) = town("a_stolen_address_does_not_pass_from_another_device", "thief") else { return };
    let street = &town.street;
    accept(street, "10.77.0.1");
    let url = format!("http://{WORLD4}/");
    until("the owner is online", 60, || fetch(street, "", &url).1.starts_with("hello").then_some(()));
    street.phone.ip("link set eth0 address 02:00:00:00:00:66").unwrap();
    for _ in 0..5 {
        assert!(!fetch(street, "-m 1", &url).1.starts_with("hello"), "a stolen address passes");
    }
}

#[test]
fn killing_the_gateway_throws_nobody_out_and_counters_go_on() {
    let test = "killing_the_gateway_throws_nobody_out_and_counters_go_on";
    let Some(mut town) = town(test, "kill") else { return };
    let street = &town.street;
    street.crowd(100).unwrap();
    let clicks = roles::numbers(&street.phone, "click", "1 100").unwrap();
    assert_eq!(clicks.len(), 100);
    let url = format!("1 100 {WORLD4}:80");
    assert_eq!(roles::numbers(&street.phone, "look", &url).unwrap(), [100]);
    let up = |street: &Street| -> u64 {
        let set = street.gateway.run("nft -j list set inet kulkul auth4").unwrap();
        let set: serde_json::Value = serde_json::from_str(&set).unwrap();
        let elements = set["nftables"][1]["set"]["elem"].as_array().unwrap().clone();
        assert_eq!(elements.len(), 100);
        elements.iter().map(|e| e["elem"]["counter"]["bytes"].as_u64().unwrap()).sum()
    };
    let before = up(street);
    town.gateway.kill();
    assert_eq!(
        roles::numbers(&street.phone, "look", &url).unwrap(),
        [100],
        "the kernel goes on without the daemon"
    );
    let without = up(street);
    assert!(without > before);
    let table = |street: &Street| street.gateway.run("nft -a list chain inet kulkul forward").unwrap();
    let rules = table(street);
    town.gateway = start_gateway(street, &town.config);
    assert_eq!(table(street), rules, "the same table, not loaded anew");
    assert!(up(street) >= without, "counters go on");
    assert_eq!(roles::numbers(&street.phone, "look", &url).unwrap(), [100]);
    // A flushed ruleset is put right within five seconds, everybody included.
    street.gateway.run("nft flush ruleset").unwrap();
    until("the ruleset is back", 60, || {
        street.gateway.run("nft list set inet kulkul auth4").ok()?.contains("10.77.1.100").then_some(())
    });
    assert_eq!(roles::numbers(&street.phone, "look", &url).unwrap(), [100]);
    assert!(log_of(street).contains("the ruleset was put right"));
}

#[test]
fn people_are_seen_on_the_hubs_page_and_a_cut_line_is_told_from_when() {
    let test = "people_are_seen_on_the_hubs_page_and_a_cut_line_is_told_from_when";
    let Some(town) = town(test, "cut") else { return };
    let street = &town.street;
    street.crowd(6).unwrap();
    assert_eq!(roles::numbers(&street.phone, "click", "1 6").unwrap().len(), 6);
    until("the hub shows the place as up", 150, || town.observed("up"));
    until("the hub shows six people", 90, || (town.site()["people_online"] == 6).then_some(()));
    let page = street.hub.run(&format!("curl -s {}/sites/{SITE}?lang=en", town.prepared.url)).unwrap();
    assert!(page.contains('6'), "{page}");
    until("the hub holds six sessions", 60, || (town.sessions() == Some(6)).then_some(()));

    street.line(false).unwrap();
    let page = || street.hub.run(&format!("curl -s {}/sites/{SITE}?lang=en", town.prepared.url)).ok();
    until("the page shows no sign of life", 120, || page().filter(|p| p.contains("No sign of life")));
    until("the page shows down", 240, || town.observed("down"));
    // Those who are here and the box go on; a new person is let in with the line cut.
    street.line(true).unwrap();
    until("the place is up again", 240, || town.observed("up"));
    let outages = || -> Option<serde_json::Value> {
        let url = format!("curl -s -m 5 {}/api/v1/outages?site={SITE}", town.prepared.url);
        let all: serde_json::Value = serde_json::from_str(&street.hub.run(&url).ok()?).ok()?;
        all["items"].get(0).filter(|o| !o["to"].is_null()).cloned()
    };
    let outage = until("the outage has an end", 120, outages);
    assert!(outage["seconds"].as_i64().unwrap() >= 180, "{outage}");
}

#[test]
fn a_new_person_gets_online_while_the_hub_is_dead_and_is_in_its_sessions_later() {
    let test = "a_new_person_gets_online_while_the_hub_is_dead_and_is_in_its_sessions_later";
    let Some(mut town) = town(test, "dead") else { return };
    town.hub.kill();
    accept(&town.street, "10.77.0.1");
    let url = format!("http://{WORLD4}/");
    until("the page is reached", 60, || fetch(&town.street, "", &url).1.starts_with("hello").then_some(()));
    town.hub = start_hub(&town.street, &town.prepared);
    until("the session is in the hub", 120, || (town.sessions() == Some(1)).then_some(()));
}

#[test]
fn a_real_browser_lands_accepts_and_reaches_the_page() {
    let test = "a_real_browser_lands_accepts_and_reaches_the_page";
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    if !web.join("node_modules/playwright-core").exists() || !Path::new("/usr/bin/chromium").exists() {
        return skip(test, "chromium or web/node_modules is not installed");
    }
    let Some(town) = town(test, "browser") else { return };
    let out = town
        .street
        .phone
        .command("node")
        .current_dir(&web)
        .args(["tests/street.mjs", "http://outside.example/"])
        .output();
    let out = out.unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let seen: serde_json::Value = serde_json::from_str(text.trim()).unwrap_or_default();
    assert!(out.status.success(), "{text}{}\n{}", String::from_utf8_lossy(&out.stderr), log_of(&town.street));
    assert_eq!(seen["language"], "id", "{seen}");
    assert!(seen["reached"].as_str().unwrap().starts_with("hello"), "{seen}");
}
