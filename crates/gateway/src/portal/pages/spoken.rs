//! Moments, spans and amounts as people say them, in the place's clock time and the reader's language.

use super::View;
use kulkul_model::Moment;
use kulkul_wire::link::desired::Closure;

/// An announced closure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced<'a> {
    /// From when until when.
    pub(super) span: String,
    /// Why.
    pub(super) message: &'a str,
    /// The decree's or notice's number.
    pub(super) number: &'a str,
}

impl<'a> View<'a> {
    /// The closures to come.
    pub(super) fn closures(&self) -> Vec<Announced<'a>> {
        let announced = |c: &'a Closure| Announced {
            span: self.closed_span(c),
            message: c.message.in_language(self.lang.code()),
            number: &c.number,
        };
        self.face.closures_after(self.now).map(announced).collect()
    }

    /// From when until when; whole days without clock times.
    fn closed_span(&self, closure: &Closure) -> String {
        let zone = &self.face.zone;
        let (from, until) = (closure.from, closure.until);
        let whole = zone.day(from) == from && zone.day(until) == until && until > from;
        let last = if whole { until.plus_ms(-1) } else { until };
        let one_day = zone.day(from) == zone.day(last);
        let (first_day, last_day) = (self.date(from), self.date(last));
        let (start, end) = (self.clock(from), self.clock(until));
        match (whole, one_day) {
            (true, true) => self.words.with(self.lang, "portal-closure-day", &[("date", &first_day)]),
            (true, false) => {
                let args = [("from", first_day.as_str()), ("until", &last_day)];
                self.words.with(self.lang, "portal-closure-days", &args)
            }
            (false, true) => {
                let start = self.hour_minute(from);
                let args = [("date", first_day.as_str()), ("from", &start), ("until", &end)];
                self.words.with(self.lang, "portal-closure-hours", &args)
            }
            (false, false) => {
                let (from, until) = (format!("{first_day}, {start}"), format!("{last_day}, {end}"));
                self.words.with(self.lang, "portal-closure-days", &[("from", &from), ("until", &until)])
            }
        }
    }

    /// `at 18:00`, `tomorrow at 08:00` or `on Thursday, 26 Nov at 08:00`, as part of a sentence.
    pub(super) fn when(&self, at: Moment) -> String {
        let zone = &self.face.zone;
        let clock = self.clock(at);
        let day = zone.day(at);
        match self.now {
            Some(now) if zone.day(now) == day => {
                self.words.with(self.lang, "portal-when-today", &[("clock", &clock)])
            }
            Some(now) if zone.next_day(now) == day => {
                self.words.with(self.lang, "portal-when-tomorrow", &[("clock", &clock)])
            }
            _ => {
                let args = [("date", self.date(at)), ("clock", clock)];
                let args = args.each_ref().map(|(name, value)| (*name, value.as_str()));
                self.words.with(self.lang, "portal-when-date", &args)
            }
        }
    }

    pub(super) fn clock_and_day(&self, at: Moment) -> String {
        let same = self.now.is_some_and(|now| self.face.zone.day(now) == self.face.zone.day(at));
        if same { self.clock(at) } else { format!("{}, {}", self.day(at), self.clock(at)) }
    }

    /// Clock time with the zone's short name: `18.45 WITA`, in English `18:45 WITA`.
    pub(super) fn clock(&self, at: Moment) -> String {
        format!("{} {}", self.hour_minute(at), self.face.zone.short(at))
    }

    fn hour_minute(&self, at: Moment) -> String {
        let local = self.face.zone.civil(at);
        let (hour, minute) = (format!("{:02}", local.hour()), format!("{:02}", local.minute()));
        self.words.with(self.lang, "portal-clock", &[("hour", &hour), ("minute", &minute)])
    }

    /// Weekday and day: `Thursday, 26 Nov`.
    fn date(&self, at: Moment) -> String {
        let weekday = self.face.zone.civil(at).weekday().to_monday_zero_offset();
        let weekday = usize::try_from(weekday).unwrap_or(0);
        let weekday = self.word("portal-weekdays").split(' ').nth(weekday).unwrap_or_default();
        format!("{weekday}, {}", self.day(at))
    }

    pub(super) fn day(&self, at: Moment) -> String {
        let local = self.face.zone.civil(at);
        let month = usize::try_from(local.month()).unwrap_or(1).saturating_sub(1);
        let month = self.word("portal-months").split(' ').nth(month).unwrap_or_default();
        self.words.with(self.lang, "portal-day", &[("day", &local.day().to_string()), ("month", month)])
    }

    pub(super) fn span(&self, ms: i64) -> String {
        let minutes = ms.max(0) / 60_000;
        let (hours, rest) = (minutes / 60, minutes % 60);
        let rest_text = rest.to_string();
        match (hours, rest) {
            (0, _) => self.words.with(self.lang, "portal-minutes", &[("minutes", &rest_text)]),
            (h, 0) => self.words.with(self.lang, "portal-whole-hours", &[("hours", &h.to_string())]),
            (h, _) => self.words.with(
                self.lang,
                "portal-hours",
                &[("hours", &h.to_string()), ("minutes", &rest_text)],
            ),
        }
    }

    /// Megabytes with one decimal or gigabytes with two, in the language's own decimal sign.
    pub(super) fn megabytes(&self, bytes: u64) -> String {
        if bytes >= 1_000_000_000 {
            let (whole, rest) = (bytes / 1_000_000_000, bytes % 1_000_000_000 / 10_000_000);
            let n = format!("{whole}{}{rest:02}", self.word("portal-decimal"));
            return self.words.with(self.lang, "portal-gigabytes", &[("n", &n)]);
        }
        let tenths = bytes / 100_000;
        let n = format!("{}{}{}", tenths / 10, self.word("portal-decimal"), tenths % 10);
        self.words.with(self.lang, "portal-megabytes", &[("n", &n)])
    }

    /// Whole megabytes, or gigabytes with one decimal: for limits.
    pub(super) fn limit(&self, bytes: u64) -> String {
        if bytes < 1_000_000_000 {
            return self.words.with(
                self.lang,
                "portal-megabytes",
                &[("n", &(bytes / 1_000_000).to_string())],
            );
        }
        let tenths = bytes / 100_000_000;
        let n = match tenths % 10 {
            0 => (tenths / 10).to_string(),
            tenth => format!("{}{}{tenth}", tenths / 10, self.word("portal-decimal")),
        };
        self.words.with(self.lang, "portal-gigabytes", &[("n", &n)])
    }
}
