//! The portal's pages: no script, no outside asset, no cookie, a few kilobytes each.
//!
//! Pure: a page depends on the face, the language, the time and the session it is
//! given.

mod first_boot;
mod local;
mod names;
mod spoken;
mod status;
mod welcome;

pub use first_boot::Visit;
pub use local::Draft;
pub use welcome::{Fault, Typed, Welcoming};

use super::face::Face;
use crate::words::{Lang, Words};
use askama::Template;
use kulkul_model::Moment;
use kulkul_model::session::Mac;
use kulkul_wire::link::desired::ConnectionLog;
use spoken::Announced;

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
        lines.extend(self.named().then(|| self.word("portal-privacy-named").to_owned()));
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
}

/// Draws a template; writing into a string does not fail.
fn rendered(page: &impl Template) -> String {
    page.render().unwrap_or_default()
}
