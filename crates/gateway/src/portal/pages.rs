//! The portal's pages: no script, no outside asset, no cookie, a few kilobytes each.
//!
//! Pure: a page depends on the face, the language, the time and the session it is
//! given. The welcome page is drawn once a minute and language and cut at its token.

mod first_boot;
mod local;
mod names;
mod spoken;
mod status;

pub use first_boot::Visit;
pub use local::Draft;

use super::face::Face;
use super::standing::Opening;
use crate::words::{Lang, Words};
use askama::Template;
use kulkul_model::Moment;
use kulkul_model::session::Mac;
use kulkul_wire::link::desired::ConnectionLog;
use spoken::Announced;

/// Where a device's token goes in a page that was drawn beforehand.
const TOKEN_MARK: &str = "\u{1}token\u{1}";

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
    /// Whether reports are taken here.
    pub reports: bool,
}

/// What every page has around what it says.
struct Frame<'a> {
    lang: &'a str,
    title: &'a str,
    style: &'a str,
    place: &'a str,
    operator: &'a str,
    other_href: String,
    other_code: &'a str,
    other_name: &'a str,
    privacy: &'a str,
    report: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "portal/welcome.html")]
struct Welcome<'a> {
    frame: Frame<'a>,
    greeting: &'a str,
    news: Option<&'a str>,
    notice: Option<&'a str>,
    lines: Vec<String>,
    terms_heading: &'a str,
    terms: &'a [String],
    token: &'a str,
    version: u32,
    to: Option<&'a str>,
    accept: &'a str,
    closures_heading: &'a str,
    closures: Vec<Announced<'a>>,
}

#[derive(Template)]
#[template(path = "portal/message.html")]
struct Message<'a> {
    frame: Frame<'a>,
    lines: Vec<String>,
    notice: Option<&'a str>,
    onward: Vec<(String, String)>,
    closures_heading: &'a str,
    closures: Vec<Announced<'a>>,
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

    fn frame<'s>(&self, title: &'s str, other_href: String) -> Frame<'s>
    where
        'a: 's,
    {
        Frame {
            lang: self.lang.code(),
            title,
            style: &self.face.look.style,
            place: self.place(),
            operator: &self.face.said(self.lang).operator,
            other_href,
            other_code: self.other().code(),
            other_name: self.word("portal-other-language"),
            privacy: self.word("portal-privacy-link"),
            report: self.reports.then(|| self.word("portal-report")),
        }
    }

    /// The first page, with the token of the device that it is shown to.
    #[must_use]
    pub fn welcome(&self, token: &str, to: Option<&str>, news: Option<&str>) -> String {
        let said = self.face.said(self.lang);
        let rate = self.face.down_mbps.map_or_else(
            || self.word("portal-rate-shared").to_owned(),
            |down| self.words.with(self.lang, "portal-rate", &[("down", &down.to_string())]),
        );
        let mut lines = self.until_if_accepted();
        lines.push(rate);
        lines.extend(self.day_share());
        lines.extend(self.face.strict_names.then(|| self.word("portal-strict-names").to_owned()));
        lines.extend((self.face.connections.log != ConnectionLog::Off).then(|| self.logged()));
        rendered(&Welcome {
            frame: self.frame(self.word("portal-title"), self.other_href("/", to)),
            greeting: &said.greeting,
            news,
            notice: self.notice(),
            lines,
            terms_heading: self.word("portal-terms-heading"),
            terms: &said.terms,
            token,
            version: self.face.terms_version,
            to,
            accept: self.word("portal-accept"),
            closures_heading: self.word("portal-closures-heading"),
            closures: self.closures(),
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

    /// A page that says one thing, with one way back.
    #[must_use]
    pub fn message(&self, heading_key: &str, lines: Vec<String>, back_key: &str) -> String {
        let back = self.words.text(self.lang, back_key).to_owned();
        let onward = vec![(format!("/?lang={}", self.lang.code()), back)];
        self.telling((self.words.text(self.lang, heading_key), self.other_href("/", None)), lines, onward)
    }

    fn back(&self) -> (String, String) {
        (format!("/?lang={}", self.lang.code()), self.word("portal-back").to_owned())
    }

    fn telling(
        &self,
        (heading, other_href): (&str, String),
        lines: Vec<String>,
        onward: Vec<(String, String)>,
    ) -> String {
        rendered(&Message {
            frame: self.frame(heading, other_href),
            lines,
            notice: self.notice(),
            onward,
            closures_heading: self.word("portal-closures-heading"),
            closures: self.closures(),
        })
    }

    /// What is recorded, for how long, and what is not; with the device's own address.
    #[must_use]
    pub fn privacy(&self, mac: Option<Mac>) -> String {
        let mut lines: Vec<String> =
            (1..=5).map(|n| self.words.text(self.lang, &format!("portal-privacy-{n}")).to_owned()).collect();
        lines.push(self.logged());
        if self.face.connections.log != ConnectionLog::Off {
            lines.push(self.word("portal-log-behind").to_owned());
        }
        lines.extend(self.face.strict_names.then(|| self.word("portal-strict-names").to_owned()));
        lines.push(self.words.with(
            self.lang,
            "portal-version",
            &[("version", &self.face.terms_version.to_string())],
        ));
        if let Some(mac) = mac {
            lines.push(self.words.with(self.lang, "portal-privacy-mac", &[("mac", &mac.to_string())]));
        }
        let heading = self.word("portal-privacy-heading");
        self.telling((heading, self.other_href("/privacy", None)), lines, vec![self.back()])
    }

    /// What the box keeps of connections, and for how long.
    fn logged(&self) -> String {
        let key = match self.face.connections.log {
            ConnectionLog::Off => "portal-log-off",
            ConnectionLog::Lease => "portal-log-lease",
            ConnectionLog::Flow => "portal-log-flow",
        };
        self.words.with(self.lang, key, &[("days", &self.face.connections.keep_days.to_string())])
    }

    fn until_if_accepted(&self) -> Vec<String> {
        let Some(now) = self.now else {
            let span = self.span(self.face.session_ms);
            return vec![self.words.with(self.lang, "portal-until-span", &[("span", &span)])];
        };
        let mut end = now.plus_ms(self.face.session_ms);
        let mut closes = None;
        if let Opening::Open(Some(at)) = self.face.opening(Some(now))
            && at < end
        {
            (end, closes) = (at, Some(self.word("portal-until-closing").to_owned()));
        }
        let until = self.clock(end);
        let first = if self.face.zone.day(end) == self.face.zone.day(now) {
            self.words.with(self.lang, "portal-until-clock", &[("until", &until)])
        } else {
            let date = self.day(end);
            self.words.with(self.lang, "portal-until-date", &[("date", &date), ("until", &until)])
        };
        [first].into_iter().chain(closes).collect()
    }

    /// What one device gets in a day, where that is limited.
    fn day_share(&self) -> Option<String> {
        let span = |ms: u64| self.span(i64::try_from(ms).unwrap_or(i64::MAX));
        let share = match (self.face.day_bytes, self.face.day_ms) {
            (Some(bytes), Some(ms)) => {
                let args = [("data", self.limit(bytes)), ("span", span(ms))];
                let args = args.each_ref().map(|(name, value)| (*name, value.as_str()));
                self.words.with(self.lang, "portal-share-both", &args)
            }
            (Some(bytes), None) => {
                self.words.with(self.lang, "portal-share-data", &[("data", &self.limit(bytes))])
            }
            (None, Some(ms)) => self.words.with(self.lang, "portal-share-time", &[("span", &span(ms))]),
            (None, None) => return None,
        };
        Some(share)
    }
}

/// Draws a template; writing into a string does not fail.
fn rendered(page: &impl Template) -> String {
    page.render().unwrap_or_default()
}
