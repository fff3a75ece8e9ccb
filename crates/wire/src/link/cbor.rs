//! Deterministic CBOR: the check that every signed thing passes before it is read.
//!
//! RFC 8949 section 4.2.1: shortest lengths and integers, definite lengths, map
//! keys sorted by their bytes and unique. Of all CBOR we take integers, byte and
//! text strings, arrays, maps, booleans and null; no tags, no floats.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

/// Arrays and maps may be nested this deep.
pub const DEPTH_LIMIT: u32 = 8;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than the limit for this thing.
    #[error("{what} is over {limit} bytes")]
    TooBig {
        /// What was read.
        what: &'static str,
        /// The limit, bytes.
        limit: usize,
    },
    /// Not the one encoding that deterministic CBOR has for the value.
    #[error("not deterministic CBOR: {0}")]
    NotDeterministic(&'static str),
    /// Arrays or maps are nested too deep.
    #[error("nested deeper than {DEPTH_LIMIT}")]
    TooDeep,
    /// Bytes follow the value.
    #[error("bytes follow the value")]
    Trailing,
    /// The bytes end inside the value, or are not CBOR that we take.
    #[error("not CBOR that the link takes: {0}")]
    NotCbor(&'static str),
    /// Sound CBOR of another shape.
    #[error("not a valid {0}")]
    Shape(&'static str),
}

/// Checks that `bytes` are exactly one value in deterministic CBOR.
///
/// # Errors
/// `Malformed` names the first thing that is wrong.
pub fn check(bytes: &[u8]) -> Result<(), Malformed> {
    let end = value(bytes, 0, 0)?;
    if end == bytes.len() { Ok(()) } else { Err(Malformed::Trailing) }
}

/// Finds where the deterministic value that starts at `at` ends.
///
/// # Errors
/// `Malformed` when no such value is there.
pub fn value_end(bytes: &[u8], at: usize) -> Result<usize, Malformed> {
    value(bytes, at, 0)
}

const CUT: Malformed = Malformed::NotCbor("it ends early");

/// The major type, the argument and where they end.
fn head(bytes: &[u8], at: usize) -> Result<(u8, u64, usize), Malformed> {
    let first = *bytes.get(at).ok_or(CUT)?;
    let (major, low) = (first >> 5, first & 31);
    let after = at + 1;
    let width = match low {
        0..=23 => return Ok((major, u64::from(low), after)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 => return Err(Malformed::NotDeterministic("an indefinite length")),
        _ => return Err(Malformed::NotCbor("a reserved length")),
    };
    let end = after + width;
    let argument = bytes.get(after..end).ok_or(CUT)?.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
    let shortest = match width {
        1 => argument > 23,
        2 => argument > 0xff,
        4 => argument > 0xffff,
        _ => argument > 0xffff_ffff,
    };
    if major == 7 {
        return Err(Malformed::NotCbor("a float or an unknown simple value"));
    }
    if shortest { Ok((major, argument, end)) } else { Err(Malformed::NotDeterministic("a long number")) }
}

fn value(bytes: &[u8], at: usize, depth: u32) -> Result<usize, Malformed> {
    if depth > DEPTH_LIMIT {
        return Err(Malformed::TooDeep);
    }
    let (major, argument, after) = head(bytes, at)?;
    let length = || usize::try_from(argument).map_err(|_| CUT);
    match major {
        0 | 1 => Ok(after),
        2 | 3 => {
            let end = after.checked_add(length()?).ok_or(CUT)?;
            let body = bytes.get(after..end).ok_or(CUT)?;
            if major == 3 && std::str::from_utf8(body).is_err() {
                return Err(Malformed::NotCbor("text that is not UTF-8"));
            }
            Ok(end)
        }
        4 => {
            let mut next = after;
            for _ in 0..argument {
                next = value(bytes, next, depth + 1)?;
            }
            Ok(next)
        }
        5 => {
            let mut next = after;
            let mut last: Option<&[u8]> = None;
            for _ in 0..argument {
                let key_end = value(bytes, next, depth + 1)?;
                let key = bytes.get(next..key_end).ok_or(CUT)?;
                if last.is_some_and(|l| l >= key) {
                    return Err(Malformed::NotDeterministic("map keys out of order or twice"));
                }
                last = Some(key);
                next = value(bytes, key_end, depth + 1)?;
            }
            Ok(next)
        }
        7 if (20..=22).contains(&argument) => Ok(after),
        7 => Err(Malformed::NotCbor("a float or an unknown simple value")),
        _ => Err(Malformed::NotCbor("a tag")),
    }
}

/// Writes values into a growing buffer; cannot fail.
pub(crate) struct Put(Encoder<Vec<u8>>);

impl Put {
    pub(crate) fn new() -> Self {
        Put(Encoder::new(Vec::with_capacity(128)))
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0.into_writer()
    }

    // Writing into a Vec has no error; minicbor's type cannot say so.
    pub(crate) fn array(&mut self, n: u64) -> &mut Self {
        let _ = self.0.array(n);
        self
    }

    pub(crate) fn map(&mut self, n: u64) -> &mut Self {
        let _ = self.0.map(n);
        self
    }

    pub(crate) fn u64(&mut self, n: u64) -> &mut Self {
        let _ = self.0.u64(n);
        self
    }

    pub(crate) fn i64(&mut self, n: i64) -> &mut Self {
        let _ = self.0.i64(n);
        self
    }

    pub(crate) fn bool(&mut self, b: bool) -> &mut Self {
        let _ = self.0.bool(b);
        self
    }

    pub(crate) fn text(&mut self, s: &str) -> &mut Self {
        let _ = self.0.str(s);
        self
    }

    pub(crate) fn bytes(&mut self, b: &[u8]) -> &mut Self {
        let _ = self.0.bytes(b);
        self
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        let _ = self.0.null();
        self
    }

    pub(crate) fn maybe<T>(&mut self, v: Option<T>, put: impl FnOnce(&mut Self, T)) -> &mut Self {
        match v {
            Some(v) => put(self, v),
            None => {
                self.null();
            }
        }
        self
    }
}

/// Reads values of one named thing; every failure is `Malformed::Shape(what)`.
pub(crate) struct Take<'b> {
    d: Decoder<'b>,
    what: &'static str,
    length: usize,
}

impl<'b> Take<'b> {
    /// Checks `bytes` whole, then begins to read.
    pub(crate) fn new(bytes: &'b [u8], what: &'static str) -> Result<Self, Malformed> {
        check(bytes)?;
        Ok(Take { d: Decoder::new(bytes), what, length: bytes.len() })
    }

    pub(crate) fn bad(&self) -> Malformed {
        Malformed::Shape(self.what)
    }

    /// Enters an array of at least `least` values and gives its length.
    pub(crate) fn array(&mut self, least: u64) -> Result<u64, Malformed> {
        match self.d.array() {
            Ok(Some(n)) if n >= least => Ok(n),
            _ => Err(self.bad()),
        }
    }

    /// Enters an array of at most `most` values: a list.
    pub(crate) fn list(&mut self, most: u64) -> Result<u64, Malformed> {
        match self.d.array() {
            Ok(Some(n)) if n <= most => Ok(n),
            _ => Err(self.bad()),
        }
    }

    pub(crate) fn map(&mut self) -> Result<u64, Malformed> {
        match self.d.map() {
            Ok(Some(n)) => Ok(n),
            _ => Err(self.bad()),
        }
    }

    /// Steps over `n` values that a newer version added.
    pub(crate) fn skip(&mut self, n: u64) -> Result<(), Malformed> {
        (0..n).try_for_each(|_| self.d.skip()).map_err(|_| self.bad())
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.d.u64().map_err(|_| self.bad())
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.d.u32().map_err(|_| self.bad())
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.d.u16().map_err(|_| self.bad())
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.d.i64().map_err(|_| self.bad())
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Malformed> {
        self.d.bool().map_err(|_| self.bad())
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, Malformed> {
        self.d.str().map_err(|_| self.bad())
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Malformed> {
        self.d.bytes().map_err(|_| self.bad())
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| self.bad())
    }

    pub(crate) fn maybe<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if matches!(self.d.datatype(), Ok(Type::Null)) {
            self.skip(1)?;
            Ok(None)
        } else {
            take(self).map(Some)
        }
    }

    /// Ends the reading; nothing may be left.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.d.position() == self.length { Ok(()) } else { Err(Malformed::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_encoding_passes() {
        for good in ["00", "1818", "4161", "6161", "80", "a0", "f4", "f6", "a2010203f5", "8182 01 20"] {
            check(&hex::decode(good.replace(' ', "")).unwrap()).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
        let bad = [
            ("1801", "a long number"),
            ("190001", "a long number"),
            ("9f00ff", "an indefinite length"),
            ("5f4161ff", "an indefinite length"),
            ("a202000100", "map keys out of order or twice"),
            ("a201000100", "map keys out of order or twice"),
        ];
        for (text, why) in bad {
            assert_eq!(check(&hex::decode(text).unwrap()), Err(Malformed::NotDeterministic(why)), "{text}");
        }
        assert_eq!(check(&[0x00, 0x00]), Err(Malformed::Trailing));
        assert_eq!(check(&[0x81]), Err(CUT));
        assert_eq!(check(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(CUT));
        assert_eq!(check(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(CUT));
        for text in ["c000", "f93c00", "fb3ff0000000000000", "f7", "f820", "61ff", "1c"] {
            assert!(matches!(check(&hex::decode(text).unwrap()), Err(Malformed::NotCbor(_))), "{text}");
        }
        let deep = [vec![0x81; 9], vec![0x00]].concat();
        assert_eq!(check(&deep), Err(Malformed::TooDeep));
        check(&deep[1..]).unwrap();
    }
}
