//! What the kernel has, found by the gateway, beside what the system's own tools find.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

#[path = "../../sim/src/street/ground.rs"]
mod ground;

use ground::{Place, permitted, run, skip};
use kulkul_gateway::kernel::features::detect;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

/// Whether `nft` can load a table in this place.
fn nft(place: &Place, body: &str) -> bool {
    use std::io::Write as _;
    let mut nft = place.command("nft");
    nft.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut nft = nft.spawn().unwrap();
    write!(nft.stdin.take().unwrap(), "table inet witness {{\n{body}\n}}\ndelete table inet witness\n")
        .unwrap();
    nft.wait().unwrap().success()
}

/// Everything of this namespace that an attempt could leave behind.
fn here() -> [String; 4] {
    let tool = |program: &str, args: &[&str]| run(program, args).unwrap();
    let names = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    // Other tests' places come and go.
    let mut names: Vec<_> =
        names.map(|n| n.file_name()).filter(|n| !n.to_string_lossy().starts_with("kk-")).collect();
    names.sort();
    let tables = tool("nft", &["list", "tables"]);
    [tables, tool("tc", &["qdisc", "show", "dev", "lo"]), tool("ip", &["-o", "link"]), format!("{names:?}")]
}

#[test]
fn the_gateway_finds_what_the_systems_own_tools_find_and_leaves_nothing() {
    let test = "the_gateway_finds_what_the_systems_own_tools_find_and_leaves_nothing";
    if let Err(why) = permitted() {
        return skip(test, &why);
    }
    let before = here();
    let found = detect();
    assert_eq!(here(), before, "nothing is left behind");
    assert!(found.probed);
    assert_eq!(found.version, env!("CARGO_PKG_VERSION"));
    let release = Command::new("uname").arg("-r").output().unwrap().stdout;
    assert_eq!(found.kernel, String::from_utf8(release).unwrap().trim());

    let place = Place::new("witness").unwrap();
    let chain = "chain c { type filter hook forward priority 0;";
    let queue = |kind: &str| place.run(&format!("tc qdisc replace dev lo root {kind}")).is_ok();
    let link = |kind: &str| place.ip(&format!("link add w-{kind} type {kind}")).is_ok();
    let witness = BTreeMap::from([
        ("nat", nft(&place, "chain c { type nat hook postrouting priority 100; masquerade; }")),
        ("limit", nft(&place, &format!("{chain} limit rate 1 mbytes/second accept; }}"))),
        ("quota", nft(&place, &format!("quota q {{ over 1 mbytes }}; {chain} quota name q drop; }}"))),
        (
            "tproxy",
            nft(
                &place,
                "chain c { type filter hook prerouting priority -150; meta l4proto tcp tproxy ip to :9; }",
            ),
        ),
        ("flowtable", nft(&place, "flowtable f { hook ingress priority 0; devices = { lo }; }")),
        ("htb", queue("htb")),
        ("cake", queue("cake")),
        ("fq_codel", queue("fq_codel")),
        ("sfq", queue("sfq")),
        ("ifb", link("ifb")),
        ("wireguard", link("wireguard")),
        ("ipv6", place.ip("addr add 2001:db8::1/64 dev lo nodad").is_ok()),
    ]);
    assert_eq!(BTreeMap::from(found.features()), witness);
    // Without these two there would be no portal at all, and the other tests would not run here.
    assert!(found.nat && found.limit);
}
