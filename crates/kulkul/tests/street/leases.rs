//! A way out whose address a real DHCP server gives, and changes, under people who are online.

use super::town::{accept, log_of, town_with};
use super::two_lines::Pinging;
use kulkul_sim::street::ground::{Running, until, wire};
use kulkul_sim::street::layout::Street;
use std::process::Stdio;

/// A provider's DHCP server behind the second wire, which gives out one address.
fn server(street: &Street, router: &str, gives: &str) -> Running {
    let leases = street.dir.path().join(format!("leases-{gives}"));
    let mut command = street.world.command("dnsmasq");
    command.args([
        "-C",
        "/dev/null",
        "--keep-in-foreground",
        "--port=0",
        "--interface=gw1",
        "--bind-interfaces",
    ]);
    command.args(["--except-interface=lo", "--dhcp-authoritative", "--user=root", "--pid-file="]);
    command.arg(format!("--dhcp-range={gives},{gives},255.255.255.192,1h"));
    command.args([
        format!("--dhcp-option=option:router,{router}"),
        "--dhcp-option=option:dns-server,203.0.113.1".to_owned(),
    ]);
    command.arg(format!("--dhcp-leasefile={}", leases.display()));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Running::start(&mut command).unwrap()
}

#[test]
fn a_provider_that_gives_another_address_puts_nobody_out() {
    let test = "a_provider_that_gives_another_address_puts_nobody_out";
    let mut first = None;
    let prepare = |street: &Street| {
        wire(&street.gateway, "wan1", &street.world, "gw1").unwrap();
        street.world.ip("addr add 100.64.9.1/26 dev gw1").unwrap();
        first = Some(server(street, "100.64.9.1", "100.64.9.50"));
        "[backup]\ninterface = \"wan1\"\nkind = \"dhcp\"\nowner = \"Banjar Bindu\"\nreturn_after_s = 600\n"
            .to_owned()
    };
    let Some(town) = town_with(test, "leases", prepare) else { return };
    let street = &town.street;
    let has = |address: &str| {
        let status = town.status()?;
        let all = status["ways"][1]["addresses"].as_array()?.clone();
        let v4: Vec<_> = all.iter().filter_map(|a| a.as_str()).filter(|a| a.contains('.')).collect();
        (v4 == [address]).then_some(())
    };
    until("the line is given its address", 60, || has("100.64.9.50/26"));
    accept(street, "10.77.0.1");
    street.line(false).unwrap();
    until("the place goes over", 60, || town.uses(1));
    let pings = Pinging::start(&town, "pings");
    pings.is_answered_again();
    let servers = std::fs::read_to_string(street.dir.path().join("gateway/resolv.conf")).unwrap();
    assert_eq!(servers, "nameserver 203.0.113.1\n");

    // The modem begins anew, and behind it is another network.
    street.world.ip("link set gw1 down").unwrap();
    drop(first.take());
    street.world.ip("addr flush dev gw1").unwrap();
    street.world.ip("addr add 203.0.113.65/26 dev gw1").unwrap();
    street.world.ip("link set gw1 up").unwrap();
    let _second = server(street, "203.0.113.65", "203.0.113.70");
    until("the line has the new address and no other", 60, || has("203.0.113.70/26"));
    pings.is_answered_again();
    let ranges = street.gateway.run("nft list set inet kulkul mgmt4").unwrap();
    assert!(
        ranges.contains("203.0.113.64/26"),
        "public people do not reach the provider's network: {ranges}"
    );
    // The ways out of people follow; the old address has no connection left.
    let tracked = street.gateway.run("cat /proc/net/nf_conntrack").unwrap_or_default();
    assert!(!tracked.contains("dst=100.64.9.50"), "{tracked}");
    assert!(log_of(street).contains("an uplink's address changed"), "{}", log_of(street));
    assert_eq!(town.stopped(), []);
}
