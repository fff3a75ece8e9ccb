//! The pages about the place itself: the report form, the code on its wall.

use super::spoken::Announced;
use super::{Frame, View, rendered};
use crate::portal::form::encode;
use crate::portal::standing::Opening;
use askama::Template;
use kulkul_model::measurement::Verdict;
use kulkul_model::report::{LONGEST, ReportKind};
use kulkul_model::site::SiteCode;

/// What somebody filled in, and what is wrong with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draft<'a> {
    /// The kind that was chosen.
    pub kind: Option<ReportKind>,
    /// The words, plain.
    pub text: &'a str,
    /// The key of what is wrong with it.
    pub fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "portal/report.html")]
struct Form<'a> {
    frame: Frame<'a>,
    fault: Option<&'a str>,
    lead: &'a str,
    token: &'a str,
    kind_label: &'a str,
    kinds: Vec<(&'static str, &'a str, bool)>,
    text_label: &'a str,
    hint: &'a str,
    longest: usize,
    text: &'a str,
    send: &'a str,
}

#[derive(Template)]
#[template(path = "portal/place.html")]
struct Place<'a> {
    frame: Frame<'a>,
    heading: &'a str,
    whereabouts: String,
    facts: Vec<(&'a str, String)>,
    how_label: &'a str,
    how: &'a str,
    notice: Option<&'a str>,
    onward: Vec<(String, &'a str, bool)>,
    closures_heading: &'a str,
    closures: Vec<Announced<'a>>,
}

impl<'a> View<'a> {
    fn kind(&self, kind: ReportKind) -> &'a str {
        self.word(match kind {
            ReportKind::NoInternet => "portal-report-no-internet",
            ReportKind::Slow => "portal-report-slow",
            ReportKind::CannotLogIn => "portal-report-cannot-log-in",
            ReportKind::EquipmentDamaged => "portal-report-equipment-damaged",
            ReportKind::Other => "portal-report-other",
        })
    }

    /// The form for a report.
    #[must_use]
    pub fn report(&self, token: &str, draft: Draft<'_>) -> String {
        rendered(&Form {
            frame: self.frame(self.word("portal-report"), self.other_href("/report", None)),
            fault: draft.fault.map(|key| self.words.text(self.lang, key)),
            lead: self.word("portal-report-lead"),
            token,
            kind_label: self.word("portal-report-kind"),
            kinds: ReportKind::ALL
                .map(|kind| (kind.as_str(), self.kind(kind), draft.kind == Some(kind)))
                .to_vec(),
            text_label: self.word("portal-report-text"),
            hint: self.word("portal-report-hint"),
            longest: LONGEST,
            text: draft.text,
            send: self.word("portal-report-send"),
        })
    }

    /// What somebody who has sent a report reads.
    #[must_use]
    pub fn reported(&self, number: u64) -> String {
        let lines = vec![
            self.words.with(self.lang, "portal-report-number", &[("number", &number.to_string())]),
            self.word("portal-report-sent").to_owned(),
        ];
        let other = self.other_href(&format!("/report/{number}"), None);
        self.telling((self.word("portal-report-sent-heading"), other), lines, vec![self.back()])
    }

    /// The page behind the code on this place's wall.
    #[must_use]
    pub fn here(&self, code: &SiteCode, verdict: Option<Verdict>, online: bool) -> String {
        let w = self.words;
        let internet = self.word(match verdict {
            Some(Verdict::Good) => "portal-here-good",
            Some(Verdict::Poor) => "portal-here-poor",
            Some(Verdict::Failed) => "portal-here-failed",
            None => "portal-here-unknown",
        });
        let (open, way_in) = match self.face.opening(self.now) {
            Opening::Closed(opens) => {
                let when =
                    opens.map(|at| w.with(self.lang, "portal-closed-until", &[("when", &self.when(at))]));
                (when.unwrap_or_else(|| self.word("portal-closed").to_owned()), "portal-here-way-closed")
            }
            Opening::Open(Some(closes)) => {
                let until = self.clock_and_day(closes);
                (w.with(self.lang, "portal-here-open-until", &[("until", &until)]), "portal-here-way")
            }
            Opening::Open(None) => (self.word("portal-here-open").to_owned(), "portal-here-way"),
        };
        let lang = self.lang.code();
        let closed = way_in == "portal-here-way-closed";
        let first = if online {
            (format!("/status?lang={lang}"), self.word("portal-here-status"), false)
        } else {
            (format!("/?lang={lang}"), self.word("portal-here-get-online"), false)
        };
        let mut onward: Vec<_> = (online || !closed).then_some(first).into_iter().collect();
        if self.reports {
            onward.push((format!("/report?lang={lang}"), self.word("portal-report"), true));
        }
        if !self.face.place_url.is_empty() {
            onward.push((self.face.place_url.clone(), self.word("portal-here-page"), true));
        }
        let mut whereabouts = self.face.areas.join(", ");
        if !whereabouts.is_empty() {
            whereabouts.push_str(" · ");
        }
        whereabouts.push_str(code.as_str());
        rendered(&Place {
            frame: self.frame(self.place(), self.other_href(&format!("/t/{code}"), None)),
            heading: self.place(),
            whereabouts,
            facts: vec![
                (self.word("portal-here-internet"), internet.to_owned()),
                (self.word("portal-here-hours"), open),
            ],
            how_label: self.word("portal-here-how"),
            how: self.word(way_in),
            notice: self.notice(),
            onward,
            closures_heading: self.word("portal-closures-heading"),
            closures: self.closures(),
        })
    }

    /// The page for the code of another place: a link to the hub's page about it.
    #[must_use]
    pub fn elsewhere(&self, code: &SiteCode) -> String {
        let line = self.words.with(self.lang, "portal-elsewhere", &[("code", code.as_str())]);
        let mut onward = Vec::new();
        if !self.face.hub_url.is_empty() {
            let there = self.words.with(self.lang, "portal-elsewhere-link", &[("code", code.as_str())]);
            onward.push((format!("{}/t/{}", self.face.hub_url, encode(code.as_str())), there));
        }
        onward.push(self.back());
        let other = self.other_href(&format!("/t/{code}"), None);
        self.telling((self.word("portal-elsewhere-heading"), other), vec![line], onward)
    }
}
