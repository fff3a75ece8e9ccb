//! Moments and zones. A moment is milliseconds UTC; a zone turns it into local words.

use jiff::{Timestamp, ToSpan as _, civil, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339; JSON carries the text, tables and the link carry the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time such as 2026-11-24T14:32:00+08:00")]
pub struct NotAMoment(pub String);

impl Moment {
    /// The beginning of 1970, which a box without a clock believes in.
    pub const EPOCH: Moment = Moment(0);

    /// Makes a moment from milliseconds since 1970 UTC.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Moment(ms)
    }

    /// Milliseconds since 1970 UTC.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 UTC, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment moved by `ms` milliseconds; saturates at the ends of time.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Moment(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative when this is earlier.
    #[must_use]
    pub const fn since_ms(self, earlier: Moment) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The beginning of the minute that holds this moment.
    #[must_use]
    pub const fn minute(self) -> Self {
        Moment(self.0 - self.0.rem_euclid(60_000))
    }

    /// The beginning of the UTC hour that holds this moment.
    #[must_use]
    pub const fn hour(self) -> Self {
        Moment(self.0 - self.0.rem_euclid(3_600_000))
    }

    /// Reads RFC 3339 text; an offset is required.
    ///
    /// # Errors
    /// `NotAMoment` when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, NotAMoment> {
        text.parse::<Timestamp>().map(|t| Moment(t.as_millisecond())).map_err(|_| NotAMoment(text.to_owned()))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Moment::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A time zone by its IANA name, with the short name people write after a time.
#[derive(Clone, Debug)]
pub struct Zone {
    tz: TimeZone,
    name: String,
}

/// The zone's name is not in the time zone database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time zone such as Asia/Makassar")]
pub struct NotAZone(pub String);

impl Zone {
    /// Finds a zone such as `Asia/Makassar`.
    ///
    /// # Errors
    /// `NotAZone` when the database has no such name.
    pub fn named(name: &str) -> Result<Self, NotAZone> {
        let tz = TimeZone::get(name).map_err(|_| NotAZone(name.to_owned()))?;
        Ok(Zone { tz, name: name.to_owned() })
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// WIB, WITA or WIT for Indonesia's three zones, else the database's abbreviation.
    #[must_use]
    pub fn short(&self, at: Moment) -> String {
        match self.name.as_str() {
            "Asia/Jakarta" | "Asia/Pontianak" => "WIB".to_owned(),
            "Asia/Makassar" => "WITA".to_owned(),
            "Asia/Jayapura" => "WIT".to_owned(),
            _ => self.tz.to_offset_info(at.timestamp()).abbreviation().to_owned(),
        }
    }

    /// The local calendar date and clock time at `at`.
    #[must_use]
    pub fn civil(&self, at: Moment) -> civil::DateTime {
        self.tz.to_datetime(at.timestamp())
    }

    /// RFC 3339 with this zone's offset, whole seconds.
    #[must_use]
    pub fn rfc3339(&self, at: Moment) -> String {
        let ts = at.timestamp();
        let offset = self.tz.to_offset(ts);
        let dt = offset.to_datetime(ts);
        let s = offset.seconds();
        let (sign, s) = if s < 0 { ('-', -s) } else { ('+', s) };
        format!("{}{sign}{:02}:{:02}", dt.strftime("%Y-%m-%dT%H:%M:%S"), s / 3600, s % 3600 / 60)
    }

    /// The beginning of the local day that holds `at`.
    #[must_use]
    pub fn day(&self, at: Moment) -> Moment {
        self.start_of(self.civil(at).date())
    }

    /// The beginning of the local day that follows the one that holds `at`.
    #[must_use]
    pub fn next_day(&self, at: Moment) -> Moment {
        let date = self.civil(at).date();
        self.start_of(date.checked_add(1.day()).unwrap_or(date))
    }

    /// The moment at which clocks show `minutes` after midnight of the local day that holds `at`.
    ///
    /// Beyond 1,440 it is a time of the following day. A time that a clock change skips
    /// is the moment after the gap; one that comes twice is the first.
    #[must_use]
    pub fn clock_time(&self, at: Moment, minutes: u16) -> Moment {
        let start = self.civil(at).date().at(0, 0, 0, 0);
        let wanted = start.checked_add(i64::from(minutes).minutes()).unwrap_or(start);
        self.tz
            .to_ambiguous_timestamp(wanted)
            .compatible()
            .map_or(Moment::EPOCH, |t| Moment(t.as_millisecond()))
    }

    fn start_of(&self, date: civil::Date) -> Moment {
        self.tz
            .to_ambiguous_timestamp(date.at(0, 0, 0, 0))
            .compatible()
            .map_or(Moment::EPOCH, |t| Moment(t.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_and_write_rfc3339() {
        let m = Moment::parse("2026-11-24T14:32:00+08:00").unwrap();
        assert_eq!(m.to_string(), "2026-11-24T06:32:00Z");
        assert_eq!(serde_json_like(m), "2026-11-24T06:32:00Z");
        assert!(Moment::parse("2026-11-24 14:32").is_err());
        assert_eq!(m.plus_ms(59_999).minute(), m);
    }

    fn serde_json_like(m: Moment) -> String {
        m.to_string()
    }

    #[test]
    fn a_zone_has_local_days_and_offsets() {
        let z = Zone::named("Asia/Makassar").unwrap();
        let m = Moment::parse("2026-11-24T16:30:00Z").unwrap();
        assert_eq!(z.rfc3339(m), "2026-11-25T00:30:00+08:00");
        assert_eq!(z.rfc3339(z.day(m)), "2026-11-25T00:00:00+08:00");
        assert_eq!(z.rfc3339(z.next_day(m)), "2026-11-26T00:00:00+08:00");
        assert_eq!(z.short(m), "WITA");
        assert!(Zone::named("Asia/Atlantis").is_err());
        // A day that a clock change makes 23 hours long is still one day.
        let b = Zone::named("Europe/Berlin").unwrap();
        let d = Moment::parse("2026-03-29T12:00:00+02:00").unwrap();
        assert_eq!(b.next_day(d).since_ms(b.day(d)), 23 * 3_600_000);
    }
}
