//! Facts: all that is known of one minute at one site, in four bits.
//!
//! Facts only ever grow: a beat was heard, the hub was watching, the gateway
//! measured. Joining them is commutative, associative and idempotent, so what a
//! minute says in the end does not depend on the order in which news arrived or
//! on how often it was delivered.

use crate::Moment;
use crate::measurement::Verdict;

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// What is known of one minute; the default knows nothing.
///
/// Bit 0: a beat was heard in it. Bit 1: the hub watched all of it. Bits 2-3: what
/// the gateway measured: 0 nothing, 1 failed, 2 poor, 3 good. Where two boxes
/// measured the same minute the better one counts: the place did work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Facts(u8);

/// What a minute comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Worked.
    Good,
    /// Worked with loss or a failed probe.
    Poor,
    /// Did not work, or a watching hub heard nothing and nothing else is known.
    Failed,
    /// Nobody observed it.
    Unknown,
}

impl Facts {
    /// Nothing is known.
    pub const NONE: Facts = Facts(0);
    /// A beat was heard in this minute.
    pub const HEARD: Facts = Facts(1);
    /// The hub watched all of this minute.
    pub const WATCHED: Facts = Facts(2);

    /// The gateway measured the minute.
    #[must_use]
    pub const fn measured(verdict: Verdict) -> Self {
        Facts(match verdict {
            Verdict::Failed => 1 << 2,
            Verdict::Poor => 2 << 2,
            Verdict::Good => 3 << 2,
        })
    }

    /// Both, whatever their order.
    #[must_use]
    pub const fn and(self, other: Facts) -> Self {
        let (a, b) = (self.0 >> 2, other.0 >> 2);
        Facts((self.0 | other.0) & 3 | (if a > b { a } else { b }) << 2)
    }

    /// The four bits as a number, for tables.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Reads the four bits; higher ones are ignored.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Facts(bits & 15)
    }

    /// Whether a beat was heard.
    #[must_use]
    pub const fn heard(self) -> bool {
        self.0 & 1 != 0
    }

    /// What the gateway measured, if it did.
    #[must_use]
    pub const fn verdict(self) -> Option<Verdict> {
        match self.0 >> 2 {
            1 => Some(Verdict::Failed),
            2 => Some(Verdict::Poor),
            3 => Some(Verdict::Good),
            _ => None,
        }
    }

    /// Whether all that is known is that a watching hub heard nothing.
    #[must_use]
    pub const fn silent(self) -> bool {
        self.0 == 2
    }

    /// Whether only the box itself says that it worked while a watching hub heard nothing.
    #[must_use]
    pub const fn self_reported(self) -> bool {
        self.0 & 3 == 2 && matches!(self.verdict(), Some(Verdict::Good | Verdict::Poor))
    }

    /// What the minute comes to: the measurement, else the beats, else not observed.
    #[must_use]
    pub const fn mark(self) -> Mark {
        match self.verdict() {
            Some(Verdict::Good) => Mark::Good,
            Some(Verdict::Poor) => Mark::Poor,
            Some(Verdict::Failed) => Mark::Failed,
            None if self.heard() => Mark::Good,
            None if self.silent() => Mark::Failed,
            None => Mark::Unknown,
        }
    }
}

/// The facts of an hour's sixty minutes; 30 bytes in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct HourFacts([u8; 30]);

impl HourFacts {
    /// The bytes that tables keep: minute 0 in the low half of byte 0, and so on.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 30] {
        &self.0
    }

    /// Reads the bytes; none when they are not thirty.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(HourFacts)
    }

    /// The facts of minute `i`; nothing from 60 on.
    #[must_use]
    pub fn get(&self, i: usize) -> Facts {
        let both = self.0.get(i / 2).copied().unwrap_or(0);
        Facts(if i.is_multiple_of(2) { both & 15 } else { both >> 4 })
    }

    /// Adds facts to minute `i`; from 60 on nothing happens.
    pub fn add(&mut self, i: usize, facts: Facts) {
        let new = self.get(i).and(facts).0;
        if let Some(both) = self.0.get_mut(i / 2) {
            *both = if i.is_multiple_of(2) { *both & 0xf0 | new } else { *both & 15 | new << 4 };
        }
    }

    /// Adds all facts of another account of the same hour.
    pub fn join(&mut self, other: &HourFacts) {
        for i in 0..60 {
            self.add(i, other.get(i));
        }
    }

    /// The facts of all sixty minutes.
    pub fn iter(&self) -> impl Iterator<Item = Facts> + '_ {
        (0..60).map(|i| self.get(i))
    }
}

/// The facts of successive minutes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Timeline {
    /// The beginning of the first minute.
    pub start: Moment,
    /// One for each minute.
    pub facts: Vec<Facts>,
}

impl Timeline {
    /// A timeline of `minutes` minutes from `start`, nothing known.
    #[must_use]
    pub fn blank(start: Moment, minutes: usize) -> Self {
        Timeline { start: start.minute(), facts: vec![Facts::NONE; minutes] }
    }

    /// The moment after the last minute.
    #[must_use]
    pub fn end(&self) -> Moment {
        let minutes = i64::try_from(self.facts.len()).unwrap_or(i64::MAX);
        self.start.plus_ms(minutes.saturating_mul(MINUTE_MS))
    }

    /// Each minute's beginning and facts.
    pub fn iter(&self) -> impl Iterator<Item = (Moment, Facts)> + '_ {
        let start = self.start;
        (0i64..).zip(&self.facts).map(move |(i, f)| (start.plus_ms(i * MINUTE_MS), *f))
    }

    /// Adds facts to the minute that holds `at`; outside the timeline nothing happens.
    pub fn add(&mut self, at: Moment, facts: Facts) {
        let i = at.since_ms(self.start).div_euclid(MINUTE_MS);
        if let Some(f) = usize::try_from(i).ok().and_then(|i| self.facts.get_mut(i)) {
            *f = f.and(facts);
        }
    }

    /// Adds an hour's facts.
    pub fn add_hour(&mut self, hour: Moment, facts: &HourFacts) {
        for (i, f) in (0i64..).zip(facts.iter()) {
            self.add(hour.plus_ms(i * MINUTE_MS), f);
        }
    }

    /// The part of the hour that begins at `hour`, unknown where the timeline does not reach.
    #[must_use]
    pub fn hour(&self, hour: Moment) -> HourFacts {
        let mut out = HourFacts::default();
        for i in 0..60 {
            let at = hour.plus_ms(i * MINUTE_MS);
            let n = usize::try_from(at.since_ms(self.start).div_euclid(MINUTE_MS)).ok();
            if let (Some(f), Ok(i)) = (n.and_then(|n| self.facts.get(n)), usize::try_from(i)) {
                out.add(i, *f);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_minute_comes_to_what_is_known_of_it() {
        let good = Facts::measured(Verdict::Good);
        let failed = Facts::measured(Verdict::Failed);
        for (facts, mark, silent, own) in [
            (Facts::NONE, Mark::Unknown, false, false),
            (Facts::HEARD, Mark::Good, false, false),
            (Facts::WATCHED, Mark::Failed, true, false),
            (Facts::WATCHED.and(Facts::HEARD), Mark::Good, false, false),
            (Facts::WATCHED.and(good), Mark::Good, false, true),
            (Facts::HEARD.and(failed), Mark::Failed, false, false),
            (Facts::measured(Verdict::Poor), Mark::Poor, false, false),
            (failed.and(good), Mark::Good, false, false),
        ] {
            assert_eq!(
                (facts.mark(), facts.silent(), facts.self_reported()),
                (mark, silent, own),
                "{facts:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn joining_has_no_order_and_no_count(news in prop::collection::vec((0usize..60, 0u8..16), 0..200), turn in 0usize..200) {
            let all = |news: &[(usize, u8)]| {
                let mut hour = HourFacts::default();
                for (i, f) in news {
                    hour.add(*i, Facts(*f));
                }
                hour
            };
            let hour = all(&news);
            let mut other = news.clone();
            other.rotate_left(turn % news.len().max(1));
            other.extend(news.iter().rev());
            prop_assert_eq!(all(&other), hour);
            let mut joined = all(&news[..news.len() / 2]);
            joined.join(&all(&news[news.len() / 2..]));
            prop_assert_eq!(joined, hour);
            prop_assert_eq!(HourFacts::from_bytes(hour.bytes()), Some(hour));
        }
    }
}
