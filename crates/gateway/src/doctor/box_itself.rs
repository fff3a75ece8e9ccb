//! Interfaces, addresses, kernel settings, disk.

use super::Finding;
use crate::config::{Config, Segment};
use kulkul_model::gateway::Capabilities;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;

/// Less than this many megabytes is a reason to look, and to worry.
const ROOM_MB: (u64, u64) = (200, 20);
/// Fewer neighbours than this overflow near a thousand clients.
const NEIGHBOURS: u64 = 4_096;

/// The place's interfaces with their cables and addresses.
pub(super) fn interfaces(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for segment in &config.segments {
        findings.push(interface(&segment.interface));
        findings.extend(addresses(segment));
    }
    findings
}

pub(super) fn interface(name: &str) -> Finding {
    let fact = |what: &str| std::fs::read_to_string(format!("/sys/class/net/{name}/{what}"));
    // An interface that is switched off cannot even say whether it has a cable.
    let connected = fact("carrier").is_ok_and(|c| c.trim() == "1");
    let found = match fact("ifindex") {
        Err(_) => Finding::bad("doctor-interface-bad", "doctor-interface-mend"),
        Ok(_) if !connected => Finding::bad("doctor-cable-bad", "doctor-cable-mend"),
        Ok(_) => Finding::good("doctor-interface-good"),
    };
    found.with("interface", name)
}

fn addresses(segment: &Segment) -> Vec<Finding> {
    segment
        .networks()
        .map(|net| {
            let found = if is_ours(net.addr()) {
                Finding::good("doctor-address-good")
            } else {
                Finding::bad("doctor-address-bad", "doctor-address-mend")
            };
            found.with("address", net.addr()).with("interface", &segment.interface)
        })
        .collect()
}

/// Whether the machine has an address: only then can a socket be bound to it.
fn is_ours(ip: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}

/// Whether a default route leaves by the interface, IPv4 or IPv6.
pub(super) fn has_route(interface: &str) -> bool {
    let v4 = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let v6 = std::fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let v4_default = |line: &str| {
        let mut fields = line.split_whitespace();
        fields.next() == Some(interface) && fields.next() == Some("00000000")
    };
    let v6_default = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.first().is_some_and(|net| net.bytes().all(|b| b == b'0'))
            && fields.get(1) == Some(&"00")
            && fields.last() == Some(&interface)
    };
    v4.lines().any(v4_default) || v6.lines().any(v6_default)
}

/// The kernel's settings without which nothing passes, or not for many.
pub(super) fn forwarding(config: &Config) -> Vec<Finding> {
    let v6 = config.segments.iter().any(|s| s.address6.is_some());
    let mut findings = Vec::new();
    let keys = [("net.ipv4.ip_forward", true), ("net.ipv6.conf.all.forwarding", v6)];
    for (key, _) in keys.into_iter().filter(|(_, needed)| *needed) {
        let value = sysctl(key);
        let found = if value.as_deref() == Some("1") {
            Finding::good("doctor-forwarding-good")
        } else {
            Finding::bad("doctor-forwarding-bad", "doctor-forwarding-mend")
        };
        findings.push(found.with("key", key).with("value", value.unwrap_or_default()));
    }
    let key = "net.ipv4.neigh.default.gc_thresh3";
    // Only the machine's first network namespace has this setting.
    if let Some(value) = sysctl(key) {
        let enough = value.parse::<u64>().is_ok_and(|n| n >= NEIGHBOURS);
        let found = if enough {
            Finding::good("doctor-neighbours-good")
        } else {
            Finding::warning("doctor-neighbours-warning", "doctor-neighbours-mend")
        };
        findings.push(found.with("key", key).with("value", value));
    }
    findings
}

fn sysctl(key: &str) -> Option<String> {
    let path = format!("/proc/sys/{}", key.replace('.', "/"));
    std::fs::read_to_string(path).ok().map(|v| v.trim().to_owned())
}

/// The room that is left where journal and sessions are.
pub(super) fn disk(data: &Path) -> Finding {
    let free_mb = rustix::fs::statvfs(data).map(|s| s.f_bavail.saturating_mul(s.f_frsize) / 1_000_000);
    let free_mb = free_mb.unwrap_or(0);
    let found = if free_mb < ROOM_MB.1 {
        Finding::bad("doctor-disk-bad", "doctor-disk-mend")
    } else if free_mb < ROOM_MB.0 {
        Finding::warning("doctor-disk-warning", "doctor-disk-mend")
    } else {
        Finding::good("doctor-disk-good")
    };
    found.with("free", free_mb).with("path", data.display())
}

/// Whether the kernel has what people need, and what sharing a line fairly needs.
pub(super) fn kernel(has: &Capabilities) -> Finding {
    let fair = has.htb && (has.cake || has.fq_codel || has.sfq);
    let found = if !has.probed {
        Finding::warning("doctor-kernel-unknown", "doctor-kernel-root")
    } else if !(has.nat && has.limit && has.ipv6) {
        Finding::bad("doctor-kernel-bad", "doctor-kernel-mend")
    } else if !fair {
        Finding::warning("doctor-kernel-warning", "doctor-kernel-mend")
    } else {
        Finding::good("doctor-kernel-good")
    };
    found.with("release", &has.kernel).with("has", has.named(true)).with("lacks", has.named(false))
}
