//! Batches, dumps and questions of nf_tables (linux/netfilter/nf_tables.h).
//!
//! A batch is one transaction: one bad element rolls all of it back.

use super::message::{ACK, Attributes, CREATE, DUMP, Message, REQUEST, Writer, find};
use super::{Change, Counter, Element, Extra, Garbled, Key, Set, burst};
use crate::ruleset::TABLE;
use kulkul_model::session::Mac;
use std::net::IpAddr;

/// The group of netfilter's netlink that tells of changes to nf_tables.
pub const GROUP: u32 = 7;

const SUBSYSTEM: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const GETTABLE: u16 = SUBSYSTEM | 1;
const GETCHAIN: u16 = SUBSYSTEM | 4;
const GETRULE: u16 = SUBSYSTEM | 7;
const GETSET: u16 = SUBSYSTEM | 10;
const NEWSETELEM: u16 = SUBSYSTEM | 12;
const GETSETELEM: u16 = SUBSYSTEM | 13;
const DELSETELEM: u16 = SUBSYSTEM | 14;
const NEWOBJ: u16 = SUBSYSTEM | 18;
const GETOBJ: u16 = SUBSYSTEM | 19;
const NEWGEN: u16 = SUBSYSTEM | 15;
const GETGEN: u16 = SUBSYSTEM | 16;

const INET: [u8; 4] = [1, 0, 0, 0];
const UNSPEC: [u8; 4] = [0, 0, 0, 0];

const LIST_TABLE: u16 = 1;
const LIST_SET: u16 = 2;
const LIST_ELEMENTS: u16 = 3;
const LIST_ELEM: u16 = 1;
const ELEM_KEY: u16 = 1;
const ELEM_DATA: u16 = 2;
const ELEM_TIMEOUT: u16 = 4;
const ELEM_EXPIRATION: u16 = 5;
const ELEM_EXPR: u16 = 7;
const ELEM_EXPRESSIONS: u16 = 11;
const DATA_VALUE: u16 = 1;
const EXPR_NAME: u16 = 1;
const EXPR_DATA: u16 = 2;
const TABLE_USERDATA: u16 = 6;
const OBJ_NAME: u16 = 2;
const OBJ_TYPE: u16 = 3;
const OBJ_DATA: u16 = 4;
const OBJ_COUNTER: u32 = 1;

/// Kinds of things whose dumps together are the table's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Chains with hooks and policies.
    Chains,
    /// Rules with expressions.
    Rules,
    /// Sets without elements.
    Sets,
}

impl Part {
    /// All parts.
    pub const ALL: [Part; 3] = [Part::Chains, Part::Rules, Part::Sets];
}

/// Encodes changes as one transaction, numbered from `seq` on; only the last is acknowledged.
///
/// Errors come for each bad change whether it asked for an answer or not, and thousands
/// of acknowledgements would not fit the socket's buffer. Returns the bytes and the
/// numbers of the first and last change.
#[must_use]
pub fn batch(changes: &[Change], seq: u32) -> (Vec<u8>, u32, u32) {
    let mut w = Writer::new();
    // The subsystem's number is the resource id of the batch, big-endian.
    let fixed = [0, 0, 0, 10];
    let begin = w.begin(BATCH_BEGIN, REQUEST, seq, &fixed);
    w.end(begin);
    let first = seq.wrapping_add(1);
    let mut next = first;
    for (i, change) in changes.iter().enumerate() {
        element(&mut w, change, next, if i + 1 == changes.len() { ACK } else { 0 });
        next = next.wrapping_add(1);
    }
    let end = w.begin(BATCH_END, REQUEST, next, &fixed);
    w.end(end);
    (w.finish(), first, next.wrapping_sub(1))
}

fn element(w: &mut Writer, change: &Change, seq: u32, ack: u16) {
    let (kind, flags, set, key) = match change {
        Change::Add(e) => (NEWSETELEM, REQUEST | CREATE | ack, e.set, e.key),
        Change::Remove(set, key) => (DELSETELEM, REQUEST | ack, *set, *key),
    };
    let message = w.begin(kind, flags, seq, &INET);
    w.put_text(LIST_TABLE, TABLE);
    w.put_text(LIST_SET, set.name());
    let list = w.nest(LIST_ELEMENTS);
    let item = w.nest(LIST_ELEM);
    put_key(w, &key);
    if let Change::Add(e) = change {
        if let Some(ms) = e.left_ms {
            w.put(ELEM_TIMEOUT, &ms.max(1).to_be_bytes());
            // Told apart, so that an element that is there with the same timeout starts anew.
            w.put(ELEM_EXPIRATION, &ms.max(1).to_be_bytes());
        }
        put_extra(w, e.extra);
    }
    w.close(item);
    w.close(list);
    w.end(message);
}

fn put_key(w: &mut Writer, key: &Key) {
    let nest = w.nest(ELEM_KEY);
    w.put(DATA_VALUE, &key_bytes(key));
    w.close(nest);
}

/// A key as the kernel compares it: each field padded to a multiple of four bytes.
#[must_use]
pub fn key_bytes(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    let (mac, ip) = match key {
        Key::Device(mac, ip) => (Some(mac), Some(ip)),
        Key::Address(ip) => (None, Some(ip)),
        Key::Mac(mac) => (Some(mac), None),
    };
    if let Some(mac) = mac {
        bytes.extend_from_slice(&mac.0);
        if ip.is_some() {
            bytes.extend_from_slice(&[0; 2]);
        }
    }
    match ip {
        Some(IpAddr::V4(v4)) => bytes.extend_from_slice(&v4.octets()),
        Some(IpAddr::V6(v6)) => bytes.extend_from_slice(&v6.octets()),
        None => {}
    }
    bytes
}

/// Reads a key of one of our sets back; the size tells its form.
///
/// # Errors
/// `Garbled::Value` for a size that no set of ours has.
pub fn key_from(bytes: &[u8]) -> Result<Key, Garbled> {
    let mac = |b: &[u8]| b.first_chunk().map(|m| Mac(*m)).ok_or(Garbled::Value);
    let v4 = |b: &[u8]| b.first_chunk::<4>().map(|a| IpAddr::from(*a)).ok_or(Garbled::Value);
    let v6 = |b: &[u8]| b.first_chunk::<16>().map(|a| IpAddr::from(*a)).ok_or(Garbled::Value);
    let rest = || bytes.get(8..).unwrap_or_default();
    match bytes.len() {
        4 => Ok(Key::Address(v4(bytes)?)),
        // The kernel pads a single six-byte key to eight in some versions.
        6 | 8 => Ok(Key::Mac(mac(bytes)?)),
        12 => Ok(Key::Device(mac(bytes)?, v4(rest())?)),
        16 => Ok(Key::Address(v6(bytes)?)),
        24 => Ok(Key::Device(mac(bytes)?, v6(rest())?)),
        _ => Err(Garbled::Value),
    }
}

fn put_extra(w: &mut Writer, extra: Extra) {
    if extra == Extra::None {
        return;
    }
    if let Extra::Class(class) = extra {
        let nest = w.nest(ELEM_DATA);
        w.put(DATA_VALUE, &class.to_ne_bytes());
        return w.close(nest);
    }
    let nest = w.nest(ELEM_EXPR);
    match extra {
        Extra::None | Extra::Class(_) => {}
        Extra::Counter(c) => {
            w.put_text(EXPR_NAME, "counter");
            let data = w.nest(EXPR_DATA);
            w.put(1, &c.bytes.to_be_bytes());
            w.put(2, &c.packets.to_be_bytes());
            w.close(data);
        }
        Extra::Cap { bytes_per_s } => {
            w.put_text(EXPR_NAME, "limit");
            let data = w.nest(EXPR_DATA);
            w.put(1, &bytes_per_s.max(1).to_be_bytes());
            w.put(2, &1u64.to_be_bytes());
            w.put(3, &burst(bytes_per_s).to_be_bytes());
            // Counts bytes, and matches what is over the rate.
            w.put(4, &1u32.to_be_bytes());
            w.put(5, &1u32.to_be_bytes());
            w.close(data);
        }
    }
    w.close(nest);
}

/// Asks for all elements of a set.
#[must_use]
pub fn dump(set: Set, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETSETELEM, REQUEST | DUMP, seq, &INET);
    w.put_text(LIST_TABLE, TABLE);
    w.put_text(LIST_SET, set.name());
    w.end(m);
    w.finish()
}

/// Asks for all of one part of the table.
#[must_use]
pub fn structure(part: Part, seq: u32) -> Vec<u8> {
    let kind = match part {
        Part::Chains => GETCHAIN,
        Part::Rules => GETRULE,
        Part::Sets => GETSET,
    };
    let mut w = Writer::new();
    let m = w.begin(kind, REQUEST | DUMP, seq, &INET);
    w.put_text(LIST_TABLE, TABLE);
    w.end(m);
    w.finish()
}

/// What does not change while elements come and go, of one message of a structure dump.
///
/// Nothing when the message is of another table. Uses of a chain, counters, and the
/// count of a set's elements (since Linux 6.15) are left out.
#[must_use]
pub fn lasting(message: &Message<'_>, part: Part) -> Option<Vec<u8>> {
    let attributes = message.body.get(4..)?;
    let name = find(attributes, 1)?;
    if name.strip_suffix(&[0]).unwrap_or(name) != TABLE.as_bytes() {
        return None;
    }
    let lasts = |kind: u16| match part {
        // Table, handle, name, hook, policy and type; table to description, and handle.
        Part::Chains => matches!(kind, 1..=5 | 7),
        Part::Sets => matches!(kind, 1..=9 | 16),
        Part::Rules => true,
    };
    let kept = Attributes(attributes).filter(|(kind, _)| lasts(*kind));
    Some(kept.flat_map(|(kind, value)| kind.to_ne_bytes().into_iter().chain(value.iter().copied())).collect())
}

/// Asks for our table.
#[must_use]
pub fn table(seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETTABLE, REQUEST | ACK, seq, &INET);
    w.put_text(1, TABLE);
    w.end(m);
    w.finish()
}

/// The digest in the comment of our table.
#[must_use]
pub fn table_digest(message: &Message<'_>) -> Option<String> {
    let data = find(message.body.get(4..)?, TABLE_USERDATA)?;
    let text = String::from_utf8_lossy(data).into_owned();
    let (_, digest) = text.split_once("kulkul ")?;
    Some(digest.chars().take_while(char::is_ascii_hexdigit).collect())
}

/// Asks for the number of the ruleset's generation; every transaction raises it.
#[must_use]
pub fn generation(seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETGEN, REQUEST | ACK, seq, &UNSPEC);
    w.end(m);
    w.finish()
}

/// The generation that a message tells.
#[must_use]
pub fn generation_from(message: &Message<'_>) -> Option<u32> {
    if message.kind != NEWGEN {
        return None;
    }
    find(message.body.get(4..)?, 1)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// Asks for the table's counters.
#[must_use]
pub fn counters(seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETOBJ, REQUEST | DUMP, seq, &INET);
    w.put_text(LIST_TABLE, TABLE);
    w.put(OBJ_TYPE, &OBJ_COUNTER.to_be_bytes());
    w.end(m);
    w.finish()
}

/// Reads a counter and its name; nothing when the message is about something else.
#[must_use]
pub fn counter_from(message: &Message<'_>) -> Option<(String, Counter)> {
    if message.kind != NEWOBJ {
        return None;
    }
    let attributes = message.body.get(4..)?;
    let text = |kind| find(attributes, kind).map(|n| n.strip_suffix(&[0]).unwrap_or(n));
    let kind = find(attributes, OBJ_TYPE)?.first_chunk().map(|b| u32::from_be_bytes(*b))?;
    // Kernels that do not know the filter tell of every table.
    if text(LIST_TABLE)? != TABLE.as_bytes() || kind != OBJ_COUNTER {
        return None;
    }
    let data = find(attributes, OBJ_DATA)?;
    let value = |kind| find(data, kind).and_then(be64).unwrap_or(0);
    let name = String::from_utf8_lossy(text(OBJ_NAME)?).into_owned();
    Some((name, Counter { bytes: value(1), packets: value(2) }))
}

/// Reads the elements of one message of a dump of `set` into `out`.
///
/// # Errors
/// `Garbled` when an element has no key or one of another form.
pub fn elements(message: &Message<'_>, set: Set, out: &mut Vec<Element>) -> Result<(), Garbled> {
    if message.kind != NEWSETELEM {
        return Ok(());
    }
    let attributes = message.body.get(4..).ok_or(Garbled::Length)?;
    for (_, list) in Attributes(attributes).filter(|(k, _)| *k == LIST_ELEMENTS) {
        for (_, item) in Attributes(list).filter(|(k, _)| *k == LIST_ELEM) {
            let key = find(item, ELEM_KEY).and_then(|k| find(k, DATA_VALUE)).ok_or(Garbled::Value)?;
            let left = find(item, ELEM_EXPIRATION).or_else(|| find(item, ELEM_TIMEOUT));
            let expr = find(item, ELEM_EXPR)
                .or_else(|| find(item, ELEM_EXPRESSIONS).and_then(|list| find(list, LIST_ELEM)));
            out.push(Element {
                set,
                key: key_from(key)?,
                left_ms: left.and_then(be64),
                extra: expr.map(extra_from).or_else(|| class_from(item)).unwrap_or_default(),
            });
        }
    }
    Ok(())
}

fn be64(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|b| u64::from_be_bytes(*b))
}

/// The class that an element of a map leads to.
fn class_from(item: &[u8]) -> Option<Extra> {
    let value = find(find(item, ELEM_DATA)?, DATA_VALUE)?;
    value.first_chunk().map(|b| Extra::Class(u32::from_ne_bytes(*b)))
}

fn extra_from(expr: &[u8]) -> Extra {
    let name = find(expr, EXPR_NAME).map(|n| n.strip_suffix(&[0]).unwrap_or(n));
    let data = find(expr, EXPR_DATA).unwrap_or_default();
    let value = |kind| find(data, kind).and_then(be64).unwrap_or(0);
    match name {
        Some(b"counter") => Extra::Counter(Counter { bytes: value(1), packets: value(2) }),
        Some(b"limit") => Extra::Cap { bytes_per_s: value(1) },
        _ => Extra::None,
    }
}
