//! Opening hours: spans that were worked out ahead, and the week that goes on after them.
//!
//! The hub works out fourteen days, decrees and holidays included; a box that hears
//! nothing beyond them keeps to the weekly hours. Spans are half open, and a span of
//! the week may end after midnight.

pub mod words;

use crate::{Moment, Zone};
use serde::{Deserialize, Serialize};

/// From one moment (with) to another (without).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// Its first moment.
    pub from: Moment,
    /// The moment after it.
    pub until: Moment,
}

/// Opening hours of one weekday: minutes after its midnight, the end up to 2,880.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DaySpan {
    /// Minutes after midnight, 0 to 1,439.
    pub from_min: u16,
    /// Minutes after the same midnight, more than `from_min`; beyond 1,440 it is the next day.
    pub until_min: u16,
}

/// Opening hours by weekday, Monday first.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Week(pub [Vec<DaySpan>; 7]);

/// When a place is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timetable {
    /// When it is open until `through`, in order and without overlap.
    pub open: Vec<Span>,
    /// How far `open` reaches.
    pub through: Moment,
    /// The weekly hours, from `through` on.
    pub week: Week,
}

/// Why a timetable cannot be kept to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATimetable {
    /// A span ends before it begins, overlaps the one before it or reaches beyond the timetable.
    #[error("opening span {0} is empty, overlaps the one before it or reaches beyond the timetable")]
    Span(usize),
    /// A weekday's span is not within its limits.
    #[error("weekday {0} (Monday is 1) has hours that are empty, overlap or end after the next midnight")]
    Week(usize),
}

const MINUTE_MS: i64 = 60_000;
/// A change that is further away than this is not looked for.
const DAYS_AHEAD: usize = 15;

impl Week {
    /// Works out `days` local days from the one that holds `now`, without what is closed.
    #[must_use]
    pub fn plan(&self, closed: &[Span], now: Moment, days: usize, zone: &Zone) -> Timetable {
        let first = zone.day(now);
        let through = (0..days).fold(first, |day, _| zone.next_day(day));
        let week = Timetable { open: Vec::new(), through: Moment::EPOCH, week: self.clone() };
        let clip = |s: Span| Span { from: s.from.max(first), until: s.until.min(through) };
        let mut open: Vec<Span> = week.weekly(first, zone).into_iter().map(clip).collect();
        for gap in closed {
            open = open
                .into_iter()
                .flat_map(|s| {
                    [Span { until: s.until.min(gap.from), ..s }, Span { from: s.from.max(gap.until), ..s }]
                })
                .collect();
        }
        open.retain(|s| s.from < s.until);
        open.sort();
        // Hours over midnight that meet the next day's are one: nobody is put out at the seam.
        let mut joined: Vec<Span> = Vec::new();
        for span in open {
            match joined.last_mut() {
                Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
                _ => joined.push(span),
            }
        }
        Timetable { open: joined, through, week: self.clone() }
    }
}

impl Timetable {
    /// Checks order and limits.
    ///
    /// # Errors
    /// `NotATimetable` names the first span that is wrong.
    pub fn check(&self) -> Result<(), NotATimetable> {
        let mut before = None;
        for (i, span) in self.open.iter().enumerate() {
            let after = before.is_none_or(|b: Moment| span.from >= b);
            if span.until <= span.from || !after || span.until > self.through {
                return Err(NotATimetable::Span(i + 1));
            }
            before = Some(span.until);
        }
        for (i, day) in self.week.0.iter().enumerate() {
            let mut before = 0;
            for span in day {
                let sound = span.from_min >= before && span.from_min < 1_440;
                if !sound || span.until_min <= span.from_min || span.until_min > 2_880 {
                    return Err(NotATimetable::Week(i + 1));
                }
                before = span.until_min;
            }
        }
        Ok(())
    }

    /// Whether the place is open at `at`.
    #[must_use]
    pub fn is_open(&self, at: Moment, zone: &Zone) -> bool {
        self.span(at, zone).is_some()
    }

    /// When the place closes, for a moment at which it is open; adjoining spans count as one.
    ///
    /// Nothing when it is closed, or does not close within fifteen days.
    #[must_use]
    pub fn closes_at(&self, at: Moment, zone: &Zone) -> Option<Moment> {
        let mut end = self.span(at, zone)?.until;
        let horizon = at.plus_ms(DAYS_AHEAD as i64 * 24 * 60 * MINUTE_MS);
        while let Some(next) = self.span(end, zone) {
            if next.until <= end || end > horizon {
                return None;
            }
            end = next.until;
        }
        Some(end)
    }

    /// When the place opens next, for a moment at which it is closed.
    #[must_use]
    pub fn opens_at(&self, at: Moment, zone: &Zone) -> Option<Moment> {
        if self.is_open(at, zone) {
            return None;
        }
        let planned = self.open.iter().map(|s| s.from).find(|from| *from > at);
        planned.or_else(|| {
            let start = at.max(self.through);
            if start > at && self.is_open(start, zone) {
                return Some(start);
            }
            self.weekly(start, zone).into_iter().map(|s| s.from).find(|from| *from > at && *from >= start)
        })
    }

    /// The span that holds `at`.
    fn span(&self, at: Moment, zone: &Zone) -> Option<Span> {
        let holds = |s: &Span| s.from <= at && at < s.until;
        if at < self.through {
            return self.open.iter().copied().find(holds);
        }
        self.weekly(at, zone).into_iter().find(holds)
    }

    /// Weekly spans around `at`, from the day before it on, in order.
    fn weekly(&self, at: Moment, zone: &Zone) -> Vec<Span> {
        let mut day = zone.day(zone.day(at).plus_ms(-MINUTE_MS));
        let mut all = Vec::new();
        for _ in 0..=DAYS_AHEAD {
            let weekday = zone.civil(day).weekday().to_monday_zero_offset();
            let spans = usize::try_from(weekday).ok().and_then(|i| self.week.0.get(i));
            for s in spans.into_iter().flatten() {
                let at = |min| zone.clock_time(day, min);
                all.push(Span { from: at(s.from_min), until: at(s.until_min) });
            }
            day = zone.next_day(day);
        }
        all
    }
}

#[cfg(test)]
mod tests;
