//! What lies on the disk, and how it grows: commit, room, gaps.
//!
//! Order of what goes when there is no room: entries that the hub holds, payloads of
//! interims, payloads of sessions and counts. Hour blocks, events and gaps never go, and
//! headers stay, so that the chain is whole.

mod delivery;
mod room;

use super::segment::{self, Record};
use super::{JournalError, Options};
use crate::disk::{Disk, is_full};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_proof::entry::{SealedEntry, seal_at};
use kulkul_proof::{Head, Signer};
use kulkul_wire::link::{Anchor, Digest, Entry, Event, Header, Kind, Sealed, Stamp, sign1};
use room::{share, worth};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// A segment ends at this size, bytes.
const SEGMENT: usize = 256 * 1024;
/// Held back for the day the disk is full: a segment's copy fits into it.
const RESERVE: usize = 2 * SEGMENT;
const RESERVE_NAME: &str = "reserve";
const HELD_NAME: &str = "held";
/// A wall clock that differs by more from what the monotonic one says has stepped.
const STEP_MS: i64 = 2_000;

struct Segment {
    name: String,
    first: u64,
    last: u64,
    bytes: usize,
    held_at: Option<Moment>,
    /// Payloads worth less than this are gone already.
    stripped: u8,
}

/// The journal's files and the end of its chain.
pub struct Writer {
    disk: Arc<dyn Disk>,
    signer: Signer,
    gateway: GatewayId,
    salts: Box<dyn FnMut() -> [u8; 16] + Send>,
    limit: usize,
    segments: Vec<Segment>,
    head: Head,
    held: u64,
    last: Option<Stamp>,
    anchored: bool,
    refused: BTreeSet<u64>,
    dropped: u64,
    reserve: bool,
}

fn disk_error(error: &io::Error) -> JournalError {
    if is_full(error) { JournalError::Full } else { JournalError::Disk(error.to_string()) }
}

impl Writer {
    /// Opens the journal; a tail that a power cut tore off is cut away.
    ///
    /// # Errors
    /// `JournalError::Disk` when the disk cannot be read.
    pub fn open(options: Options, now: Option<Moment>) -> Result<Self, JournalError> {
        let Options { disk, signer, gateway, salts, limit } = options;
        let mut w = Writer {
            disk,
            signer,
            gateway,
            salts,
            limit,
            segments: Vec::new(),
            head: Head::default(),
            held: 0,
            last: None,
            anchored: false,
            refused: BTreeSet::new(),
            dropped: 0,
            reserve: false,
        };
        w.read_all().map_err(|e| disk_error(&e))?;
        for segment in w.segments.iter_mut().filter(|s| s.last <= w.held) {
            segment.held_at = now;
        }
        w.restore_reserve();
        Ok(w)
    }

    fn read_all(&mut self) -> io::Result<()> {
        self.held = self.disk.read(HELD_NAME).ok().and_then(|b| read_held(&b)).unwrap_or(0);
        let names: Vec<String> = self.disk.list()?.into_iter().filter(|n| n.starts_with("seg-")).collect();
        let count = names.len();
        for (i, name) in names.into_iter().enumerate() {
            let bytes = self.disk.read(&name)?;
            let scan = segment::scan(&bytes);
            let (Some(first), Some(last)) = (scan.records.first(), scan.records.last()) else {
                self.disk.remove(&name)?;
                continue;
            };
            if scan.end < bytes.len() && i + 1 == count {
                self.disk.truncate(&name, scan.end)?;
            }
            if let Some((header, head)) = self.head_of(last.sealed) {
                self.head = head;
                self.last = Some(header.stamp);
            }
            let (first, last) = (first.seq, last.seq);
            self.segments.push(Segment { name, first, last, bytes: scan.end, held_at: None, stripped: 0 });
        }
        self.anchored = self.last.is_some_and(|s| s.wall.is_some());
        Ok(())
    }

    fn head_of(&self, sealed: &[u8]) -> Option<(Header, Head)> {
        let sealed = Sealed::decode(sealed).ok()?;
        let parts = sign1::decode(sealed.cose).ok()?;
        let header = Header::decode(parts.payload).ok()?;
        let signed = sign1::sig_structure(parts.kid, &sign1::journal_aad(&self.gateway), parts.payload);
        let head = Head { seq: header.seq, hash: Digest::of(&signed) };
        Some((header, head))
    }

    /// The number of the last entry.
    pub fn head(&self) -> u64 {
        self.head.seq
    }

    /// The hub holds everything up to this number.
    pub fn held(&self) -> u64 {
        self.held
    }

    fn total(&self) -> usize {
        self.segments.iter().map(|s| s.bytes).sum::<usize>() + if self.reserve { RESERVE } else { 0 }
    }

    /// Seals and writes entries, syncs once, and gives the number of each.
    pub fn commit(&mut self, batch: &[(Entry, Stamp)]) -> Vec<Result<u64, JournalError>> {
        // Least first: when there is no room, interims give way to what must not be lost.
        for least in 0..=2 {
            let mut results = Vec::with_capacity(batch.len());
            let (head, last, anchored) = (self.head, self.last, self.anchored);
            let mut sealed = Vec::new();
            self.note_full_disk(batch, &mut sealed);
            for (entry, stamp) in batch {
                if worth(entry.kind()) < least {
                    results.push(Err(JournalError::Full));
                    continue;
                }
                self.note_clock(*stamp, &mut sealed);
                results.push(Ok(self.seal(entry, *stamp, &mut sealed)));
            }
            let kept = batch.iter().map(|(e, _)| worth(e.kind())).filter(|w| *w >= least).min();
            match self.write(&sealed, share(self.limit, kept.unwrap_or(2))) {
                Ok(()) => return results,
                Err(error) => {
                    (self.head, self.last, self.anchored) = (head, last, anchored);
                    if !matches!(error, JournalError::Full) || least == 2 {
                        return batch.iter().map(|_| Err(error.clone())).collect();
                    }
                }
            }
        }
        Vec::new()
    }

    fn seal(&mut self, entry: &Entry, stamp: Stamp, out: &mut Vec<SealedEntry>) -> u64 {
        let place = (self.head.seq + 1, self.head.hash);
        let sealed = seal_at(&self.signer, &self.gateway, place, entry, stamp, &mut *self.salts);
        self.head = sealed.head;
        self.last = Some(stamp);
        out.push(sealed);
        self.head.seq
    }

    /// Writes down that the disk was full, once it is not any more.
    fn note_full_disk(&mut self, batch: &[(Entry, Stamp)], out: &mut Vec<SealedEntry>) {
        let Some((_, stamp)) = batch.first().filter(|_| self.dropped > 0 && self.reserve) else { return };
        let event = Entry::Event(Event::DiskFull { dropped: self.dropped });
        self.seal(&event, *stamp, out);
    }

    /// Dates entries that had no wall-clock time, and writes down steps of the clock.
    fn note_clock(&mut self, stamp: Stamp, out: &mut Vec<SealedEntry>) {
        let before = self.last.filter(|l| l.boot == stamp.boot);
        if before.is_none() {
            self.anchored = false;
        }
        let Some(wall) = stamp.wall else { return };
        if let Some(before) = before {
            let passed = i64::try_from(stamp.mono_ms.saturating_sub(before.mono_ms)).unwrap_or(i64::MAX);
            if let Some(old) = before.wall {
                let from = old.plus_ms(passed);
                if wall.since_ms(from).abs() > STEP_MS {
                    self.seal(&Entry::Event(Event::ClockStepped { from, to: wall }), stamp, out);
                }
            } else if !self.anchored {
                self.seal(&Entry::Anchor(Anchor { at: stamp }), stamp, out);
            }
        }
        self.anchored = true;
    }

    fn write(&mut self, sealed: &[SealedEntry], limit: usize) -> Result<(), JournalError> {
        let mut buffer = Vec::new();
        for s in sealed {
            let record = Record { seq: s.header.seq, kind: s.header.kind, sealed: &s.bytes };
            segment::put(&mut buffer, &record);
        }
        let (Some(first), Some(last)) = (sealed.first(), sealed.last()) else { return Ok(()) };
        let (first, last) = (first.header.seq, last.header.seq);
        let dropped = self.dropped;
        if self.total() + buffer.len() > limit {
            self.make_room(buffer.len(), limit);
            if self.total() + buffer.len() > limit {
                return Err(JournalError::Full);
            }
        }
        match self.put(&buffer, first, last) {
            Err(error) if is_full(&error) => {
                self.make_room(buffer.len() + SEGMENT, 0);
                self.put(&buffer, first, last).map_err(|e| disk_error(&e))?;
            }
            other => other.map_err(|e| disk_error(&e))?,
        }
        let told = sealed.iter().any(|s| s.header.kind == Kind::Event && s.header.seq == first);
        if dropped == self.dropped && dropped > 0 && self.reserve && told {
            self.dropped = 0;
        }
        self.restore_reserve();
        Ok(())
    }

    fn put(&mut self, buffer: &[u8], first: u64, last: u64) -> io::Result<()> {
        let fits = self.segments.last().is_some_and(|s| s.bytes + buffer.len() <= SEGMENT);
        let (name, length) = match self.segments.last().filter(|_| fits) {
            Some(s) => (s.name.clone(), s.bytes),
            None => (format!("seg-{first:020}"), 0),
        };
        let written = self.disk.append(&name, buffer).and_then(|()| self.disk.sync(&name));
        if let Err(error) = written {
            // What is half there must not stand between this and the next record.
            let undone =
                if length == 0 { self.disk.remove(&name) } else { self.disk.truncate(&name, length) };
            if let Err(error) = undone {
                tracing::error!(%error, name, "the journal's torn end cannot be cut away");
            }
            return Err(error);
        }
        match self.segments.last_mut().filter(|_| fits) {
            Some(s) => {
                s.last = last;
                s.bytes += buffer.len();
            }
            None => {
                self.segments.push(Segment {
                    name,
                    first,
                    last,
                    bytes: buffer.len(),
                    held_at: None,
                    stripped: 0,
                });
            }
        }
        Ok(())
    }
}

fn held_bytes(seq: u64) -> Vec<u8> {
    let bytes = seq.to_le_bytes();
    [&bytes[..], &crc32fast::hash(&bytes).to_le_bytes()[..]].concat()
}

fn read_held(bytes: &[u8]) -> Option<u64> {
    let (seq, crc) = bytes.split_first_chunk::<8>()?;
    (crc == crc32fast::hash(seq).to_le_bytes()).then(|| u64::from_le_bytes(*seq))
}
