//! The desk that takes reports: counts them, bounds them, and has the journal keep them.
//!
//! What is taken is on the disk before its number is told, and goes to the hub with the
//! rest of the journal whenever that is. Who sent a report is not kept; how many a
//! device sent is remembered for a day, in memory only.

use super::token::Device;
use crate::clock::Clock;
use crate::journal::Journal;
use kulkul_model::Refusal;
use kulkul_model::report::ReportKind;
use kulkul_wire::link::{Entry, Report};
use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Reports of one device within a day.
pub const MOST_EACH: usize = 3;
/// Reports of all devices within a day: a device may take a new address as often as it likes.
pub const MOST: usize = 60;
/// Reports of all devices within an hour.
pub const MOST_HOUR: usize = 15;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What somebody wants to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What kind of trouble.
    pub kind: ReportKind,
    /// Their words, plain (`kulkul_model::report::plain`).
    pub text: String,
    /// The language of the page, `id` or `en`.
    pub language: String,
}

/// Takes reports.
pub struct Desk {
    journal: Journal,
    clock: Clock,
    counter: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    next: u64,
    /// When, in monotonic time, and from which device; of the last day.
    taken: VecDeque<(i64, Device)>,
}

impl Desk {
    /// Opens the desk; numbers go on from the file `reports` in `data`.
    #[must_use]
    pub fn open(data: &Path, journal: Journal, clock: Clock) -> Self {
        let counter = data.join("reports");
        let last = std::fs::read_to_string(&counter).ok().and_then(|t| t.trim().parse().ok());
        let kept = Kept { next: last.unwrap_or(0u64).saturating_add(1), taken: VecDeque::new() };
        Desk { journal, clock, counter, kept: Mutex::new(kept) }
    }

    /// Takes a report and says its number once it is on the disk.
    ///
    /// # Errors
    /// `Refusal`: `reports-many` (this device), `reports-full` (all), `report-not-kept`.
    pub async fn take(&self, device: Device, said: Said) -> Result<u64, Refusal> {
        let number = self.number(device)?;
        let entry =
            Entry::Report(Report { number, kind: said.kind, text: said.text, language: said.language });
        self.journal.append(entry).await.map_err(|error| {
            tracing::error!(%error, number, "a report was not kept");
            Refusal::new(429, "report-not-kept")
        })?;
        Ok(number)
    }

    fn number(&self, device: Device) -> Result<u64, Refusal> {
        let now = self.clock.mono_ms();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.taken.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= DAY_MS) {
            kept.taken.pop_front();
        }
        if kept.taken.iter().filter(|(_, d)| *d == device).count() >= MOST_EACH {
            return Err(Refusal::new(429, "reports-many"));
        }
        let this_hour = kept.taken.iter().filter(|(at, _)| now.saturating_sub(*at) < HOUR_MS).count();
        if kept.taken.len() >= MOST || this_hour >= MOST_HOUR {
            return Err(Refusal::new(429, "reports-full"));
        }
        let number = kept.next;
        self.note(number).map_err(|error| {
            tracing::error!(%error, "the number of a report was not kept");
            Refusal::new(429, "report-not-kept")
        })?;
        kept.next = number.saturating_add(1);
        kept.taken.push_back((now, device));
        Ok(number)
    }

    /// Keeps the number before it is used: none is given twice, whenever the power fails.
    fn note(&self, number: u64) -> std::io::Result<()> {
        let new = self.counter.with_extension("new");
        let mut file = std::fs::File::create(&new)?;
        writeln!(file, "{number}")?;
        file.sync_all()?;
        std::fs::rename(&new, &self.counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use kulkul_model::Moment;
    use kulkul_model::session::Mac;
    use kulkul_wire::link::BootId;

    fn said(text: &str) -> Said {
        Said { kind: ReportKind::Slow, text: text.to_owned(), language: "id".to_owned() }
    }

    fn device(n: u8) -> Device {
        Device::Mac(Mac([2, 0, 0, 0, 0, n]))
    }

    #[tokio::test]
    async fn reports_are_bounded_by_device_hour_and_day_and_numbers_go_on() {
        let data = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::simulated(Moment::EPOCH, BootId([1; 16]));
        let journal = Journal::in_memory();
        let desk = Desk::open(data.path(), journal.clone(), clock.clone());
        for n in 1..=3 {
            assert_eq!(desk.take(device(0), said("x")).await, Ok(n));
        }
        assert_eq!(desk.take(device(0), said("x")).await.unwrap_err().code, "reports-many");
        for n in 1..=12u8 {
            assert!(desk.take(device(n), said("x")).await.is_ok());
        }
        assert_eq!(desk.take(device(99), said("x")).await.unwrap_err().code, "reports-full");
        hand.pass(HOUR_MS);
        assert_eq!(desk.take(device(99), said("lagi")).await, Ok(16), "the hour is over");
        assert_eq!(desk.take(device(0), said("x")).await.unwrap_err().code, "reports-many");
        hand.pass(DAY_MS);
        assert_eq!(desk.take(device(0), said("x")).await, Ok(17), "the day is over");
        let again = Desk::open(data.path(), journal.clone(), clock);
        assert_eq!(again.take(device(0), said("x")).await, Ok(18), "a number is never given twice");
        let entries = journal.read(1, 1 << 20).await.unwrap();
        assert_eq!(entries.len(), 18, "what is refused is not kept");
        assert!(matches!(&entries[15].1, Entry::Report(r) if r.number == 16 && r.text == "lagi"));
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_written_gives_no_number() {
        let data = tempfile::tempdir().unwrap();
        let journal = Journal::in_memory();
        let desk = Desk::open(&data.path().join("gone"), journal.clone(), Clock::machine());
        assert_eq!(desk.take(device(0), said("x")).await.unwrap_err().code, "report-not-kept");
        assert_eq!(journal.head(), 0);
    }
}
