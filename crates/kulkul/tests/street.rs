//! The namespace street: the built program on the real kernel, end to end.
//!
//! Each test builds a street of its own, so that they run side by side. Conditions are
//! polled with deadlines. Where namespaces are not permitted each test says so.
#![cfg(all(feature = "gateway", feature = "sim"))]

use kulkul_sim::street::ground::{Running, permitted, skip, until};
use kulkul_sim::street::layout::{PHONE4, PHONE6, Street, WORLD4, WORLD6};
use kulkul_sim::street::roles;
use std::fs::File;
use std::path::Path;

const KULKUL: &str = env!("CARGO_BIN_EXE_kulkul");

/// Not a test: what this program does when a street starts it again inside a namespace.
#[test]
fn a_role_in_a_namespace() {
    roles::play().unwrap();
}

/// A street with its outside world and its box running; nothing where the kernel forbids it.
fn street(test: &str, what: &str) -> Option<(Street, Running)> {
    if let Err(why) = permitted() {
        skip(test, &why);
        return None;
    }
    let mut street = Street::build(what).unwrap();
    street.start_world().unwrap();
    let config = street.gateway_toml("hub = \"http://198.51.100.130:8080\"", "").unwrap();
    let gateway = start_gateway(&street, &config);
    Some((street, gateway))
}

fn start_gateway(street: &Street, config: &Path) -> Running {
    let log = File::options().create(true).append(true).open(street.dir.path().join("gateway.log")).unwrap();
    let mut command = street.gateway.command(KULKUL);
    command.args(["gateway", "--config"]).arg(config).env("KULKUL_LOG", "info").stderr(log);
    let gateway = Running::start(&mut command).unwrap();
    let ready = || {
        let page = street.phone.run("curl -s -m 2 -o /dev/null -w %{http_code} http://10.77.0.1/").ok()?;
        (page == "200").then_some(())
    };
    let died = std::panic::catch_unwind(|| until("the portal answers", 20, ready)).is_err();
    assert!(!died, "the gateway did not come up:\n{}", log_of(street));
    gateway
}

fn log_of(street: &Street) -> String {
    std::fs::read_to_string(street.dir.path().join("gateway.log")).unwrap_or_default()
}

/// Fetches an address from the phone: status, effective location, body.
fn fetch(street: &Street, extra: &str, url: &str) -> (String, String) {
    let out = street.phone.command("curl");
    let mut out = out;
    let out = out
        .args(["-s", "-m", "5", "-w", "\n%{http_code} %{redirect_url}"])
        .args(extra.split_whitespace())
        .arg(url);
    let text = String::from_utf8_lossy(&out.output().unwrap().stdout).into_owned();
    let (body, last) = text.rsplit_once('\n').unwrap_or(("", &text));
    (last.trim().to_owned(), body.to_owned())
}

/// Reads the welcome page and presses its button, as `curl` over the given family.
fn accept(street: &Street, portal: &str) {
    let (_, page) = fetch(street, "-g", &format!("http://{portal}/"));
    let field =
        |name| kulkul_sim::street::person::hidden(&page, name).unwrap_or_else(|| panic!("no {name}: {page}"));
    let form = format!("token={}&terms={}&lang=id", field("token"), field("terms"));
    let (status, body) = fetch(street, &format!("-g -d {form}"), &format!("http://{portal}/accept"));
    assert!(status.starts_with("303"), "{status} {body}\n{}", log_of(street));
}

#[test]
fn a_phone_lands_on_the_portal_accepts_and_reaches_the_page() {
    let Some((street, _gateway)) = street("a_phone_lands_on_the_portal_accepts_and_reaches_the_page", "land")
    else {
        return;
    };
    let before4 = fetch(&street, "-4", "http://outside.example/");
    assert!(before4.0.starts_with("302 http://"), "{before4:?}");
    let before6 = fetch(&street, "-6", "http://outside.example/");
    assert!(before6.0.starts_with("302 http://"), "{before6:?}");
    // HTTPS is refused at once, never hijacked.
    let refused = street.phone.run(&format!("curl -s -m 5 https://{WORLD4}/"));
    assert!(refused.is_err());
    accept(&street, "10.77.0.1");
    until("the page is reached over IPv4", 5, || {
        fetch(&street, "-4", "http://outside.example/").1.starts_with("hello").then_some(())
    });
    // One admission is for the device: its IPv6 address joins.
    until("the page is reached over IPv6", 5, || {
        fetch(&street, "-6", "http://outside.example/").1.starts_with("hello").then_some(())
    });
    // Private ranges behind the uplink stay closed to public people.
    street.world.ip("addr add 192.168.1.1/24 dev lo").unwrap();
    assert!(!fetch(&street, "-m 2", "http://192.168.1.1/").1.starts_with("hello"));
}

#[test]
fn a_phone_with_ipv6_only_gets_online() {
    let Some((street, _gateway)) = street("a_phone_with_ipv6_only_gets_online", "six") else { return };
    street.phone.ip(&format!("addr del {PHONE4}/16 dev eth0")).unwrap();
    let url = format!("http://[{WORLD6}]/");
    let before = fetch(&street, "-g", &url);
    assert!(before.0.starts_with("302 http://["), "{before:?}");
    accept(&street, "[2001:db8:77::1]");
    until("the page is reached", 5, || fetch(&street, "-g", &url).1.starts_with("hello").then_some(()));
    assert!(!PHONE6.is_empty());
}

#[test]
fn vendors_probes_are_sent_to_the_portal_until_the_device_is_online() {
    let test = "vendors_probes_are_sent_to_the_portal_until_the_device_is_online";
    let Some((street, _gateway)) = street(test, "probe") else { return };
    let probes = [
        "http://captive.apple.com/hotspot-detect.html",
        "http://connectivitycheck.gstatic.com/generate_204",
        "http://www.msftconnecttest.com/connecttest.txt",
        "http://detectportal.firefox.com/canonical.html",
        "http://nmcheck.gnome.org/check_network_status.txt",
    ];
    for probe in probes {
        let (status, body) = fetch(&street, "", probe);
        assert!(status.starts_with("302 http://") || status.starts_with("511"), "{probe}: {status}");
        assert!(!body.contains("Success") && !body.contains("Microsoft Connect Test"), "{probe}: {body}");
    }
    accept(&street, "10.77.0.1");
    for probe in probes {
        until("the probe reaches the vendor", 5, || {
            fetch(&street, "", probe).1.starts_with("hello").then_some(())
        });
    }
}

#[test]
fn a_stolen_address_does_not_pass_from_another_device() {
    let Some((street, _gateway)) = street("a_stolen_address_does_not_pass_from_another_device", "thief")
    else {
        return;
    };
    accept(&street, "10.77.0.1");
    let url = format!("http://{WORLD4}/");
    until("the owner is online", 5, || fetch(&street, "", &url).1.starts_with("hello").then_some(()));
    street.phone.ip("link set eth0 address 02:00:00:00:00:66").unwrap();
    for _ in 0..5 {
        assert!(!fetch(&street, "-m 1", &url).1.starts_with("hello"), "a stolen address passes");
    }
}

#[test]
fn killing_the_gateway_throws_nobody_out_and_counters_go_on() {
    let test = "killing_the_gateway_throws_nobody_out_and_counters_go_on";
    let Some((street, mut gateway)) = street(test, "kill") else { return };
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
    let before = up(&street);
    gateway.kill();
    assert_eq!(
        roles::numbers(&street.phone, "look", &url).unwrap(),
        [100],
        "the kernel goes on without the daemon"
    );
    let without = up(&street);
    assert!(without > before);
    let table = |street: &Street| street.gateway.run("nft -a list chain inet kulkul forward").unwrap();
    let rules = table(&street);
    let config = street.dir.path().join("gateway.toml");
    let _gateway = start_gateway(&street, &config);
    assert_eq!(table(&street), rules, "the same table, not loaded anew");
    assert!(up(&street) >= without, "counters go on");
    assert_eq!(roles::numbers(&street.phone, "look", &url).unwrap(), [100]);
    // A flushed ruleset is put right within five seconds, everybody included.
    street.gateway.run("nft flush ruleset").unwrap();
    until("the ruleset is back", 6, || {
        street.gateway.run("nft list set inet kulkul auth4").ok()?.contains("10.77.1.100").then_some(())
    });
    assert_eq!(roles::numbers(&street.phone, "look", &url).unwrap(), [100]);
    assert!(log_of(&street).contains("the ruleset was put right"));
}
