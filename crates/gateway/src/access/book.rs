//! The book of vouchers: which were begun at this box, and how much of each is used.
//!
//! A voucher is written down before it lets anybody in, so that it cannot be begun twice
//! by switching the box off. Time that nobody can tell does not count against people.

use crate::disk::write_whole;
use kulkul_model::admission::Token16;
use kulkul_wire::link::{BootId, Stamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "vouchers.json";

/// How much time went by, milliseconds; nothing where the box cannot tell.
pub(super) fn passed_ms(from: Stamp, now: Stamp) -> Option<u64> {
    if from.boot == now.boot && from.boot != BootId::default() {
        return Some(now.mono_ms.saturating_sub(from.mono_ms));
    }
    let wall = now.wall?.since_ms(from.wall?);
    Some(u64::try_from(wall).unwrap_or(0))
}

/// A voucher that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    /// How long it lasts, milliseconds.
    lasts_ms: u64,
    /// How much of that was used at `at`, milliseconds.
    used_ms: u64,
    /// When this was written.
    at: Stamp,
}

impl Begun {
    fn used_ms(&self, now: Stamp) -> u64 {
        self.used_ms.saturating_add(passed_ms(self.at, now).unwrap_or(0))
    }

    /// The same, dated so that the next start can tell more; nothing where it is dated well.
    fn dated_anew(&self, now: Stamp) -> Option<Self> {
        let same_run = self.at.boot == now.boot;
        let anew = match (self.at.wall, now.wall) {
            // Nobody will ever know how long it was: it is counted from here on.
            (None, _) => true,
            (Some(_), Some(_)) => !same_run,
            (Some(_), None) => false,
        };
        anew.then(|| Begun { used_ms: self.used_ms(now), at: now, ..*self })
    }
}

/// The open book.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    begun: BTreeMap<Token16, Begun>,
}

impl Book {
    /// Reads the book in `data`; one that cannot be read is begun anew.
    ///
    /// # Errors
    /// The system's, when the file is there and cannot be read.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(NAME);
        let begun = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                tracing::error!(%error, "the book of vouchers is damaged and begun anew");
                BTreeMap::new()
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(e),
        };
        Ok(Book { path, begun })
    }

    /// How much of a voucher is used, milliseconds; nothing when it was not begun here.
    pub(super) fn used_ms(&self, holder: Token16, now: Stamp) -> Option<u64> {
        self.begun.get(&holder).map(|b| b.used_ms(now))
    }

    /// Writes down that at least so much of a voucher is used.
    ///
    /// # Errors
    /// The system's; the book is as it was.
    pub(super) fn begin(
        &mut self,
        holder: Token16,
        lasts_ms: u64,
        used_ms: u64,
        now: Stamp,
    ) -> io::Result<()> {
        if self.used_ms(holder, now).is_some_and(|known| known >= used_ms) {
            return Ok(());
        }
        let before = self.begun.insert(holder, Begun { lasts_ms, used_ms, at: now });
        self.write().inspect_err(|_| {
            match before {
                Some(before) => self.begun.insert(holder, before),
                None => self.begun.remove(&holder),
            };
        })
    }

    /// Drops vouchers that the place has no more, and dates the others.
    ///
    /// # Errors
    /// The system's; it is tried again at the next call.
    pub(super) fn tidy(&mut self, known: Option<&BTreeSet<Token16>>, now: Stamp) -> io::Result<()> {
        let mut kept = self.begun.clone();
        if let Some(known) = known {
            kept.retain(|holder, _| known.contains(holder));
        }
        for begun in kept.values_mut() {
            // One that is used up stays so, whenever it was.
            if let Some(anew) = begun.dated_anew(now).filter(|_| begun.used_ms < begun.lasts_ms) {
                *begun = anew;
            }
        }
        if kept == self.begun {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.begun, kept);
        self.write().inspect_err(|_| self.begun = before)
    }

    /// Forgets everything, on the disk too.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.begun.clear();
        remove(&self.path)
    }

    fn write(&self) -> io::Result<()> {
        write_whole(&self.path, &serde_json::to_vec(&self.begun)?)
    }
}

/// Removes a file; one that is not there is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::Moment;

    const HOUR_MS: u64 = 3_600_000;
    const VOUCHER: Token16 = Token16([1; 16]);

    fn stamp(boot: u8, mono_ms: u64, wall: Option<i64>) -> Stamp {
        Stamp { boot: BootId([boot; 16]), mono_ms, wall: wall.map(Moment::from_ms) }
    }

    #[test]
    fn time_is_told_by_the_run_then_by_the_clock_and_else_not_at_all() {
        let at = stamp(1, 1_000, Some(50_000));
        assert_eq!(passed_ms(at, stamp(1, 3_000, None)), Some(2_000));
        assert_eq!(passed_ms(at, stamp(2, 10, Some(57_000))), Some(7_000));
        assert_eq!(passed_ms(at, stamp(2, 10, Some(1))), Some(0), "a clock that was set back");
        assert_eq!(passed_ms(at, stamp(2, 10, None)), None);
    }

    #[test]
    fn what_was_begun_is_used_up_over_any_number_of_starts() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Book::open(dir.path()).unwrap();
        open().begin(VOUCHER, HOUR_MS, 0, stamp(1, 1_000, Some(0))).unwrap();
        assert_eq!(open().used_ms(VOUCHER, stamp(1, 61_000, Some(0))), Some(60_000));
        assert_eq!(open().used_ms(VOUCHER, stamp(2, 0, Some(1_800_000))), Some(1_800_000));
        assert_eq!(open().used_ms(VOUCHER, stamp(2, 0, None)), Some(0), "nobody knows");
        // A second start whose clock is not set loses nothing once it is.
        open().tidy(None, stamp(2, 5, None)).unwrap();
        open().begin(VOUCHER, HOUR_MS, 0, stamp(2, 6, None)).unwrap();
        assert_eq!(open().used_ms(VOUCHER, stamp(2, 7, Some(1_800_000))), Some(1_800_000));
        open().begin(VOUCHER, HOUR_MS, HOUR_MS, stamp(2, 8, None)).unwrap();
        assert_eq!(open().used_ms(VOUCHER, stamp(3, 0, None)), Some(HOUR_MS), "the hub knew of more");
        assert_eq!(open().used_ms(Token16([2; 16]), stamp(3, 0, None)), None);
    }

    #[test]
    fn without_a_clock_it_is_counted_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = Book::open(dir.path()).unwrap();
        book.begin(VOUCHER, HOUR_MS, 0, stamp(1, 0, None)).unwrap();
        book.tidy(None, stamp(1, 600_000, None)).unwrap();
        let mut book = Book::open(dir.path()).unwrap();
        assert_eq!(book.used_ms(VOUCHER, stamp(2, 0, None)), Some(600_000));
        book.tidy(None, stamp(2, 1_000, None)).unwrap();
        assert_eq!(book.used_ms(VOUCHER, stamp(2, 61_000, Some(0))), Some(660_000));
    }

    #[test]
    fn what_the_place_has_no_more_is_dropped_and_damage_is_a_new_book() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = Book::open(dir.path()).unwrap();
        let other = Token16([2; 16]);
        for holder in [VOUCHER, other] {
            book.begin(holder, HOUR_MS, 0, stamp(1, 0, None)).unwrap();
        }
        book.tidy(Some(&[other].into()), stamp(1, 0, None)).unwrap();
        let kept = Book::open(dir.path()).unwrap();
        let used = |holder| kept.used_ms(holder, stamp(1, 0, None));
        assert_eq!((used(VOUCHER), used(other)), (None, Some(0)));
        std::fs::write(dir.path().join(NAME), b"{half").unwrap();
        assert_eq!(Book::open(dir.path()).unwrap().used_ms(other, stamp(1, 0, None)), None);
        book.forget().unwrap();
        assert!(!dir.path().join(NAME).exists());
        book.forget().unwrap();
    }
}
