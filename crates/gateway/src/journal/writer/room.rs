//! Room: what may still be written, and what goes when there is none.

use super::{RESERVE, RESERVE_NAME, SEGMENT, Writer};
use crate::journal::segment::{self, Record};
use kulkul_model::Moment;
use kulkul_wire::link::{Kind, Sealed};
use std::io;

/// What the hub holds stays so long where there is room, for a hub restored from a backup.
const KEEP_MS: i64 = 7 * 86_400_000;

/// What of the room an entry may still be written into: the last quarter is not for interims,
/// the last tenth for events and hours alone.
pub(super) fn share(limit: usize, worth: u8) -> usize {
    match worth {
        0 => limit / 4 * 3,
        1 => limit / 10 * 9,
        _ => limit,
    }
}

/// How dearly an entry is kept: 0 goes first, 2 never.
pub(super) fn worth(kind: Kind) -> u8 {
    match kind {
        Kind::SessionInterim => 0,
        Kind::SessionStart | Kind::SessionStop | Kind::Consent | Kind::Started => 1,
        _ => 2,
    }
}

impl Writer {
    /// Makes room for `need` bytes within limit and disk, in the order of the file's head.
    ///
    /// `limit` 0 says that the disk itself is full, whatever the journal may take.
    pub(super) fn make_room(&mut self, need: usize, limit: usize) {
        if self.reserve && self.disk.remove(RESERVE_NAME).is_ok() {
            self.reserve = false;
        }
        // A little more than needed, so that not every entry rewrites a segment.
        let most = if limit == 0 { self.total() } else { limit };
        let target = most.saturating_sub(need + SEGMENT / 4);
        while let Some(oldest) = self.segments.first().filter(|s| s.last <= self.held) {
            if self.total() <= target || self.segments.len() == 1 {
                break;
            }
            if let Err(error) = self.disk.remove(&oldest.name) {
                tracing::error!(%error, "a segment that the hub holds cannot be removed");
                break;
            }
            self.segments.remove(0);
        }
        for below in 1..=2 {
            for i in 0..self.segments.len() {
                if self.total() <= target {
                    return;
                }
                if let Err(error) = self.strip(i, below) {
                    tracing::error!(%error, "payloads cannot be dropped");
                }
            }
        }
    }

    /// Drops the payloads of a segment's entries that are worth less than `below`.
    fn strip(&mut self, i: usize, below: u8) -> io::Result<()> {
        let growing = i + 1 == self.segments.len();
        let Some(segment) = self.segments.get_mut(i).filter(|s| s.stripped < below) else { return Ok(()) };
        let bytes = self.disk.read(&segment.name)?;
        let mut stripped = Vec::with_capacity(bytes.len());
        let mut count = 0;
        for record in segment::scan(&bytes).records {
            let bare = Sealed::decode(record.sealed)
                .ok()
                .filter(|s| worth(record.kind) < below && s.parts.iter().any(Option::is_some))
                .map(|s| Sealed { cose: s.cose, parts: s.parts.iter().map(|_| None).collect() }.encode());
            count += u64::from(bare.is_some());
            let sealed = bare.as_deref().unwrap_or(record.sealed);
            segment::put(&mut stripped, &Record { sealed, ..record });
        }
        if count > 0 {
            self.disk.replace(&segment.name, &stripped)?;
            segment.bytes = stripped.len();
            self.dropped += count;
        }
        // The last segment gets more entries; it is looked at again.
        if !growing {
            segment.stripped = below;
        }
        Ok(())
    }

    pub(super) fn restore_reserve(&mut self) {
        // Not at every entry: on a full disk each try writes what it then takes back.
        let now = self.head.seq.is_multiple_of(16) || self.segments.is_empty();
        if now && !self.reserve && self.total() + RESERVE <= self.limit {
            let there = self.disk.read(RESERVE_NAME).is_ok_and(|b| b.len() == RESERVE);
            self.reserve = there || self.disk.replace(RESERVE_NAME, &vec![0; RESERVE]).is_ok();
        }
    }

    /// Removes segments that the hub has held for seven days, or at once where room is short;
    /// the last one stays.
    pub(super) fn tidy(&mut self, now: Option<Moment>) {
        while let Some(oldest) = self.segments.first().filter(|s| s.last <= self.held) {
            let over = now.zip(oldest.held_at).is_some_and(|(now, at)| now.since_ms(at) >= KEEP_MS);
            let short = !self.reserve && self.total() + RESERVE > self.limit;
            if !(over || short) || self.segments.len() == 1 || self.disk.remove(&oldest.name).is_err() {
                return;
            }
            self.segments.remove(0);
        }
    }
}
