//! What the hub holds, what it has not got, and gaps in place of what cannot be sent.

use super::{HELD_NAME, Writer, disk_error, held_bytes};
use crate::journal::segment::{self, Scan};
use crate::journal::{JournalError, Stored};
use kulkul_proof::entry::seal_at;
use kulkul_wire::link::{Digest, Entry, Gap, GapReason, Kind, Stamp};

impl Writer {
    /// Takes note that the hub holds everything up to `seq`.
    ///
    /// A hub that holds more than was ever written here knows a copy of this box: what
    /// follows stands after a gap.
    ///
    /// # Errors
    /// `JournalError` when the disk cannot be written.
    pub fn held_through(&mut self, seq: u64, stamp: Stamp) -> Result<(), JournalError> {
        if seq <= self.held {
            return Ok(());
        }
        self.disk.replace(HELD_NAME, &held_bytes(seq)).map_err(|e| disk_error(&e))?;
        self.held = seq;
        self.refused.retain(|r| *r > seq);
        if seq > self.head.seq {
            tracing::warn!(held = seq, head = self.head.seq, "the hub knows a later state of this box");
            let (from, to) = (seq + 1, seq + 1);
            let gap = Entry::Gap(Gap { from, to, reason: GapReason::Other, resume: None });
            let place = (to, Digest::default());
            let sealed = seal_at(&self.signer, &self.gateway, place, &gap, stamp, &mut *self.salts);
            self.head = sealed.head;
            self.write(&[sealed], self.limit)?;
        }
        for segment in self.segments.iter_mut().filter(|s| s.last <= seq && s.held_at.is_none()) {
            segment.held_at = stamp.wall;
        }
        self.tidy(stamp.wall);
        Ok(())
    }

    /// The hub refuses entry `seq`: a gap is sent in its place.
    pub fn refuse(&mut self, seq: u64) {
        self.refused.insert(seq);
    }

    /// Entries from number `from` on, as many as fit in `limit` bytes (at least one).
    ///
    /// # Errors
    /// `JournalError::Disk` when the disk cannot be read.
    pub fn unsent(&mut self, from: u64, limit: usize, stamp: Stamp) -> Result<Vec<Stored>, JournalError> {
        let mut out: Vec<Stored> = Vec::new();
        let mut size = 0;
        let mut next = from.max(1);
        let files: Vec<String> =
            self.segments.iter().filter(|s| s.last >= from).map(|s| s.name.clone()).collect();
        for name in files {
            let bytes = self.disk.read(&name).map_err(|e| disk_error(&e))?;
            let Scan { records, .. } = segment::scan(&bytes);
            for record in records.iter().filter(|r| r.seq >= from) {
                let Some((header, head)) = self.head_of(record.sealed) else { continue };
                // A gap written here covers what comes before it by itself.
                let hole = record.seq > next && header.kind != Kind::Gap;
                let reason = if next < self.first() { GapReason::Dropped } else { GapReason::Corrupt };
                if hole {
                    let gap = Gap { from: next, to: record.seq - 1, reason, resume: Some(header.prev) };
                    size += self.push_gap(gap, stamp, &mut out);
                }
                if self.refused.contains(&record.seq) {
                    let (from, to) = (record.seq, record.seq);
                    let gap = Gap { from, to, reason: GapReason::Refused, resume: Some(head.hash) };
                    size += self.push_gap(gap, stamp, &mut out);
                } else {
                    size += record.sealed.len();
                    out.push(Stored { seq: record.seq, sealed: record.sealed.to_vec() });
                }
                next = record.seq + 1;
                if size > limit && out.len() > 1 {
                    while size > limit && out.len() > 1 {
                        size -= out.pop().map_or(0, |s| s.sealed.len());
                    }
                    return Ok(out);
                }
            }
        }
        Ok(out)
    }

    fn first(&self) -> u64 {
        self.segments.first().map_or(1, |s| s.first)
    }

    /// Makes the gap that stands in for entries; made anew each time, it needs no room.
    fn push_gap(&mut self, gap: Gap, stamp: Stamp, out: &mut Vec<Stored>) -> usize {
        let place = (gap.to, Digest::default());
        let entry = Entry::Gap(gap);
        let sealed = seal_at(&self.signer, &self.gateway, place, &entry, stamp, &mut *self.salts);
        let size = sealed.bytes.len();
        out.push(Stored { seq: gap.to, sealed: sealed.bytes });
        size
    }
}
