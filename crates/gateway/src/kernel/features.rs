//! What the kernel has, found by trying it where nothing can be left behind.
//!
//! A thread moves into a network namespace of its own and loads there what the box
//! could use: tables, links, queue disciplines. The namespace and all in it are gone
//! when the thread ends. Trying beats reading lists of modules: a built-in feature, a
//! module that loads on demand and one that is missing all answer truly.

use super::Kernel as _;
use super::linux::Linux;
use kulkul_model::gateway::Capabilities;
use kulkul_wire::netlink::devices::LOOPBACK;
use std::io;

/// Text in which nft is asked whether the kernel takes a feature.
const NAT: &str = "chain a { type nat hook prerouting priority dstnat; tcp dport 80 redirect to :8080; }
 chain b { type nat hook postrouting priority srcnat; masquerade; }";
const LIMIT: &str = "set a { type ipv4_addr; flags timeout; limit rate over 1 mbytes/second; }
 chain b { type filter hook forward priority filter; ip saddr @a drop; }";
const QUOTA: &str = "map a { type ipv4_addr : quota; }
 chain b { type filter hook forward priority filter; quota name ip saddr map @a drop; }";
const TPROXY: &str = "chain a { type filter hook prerouting priority mangle; meta nfproto ipv4 meta l4proto tcp tproxy ip to :8080; }";
const FLOWTABLE: &str = "flowtable a { hook ingress priority 0; devices = { lo }; }
 chain b { type filter hook forward priority filter; meta l4proto tcp flow add @a; }";

/// Tries every feature; takes some tens of milliseconds.
///
/// Where the system permits no namespace, `probed` is false and no feature is claimed.
#[must_use]
pub fn detect() -> Capabilities {
    let found = std::thread::Builder::new().name("features".to_owned()).spawn(try_all).map(|t| t.join());
    let (probed, why) = match found {
        Ok(Ok(Ok(found))) => (Some(found), String::new()),
        Ok(Ok(Err(error))) => (None, error.to_string()),
        Ok(Err(_)) => (None, "the attempt broke off".to_owned()),
        Err(error) => (None, error.to_string()),
    };
    if probed.is_none() {
        tracing::warn!(why, "what the kernel has is not known");
    }
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Capabilities {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: kulkul_model::gateway::target(),
        kernel: release.trim().to_owned(),
        ipv6: std::path::Path::new("/proc/net/if_inet6").exists(),
        ..probed.unwrap_or_default()
    }
}

/// Runs on a thread that ends afterwards.
fn try_all() -> io::Result<Capabilities> {
    leave()?;
    let mut kernel = Linux::open().map_err(io::Error::other)?;
    // A fault of the attempt itself must not pass for a kernel that has nothing.
    kernel.load("table inet kulkul_plain {}\n").map_err(io::Error::other)?;
    let mut table = |name: &str, body: &str| {
        let text = format!("table inet kulkul_{name} {{\n {body}\n}}\n");
        kernel.load(&text).inspect_err(|error| tracing::debug!(name, %error, "not in this kernel")).is_ok()
    };
    let (nat, limit, quota) = (table("nat", NAT), table("limit", LIMIT), table("quota", QUOTA));
    let (tproxy, flowtable) = (table("tproxy", TPROXY), table("flowtable", FLOWTABLE));
    let mut queue = |kind| kernel.replace_root(LOOPBACK, kind).is_ok();
    let (htb, cake, fq_codel, sfq) = (queue("htb"), queue("cake"), queue("fq_codel"), queue("sfq"));
    let mut link = |kind| kernel.add_link(kind, kind).is_ok();
    let (ifb, wireguard) = (link("ifb"), link("wireguard"));
    Ok(Capabilities {
        probed: true,
        nat,
        limit,
        quota,
        tproxy,
        flowtable,
        htb,
        cake,
        fq_codel,
        sfq,
        ifb,
        wireguard,
        ..Capabilities::default()
    })
}

/// Moves this thread, and only it, into a network namespace of its own.
fn leave() -> io::Result<()> {
    // What makes other uses of this call unsafe is a table of descriptors of one's own, which is not asked for.
    #[expect(deprecated, reason = "its successor is unsafe for the sake of another flag")]
    Ok(rustix::thread::unshare(rustix::thread::UnshareFlags::NEWNET)?)
}
