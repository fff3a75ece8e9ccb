//! A sealed entry: `[cose_sign1, part...]`, as it lies on disks and travels.
//!
//! A part is `[salt, payload]`, or null where it was dropped or erased: the header
//! keeps its digest, so chain and signature still hold.

use super::cbor::{Malformed, Put, Take, value_end};
use super::entry::Entry;
use super::header::{Header, PARTS_LIMIT};
use super::{BATCH_LIMIT, Digest, ENTRY_LIMIT};

/// A salt and what it hides the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'b> {
    /// Random bytes, 16 to 32.
    pub salt: &'b [u8],
    /// The payload.
    pub payload: &'b [u8],
}

impl Part<'_> {
    /// What the header says of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::salted(self.salt, self.payload)
    }
}

/// A sealed entry taken apart; nothing is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<'b> {
    /// The COSE_Sign1 over the header.
    pub cose: &'b [u8],
    /// The parts that are there.
    pub parts: Vec<Option<Part<'b>>>,
}

const WHAT: &str = "sealed entry";

impl<'b> Sealed<'b> {
    /// Writes deterministic CBOR.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(1 + self.parts.len() as u64).bytes(self.cose);
        for part in &self.parts {
            p.maybe(part.as_ref(), |p, part| {
                p.array(2).bytes(part.salt).bytes(part.payload);
            });
        }
        p.done()
    }

    /// Reads what `encode` writes.
    ///
    /// # Errors
    /// `Malformed` for anything else, and over `ENTRY_LIMIT` bytes.
    pub fn decode(bytes: &'b [u8]) -> Result<Self, Malformed> {
        if bytes.len() > ENTRY_LIMIT {
            return Err(Malformed::TooBig { what: WHAT, limit: ENTRY_LIMIT });
        }
        let mut t = Take::new(bytes, WHAT)?;
        let n = t.array(2)?;
        if n > 1 + PARTS_LIMIT {
            return Err(t.bad());
        }
        let cose = t.bytes()?;
        let mut parts = Vec::new();
        for _ in 1..n {
            parts.push(t.maybe(|t| match t.array(2)? {
                2 => Ok(Part { salt: t.bytes()?, payload: t.bytes()? }),
                _ => Err(t.bad()),
            })?);
        }
        t.end()?;
        if parts.iter().flatten().any(|p| !(16..=32).contains(&p.salt.len())) {
            return Err(Malformed::Shape(WHAT));
        }
        Ok(Sealed { cose, parts })
    }

    /// Whether the parts that are there are those that the header names.
    #[must_use]
    pub fn fits(&self, header: &Header) -> bool {
        self.parts.len() == header.parts.len()
            && self.parts.iter().zip(&header.parts).all(|(p, d)| p.as_ref().is_none_or(|p| p.digest() == *d))
    }

    /// The entry; none when a part of it was dropped.
    ///
    /// # Errors
    /// `Malformed` when the payload has not the shape of its kind.
    pub fn entry(&self, header: &Header) -> Result<Option<Entry>, Malformed> {
        let parts: Option<Vec<&[u8]>> = self.parts.iter().map(|p| p.as_ref().map(|p| p.payload)).collect();
        parts.map(|parts| Entry::decode(header.kind, &parts)).transpose()
    }
}

/// Cuts a CBOR sequence (RFC 8742) into its values.
///
/// # Errors
/// `Malformed` when the bytes are over `BATCH_LIMIT` or a value is not deterministic.
pub fn sequence(bytes: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    if bytes.len() > BATCH_LIMIT {
        return Err(Malformed::TooBig { what: "journal batch", limit: BATCH_LIMIT });
    }
    let mut values = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = value_end(bytes, at)?;
        values.extend(bytes.get(at..end));
        at = end;
    }
    Ok(values)
}
