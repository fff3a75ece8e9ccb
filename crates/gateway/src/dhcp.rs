//! DHCP: dnsmasq's settings, and dnsmasq kept running with them.
//!
//! dnsmasq serves addresses and nothing else: names are the resolver's, and router
//! advertisements are `advert`'s, since dnsmasq cannot send option 37.

mod scarce;

pub(crate) use scarce::is_scarce;
pub use scarce::watch;

use crate::again::Again;
use crate::clock::Clock;
use crate::config::{Config, Segment};
use crate::kept::{self, Change, Program};
use ipnet::Ipv4Net;
use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;
use tokio::sync::{mpsc, watch};

/// How long an address is given: people come and go, and phones change their address.
const LEASE: &str = "1h";
/// Leases in all; dnsmasq's own default is 1,000.
const MOST_LEASES: u32 = 16_384;

/// The text of dnsmasq's configuration for the segments that serve addresses.
///
/// `captive` is the URI of the captive portal API; without a valid certificate there
/// is none, and options 114 and 103 are left out. Nothing when no segment has `dhcp`.
#[must_use]
pub fn settings(segments: &[Segment], data: &Path, captive: Option<&str>) -> Option<String> {
    let served: Vec<&Segment> = segments.iter().filter(|s| s.dhcp).collect();
    let leases: u32 = served.iter().filter_map(|s| s.address4).map(|n| room(&n)).sum();
    if served.is_empty() {
        return None;
    }
    let mut out = String::from("# Written by the gateway at every start; changes here are lost.\n");
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing into a string does not fail.
        let _ = writeln!(out, "{text}");
    };
    line(format_args!("port=0"));
    line(format_args!("bind-dynamic\nexcept-interface=lo\nno-resolv\nno-hosts\nquiet-dhcp\nquiet-dhcp6"));
    line(format_args!("dhcp-authoritative\ndhcp-lease-max={}", leases.clamp(256, MOST_LEASES)));
    line(format_args!("dhcp-leasefile={}", lease_file(data).display()));
    for s in served {
        line(format_args!("interface={}", s.interface));
        if let Some((net, (first, last))) = s.address4.and_then(|n| Some((n, pool(&n)?))) {
            // Interfaces have checked names; what people call a segment may hold anything.
            let (tag, ip) = (&s.interface, net.addr());
            line(format_args!("dhcp-range=set:{tag},{first},{last},{},{LEASE}", net.netmask()));
            line(format_args!("dhcp-option=tag:{tag},option:router,{ip}"));
            line(format_args!("dhcp-option=tag:{tag},option:dns-server,{ip}"));
            if let Some(uri) = captive {
                line(format_args!("dhcp-option=tag:{tag},114,{uri}"));
            }
        }
        if let Some(net) = s.address6 {
            let tag = format!("{}-6", s.interface);
            // Devices make their own addresses; DHCPv6 only adds what they ask for.
            line(format_args!("dhcp-range=set:{tag},{},static,{},{LEASE}", net.network(), net.prefix_len()));
            line(format_args!("dhcp-option=tag:{tag},option6:dns-server,[{}]", net.addr()));
            if let Some(uri) = captive {
                line(format_args!("dhcp-option=tag:{tag},option6:103,{uri}"));
            }
        }
    }
    Some(out)
}

/// The addresses that are given out: all but network, broadcast, and the box's side.
fn pool(net: &Ipv4Net) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let (low, high) = (u32::from(net.network()), u32::from(net.broadcast()));
    let size = high.checked_sub(low)?;
    // A few at the bottom stay free for things with fixed addresses, in small networks fewer.
    let kept = (size / 16).min(15);
    let (mut first, mut last) = (low.checked_add(1 + kept)?, high.checked_sub(1)?);
    let own = u32::from(net.addr());
    if (first..=last).contains(&own) {
        // The longer side of the box's own address.
        if own - first > last - own { last = own - 1 } else { first = own + 1 }
    }
    (first <= last).then(|| (Ipv4Addr::from(first), Ipv4Addr::from(last)))
}

fn room(net: &Ipv4Net) -> u32 {
    pool(net).map_or(0, |(first, last)| u32::from(last).saturating_sub(u32::from(first)).saturating_add(1))
}

/// How many IPv4 addresses each segment has given out, and how many it has to give.
///
/// `leases` is the text of dnsmasq's file: a line a lease, expiry (0 is never), hardware
/// address, address, name, client; IPv6 leases follow and are not counted. `now_s` is in
/// seconds since 1970.
pub fn given<'s>(
    segments: &'s [Segment],
    leases: &str,
    now_s: i64,
) -> impl Iterator<Item = (&'s Segment, u32, u32)> + use<'s> {
    let held: Vec<Ipv4Addr> = leases
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let until = fields.next()?.parse::<i64>().ok().filter(|until| *until == 0 || *until > now_s);
            until.and(fields.nth(1)?.parse().ok())
        })
        .collect();
    segments.iter().filter(|s| s.dhcp).filter_map(move |segment| {
        let net = segment.address4?;
        let count = held.iter().filter(|ip| net.contains(*ip)).count();
        Some((segment, u32::try_from(count).unwrap_or(u32::MAX), room(&net)))
    })
}

/// The file of dnsmasq's leases.
#[must_use]
pub fn lease_file(data: &Path) -> PathBuf {
    data.join("leases")
}

/// Keeps dnsmasq running with the settings that fit `captive`, until the run ends.
///
/// Returns at once when no segment serves addresses. `failed` is told each time that
/// dnsmasq ended by itself.
///
/// # Errors
/// When the settings cannot be written.
pub async fn keep(
    config: Arc<Config>,
    mut captive: watch::Receiver<Option<String>>,
    clock: Clock,
    failed: mpsc::Sender<&'static str>,
    again: Again,
) -> io::Result<()> {
    let file = config.data.join("dnsmasq.conf");
    let text = |captive: Option<&str>| settings(&config.segments, &config.data, captive);
    let Some(mut current) = text(captive.borrow_and_update().as_deref()) else { return Ok(()) };
    std::fs::write(&file, &current)?;
    let program = program(&config.data);
    let make = {
        let file = file.clone();
        move || {
            let mut command = Command::new("dnsmasq");
            command.arg("--keep-in-foreground").arg("--pid-file=");
            command.arg(format!("--conf-file={}", file.display()));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
            Ok(command)
        }
    };
    let (change, changes) = mpsc::channel(4);
    let follow = async {
        while captive.changed().await.is_ok() {
            let Some(next) = text(captive.borrow_and_update().as_deref()) else { break };
            if next == current {
                continue;
            }
            match std::fs::write(&file, &next) {
                Ok(()) => {
                    // dnsmasq reads its settings only when it starts. A full queue holds a restart already.
                    let _ = change.try_send(Change::Restart);
                    current = next;
                }
                Err(error) => tracing::warn!(%error, "dnsmasq: settings not written"),
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = kept::keep(program, make, changes, clock, failed, again) => {}
        () = follow => {}
    }
    Ok(())
}

/// How the dnsmasq of this data directory is known.
#[must_use]
pub fn program(data: &Path) -> Program {
    let file: PathBuf = data.join("dnsmasq.conf");
    Program {
        name: "dnsmasq",
        pid_file: data.join("dnsmasq.pid"),
        mark: format!("--conf-file={}\0", file.display()),
        overlap: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments() -> Vec<Segment> {
        let toml = r#"
            hub = "https://hub.example.go.id"
            data = "/var/lib/kulkul-gateway"
            [uplink]
            interface = "wan0"
            [[segment]]
            name = "public"
            kind = "public"
            interface = "lan0"
            address4 = "10.77.0.1/16"
            address6 = "fd77::1/64"
            dhcp = true
            [[segment]]
            name = "staff"
            kind = "staff"
            interface = "lan1"
            address4 = "10.78.0.254/24"
            dhcp = true
            [[segment]]
            name = "service"
            kind = "service"
            interface = "lan2"
            address4 = "10.79.0.1/24"
        "#;
        Config::parse(toml, []).unwrap().segments
    }

    #[test]
    fn the_settings_are_as_they_were_reviewed() {
        let data = Path::new("/var/lib/kulkul-gateway");
        let uri = "https://bj-001.example.org/captive/api";
        insta::assert_snapshot!(settings(&segments(), data, Some(uri)).unwrap());
        let plain = settings(&segments(), data, None).unwrap();
        assert!(
            !plain.contains("114") && !plain.contains("103"),
            "nothing is announced without a certificate"
        );
        assert_eq!(settings(&segments()[2..], data, None), None);
    }

    #[test]
    fn addresses_that_are_given_out_are_counted_until_their_time_is_over() {
        let file = "100 02:00:00:00:00:01 10.77.0.16 phone 01:02\n\
                    90 02:00:00:00:00:02 10.77.0.17 * *\n\
                    0 02:00:00:00:00:03 10.78.0.20 printer *\n\
                    half a line\n\
                    duid 00:01:00:01\n\
                    100 7001 fd77::9 * 00:01\n";
        let segments = segments();
        let counted: Vec<_> =
            given(&segments, file, 95).map(|(s, held, room)| (&*s.name, held, room)).collect();
        assert_eq!(counted, [("public", 1, 65_519), ("staff", 1, 238)]);
        assert_eq!(given(&segments, "", 0).map(|(_, held, _)| held).sum::<u32>(), 0);
    }

    #[test]
    fn a_pool_leaves_out_the_box() {
        let range =
            |net: &str| pool(&net.parse().unwrap()).map(|(a, b)| format!("{a}-{b}")).unwrap_or_default();
        assert_eq!(range("10.77.0.1/16"), "10.77.0.16-10.77.255.254");
        assert_eq!(range("10.78.0.254/24"), "10.78.0.16-10.78.0.253");
        assert_eq!(range("10.78.0.100/24"), "10.78.0.101-10.78.0.254");
        assert_eq!(range("192.0.2.1/30"), "192.0.2.2-192.0.2.2");
        assert_eq!(range("192.0.2.1/32"), "");
    }
}
