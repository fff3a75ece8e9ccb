//! The set: a file of sorted digests, and what stays in memory to ask it.
//!
//! ```text
//! head     64 bytes: "kulkset1", count u64, names u64, crc u32 of all behind the head,
//!          index bits u8, 3 zero bytes, digest of the text 32 bytes
//! entries  count x 6 bytes LE: 46 bits of a digest after its first `index bits`, then
//!          1 for the name itself and 2 for all below it
//! index    (2^bits + 1) x u32 LE: where the entries with these first bits begin
//! ```
//! Numbers are little-endian. About 16 entries share their first bits, so a name that is in
//! no list is taken for one with probability 16 / 2^46 = 2.3e-13 a digest asked for. A
//! filter of 10 bits an entry, made at opening, answers 99 of 100 such questions without
//! the file.

use super::name::Trail;
use std::io;

const MAGIC: &[u8; 8] = b"kulkset1";
/// Bytes before the entries.
pub(super) const HEAD: usize = 64;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 6;
/// Bits of a digest that an entry holds.
const KEPT: u32 = 46;
/// Entries that share their first bits, about.
const SHARE: u64 = 16;
/// The most first bits.
const MOST_BITS: u32 = 24;
/// Bits of the filter for each entry.
const FILTER_BITS: u64 = 10;
/// Bits that are set in the filter for an entry, all in one line of 512.
const FILTER_SETS: u32 = 6;
/// Entries that are read at a time.
const READ_AT_ONCE: usize = 64;

/// Bytes that can be read from any place: a file, or memory.
pub trait At {
    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// What the disk says; `UnexpectedEof` when there are too few bytes.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl At for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = from.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.get(from..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Why bytes are not a set.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// Not the head of one.
    #[error("not a set of names")]
    Head,
    /// Cut or changed.
    #[error("a set of names that is damaged")]
    Damaged,
    /// The disk's own trouble.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

/// What a set says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Entries.
    pub count: u64,
    /// Names of the text, doubles among them.
    pub names: u64,
    /// CRC-32 of all behind the head.
    pub crc: u32,
    /// First bits by which entries are found.
    pub bits: u32,
    /// Digest of the text that it was made of.
    pub source: [u8; 32],
}

impl Header {
    /// First bits for about so many entries.
    pub(super) fn bits_for(entries: u64) -> u32 {
        (entries / SHARE).checked_ilog2().map_or(0, |b| b + 1).min(MOST_BITS)
    }

    pub(super) fn encode(&self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        let parts: [&[u8]; 6] = [
            MAGIC,
            &self.count.to_le_bytes(),
            &self.names.to_le_bytes(),
            &self.crc.to_le_bytes(),
            &self.bits.to_le_bytes(),
            &self.source,
        ];
        for (to, from) in head.iter_mut().zip(parts.concat()) {
            *to = from;
        }
        head
    }

    fn decode(head: &[u8; HEAD]) -> Option<Self> {
        let rest = head.strip_prefix(MAGIC)?;
        let (count, rest) = rest.split_first_chunk()?;
        let (names, rest) = rest.split_first_chunk()?;
        let (crc, rest) = rest.split_first_chunk()?;
        let (bits, rest) = rest.split_first_chunk()?;
        let header = Header {
            count: u64::from_le_bytes(*count),
            names: u64::from_le_bytes(*names),
            crc: u32::from_le_bytes(*crc),
            bits: u32::from_le_bytes(*bits),
            source: rest.try_into().ok()?,
        };
        (header.bits <= MOST_BITS && header.count <= u64::from(u32::MAX)).then_some(header)
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn length(&self) -> u64 {
        HEAD as u64 + self.count * ENTRY as u64 + 4 * ((1 << self.bits) + 1)
    }
}

/// The 46 bits and the reach by which a digest is kept, after its first `bits`.
pub(super) fn kept(digest: u64, bits: u32) -> u64 {
    // The last two bits are where the builder carries the reach.
    (((digest & !3) << bits) >> (64 - KEPT)) << 2
}

/// The number that a digest's first `bits` make.
pub(super) fn first(digest: u64, bits: u32) -> u64 {
    digest.checked_shr(64 - bits).unwrap_or(0)
}

/// The part of a digest that a set can give back, whatever its size.
fn known(digest: u64) -> u64 {
    digest >> (64 - KEPT)
}

/// Bits in lines of 512: tells for sure what is not in the set.
struct Filter {
    lines: Vec<[u64; 8]>,
}

impl Filter {
    fn new(entries: u64) -> Self {
        let lines = usize::try_from(entries * FILTER_BITS / 512 + 1).unwrap_or(1);
        Filter { lines: vec![[0; 8]; lines] }
    }

    /// The line of a digest, and nine bits of place for each bit set in it.
    fn place(&self, digest: u64) -> (usize, u64) {
        let known = known(digest);
        let wide = u128::from(known) * self.lines.len() as u128;
        let line = usize::try_from(wide >> KEPT).unwrap_or(0);
        (line, known.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 10)
    }

    fn add(&mut self, digest: u64) {
        let (line, places) = self.place(digest);
        let Some(line) = self.lines.get_mut(line) else { return };
        for i in 0..FILTER_SETS {
            let bit = (places >> (9 * i)) & 511;
            if let Some(word) = line.get_mut(usize::try_from(bit / 64).unwrap_or(0)) {
                *word |= 1 << (bit % 64);
            }
        }
    }

    fn may_have(&self, digest: u64) -> bool {
        let (line, places) = self.place(digest);
        self.lines.get(line).is_some_and(|line| {
            (0..FILTER_SETS).all(|i| {
                let bit = (places >> (9 * i)) & 511;
                let word = usize::try_from(bit / 64).ok().and_then(|w| line.get(w));
                word.is_some_and(|w| w >> (bit % 64) & 1 == 1)
            })
        })
    }
}

/// Whether a set that is not open has a name: reads a few pieces and holds nothing.
///
/// Slower than an open set, and blind to damage: for a look now and then.
///
/// # Errors
/// `SetError::Head` where there is no set; what the disk says.
pub fn glimpse<A: At>(bytes: &A, name: &Trail) -> Result<bool, SetError> {
    let mut head = [0; HEAD];
    bytes.read_at(&mut head, 0)?;
    let header = Header::decode(&head).ok_or(SetError::Head)?;
    let index = HEAD as u64 + header.count * ENTRY as u64;
    let mut left = name.all().len();
    for digest in name.all() {
        left -= 1;
        let mut ends = [0; 8];
        bytes.read_at(&mut ends, index + 4 * first(*digest, header.bits))?;
        let [a, b, c, d, e, f, g, h] = ends;
        let ends = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let wanted = if left == 0 { 1 } else { 2 };
        if find(bytes, ends, kept(*digest, header.bits))? & wanted != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A set that was opened: filter and index in memory, entries where they lie.
pub struct Set<A> {
    bytes: A,
    header: Header,
    index: Vec<u32>,
    filter: Filter,
}

impl<A> std::fmt::Debug for Set<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Set").field("header", &self.header).finish_non_exhaustive()
    }
}

impl<A: At> Set<A> {
    /// Reads all once, checks it, and makes the filter.
    ///
    /// # Errors
    /// `SetError` says whether it is no set, a damaged one, or cannot be read.
    pub fn open(bytes: A) -> Result<Self, SetError> {
        let mut head = [0; HEAD];
        bytes.read_at(&mut head, 0)?;
        let header = Header::decode(&head).ok_or(SetError::Head)?;
        // The last byte is there before memory is asked for.
        bytes.read_at(&mut [0], header.length() - 1)?;
        let entries = header.count * ENTRY as u64;
        let mut crc = crc32fast::Hasher::new();
        let mut index = Vec::with_capacity((1 << header.bits) + 1);
        let mut piece = vec![0; 4 * 4_096];
        read_all(&bytes, HEAD as u64 + entries, header.length(), &mut piece, |part| {
            index.extend(part.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)));
        })?;
        let ordered = index.is_sorted() && index.first() == Some(&0);
        if !ordered || index.last().map(|l| u64::from(*l)) != Some(header.count) {
            return Err(SetError::Damaged);
        }
        let mut filter = Filter::new(header.count);
        let (mut bucket, mut number) = (0_usize, 0_u32);
        piece.truncate(ENTRY * 2_730);
        read_all(&bytes, HEAD as u64, HEAD as u64 + entries, &mut piece, |part| {
            crc.update(part);
            for entry in part.as_chunks::<ENTRY>().0 {
                while index.get(bucket + 1).is_some_and(|end| *end <= number) {
                    bucket += 1;
                }
                let top = (bucket as u64).checked_shl(64 - header.bits).unwrap_or(0);
                filter.add(top | (whole(entry) >> 2 << (64 - KEPT)) >> header.bits);
                number += 1;
            }
        })?;
        for start in &index {
            crc.update(&start.to_le_bytes());
        }
        if crc.finalize() != header.crc {
            return Err(SetError::Damaged);
        }
        Ok(Set { bytes, header, index, filter })
    }

    /// What it says about itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes that it takes in memory, apart from the file's own.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of_val(self.index.as_slice()) + size_of_val(self.filter.lines.as_slice())
    }

    /// The bytes, when nobody asks any more.
    #[must_use]
    pub fn into_bytes(self) -> A {
        self.bytes
    }

    /// Whether a name is of the set, itself or by one that it is below of.
    ///
    /// # Errors
    /// What the disk says.
    pub fn has(&self, name: &Trail) -> io::Result<bool> {
        let digests = name.all();
        let mut left = digests.len();
        for digest in digests {
            left -= 1;
            let wanted = if left == 0 { 1 } else { 2 };
            if self.filter.may_have(*digest) && self.reach(*digest)? & wanted != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The reach that is kept with a digest, 0 when it is not in the set.
    fn reach(&self, digest: u64) -> io::Result<u64> {
        let (bits, wanted) = (self.header.bits, kept(digest, self.header.bits));
        let bucket = usize::try_from(first(digest, bits)).unwrap_or(usize::MAX);
        let (Some(from), Some(end)) = (self.index.get(bucket), self.index.get(bucket + 1)) else {
            return Ok(0);
        };
        find(&self.bytes, (*from, *end), wanted)
    }
}

/// The reach that is kept with `wanted` between two places, 0 when it is not there.
fn find<A: At>(bytes: &A, (from, end): (u32, u32), wanted: u64) -> io::Result<u64> {
    let mut buffer = [0; ENTRY * READ_AT_ONCE];
    let (mut from, end) = (u64::from(from), u64::from(end));
    while from < end {
        let some = usize::try_from(end - from).unwrap_or(READ_AT_ONCE).min(READ_AT_ONCE);
        let part = buffer.get_mut(..ENTRY * some).unwrap_or_default();
        bytes.read_at(part, HEAD as u64 + from * ENTRY as u64)?;
        for entry in part.as_chunks::<ENTRY>().0 {
            let entry = whole(entry);
            if entry & !3 >= wanted {
                return Ok(if entry & !3 == wanted { entry & 3 } else { 0 });
            }
        }
        from += some as u64;
    }
    Ok(0)
}

fn whole(entry: &[u8; ENTRY]) -> u64 {
    let [a, b, c, d, e, f] = *entry;
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

fn read_all<A: At>(
    bytes: &A,
    mut from: u64,
    end: u64,
    piece: &mut [u8],
    mut each: impl FnMut(&[u8]),
) -> io::Result<()> {
    while from < end {
        let some = usize::try_from(end - from).unwrap_or(usize::MAX).min(piece.len());
        let part = piece.get_mut(..some).unwrap_or_default();
        bytes.read_at(part, from)?;
        each(part);
        from += some as u64;
    }
    Ok(())
}
