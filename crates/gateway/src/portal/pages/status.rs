//! The pages of somebody who is online, and of somebody whom hours or the day's share keep out.

use super::spoken::Announced;
use super::{Frame, View, rendered};
use crate::portal::hosts;
use crate::portal::standing::{End, Standing, Used};
use askama::Template;
use kulkul_model::Moment;
use kulkul_model::session::Session;

#[derive(Template)]
#[template(path = "portal/online.html")]
struct Online<'a> {
    frame: Frame<'a>,
    news: Option<&'a str>,
    until: String,
    closing: Option<String>,
    onward: Option<(&'a str, String)>,
    renew: Option<&'a str>,
    facts: Vec<(&'a str, String)>,
    notice: Option<&'a str>,
    closures_heading: &'a str,
    closures: Vec<Announced<'a>>,
    again: &'a str,
    bookmark: String,
    refresh: &'a str,
    token: &'a str,
    log_out: &'a str,
}

impl View<'_> {
    /// The page of somebody who is online.
    #[must_use]
    pub fn online(
        &self,
        (session, standing): (&Session, &Standing),
        token: &str,
        (to, news): (Option<&str>, Option<&str>),
        address: &str,
    ) -> String {
        let (w, lang) = (self.words, self.lang);
        let usage = session.usage;
        let mut facts = vec![
            (self.word("portal-online-left"), self.span(standing.left_ms)),
            (self.word("portal-online-since"), self.clock(session.began_at)),
            (self.word("portal-online-down"), self.megabytes(usage.down_bytes)),
            (self.word("portal-online-up"), self.megabytes(usage.up_bytes)),
        ];
        if let Some(left) = standing.bytes_left {
            facts.push((self.word("portal-online-quota"), self.megabytes(left)));
        }
        if let Some(left) = standing.day_ms_left {
            facts.push((self.word("portal-online-day-time"), self.span(left)));
        }
        let until = self.clock_and_day(standing.until);
        let until = match standing.end {
            End::Limit => w.with(lang, "portal-online-until", &[("until", &until)]),
            End::Closing => w.with(lang, "portal-online-until-closing", &[("until", &until)]),
            End::DayTime => w.with(lang, "portal-online-until-day", &[("until", &until)]),
        };
        let renew = standing.renews_now();
        let again = match (renew, standing.end) {
            (false, End::Limit) => self.word("portal-online-again"),
            _ => "",
        };
        rendered(&Online {
            frame: self.frame(self.word("portal-online-heading"), self.other_href("/status", to)),
            news,
            until,
            closing: standing.closing.map(|at| self.countdown(at)),
            onward: to.map(|to| (to, w.with(lang, "portal-continue", &[("address", hosts::shown(to))]))),
            renew: renew.then(|| self.word("portal-renew")),
            facts,
            notice: self.notice(),
            closures_heading: self.word("portal-closures-heading"),
            closures: self.closures(),
            again,
            bookmark: w.with(lang, "portal-online-bookmark", &[("address", address)]),
            refresh: self.word("portal-refresh"),
            token,
            log_out: self.word("portal-log-out"),
        })
    }

    /// `This place closes at 22:00 WITA, 8 minutes from 21:52 WITA.`
    ///
    /// It names its own time, because a page without scripts does not follow the clock.
    fn countdown(&self, closes: Moment) -> String {
        let now = self.now.unwrap_or(closes);
        let minutes = closes.since_ms(now).max(0) / 60_000;
        let args =
            [("until", self.clock(closes)), ("now", self.clock(now)), ("minutes", minutes.to_string())];
        let args = args.each_ref().map(|(name, value)| (*name, value.as_str()));
        let key = if minutes == 0 { "portal-closing-now" } else { "portal-closing" };
        self.words.with(self.lang, key, &args)
    }

    /// The page of a place that is closed; `opens` is when it opens again, where that is known.
    #[must_use]
    pub fn closed(&self, opens: Option<Moment>) -> String {
        let line = opens.map_or_else(
            || self.word("portal-closed").to_owned(),
            |at| self.words.with(self.lang, "portal-closed-until", &[("when", &self.when(at))]),
        );
        self.message("portal-closed-heading", vec![line], "portal-retry")
    }

    /// The page of a device whose share of the day is used; it starts anew at `until`.
    #[must_use]
    pub fn used_up(&self, used: Option<Used>, until: Option<Moment>) -> String {
        let mut lines = vec![match used {
            Some(Used::Data) => {
                let most = self.limit(self.face.day_bytes.unwrap_or_default());
                self.words.with(self.lang, "portal-used-data", &[("most", &most)])
            }
            Some(Used::Time) => {
                let most = i64::try_from(self.face.day_ms.unwrap_or_default()).unwrap_or(i64::MAX);
                self.words.with(self.lang, "portal-used-time", &[("most", &self.span(most))])
            }
            None => self.word("portal-used").to_owned(),
        }];
        if let Some(until) = until {
            lines.push(self.words.with(self.lang, "portal-used-until", &[("when", &self.when(until))]));
        }
        lines.push(self.word("portal-used-why").to_owned());
        self.message("portal-used-heading", lines, "portal-retry")
    }
}
