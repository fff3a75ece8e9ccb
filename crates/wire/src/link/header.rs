//! The header of a journal entry: what the chain and the signature cover.

use super::bytes::Digest;
use super::cbor::{Malformed, Put, Take};
use super::entry::Kind;
use kulkul_model::Moment;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One run of the box from power-on to power-off: the kernel's random boot id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BootId(pub [u8; 16]);

impl BootId {
    /// Reads 32 hexadecimal digits; hyphens as in `/proc/sys/kernel/random/boot_id` do not matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text.trim().replace('-', "")).ok()?.try_into().ok().map(BootId)
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BootId({self})")
    }
}

impl TryFrom<String> for BootId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        BootId::parse(&text).ok_or("not a boot id")
    }
}

impl From<BootId> for String {
    fn from(id: BootId) -> String {
        id.to_string()
    }
}

/// When something happened, as far as the box can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// Which run of the box.
    pub boot: BootId,
    /// Milliseconds since that run began; never steps.
    pub mono_ms: u64,
    /// Wall-clock time; none until the clock was set in this run.
    pub wall: Option<Moment>,
}

/// What the chain and the signature of an entry cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number of the entry in its chain, from 1, without holes.
    pub seq: u64,
    /// SHA-256 of the entry before, as it was signed; zeros for the first.
    pub prev: Digest,
    /// What kind of entry.
    pub kind: Kind,
    /// When.
    pub stamp: Stamp,
    /// SHA-256(salt, payload) of each part: one, or two for `Kind::Hour`.
    pub parts: Vec<Digest>,
}

/// An entry has at most this many parts.
pub const PARTS_LIMIT: u64 = 4;
const WHAT: &str = "journal header";

impl Header {
    /// Writes deterministic CBOR: `[seq, prev, kind, boot, mono_ms, wall_ms / null, [digest]]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(7).u64(self.seq).bytes(&self.prev.0).u64(u64::from(self.kind.code()));
        p.bytes(&self.stamp.boot.0).u64(self.stamp.mono_ms);
        p.maybe(self.stamp.wall, |p, w| {
            p.i64(w.ms());
        });
        p.array(self.parts.len() as u64);
        for digest in &self.parts {
            p.bytes(&digest.0);
        }
        p.done()
    }

    /// Reads what `encode` writes.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, WHAT)?;
        let n = t.array(7)?;
        let seq = t.u64()?;
        let prev = Digest(t.fixed()?);
        let kind = Kind::from_code(t.u16()?);
        let boot = BootId(t.fixed()?);
        let mono_ms = t.u64()?;
        let wall = t.maybe(Take::i64)?.map(Moment::from_ms);
        let count = t.list(PARTS_LIMIT)?;
        let parts = (0..count).map(|_| t.fixed().map(Digest)).collect::<Result<Vec<_>, _>>()?;
        t.skip(n - 7)?;
        t.end()?;
        if seq == 0 || parts.is_empty() || i64::try_from(seq).is_err() {
            return Err(Malformed::Shape(WHAT));
        }
        Ok(Header { seq, prev, kind, stamp: Stamp { boot, mono_ms, wall }, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_stays_small() {
        let h = Header {
            seq: 7,
            prev: Digest([1; 32]),
            kind: Kind::Hour,
            stamp: Stamp { boot: BootId([2; 16]), mono_ms: 99, wall: Some(Moment::from_ms(-5)) },
            parts: vec![Digest([3; 32]), Digest([4; 32])],
        };
        let bytes = h.encode();
        assert_eq!(Header::decode(&bytes).unwrap(), h);
        assert!(bytes.len() < 130);
        let dateless = Header { stamp: Stamp { wall: None, ..h.stamp }, ..h.clone() };
        assert_eq!(Header::decode(&dateless.encode()).unwrap(), dateless);
        assert!(Header::decode(&Header { seq: 0, ..h }.encode()).is_err());
    }
}
