//! Making a set of names in little memory: sorted runs on scratch space, merged once.

use super::Reach;
use super::name::Trail;
use super::set::{HEAD, Header, first, kept};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Digests that are held and sorted at a time: 2 MB.
const RUN: usize = 262_144;
/// Digests that are read at a time of each run.
const PIECE: usize = 2_048;

/// Collects names on scratch space that can be read again.
pub struct Builder<S> {
    scratch: S,
    run: Vec<u64>,
    /// Where each run on the scratch space ends, in digests.
    ends: Vec<u64>,
    names: u64,
}

impl<S: Read + Write + Seek> Builder<S> {
    /// Starts with empty scratch space.
    #[must_use]
    pub fn new(scratch: S) -> Self {
        Builder { scratch, run: Vec::with_capacity(RUN), ends: Vec::new(), names: 0 }
    }

    /// Names so far, doubles among them.
    #[must_use]
    pub fn names(&self) -> u64 {
        self.names
    }

    /// Adds a name as `tidy` gives it.
    ///
    /// # Errors
    /// What the scratch space says.
    pub fn add(&mut self, name: &str, reach: Reach) -> io::Result<()> {
        // The last two bits of a digest make room for the reach; the set keeps none of them.
        self.run.push(Trail::of(name).itself() & !3 | reach.bits());
        self.names += 1;
        if self.run.len() == RUN { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.run.sort_unstable();
        let mut bytes = Vec::with_capacity(8 * PIECE);
        for part in self.run.chunks(PIECE) {
            bytes.clear();
            bytes.extend(part.iter().flat_map(|d| d.to_le_bytes()));
            self.scratch.write_all(&bytes)?;
        }
        self.ends.push(self.names);
        self.run.clear();
        Ok(())
    }

    /// Writes the set to `out`; `source` is the digest of the text.
    ///
    /// # Errors
    /// What scratch space or `out` says; `InvalidInput` for more names than a set can hold.
    pub fn finish<W: Write + Seek>(mut self, out: W, source: [u8; 32]) -> io::Result<Header> {
        if self.names > u64::from(u32::MAX) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.spill()?;
        // Given back before the index is made.
        self.run = Vec::new();
        let bits = Header::bits_for(self.names);
        let same = |a, b| (first(a, bits), kept(a, bits)) == (first(b, bits), kept(b, bits));
        let mut out = Writer::new(out, bits)?;
        let mut runs = Runs::new(&mut self.scratch, &self.ends)?;
        let mut last: Option<u64> = None;
        while let Some(next) = runs.next()? {
            last = match last {
                Some(held) if same(held, next) => Some(held | next & 3),
                Some(held) => {
                    out.entry(held)?;
                    Some(next)
                }
                None => Some(next),
            };
        }
        if let Some(held) = last {
            out.entry(held)?;
        }
        out.finish(self.names, source)
    }
}

/// The runs, read piece by piece in the order of their digests.
struct Runs<'s, S> {
    scratch: &'s mut S,
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<(u64, usize)>>,
}

struct Run {
    next: u64,
    end: u64,
    piece: std::vec::IntoIter<u64>,
}

impl<'s, S: Read + Seek> Runs<'s, S> {
    fn new(scratch: &'s mut S, ends: &[u64]) -> io::Result<Self> {
        let starts = std::iter::once(&0).chain(ends);
        let run = |(start, end): (&u64, &u64)| Run { next: *start, end: *end, piece: Vec::new().into_iter() };
        let runs: Vec<Run> = starts.zip(ends).map(run).collect();
        let mut all = Runs { scratch, heads: BinaryHeap::with_capacity(runs.len()), runs };
        for i in 0..all.runs.len() {
            all.advance(i)?;
        }
        Ok(all)
    }

    /// Takes the next digest of a run to the heads.
    fn advance(&mut self, i: usize) -> io::Result<()> {
        let Some(run) = self.runs.get_mut(i) else { return Ok(()) };
        let digest = match run.piece.next() {
            Some(digest) => digest,
            None => {
                let some = usize::try_from(run.end - run.next).unwrap_or(PIECE).min(PIECE);
                let mut bytes = vec![0; 8 * some];
                self.scratch.seek(SeekFrom::Start(8 * run.next))?;
                self.scratch.read_exact(&mut bytes)?;
                run.next += some as u64;
                let piece: Vec<u64> = bytes.as_chunks().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
                run.piece = piece.into_iter();
                let Some(digest) = run.piece.next() else { return Ok(()) };
                digest
            }
        };
        self.heads.push(Reverse((digest, i)));
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<u64>> {
        let Some(Reverse((digest, i))) = self.heads.pop() else { return Ok(None) };
        self.advance(i)?;
        Ok(Some(digest))
    }
}

/// Writes entries in order, then the index, then the head.
struct Writer<W> {
    out: W,
    bits: u32,
    index: Vec<u32>,
    count: u32,
    crc: crc32fast::Hasher,
    buffer: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    fn new(mut out: W, bits: u32) -> io::Result<Self> {
        out.seek(SeekFrom::Start(HEAD as u64))?;
        let index = Vec::with_capacity((1 << bits) + 1);
        Ok(Writer { out, bits, index, count: 0, crc: crc32fast::Hasher::new(), buffer: Vec::new() })
    }

    /// One digest with its reach in the last two bits.
    fn entry(&mut self, digest: u64) -> io::Result<()> {
        let bucket = first(digest, self.bits);
        while self.index.len() as u64 <= bucket {
            self.index.push(self.count);
        }
        if self.buffer.len() >= 16_384 {
            self.flush()?;
        }
        let [a, b, c, d, e, f, ..] = (kept(digest, self.bits) | digest & 3).to_le_bytes();
        self.buffer.extend_from_slice(&[a, b, c, d, e, f]);
        self.count += 1;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.crc.update(&self.buffer);
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self, names: u64, source: [u8; 32]) -> io::Result<Header> {
        self.flush()?;
        self.index.resize((1 << self.bits) + 1, self.count);
        for part in self.index.chunks(4_096) {
            self.buffer.clear();
            self.buffer.extend(part.iter().flat_map(|start| start.to_le_bytes()));
            self.crc.update(&self.buffer);
            self.out.write_all(&self.buffer)?;
        }
        let crc = self.crc.finalize();
        let header = Header { count: u64::from(self.count), names, crc, bits: self.bits, source };
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header.encode())?;
        self.out.flush()?;
        Ok(header)
    }
}
