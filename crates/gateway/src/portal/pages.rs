//! The portal's pages: no script, no outside asset, no cookie, a few kilobytes each.
//!
//! Pure: a page depends on the face, the language, the time and the session it is
//! given. The welcome page is drawn once a minute and language and cut at its token.

use super::face::Face;
use crate::words::{Lang, Words};
use askama::Template;
use kulkul_model::Moment;
use kulkul_model::session::{Mac, Session};

/// Where a device's token goes in a page that was drawn beforehand.
const TOKEN_MARK: &str = "\u{1}token\u{1}";

/// The styles of every page, written into it.
pub const STYLE: &str = include_str!("../../templates/portal/style.css");

/// Everything that a page is drawn from, besides what it says.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Whose network this is and on what terms.
    pub face: &'a Face,
    /// All words.
    pub words: &'a Words,
    /// The reader's language.
    pub lang: Lang,
    /// The time, when the box's clock can be believed.
    pub now: Option<Moment>,
}

#[derive(Template)]
#[template(path = "portal/welcome.html")]
struct Welcome<'a> {
    lang: &'a str,
    title: &'a str,
    style: &'a str,
    place: &'a str,
    operator: &'a str,
    other_href: String,
    other_code: &'a str,
    other_name: &'a str,
    greeting: &'a str,
    news: Option<&'a str>,
    notice: Option<&'a str>,
    until: String,
    rate: String,
    terms_heading: &'a str,
    terms: &'a [String],
    token: &'a str,
    version: u32,
    to: Option<&'a str>,
    accept: &'a str,
    privacy: &'a str,
}

#[derive(Template)]
#[template(path = "portal/online.html")]
struct Online<'a> {
    lang: &'a str,
    title: &'a str,
    style: &'a str,
    place: &'a str,
    operator: &'a str,
    other_href: String,
    other_code: &'a str,
    other_name: &'a str,
    heading: &'a str,
    until: String,
    onward: Option<(&'a str, String)>,
    facts: Vec<(&'a str, String)>,
    notice: Option<&'a str>,
    again: &'a str,
    bookmark: String,
    refresh: &'a str,
    token: &'a str,
    log_out: &'a str,
    privacy: &'a str,
}

#[derive(Template)]
#[template(path = "portal/message.html")]
struct Message<'a> {
    lang: &'a str,
    title: &'a str,
    style: &'a str,
    place: &'a str,
    operator: &'a str,
    other_href: String,
    other_code: &'a str,
    other_name: &'a str,
    heading: &'a str,
    lines: Vec<String>,
    notice: Option<&'a str>,
    back_href: String,
    back: &'a str,
}

impl<'a> View<'a> {
    fn word(&self, key: &'a str) -> &'a str {
        self.words.text(self.lang, key)
    }

    fn place(&self) -> &'a str {
        if self.face.place.is_empty() { self.word("portal-place-unknown") } else { &self.face.place }
    }

    fn other(&self) -> Lang {
        match self.lang {
            Lang::Id => Lang::En,
            Lang::En => Lang::Id,
        }
    }

    fn other_href(&self, path: &str, to: Option<&str>) -> String {
        let lang = self.other().code();
        match to {
            Some(to) => format!("{path}?lang={lang}&to={}", super::form::encode(to)),
            None => format!("{path}?lang={lang}"),
        }
    }

    fn notice(&self) -> Option<&'a str> {
        self.face.said(self.lang).notice.as_deref()
    }

    /// The first page, with the token of the device that it is shown to.
    #[must_use]
    pub fn welcome(&self, token: &str, to: Option<&str>, news: Option<&str>) -> String {
        let said = self.face.said(self.lang);
        let rate = self.face.down_mbps.map_or_else(
            || self.word("portal-rate-shared").to_owned(),
            |down| self.words.with(self.lang, "portal-rate", &[("down", &down.to_string())]),
        );
        rendered(&Welcome {
            lang: self.lang.code(),
            title: self.word("portal-title"),
            style: STYLE,
            place: self.place(),
            operator: &said.operator,
            other_href: self.other_href("/", to),
            other_code: self.other().code(),
            other_name: self.word("portal-other-language"),
            greeting: &said.greeting,
            news,
            notice: self.notice(),
            until: self.until_if_accepted(),
            rate,
            terms_heading: self.word("portal-terms-heading"),
            terms: &said.terms,
            token,
            version: self.face.terms_version,
            to,
            accept: self.word("portal-accept"),
            privacy: self.word("portal-privacy-link"),
        })
    }

    /// The first page in two halves; a device's token goes between them.
    #[must_use]
    pub fn welcome_halves(&self) -> (String, String) {
        let page = self.welcome(TOKEN_MARK, None, None);
        page.split_once(TOKEN_MARK)
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap_or((page.clone(), String::new()))
    }

    /// The page of somebody who is online.
    #[must_use]
    pub fn online(&self, session: &Session, token: &str, to: Option<&str>, address: &str) -> String {
        let (w, lang) = (self.words, self.lang);
        let now = self.now.unwrap_or(session.began_at);
        let usage = session.usage;
        let facts = vec![
            (self.word("portal-online-left"), self.span(session.ends_at.since_ms(now))),
            (self.word("portal-online-since"), self.clock(session.began_at)),
            (self.word("portal-online-down"), self.megabytes(usage.down_bytes)),
            (self.word("portal-online-up"), self.megabytes(usage.up_bytes)),
        ];
        let until = self.clock_and_day(session.ends_at);
        rendered(&Online {
            lang: lang.code(),
            title: self.word("portal-online-heading"),
            style: STYLE,
            place: self.place(),
            operator: &self.face.said(lang).operator,
            other_href: self.other_href("/status", to),
            other_code: self.other().code(),
            other_name: self.word("portal-other-language"),
            heading: self.word("portal-online-heading"),
            until: w.with(lang, "portal-online-until", &[("until", &until)]),
            onward: to
                .map(|to| (to, w.with(lang, "portal-continue", &[("address", super::hosts::shown(to))]))),
            facts,
            notice: self.notice(),
            again: self.word("portal-online-again"),
            bookmark: w.with(lang, "portal-online-bookmark", &[("address", address)]),
            refresh: self.word("portal-refresh"),
            token,
            log_out: self.word("portal-log-out"),
            privacy: self.word("portal-privacy-link"),
        })
    }

    /// A page that says one thing: `what` names the words `portal-<what>-heading` and `portal-<what>`.
    #[must_use]
    pub fn message(&self, heading_key: &'a str, lines: Vec<String>, back_key: &'a str) -> String {
        rendered(&Message {
            lang: self.lang.code(),
            title: self.word(heading_key),
            style: STYLE,
            place: self.place(),
            operator: &self.face.said(self.lang).operator,
            other_href: self.other_href("/", None),
            other_code: self.other().code(),
            other_name: self.word("portal-other-language"),
            heading: self.word(heading_key),
            lines,
            notice: self.notice(),
            back_href: format!("/?lang={}", self.lang.code()),
            back: self.word(back_key),
        })
    }

    /// What is recorded, for how long, and what is not; with the device's own address.
    #[must_use]
    pub fn privacy(&self, mac: Option<Mac>) -> String {
        let mut lines: Vec<String> =
            (1..=5).map(|n| self.words.text(self.lang, &format!("portal-privacy-{n}")).to_owned()).collect();
        lines.push(self.words.with(
            self.lang,
            "portal-version",
            &[("version", &self.face.terms_version.to_string())],
        ));
        if let Some(mac) = mac {
            lines.push(self.words.with(self.lang, "portal-privacy-mac", &[("mac", &mac.to_string())]));
        }
        let mut page = self.message("portal-privacy-heading", lines, "portal-back");
        // The switch of this page leads to itself, not to the first one.
        page = page.replace(&self.other_href("/", None), &self.other_href("/privacy", None));
        page
    }

    fn until_if_accepted(&self) -> String {
        let Some(now) = self.now else {
            let span = self.span(self.face.session_ms);
            return self.words.with(self.lang, "portal-until-span", &[("span", &span)]);
        };
        let end = now.plus_ms(self.face.session_ms);
        let until = self.clock(end);
        if self.face.zone.day(end) == self.face.zone.day(now) {
            self.words.with(self.lang, "portal-until-clock", &[("until", &until)])
        } else {
            let date = self.day(end);
            self.words.with(self.lang, "portal-until-date", &[("date", &date), ("until", &until)])
        }
    }

    fn clock_and_day(&self, at: Moment) -> String {
        let same = self.now.is_some_and(|now| self.face.zone.day(now) == self.face.zone.day(at));
        if same { self.clock(at) } else { format!("{}, {}", self.day(at), self.clock(at)) }
    }

    /// Clock time with the zone's short name: `18.45 WITA`, in English `18:45 WITA`.
    fn clock(&self, at: Moment) -> String {
        let local = self.face.zone.civil(at);
        self.words.with(
            self.lang,
            "portal-clock",
            &[
                ("hour", &format!("{:02}", local.hour())),
                ("minute", &format!("{:02}", local.minute())),
                ("zone", &self.face.zone.short(at)),
            ],
        )
    }

    fn day(&self, at: Moment) -> String {
        let local = self.face.zone.civil(at);
        let month = usize::try_from(local.month()).unwrap_or(1).saturating_sub(1);
        let month = self.word("portal-months").split(' ').nth(month).unwrap_or_default();
        self.words.with(self.lang, "portal-day", &[("day", &local.day().to_string()), ("month", month)])
    }

    fn span(&self, ms: i64) -> String {
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

    /// Megabytes with one decimal, in the language's own decimal sign.
    fn megabytes(&self, bytes: u64) -> String {
        let tenths = bytes / 100_000;
        let n = format!("{}{}{}", tenths / 10, self.word("portal-decimal"), tenths % 10);
        self.words.with(self.lang, "portal-megabytes", &[("n", &n)])
    }
}

/// Draws a template; writing into a string does not fail.
fn rendered(page: &impl Template) -> String {
    page.render().unwrap_or_default()
}
