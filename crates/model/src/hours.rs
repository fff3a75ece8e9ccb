//! Opening hours: spans that were worked out ahead, and the week that goes on after them.
//!
//! The hub works out fourteen days, decrees and holidays included; a box that hears
//! nothing beyond them keeps to the weekly hours. Spans are half open, and a span of
//! the week may end after midnight.

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
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse(&format!("{text}+08:00")).unwrap()
    }

    /// Two days worked out, the second closed; weekdays 08:00-22:00, Saturday over midnight, no Sunday.
    fn table() -> (Timetable, Zone) {
        let span = |from: &str, until: &str| Span { from: at(from), until: at(until) };
        let weekday = vec![DaySpan { from_min: 480, until_min: 1_320 }];
        let mut week = Week::default();
        for day in &mut week.0[..5] {
            day.clone_from(&weekday);
        }
        week.0[5] = vec![DaySpan { from_min: 1_200, until_min: 1_560 }];
        let table = Timetable {
            // Tuesday 24 November 2026 with a break; Wednesday closed by decree.
            open: vec![
                span("2026-11-24T06:00:00", "2026-11-24T12:00:00"),
                span("2026-11-24T13:00:00", "2026-11-24T20:00:00"),
                span("2026-11-24T20:00:00", "2026-11-24T22:00:00"),
            ],
            through: at("2026-11-26T00:00:00"),
            week,
        };
        (table, Zone::named("Asia/Makassar").unwrap())
    }

    #[test]
    fn hours_by_hand() {
        let (table, zone) = table();
        table.check().unwrap();
        // moment, closes, opens
        let cases = [
            ("2026-11-24T05:59:59", None, Some("2026-11-24T06:00:00")),
            ("2026-11-24T06:00:00", Some("2026-11-24T12:00:00"), None),
            ("2026-11-24T12:00:00", None, Some("2026-11-24T13:00:00")),
            ("2026-11-24T19:59:59", Some("2026-11-24T22:00:00"), None),
            // Closed by decree the whole Wednesday; Thursday by the week.
            ("2026-11-24T22:00:00", None, Some("2026-11-26T08:00:00")),
            ("2026-11-26T08:00:00", Some("2026-11-26T22:00:00"), None),
            // Saturday 28 November over midnight into a Sunday without hours.
            ("2026-11-28T23:59:00", Some("2026-11-29T02:00:00"), None),
            ("2026-11-29T01:59:59", Some("2026-11-29T02:00:00"), None),
            ("2026-11-29T02:00:00", None, Some("2026-11-30T08:00:00")),
        ];
        for (now, closes, opens) in cases {
            let now_at = at(now);
            assert_eq!(table.closes_at(now_at, &zone), closes.map(at), "{now} closes");
            assert_eq!(table.opens_at(now_at, &zone), opens.map(at), "{now} opens");
            assert_eq!(table.is_open(now_at, &zone), closes.is_some(), "{now} open");
        }
    }

    #[test]
    fn a_week_without_a_gap_never_closes_and_one_without_hours_never_opens() {
        let zone = Zone::named("Asia/Makassar").unwrap();
        let all = vec![DaySpan { from_min: 0, until_min: 1_440 }];
        let week = Week(std::array::from_fn(|_| all.clone()));
        let always = Timetable { open: Vec::new(), through: Moment::EPOCH, week };
        let now = at("2026-11-24T12:00:00");
        assert!(always.is_open(now, &zone));
        assert_eq!(always.closes_at(now, &zone), None);
        let never = Timetable { week: Week::default(), ..always };
        assert!(!never.is_open(now, &zone));
        assert_eq!(never.opens_at(now, &zone), None);
    }

    #[test]
    fn a_change_of_the_clock_moves_no_closing_hour() {
        // Berlin's clocks go back on 25 October 2026: the day has 25 hours.
        let zone = Zone::named("Europe/Berlin").unwrap();
        let mut week = Week::default();
        week.0[6] = vec![DaySpan { from_min: 480, until_min: 1_200 }];
        let table = Timetable { open: Vec::new(), through: Moment::EPOCH, week };
        let sunday = Moment::parse("2026-10-25T07:59:00+01:00").unwrap();
        let opens = Moment::parse("2026-10-25T08:00:00+01:00").unwrap();
        assert_eq!(table.opens_at(sunday, &zone), Some(opens));
        assert_eq!(table.closes_at(opens, &zone), Some(Moment::parse("2026-10-25T20:00:00+01:00").unwrap()));
    }

    #[test]
    fn what_cannot_be_kept_to_is_named() {
        let (sound, _) = table();
        let mut table = sound.clone();
        table.open.swap(0, 1);
        assert_eq!(table.check(), Err(NotATimetable::Span(2)));
        let mut table = sound.clone();
        table.through = at("2026-11-24T21:00:00");
        assert_eq!(table.check(), Err(NotATimetable::Span(3)));
        let mut table = sound;
        table.week.0[5][0].until_min = 2_881;
        assert_eq!(table.check(), Err(NotATimetable::Week(6)));
    }
}
