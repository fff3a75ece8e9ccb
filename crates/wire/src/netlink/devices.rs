//! Links and queue disciplines of rtnetlink (linux/if_link.h, linux/pkt_sched.h).

use super::message::{ACK, CREATE, REQUEST, Writer};

const NEWLINK: u16 = 16;
const NEWQDISC: u16 = 36;
const REPLACE: u16 = 0x100;

const LINK_NAME: u16 = 3;
const LINK_INFO: u16 = 18;
const LINK_BELOW: u16 = 5;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const VLAN_ID: u16 = 1;
const QDISC_KIND: u16 = 1;
const QDISC_OPTIONS: u16 = 2;
const HTB_INIT: u16 = 2;
const ROOT: u32 = u32::MAX;

/// The interface number of the loopback in every network namespace.
pub const LOOPBACK: u32 = 1;

/// Makes a link of a kind such as `ifb`.
#[must_use]
pub fn add_link(name: &str, kind: &str, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(NEWLINK, REQUEST | ACK | CREATE, seq, &[0; 16]);
    w.put_text(LINK_NAME, name);
    let info = w.nest(LINK_INFO);
    w.put(INFO_KIND, kind.as_bytes());
    w.close(info);
    w.end(m);
    w.finish()
}

/// Makes the link of a VLAN (802.1Q) on top of another one.
#[must_use]
pub fn add_vlan(name: &str, below: u32, id: u16, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(NEWLINK, REQUEST | ACK | CREATE, seq, &[0; 16]);
    w.put(LINK_BELOW, &below.to_ne_bytes());
    w.put_text(LINK_NAME, name);
    let info = w.nest(LINK_INFO);
    w.put(INFO_KIND, b"vlan");
    let data = w.nest(INFO_DATA);
    w.put(VLAN_ID, &id.to_ne_bytes());
    w.close(data);
    w.close(info);
    w.end(m);
    w.finish()
}

/// Puts a queue discipline in place of an interface's own, with the kind's defaults.
#[must_use]
pub fn replace_root(interface: u32, kind: &str, seq: u32) -> Vec<u8> {
    let mut fixed = vec![0; 4];
    for field in [interface, 0, ROOT, 0] {
        fixed.extend_from_slice(&field.to_ne_bytes());
    }
    let mut w = Writer::new();
    let m = w.begin(NEWQDISC, REQUEST | ACK | CREATE | REPLACE, seq, &fixed);
    w.put_text(QDISC_KIND, kind);
    if kind == "htb" {
        // Version 3, rate to quantum 10: without its own head htb does not begin.
        let head: Vec<u8> = [3u32, 10, 0, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        let options = w.nest(QDISC_OPTIONS);
        w.put(HTB_INIT, &head);
        w.close(options);
    }
    w.end(m);
    w.finish()
}
