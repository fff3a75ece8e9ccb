//! The first page: the ways in that are open at this place, and on what terms.
//!
//! It is drawn once a minute and language and cut at its tokens, so that a crowd costs
//! little; a page with something special to say is drawn by itself.

use super::spoken::Announced;
use super::{Frame, View, rendered};
use crate::portal::standing::Opening;
use askama::Template;
use kulkul_model::session::WayIn;
use kulkul_wire::link::desired::ConnectionLog;

/// Where a device's token goes in a page that was drawn beforehand.
const TOKEN_MARK: &str = "\u{1}token\u{1}";

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
    agree: Option<&'a str>,
    token: &'a str,
    version: u32,
    to: Option<&'a str>,
    fault: Option<&'a str>,
    accept: Option<&'a str>,
    voucher: Option<Way<'a>>,
    voucher_code: &'a str,
    voucher_hint: &'a str,
    account: Option<Way<'a>>,
    account_name: &'a str,
    account_secret: &'a str,
    typed: &'a Typed,
    closures_heading: &'a str,
    closures: Vec<Announced<'a>>,
}

/// The words of a way in that wants something typed.
struct Way<'a> {
    heading: &'a str,
    send: &'a str,
    /// Whether it opens on a tap, because the click is the usual way here.
    folded: bool,
    /// Whether what was typed did not do.
    faulty: bool,
}

/// What somebody typed, to be shown again beside what is wrong with it; never a secret.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Typed {
    /// A voucher's code.
    pub code: String,
    /// An account's name.
    pub name: String,
}

/// Why a way in did not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which way.
    pub way_in: WayIn,
    /// What is wrong and what to do, in the reader's language.
    pub text: String,
}

/// What the first page says beside what it always says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Welcoming<'a> {
    /// Where the device wanted to go.
    pub to: Option<&'a str>,
    /// What just happened.
    pub news: Option<&'a str>,
    /// Why a way in did not open.
    pub fault: Option<Fault>,
    /// What was typed then.
    pub typed: Typed,
}

impl View<'_> {
    /// The first page, with the token of the device that it is shown to.
    #[must_use]
    pub fn welcome(&self, token: &str, more: &Welcoming<'_>) -> String {
        let said = self.face.said(self.lang);
        let rate = self.face.down_mbps.map_or_else(
            || self.word("portal-rate-shared").to_owned(),
            |down| self.words.with(self.lang, "portal-rate", &[("down", &down.to_string())]),
        );
        let click = self.face.has(WayIn::ClickThrough);
        let mut lines = if click { self.until_if_accepted() } else { Vec::new() };
        lines.push(rate);
        lines.extend(self.day_share());
        lines.extend(self.face.strict_names.then(|| self.word("portal-strict-names").to_owned()));
        lines.extend((self.face.connections.log != ConnectionLog::Off).then(|| self.logged()));
        let fault = |way_in: WayIn| more.fault.as_ref().is_some_and(|f| f.way_in == way_in);
        let way = |way_in: WayIn, heading, send| {
            let words = || Way { heading, send, folded: click, faulty: fault(way_in) };
            self.face.has(way_in).then(words)
        };
        let agree = match (click, self.named()) {
            (true, _) => None,
            (false, true) => Some(self.word("portal-agree-by")),
            (false, false) => Some(self.word("portal-no-way")),
        };
        rendered(&Welcome {
            frame: self.frame(self.word("portal-title"), self.other_href("/", more.to)),
            greeting: &said.greeting,
            news: more.news,
            notice: self.notice(),
            lines,
            terms_heading: self.word("portal-terms-heading"),
            terms: &said.terms,
            agree,
            token,
            version: self.face.terms_version,
            to: more.to,
            fault: more.fault.as_ref().map(|f| f.text.as_str()),
            accept: click.then(|| self.word("portal-accept")),
            voucher: way(WayIn::Voucher, self.word("portal-voucher"), self.word("portal-voucher-use")),
            voucher_code: self.word("portal-voucher-code"),
            voucher_hint: self.word("portal-voucher-hint"),
            account: way(WayIn::Account, self.word("portal-account"), self.word("portal-account-use")),
            account_name: self.word("portal-account-name"),
            account_secret: self.word("portal-account-secret"),
            typed: &more.typed,
            closures_heading: self.word("portal-closures-heading"),
            closures: self.closures(),
        })
    }

    /// The first page in pieces; a device's token goes between each two.
    #[must_use]
    pub fn welcome_pieces(&self) -> Vec<String> {
        let page = self.welcome(TOKEN_MARK, &Welcoming::default());
        page.split(TOKEN_MARK).map(str::to_owned).collect()
    }

    /// Whether people may come in by something that tells one from another.
    pub(super) fn named(&self) -> bool {
        self.face.has(WayIn::Voucher) || self.face.has(WayIn::Account)
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
