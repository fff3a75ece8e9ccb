//! The records of a place's connection log: who had which address, and which ports they went out by.
//!
//! Each is one CBOR array, one after another in a file. There is no record that could hold
//! where somebody went to. A file says at its beginning all that its later records refer to.

use crate::link::cbor::{Malformed, Put, Take, value_end};
use kulkul_model::Moment;
use kulkul_model::session::{Mac, SessionId};
use std::net::IpAddr;

/// Something that the log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Whatever was open before may be over; what is open still follows.
    Anew,
    /// A session, and the number that stands for it until the next `Anew`.
    Session {
        /// Its number.
        number: u32,
        /// The session.
        session: SessionId,
        /// Its device.
        mac: Mac,
    },
    /// A session has an address from now on, and nobody else has it.
    Has {
        /// The session's number.
        number: u32,
        /// The address.
        address: IpAddr,
    },
    /// A session is over.
    Over {
        /// Its number.
        number: u32,
    },
    /// A connection began, or was there already at an `Anew`.
    Began {
        /// The kernel's number of it.
        id: u32,
        /// The session's number.
        number: u32,
        /// The transport protocol: 6 is TCP, 17 UDP.
        protocol: u8,
        /// The source port that the outside saw; 0 where the protocol has none.
        port: u16,
    },
    /// A connection ended.
    Ended {
        /// The kernel's number of it.
        id: u32,
    },
}

const WHAT: &str = "connection record";

impl Record {
    /// Writes the record with its time.
    #[must_use]
    pub fn encode(&self, at: Moment) -> Vec<u8> {
        let mut p = Put::new();
        let (kind, more) = match self {
            Record::Anew => (0, 0),
            Record::Session { .. } => (1, 3),
            Record::Has { .. } => (2, 2),
            Record::Over { .. } => (3, 1),
            Record::Began { .. } => (4, 4),
            Record::Ended { .. } => (5, 1),
        };
        p.array(2 + more).u64(kind).i64(at.ms().div_euclid(1_000));
        match *self {
            Record::Anew => &mut p,
            Record::Session { number, session, mac } => p.u64(number.into()).bytes(&session.0).bytes(&mac.0),
            Record::Has { number, address } => {
                p.u64(number.into());
                match address {
                    IpAddr::V4(v4) => p.bytes(&v4.octets()),
                    IpAddr::V6(v6) => p.bytes(&v6.octets()),
                }
            }
            Record::Over { number } => p.u64(number.into()),
            Record::Began { id, number, protocol, port } => {
                p.u64(id.into()).u64(number.into()).u64(protocol.into()).u64(port.into())
            }
            Record::Ended { id } => p.u64(id.into()),
        };
        p.done()
    }

    fn decode(bytes: &[u8]) -> Result<(Moment, Option<Self>), Malformed> {
        let mut t = Take::new(bytes, WHAT)?;
        let fields = t.array(2)?;
        let kind = t.u64()?;
        let at = Moment::from_ms(t.i64()?.saturating_mul(1_000));
        let (record, taken) = match kind {
            0 => (Record::Anew, 0),
            1 => {
                let number = t.u32()?;
                let session = SessionId(t.fixed()?);
                (Record::Session { number, session, mac: Mac(t.fixed()?) }, 3)
            }
            2 => {
                let (number, bytes) = (t.u32()?, t.bytes()?);
                let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
                let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
                (Record::Has { number, address: address.map_err(|_| t.bad())? }, 2)
            }
            3 => (Record::Over { number: t.u32()? }, 1),
            4 => {
                let (id, number) = (t.u32()?, t.u32()?);
                let protocol = u8::try_from(t.u16()?).map_err(|_| t.bad())?;
                (Record::Began { id, number, protocol, port: t.u16()? }, 4)
            }
            5 => (Record::Ended { id: t.u32()? }, 1),
            _ => return Ok((at, None)),
        };
        t.skip((fields - 2).checked_sub(taken).ok_or(Malformed::Shape(WHAT))?)?;
        t.end()?;
        Ok((at, Some(record)))
    }
}

/// Walks the records of a file with their times; stops where its end was torn off or spoilt.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a>(pub &'a [u8]);

impl Iterator for Records<'_> {
    type Item = (Moment, Record);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let end = value_end(self.0, 0).ok()?;
            let (one, rest) = self.0.split_at_checked(end)?;
            self.0 = rest;
            // A record of a newer version is stepped over.
            if let (at, Some(record)) = Record::decode(one).ok()? {
                return Some((at, record));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Record> {
        vec![
            Record::Anew,
            Record::Session { number: 0, session: SessionId([7; 16]), mac: Mac([2, 0, 0, 0, 0, 1]) },
            Record::Has { number: 0, address: "10.77.3.4".parse().unwrap() },
            Record::Has { number: 0, address: "2001:db8::4".parse().unwrap() },
            Record::Began { id: u32::MAX, number: 0, protocol: 17, port: 65_535 },
            Record::Ended { id: u32::MAX },
            Record::Over { number: 0 },
        ]
    }

    #[test]
    fn records_read_back_until_the_torn_end() {
        let at = Moment::from_ms(1_800_000_000_000);
        let mut bytes: Vec<u8> = all().iter().flat_map(|r| r.encode(at)).collect();
        let read: Vec<_> = Records(&bytes).collect();
        assert_eq!(read, all().into_iter().map(|r| (at, r)).collect::<Vec<_>>());
        bytes.pop();
        assert_eq!(Records(&bytes).count(), 6, "a record that was cut is none");
        for cut in 0..bytes.len() {
            assert!(Records(&bytes[..cut]).count() <= 6);
        }
    }

    #[test]
    fn a_newer_versions_record_is_stepped_over_and_a_connection_takes_few_bytes() {
        let at = Moment::from_ms(1_800_000_000_000);
        let mut p = Put::new();
        p.array(3).u64(99).i64(1).text("new");
        let bytes = [p.done(), Record::Anew.encode(at)].concat();
        assert_eq!(Records(&bytes).collect::<Vec<_>>(), [(at, Record::Anew)]);
        let began = Record::Began { id: u32::MAX, number: 900, protocol: 6, port: 40_000 }.encode(at);
        let ended = Record::Ended { id: u32::MAX }.encode(at);
        assert_eq!((began.len(), ended.len()), (19, 12));
    }
}
