//! The queue tree of an interface: HTB classes and what waits in them (linux/pkt_sched.h).
//!
//! One root with handle `1:` on an interface; a class is known by its minor number.
//! Rates are bytes per second. The kernel serves classes of one parent that borrow in
//! turns of their quantum, so that equal quanta are equal shares.

use super::Garbled;
use super::message::{ACK, CREATE, DUMP, Message, REQUEST, Writer, find};

const NEWQDISC: u16 = 36;
const DELQDISC: u16 = 37;
const NEWTCLASS: u16 = 40;
const DELTCLASS: u16 = 41;
const GETTCLASS: u16 = 42;
const NEWTFILTER: u16 = 44;
const REPLACE: u16 = 0x100;

const KIND: u16 = 1;
const OPTIONS: u16 = 2;
const HTB_PARMS: u16 = 1;
const HTB_INIT: u16 = 2;
const ROOT: u32 = u32::MAX;
const MAJOR: u32 = 0x0001_0000;
/// The hook for packets that leave an interface, before its queues (`clsact`).
const CLSACT: u32 = 0xffff_fff1;
const LEAVING: u32 = 0xffff_fff3;

/// A class of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its minor number, 1 to 65,535.
    pub minor: u16,
    /// The minor number of the class above it; 0 for the root.
    pub parent: u16,
    /// What it always gets, bytes per second.
    pub rate: u32,
    /// What it gets at most, bytes per second.
    pub ceil: u32,
    /// Who borrows first: 0 before 7.
    pub priority: u8,
    /// Bytes that it may send in one turn of borrowing.
    pub quantum: u32,
}

/// What waits in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Flows take turns and none waits long (RFC 8290).
    FqCodel,
    /// Flows take turns.
    Sfq,
    /// First come, first served, at most so many bytes.
    Bfifo(u32),
}

/// One change of an interface's queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Puts an empty tree in place of what is there; packets without a class go to this one.
    Root {
        /// The minor number of that class.
        default: u16,
    },
    /// Takes the tree away; the interface gets the system's own queue.
    NoRoot,
    /// Makes a class or changes one.
    Class(Class),
    /// Puts a leaf into a class.
    Leaf(u16, Leaf),
    /// Takes away a class that has none below it.
    NoClass(u16),
    /// Sends what leaves the interface through another one's queues first (`ifb`).
    Through(u32),
    /// Ends that.
    NotThrough,
}

/// A class's handle as packets carry it in their priority.
#[must_use]
pub const fn handle(minor: u16) -> u32 {
    MAJOR | minor as u32
}

fn head(interface: u32, own: u32, parent: u32, info: u32) -> [u8; 20] {
    let mut fixed = [0; 20];
    for (place, field) in fixed.chunks_exact_mut(4).skip(1).zip([interface, own, parent, info]) {
        place.copy_from_slice(&field.to_ne_bytes());
    }
    fixed
}

/// Writes a change as one message.
#[must_use]
pub fn encode(interface: u32, queue: &Queue, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let make = REQUEST | ACK | CREATE | REPLACE;
    match *queue {
        Queue::Root { default } => {
            let m = w.begin(NEWQDISC, make, seq, &head(interface, MAJOR, ROOT, 0));
            w.put_text(KIND, "htb");
            let options = w.nest(OPTIONS);
            // Version 3, rate to quantum 10, the default class, no debugging.
            let init = [3, 10, u32::from(default), 0, 0];
            w.put(HTB_INIT, &init.into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<u8>>());
            w.close(options);
            w.end(m);
        }
        Queue::NoRoot => {
            let m = w.begin(DELQDISC, REQUEST | ACK, seq, &head(interface, MAJOR, ROOT, 0));
            w.end(m);
        }
        Queue::Class(class) => {
            let at = head(interface, handle(class.minor), handle(class.parent), 0);
            let m = w.begin(NEWTCLASS, make, seq, &at);
            w.put_text(KIND, "htb");
            let options = w.nest(OPTIONS);
            w.put(HTB_PARMS, &parms(&class));
            w.close(options);
            w.end(m);
        }
        Queue::Leaf(minor, leaf) => {
            let m = w.begin(NEWQDISC, make, seq, &head(interface, 0, handle(minor), 0));
            put_leaf(&mut w, leaf);
            w.end(m);
        }
        Queue::NoClass(minor) => {
            let m = w.begin(DELTCLASS, REQUEST | ACK, seq, &head(interface, handle(minor), MAJOR, 0));
            w.end(m);
        }
        Queue::NotThrough => {
            let m = w.begin(DELQDISC, REQUEST | ACK, seq, &head(interface, 0xffff_0000, CLSACT, 0));
            w.end(m);
        }
        Queue::Through(other) => through(&mut w, interface, other, seq),
    }
    w.finish()
}

/// A rate: no table, Ethernet's framing, bytes per second.
fn ratespec(rate: u32) -> [u8; 12] {
    let [a, b, c, d] = rate.to_ne_bytes();
    [0, 1, 0, 0, 0, 0, 0, 0, a, b, c, d]
}

fn parms(class: &Class) -> Vec<u8> {
    // Ten milliseconds at the rate, in the kernel's ticks of 64 ns, and never less than two full frames.
    let ticks = |rate: u32| {
        let bytes = (u64::from(rate) / 100).max(3_200);
        let ns = bytes * 1_000_000_000 / u64::from(rate.max(1));
        u32::try_from(ns / 64).unwrap_or(u32::MAX)
    };
    let mut out = Vec::with_capacity(44);
    out.extend_from_slice(&ratespec(class.rate));
    out.extend_from_slice(&ratespec(class.ceil));
    for field in [ticks(class.rate), ticks(class.ceil), class.quantum, 0, u32::from(class.priority)] {
        out.extend_from_slice(&field.to_ne_bytes());
    }
    out
}

fn put_leaf(w: &mut Writer, leaf: Leaf) {
    match leaf {
        Leaf::FqCodel => w.put_text(KIND, "fq_codel"),
        Leaf::Sfq => w.put_text(KIND, "sfq"),
        Leaf::Bfifo(bytes) => {
            w.put_text(KIND, "bfifo");
            w.put(OPTIONS, &bytes.to_ne_bytes());
        }
    }
}

/// The hook on leaving packets, and the filter there that takes all of them to `other`.
fn through(w: &mut Writer, interface: u32, other: u32, seq: u32) {
    const U32_SEL: u16 = 5;
    const U32_ACT: u16 = 7;
    const ACT_KIND: u16 = 1;
    const ACT_OPTIONS: u16 = 2;
    const MIRRED_PARMS: u16 = 2;
    /// Every protocol, in network order, below the filter's priority.
    const ALL_FIRST: u32 = (1 << 16) | 0x0300;
    let m = w.begin(NEWQDISC, REQUEST | CREATE | REPLACE, seq, &head(interface, 0xffff_0000, CLSACT, 0));
    w.put_text(KIND, "clsact");
    w.end(m);
    let m = w.begin(
        NEWTFILTER,
        REQUEST | ACK | CREATE | REPLACE,
        seq,
        &head(interface, 0x8000_0800, LEAVING, ALL_FIRST),
    );
    w.put_text(KIND, "u32");
    let options = w.nest(OPTIONS);
    // One key that every packet fits: no bit is compared. TC_U32_TERMINAL, one key.
    let mut select = vec![1, 0, 1, 0];
    select.extend_from_slice(&[0; 12]);
    select.extend_from_slice(&[0; 16]);
    w.put(U32_SEL, &select);
    let actions = w.nest(U32_ACT);
    let first = w.nest(1);
    w.put_text(ACT_KIND, "mirred");
    let parameters = w.nest(ACT_OPTIONS);
    // Index, capabilities, TC_ACT_STOLEN, two counts, TCA_EGRESS_REDIR, the interface.
    let fields = [0, 0, 4, 0, 0, 1, other];
    w.put(MIRRED_PARMS, &fields.into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<u8>>());
    w.close(parameters);
    w.close(first);
    w.close(actions);
    w.close(options);
    w.end(m);
}

/// Asks for all classes of an interface.
#[must_use]
pub fn classes(interface: u32, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(GETTCLASS, REQUEST | DUMP, seq, &head(interface, 0, 0, 0));
    w.end(m);
    w.finish()
}

/// Reads one message of a dump of classes; nothing for classes that are not of our tree.
///
/// # Errors
/// `Garbled` when it is cut short.
pub fn class(message: &Message<'_>) -> Result<Option<Class>, Garbled> {
    if message.kind != NEWTCLASS {
        return Ok(None);
    }
    let field = |at: usize| {
        let bytes = message.body.get(at..at + 4).and_then(|b| b.first_chunk()).ok_or(Garbled::Length)?;
        Ok(u32::from_ne_bytes(*bytes))
    };
    let (own, parent) = (field(8)?, field(12)?);
    let attributes = message.body.get(20..).ok_or(Garbled::Length)?;
    let kind = find(attributes, KIND).map(|k| k.strip_suffix(&[0]).unwrap_or(k));
    if kind != Some(b"htb") || own & 0xffff_0000 != MAJOR {
        return Ok(None);
    }
    let parms = find(attributes, OPTIONS).and_then(|o| find(o, HTB_PARMS)).ok_or(Garbled::Value)?;
    let number = |at: usize| {
        let bytes = parms.get(at..at + 4).and_then(|b| b.first_chunk()).ok_or(Garbled::Value)?;
        Ok(u32::from_ne_bytes(*bytes))
    };
    Ok(Some(Class {
        minor: (own & 0xffff) as u16,
        parent: if parent == ROOT { 0 } else { (parent & 0xffff) as u16 },
        rate: number(8)?,
        ceil: number(20)?,
        quantum: number(32)?,
        priority: u8::try_from(number(40)?).unwrap_or(u8::MAX),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::message::Messages;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_class_reads_back_as_it_was_written() {
        let class =
            Class { minor: 0x10, parent: 3, rate: 12_500, ceil: 1_250_000, priority: 2, quantum: 1_514 };
        let bytes = encode(7, &Queue::Class(class), 1);
        let message = Messages(&bytes).next().unwrap().unwrap();
        // What the kernel dumps has the same form.
        assert_eq!(super::class(&message).unwrap(), Some(class));
        let other = encode(7, &Queue::NoClass(0x10), 1);
        assert_eq!(super::class(&Messages(&other).next().unwrap().unwrap()).unwrap(), None);
    }

    #[test]
    fn a_slow_rate_has_room_for_full_frames() {
        let class = Class { minor: 1, parent: 0, rate: 8_000, ceil: 8_000, priority: 0, quantum: 1_514 };
        let ticks = u32::from_ne_bytes(*parms(&class)[24..].first_chunk().unwrap());
        // 3,200 bytes take 0.4 s at 8 kB/s.
        assert_eq!(ticks, 6_250_000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(body in proptest::collection::vec(any::<u8>(), 0..120)) {
            let message = Message { kind: NEWTCLASS, flags: 0, seq: 0, body: &body };
            let _ = class(&message);
        }
    }
}
