//! Segment files: records one after another, each with its length and CRC.
//!
//! `"KJ" length crc32(length, body) body`, little end first; the body is the entry's
//! number, its kind and its sealed bytes. Damaged bytes are stepped over to the next
//! sound record, so that one flipped bit costs one entry.

use kulkul_wire::link::{ENTRY_LIMIT, Kind};

const MAGIC: [u8; 2] = *b"KJ";
const HEAD: usize = 10;
const PREFIX: usize = 10;

/// One record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'b> {
    /// The entry's number.
    pub seq: u64,
    /// Its kind.
    pub kind: Kind,
    /// `[cose_sign1, part...]`.
    pub sealed: &'b [u8],
}

/// What is in a segment.
#[derive(Debug, Default)]
pub struct Scan<'b> {
    /// The sound records, in order.
    pub records: Vec<Record<'b>>,
    /// Where the last sound record ends.
    pub end: usize,
    /// Whether damaged bytes lie before a sound record.
    pub damaged: bool,
}

fn crc(length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

/// Adds a record to a buffer.
pub fn put(buffer: &mut Vec<u8>, record: &Record<'_>) {
    let mut body = Vec::with_capacity(PREFIX + record.sealed.len());
    body.extend(record.seq.to_le_bytes());
    body.extend(record.kind.code().to_le_bytes());
    body.extend(record.sealed);
    // An entry is far below 4 GB: `ENTRY_LIMIT`.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    buffer.extend(MAGIC);
    buffer.extend(length);
    buffer.extend(crc(length, &body).to_le_bytes());
    buffer.extend(body);
}

/// The record that starts at `at`, and where it ends.
fn at(bytes: &[u8], at: usize) -> Option<(Record<'_>, usize)> {
    let rest = bytes.get(at..)?;
    let head: &[u8; HEAD] = rest.first_chunk()?;
    let [m0, m1, l0, l1, l2, l3, c0, c1, c2, c3] = *head;
    let length = [l0, l1, l2, l3];
    let size = usize::try_from(u32::from_le_bytes(length)).ok()?;
    if [m0, m1] != MAGIC || size > ENTRY_LIMIT + PREFIX {
        return None;
    }
    let body = rest.get(HEAD..HEAD + size)?;
    if crc(length, body) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return None;
    }
    let (seq, body) = body.split_first_chunk::<8>()?;
    let (kind, sealed) = body.split_first_chunk::<2>()?;
    let kind = Kind::from_code(u16::from_le_bytes(*kind));
    Some((Record { seq: u64::from_le_bytes(*seq), kind, sealed }, at + HEAD + size))
}

/// Reads all sound records.
#[must_use]
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut scan = Scan::default();
    let mut next = 0;
    while next < bytes.len() {
        if let Some((record, end)) = at(bytes, next) {
            scan.damaged |= next != scan.end;
            scan.records.push(record);
            scan.end = end;
            next = end;
        } else {
            next += 1;
        }
    }
    scan
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_flipped_bit_costs_one_record(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let mut bytes = Vec::new();
            for (i, body) in bodies.iter().enumerate() {
                put(&mut bytes, &Record { seq: i as u64 + 1, kind: Kind::Event, sealed: body });
            }
            let whole = scan(&bytes);
            prop_assert_eq!(whole.records.len(), bodies.len());
            prop_assert!(!whole.damaged && whole.end == bytes.len());
            let i = at.index(bytes.len());
            bytes[i] ^= 1 << bit;
            prop_assert_eq!(scan(&bytes).records.len(), bodies.len() - 1);
        }

        #[test]
        fn anything_can_be_scanned(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
        }
    }
}
