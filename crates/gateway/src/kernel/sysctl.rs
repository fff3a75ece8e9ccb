//! Settings under /proc/sys that the gateway needs, and putting them back.
//!
//! What was there before is kept in `sysctl-before.json` under the data directory;
//! only `teardown` puts it back, because a stopped daemon leaves the kernel enforcing.
//! A setting that this kernel or namespace does not have is left out with a note.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

const BEFORE: &str = "sysctl-before.json";

/// Settings by path under /proc/sys, for these interfaces.
#[must_use]
pub fn wanted(uplinks: &[&str], places: &[&str]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |path: String, value: &str| {
        all.insert(path, value.to_owned());
    };
    set("net/ipv4/ip_forward".into(), "1");
    set("net/ipv6/conf/all/forwarding".into(), "1");
    // A thousand people overflow the default of 1,024 neighbours; each may have several IPv6 addresses.
    for (family, third) in [("ipv4", 8_192), ("ipv6", 16_384)] {
        for (n, share) in [(1, 4), (2, 2), (3, 1)] {
            set(format!("net/{family}/neigh/default/gc_thresh{n}"), &(third / share).to_string());
        }
    }
    set("net/netfilter/nf_conntrack_max".into(), "131072");
    // A day: five would let dead connections of people who left fill the table.
    set("net/netfilter/nf_conntrack_tcp_timeout_established".into(), "86400");
    // A router does not listen to advertisements unless it is told to: the uplink is where it must.
    for uplink in uplinks {
        set(format!("net/ipv6/conf/{uplink}/accept_ra"), "2");
    }
    if uplinks.len() > 1 {
        // Answers to what is tried over the way that is not in use come in by it: loose is enough.
        for uplink in uplinks {
            set(format!("net/ipv4/conf/{uplink}/rp_filter"), "2");
        }
    }
    for place in places {
        set(format!("net/ipv6/conf/{place}/accept_ra"), "0");
        set(format!("net/ipv4/conf/{place}/rp_filter"), "1");
        set(format!("net/ipv4/conf/{place}/send_redirects"), "0");
    }
    all
}

/// Sets what differs and remembers what was there before; returns what could not be set and why.
pub fn set(data: &Path, wanted: &BTreeMap<String, String>) -> Vec<(String, io::Error)> {
    let mut before = read_before(data);
    let mut failed = Vec::new();
    for (path, value) in wanted {
        let file = Path::new("/proc/sys").join(path);
        match std::fs::read_to_string(&file) {
            Ok(now) if now.trim() == value => {}
            Ok(now) => match std::fs::write(&file, value) {
                Ok(()) => {
                    before.entry(path.clone()).or_insert_with(|| now.trim().to_owned());
                }
                Err(e) => failed.push((path.clone(), e)),
            },
            Err(e) => failed.push((path.clone(), e)),
        }
    }
    if let Ok(text) = serde_json::to_vec_pretty(&before) {
        // Without the note only teardown suffers: it leaves the settings as they are.
        let _ = std::fs::write(data.join(BEFORE), text);
    }
    failed
}

/// Puts back what was there before `set`.
pub fn restore(data: &Path) {
    for (path, value) in read_before(data) {
        // An interface that is gone takes its settings with it.
        let _ = std::fs::write(Path::new("/proc/sys").join(path), value);
    }
    let _ = std::fs::remove_file(data.join(BEFORE));
}

fn read_before(data: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read(data.join(BEFORE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}
