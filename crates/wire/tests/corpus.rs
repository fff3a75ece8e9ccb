//! The stored inputs of the fuzz targets of `netlink`, `dns` and `blocklist`, run as an ordinary test.
//!
//! Those of `netlink` are datagrams that a Linux 6.18 kernel sent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../../fuzz/checks/blocklist.rs"]
mod blocklist;
#[path = "../../../fuzz/checks/dns_message.rs"]
mod dns_message;
#[path = "../../../fuzz/checks/netlink.rs"]
mod netlink;

use kulkul_wire::netlink::message::Messages;
use kulkul_wire::netlink::{Element, Set, routes, tables};
use std::fs;
use std::path::PathBuf;

fn directory(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

/// Runs every stored input of a target and everything near it.
fn run(target: &str, check: fn(&[u8])) -> usize {
    let files: Vec<_> = fs::read_dir(directory(target)).unwrap().map(|f| f.unwrap().path()).collect();
    for file in &files {
        let bytes = fs::read(file).unwrap();
        check(&bytes);
        for i in 0..bytes.len() {
            check(&bytes[..i]);
            for change in [1 << (i % 8), 0xff] {
                let mut near = bytes.clone();
                near[i] ^= change;
                check(&near);
            }
        }
    }
    files.len()
}

#[test]
fn stored_inputs_do_no_harm() {
    assert!(run("netlink", netlink::check) >= 7);
    assert!(run("blocklist", blocklist::check) >= 4);
    assert!(run("dns_message", dns_message::check) >= 2);
}

#[test]
fn the_kernels_own_datagrams_say_what_is_known_of_them() {
    let read = |name: &str| fs::read(directory("netlink").join(name)).unwrap();
    let one = |name: &str, set| -> Element {
        let (bytes, mut all) = (read(name), Vec::new());
        Messages(&bytes).for_each(|m| tables::elements(&m.unwrap(), set, &mut all).unwrap());
        assert_eq!(all.len(), 1, "{name}");
        all[0]
    };
    let auth = one("elements-auth4", Set::Auth4);
    assert_eq!(auth.key.to_string(), "02:00:00:00:00:09 . 10.77.0.9");
    assert_eq!(format!("{:?}", auth.extra), "Counter(Counter { packets: 5, bytes: 77 })");
    assert!((3_590_000..=3_600_000).contains(&auth.left_ms.unwrap()));
    let cap = one("elements-cap_dn6", Set::CapDn6);
    assert_eq!(cap.key.to_string(), "2001:db8::9");
    assert_eq!(format!("{:?}", cap.extra), "Cap { bytes_per_s: 125000 }");
    let table = read("table");
    let digest = Messages(&table).find_map(|m| tables::table_digest(&m.unwrap()));
    assert_eq!(digest.as_deref(), Some("0123abcd"));
    let generation = read("generation");
    assert!(Messages(&generation).find_map(|m| tables::generation_from(&m.unwrap())).is_some());
    let neighbours = read("neighbours");
    let neighbour = Messages(&neighbours).find_map(|m| routes::neighbour_from(&m.unwrap()).unwrap()).unwrap();
    assert_eq!(neighbour.ip.to_string(), "10.77.0.9");
    assert_eq!(neighbour.mac.unwrap().to_string(), "02:00:00:00:00:09");
    let addresses = read("addresses");
    let all: Vec<_> =
        Messages(&addresses).filter_map(|m| routes::address_from(&m.unwrap()).unwrap()).collect();
    assert!(all.iter().any(|(_, net)| net.to_string() == "10.77.0.1/16"), "{all:?}");
    let refusal = read("refusal");
    let refusal = Messages(&refusal).next().unwrap().unwrap();
    assert_eq!(refusal.errno(), -95, "operation not supported");
    assert_eq!(refusal.words().as_deref(), Some("Unknown device type"));
}
