//! How things stand for one device: until when it is online, what ends that, what is left of the day.
//!
//! Pure: what the status page says and what the captive portal API says come from
//! here, so that they never differ. It decides nothing; the supervisor ends sessions.

use super::Face;
use crate::supervisor::{DayUse, Who};
use kulkul_model::Moment;
use kulkul_model::session::{Session, WayIn};

/// From this long before the place closes the page counts down, milliseconds.
pub const COUNTDOWN_MS: i64 = 10 * 60_000;
/// From this long before a session's limit it can be begun anew, milliseconds.
pub const RENEW_MS: i64 = 30 * 60_000;

/// Ends that are nearer to each other than this are one, milliseconds.
const SAME_MS: i64 = 2_000;

/// Whether the place is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Open, until then where that is known.
    Open(Option<Moment>),
    /// Closed; opens then where that is known.
    Closed(Option<Moment>),
}

/// What ends a session first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The longest that a session lasts.
    Limit,
    /// The place closes.
    Closing,
    /// The device's time of the day is used.
    DayTime,
}

/// What of the day's share is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// The bytes.
    Data,
    /// The time.
    Time,
}

/// How things stand for a device that is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Until when it is online at the longest.
    pub until: Moment,
    /// What ends it then.
    pub end: End,
    /// How long that is, milliseconds.
    pub left_ms: i64,
    /// When the place closes, from ten minutes before it on.
    pub closing: Option<Moment>,
    /// Bytes left of the day, where they are counted.
    pub bytes_left: Option<u64>,
    /// Time left of the day, milliseconds, where it is counted.
    pub day_ms_left: Option<i64>,
    /// Whether the portal gives a new session once this one nears its limit.
    pub renewable: bool,
}

impl Face {
    /// Whether the place is open at `now`; open while the clock is unset, then the supervisor decides.
    #[must_use]
    pub fn opening(&self, now: Option<Moment>) -> Opening {
        match (&self.timetable, now) {
            (Some(table), Some(now)) if !table.is_open(now, &self.zone) => {
                Opening::Closed(table.opens_at(now, &self.zone))
            }
            (Some(table), Some(now)) => Opening::Open(table.closes_at(now, &self.zone)),
            _ => Opening::Open(None),
        }
    }

    /// What of the day's share a device has used up, if it has.
    #[must_use]
    pub fn used_up(&self, today: Option<DayUse>) -> Option<Used> {
        let today = today?;
        if self.day_bytes.is_some_and(|most| today.bytes >= most) {
            return Some(Used::Data);
        }
        self.day_ms.is_some_and(|most| today.ms >= most).then_some(Used::Time)
    }
}

impl Standing {
    /// How things stand at `now` (the box's time) and `wall` (the same where it can be believed).
    #[must_use]
    pub fn of(face: &Face, who: &Who, session: &Session, now: Moment, wall: Option<Moment>) -> Self {
        let today = who.today.unwrap_or_else(|| since_midnight(face, session, now));
        let closes = match face.opening(wall) {
            Opening::Open(closes) => closes,
            Opening::Closed(_) => wall,
        };
        let day_ms_left =
            face.day_ms.map(|most| i64::try_from(most.saturating_sub(today.ms)).unwrap_or(i64::MAX));
        let day_end = day_ms_left.map(|ms| now.plus_ms(ms)).filter(|end| *end < face.zone.next_day(now));
        let (mut until, mut end) = (session.ends_at, End::Limit);
        for (other, why) in [(closes, End::Closing), (day_end, End::DayTime)] {
            // The supervisor clips a session to what ends it anyway, in a clock of its own.
            if let Some(earlier) = other.filter(|at| at.since_ms(until) <= SAME_MS) {
                (until, end) = (earlier, why);
            }
        }
        let agreed = session.way_in == WayIn::ClickThrough && session.terms == Some(face.terms_version);
        Standing {
            until,
            end,
            left_ms: until.since_ms(now).max(0),
            closing: closes.filter(|at| at.since_ms(now) <= COUNTDOWN_MS),
            bytes_left: face.day_bytes.map(|most| most.saturating_sub(today.bytes)),
            day_ms_left,
            renewable: agreed && end == End::Limit,
        }
    }

    /// Whether the session may be begun anew now: its limit is near and nothing else ends it.
    #[must_use]
    pub const fn renews_now(&self) -> bool {
        self.renewable && self.left_ms <= RENEW_MS
    }
}

/// What a session alone tells of the day: all of it, or its part since midnight by time.
fn since_midnight(face: &Face, session: &Session, now: Moment) -> DayUse {
    let began = session.began_at.max(face.zone.day(now));
    let ms = u64::try_from(now.since_ms(began)).unwrap_or(0);
    DayUse { bytes: session.usage.down_bytes.saturating_add(session.usage.up_bytes), ms }
}

#[cfg(test)]
mod tests;
