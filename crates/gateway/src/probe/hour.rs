//! The minutes of the hour that goes on, kept on disk, and the block they become.
//!
//! One line of JSON a minute: a crash or a power cut loses at most the last line. An
//! hour that ended while the box was off is closed at the next start.

use kulkul_model::Moment;
use kulkul_model::measurement::{Minute, UsageMinute};
use kulkul_wire::link::Entry;
use kulkul_wire::minutes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Hours that are kept open at most: a clock that jumps must not fill the memory.
const MOST_HOURS: usize = 26;

/// The minutes that are not in the journal yet, by hour.
#[derive(Debug)]
pub struct Hour {
    file: PathBuf,
    open: BTreeMap<i64, BTreeMap<i64, Row>>,
}

/// One line of the file; the hour's minutes by their number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    minute: Minute,
    usage: UsageMinute,
}

impl Hour {
    /// Reads what an earlier run kept; lines that were cut short are left out.
    #[must_use]
    pub fn open(file: PathBuf) -> Self {
        let mut hour = Hour { file, open: BTreeMap::new() };
        let text = std::fs::read(&hour.file).unwrap_or_default();
        for line in text.split(|b| *b == b'\n') {
            if let Ok(row) = serde_json::from_slice::<Row>(line) {
                hour.put(row);
            }
        }
        hour
    }

    /// Keeps a minute. A minute that is there already stays as it is: time stepped back.
    pub fn add(&mut self, minute: Minute, usage: UsageMinute) {
        let row = Row { minute, usage };
        if !self.put(row) {
            return;
        }
        let line = || -> io::Result<()> {
            let mut line = serde_json::to_vec(&row)?;
            line.push(b'\n');
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.file)?;
            file.write_all(&line)?;
            file.sync_data()
        };
        if let Err(error) = line() {
            tracing::warn!(%error, "this minute is in memory only");
        }
    }

    /// Takes out every hour that ended before `hour` began, as entries for the journal.
    pub fn close_before(&mut self, hour: Moment) -> Vec<Entry> {
        let later = self.open.split_off(&hour.ms());
        let ended = std::mem::replace(&mut self.open, later);
        if ended.is_empty() {
            return Vec::new();
        }
        let entries: Vec<Entry> = ended.into_iter().filter_map(|(hour, rows)| block(hour, &rows)).collect();
        if let Err(error) = self.rewrite() {
            tracing::warn!(%error, "ended hours stay in the file");
        }
        entries
    }

    fn put(&mut self, row: Row) -> bool {
        let at = row.minute.at;
        let known = self.open.contains_key(&at.hour().ms());
        if !known && self.open.len() >= MOST_HOURS {
            return false;
        }
        let rows = self.open.entry(at.hour().ms()).or_default();
        let free = !rows.contains_key(&at.minute().ms());
        if free {
            rows.insert(at.minute().ms(), row);
        }
        free
    }

    fn rewrite(&self) -> io::Result<()> {
        let mut text = Vec::new();
        for row in self.open.values().flat_map(BTreeMap::values) {
            serde_json::to_writer(&mut text, row)?;
            text.push(b'\n');
        }
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(fresh, &self.file)
    }
}

fn block(hour: i64, rows: &BTreeMap<i64, Row>) -> Option<Entry> {
    let hour = Moment::from_ms(hour);
    let service: Vec<Minute> = rows.values().map(|r| r.minute).collect();
    let usage: Vec<UsageMinute> = rows.values().map(|r| r.usage).collect();
    let packed = minutes::encode_service(hour, &service)
        .and_then(|service| Ok(Entry::Hour { service, usage: minutes::encode_usage(hour, &usage)? }));
    packed.inspect_err(|error| tracing::error!(%hour, %error, "an hour cannot be packed")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::measurement::{Pings, ProbeResult, Radios};

    fn row(at: Moment) -> (Minute, UsageMinute) {
        let pings = Pings { sent: 5, lost: 0, rtt_us: 9_000 };
        let minute = Minute {
            at,
            hub: pings,
            anchor_a: pings,
            anchor_b: pings,
            dns: ProbeResult::Good,
            dns_us: 1,
            http: ProbeResult::NotTried,
            http_us: 0,
            radios: Radios::default(),
        };
        (minute, UsageMinute { at, people: 3, ..UsageMinute::default() })
    }

    #[test]
    fn an_hour_survives_a_crash_and_a_cut_line_and_becomes_one_entry() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("hour.log");
        let start = Moment::parse("2026-11-24T06:00:00Z").unwrap();
        let mut hour = Hour::open(file.clone());
        for n in 0..30 {
            let (minute, usage) = row(start.plus_ms(n * 60_000));
            hour.add(minute, usage);
        }
        drop(hour);
        let mut torn = std::fs::read(&file).unwrap();
        torn.truncate(torn.len() - 7);
        std::fs::write(&file, torn).unwrap();

        let mut hour = Hour::open(file.clone());
        assert!(hour.close_before(start).is_empty(), "it goes on");
        for n in 30..60 {
            let (minute, usage) = row(start.plus_ms(n * 60_000));
            hour.add(minute, usage);
        }
        let (next, usage) = row(start.plus_ms(3_600_000));
        hour.add(next, usage);
        let entries = hour.close_before(start.plus_ms(3_600_000));
        let [Entry::Hour { service, usage }] = entries.as_slice() else { panic!("{entries:?}") };
        let (at, minutes) = minutes::decode_service(service).unwrap();
        assert_eq!((at, minutes.len()), (start, 59), "the torn minute is not observed");
        assert_eq!(minutes::decode_usage(usage).unwrap().1.len(), 59);
        assert!(hour.close_before(start.plus_ms(3_600_000)).is_empty(), "once only");
        assert_eq!(Hour::open(file).open.len(), 1, "the hour that goes on is still kept");
    }

    #[test]
    fn a_clock_that_steps_back_changes_no_minute() {
        let data = tempfile::tempdir().unwrap();
        let mut hour = Hour::open(data.path().join("hour.log"));
        let at = Moment::parse("2026-11-24T06:10:00Z").unwrap();
        let (minute, usage) = row(at);
        hour.add(minute, usage);
        hour.add(minute, UsageMinute { people: 99, ..usage });
        let entries = hour.close_before(at.plus_ms(3_600_000).hour());
        let Some(Entry::Hour { usage, .. }) = entries.first() else { panic!() };
        assert_eq!(minutes::decode_usage(usage).unwrap().1[0].people, 3);
    }
}
