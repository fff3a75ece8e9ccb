//! Features of an interface by generic netlink (linux/ethtool_netlink.h): joining received packets.

use super::Garbled;
use super::message::{ACK, Message, REQUEST, Writer, find};

/// The family that knows the families.
const CONTROL: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
const FEATURES_SET: u8 = 12;
const HEADER: u16 = 1;
const HEADER_NAME: u16 = 2;
const WANTED: u16 = 3;
const BITS: u16 = 3;
const BIT: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

/// Asks for the number of the family `ethtool`.
#[must_use]
pub fn family(seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(CONTROL, REQUEST | ACK, seq, &[GET_FAMILY, 1, 0, 0]);
    w.put_text(FAMILY_NAME, "ethtool");
    w.end(m);
    w.finish()
}

/// The number that the answer to `family` tells.
///
/// # Errors
/// `Garbled` when it has none.
pub fn family_from(message: &Message<'_>) -> Result<u16, Garbled> {
    let attributes = message.body.get(4..).ok_or(Garbled::Length)?;
    let id = find(attributes, FAMILY_ID).and_then(|id| id.first_chunk()).ok_or(Garbled::Value)?;
    Ok(u16::from_ne_bytes(*id))
}

/// Lets an interface join packets of a flow as they come in (`rx-gro`), or not.
#[must_use]
pub fn join(family: u16, interface: &str, on: bool, seq: u32) -> Vec<u8> {
    let mut w = Writer::new();
    let m = w.begin(family, REQUEST | ACK, seq, &[FEATURES_SET, 1, 0, 0]);
    let header = w.nest(HEADER);
    w.put_text(HEADER_NAME, interface);
    w.close(header);
    let wanted = w.nest(WANTED);
    let bits = w.nest(BITS);
    let bit = w.nest(BIT);
    w.put_text(BIT_NAME, "rx-gro");
    if on {
        w.put(BIT_VALUE, &[]);
    }
    w.close(bit);
    w.close(bits);
    w.close(wanted);
    w.end(m);
    w.finish()
}
