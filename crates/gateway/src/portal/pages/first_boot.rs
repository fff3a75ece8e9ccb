//! The page of a box that belongs to no place yet, for the technician beside it.

use super::{Frame, View, rendered};
use crate::doctor::{Grade, Report};
use crate::first_boot::WayOut;
use askama::Template;

/// What is known of a technician's visit.
#[derive(Default)]
pub struct Visit {
    /// The pass, once the code on the box was typed.
    pub pass: Option<String>,
    /// What is wrong with what was sent.
    pub fault: Option<String>,
    /// What a look at the way out found.
    pub findings: Option<Report>,
    /// What was typed of the way out.
    pub way: WayOut,
    /// The hub that the box will ask.
    pub hub: String,
    /// Whether the box belongs to no place yet.
    pub first: bool,
    /// What an operator has to be told, at a box that belongs to a place.
    pub challenge: Option<String>,
}

/// One finding in words.
struct Line {
    grade: &'static str,
    name: String,
    says: String,
    mend: Option<String>,
}

#[derive(Template)]
#[template(path = "portal/first_boot.html")]
struct FirstBoot<'a> {
    frame: Frame<'a>,
    fault: Option<&'a str>,
    pass: Option<&'a str>,
    first: bool,
    shut: bool,
    lead: String,
    code_label: &'a str,
    code_hint: &'a str,
    open: &'a str,
    way_heading: &'a str,
    test_lead: &'a str,
    test: &'a str,
    findings: Vec<Line>,
    kind_label: &'a str,
    kinds: Vec<(&'static str, &'a str, bool)>,
    fields: Vec<(&'static str, &'a str, &'a str, &'static str)>,
    way_hint: &'a str,
    keep: &'a str,
    claim_heading: &'a str,
    claim_lead: String,
    claim_label: &'a str,
    claim: &'a str,
}

impl<'a> View<'a> {
    /// The page: the code first, then the way out and the claim.
    #[must_use]
    pub fn first_boot(&self, visit: &'a Visit) -> String {
        let way = &visit.way;
        let kind = if way.kind.is_empty() { "system" } else { &way.kind };
        let (heading, path) =
            if visit.first { ("first-boot-heading", "/") } else { ("first-boot-local-heading", "/setup") };
        let lead = match (&visit.pass, visit.first, &visit.challenge) {
            (Some(_), true, _) => self.word("first-boot-lead").to_owned(),
            (Some(_), false, _) => String::new(),
            (None, true, _) => self.word("first-boot-lead-shut").to_owned(),
            (None, false, Some(challenge)) => {
                self.words.with(self.lang, "first-boot-local-lead", &[("challenge", challenge)])
            }
            (None, false, None) => self.word("first-boot-local-none").to_owned(),
        };
        let chosen = |value: &'static str, word: &'a str| (value, word, value == kind);
        rendered(&FirstBoot {
            frame: Frame { report: None, ..self.frame(self.word(heading), self.other_href(path, None)) },
            first: visit.first,
            shut: !visit.first && visit.challenge.is_none(),
            fault: visit.fault.as_deref(),
            pass: visit.pass.as_deref(),
            lead,
            code_label: self.word(if visit.first { "first-boot-code" } else { "first-boot-answer" }),
            code_hint: self.word("first-boot-code-hint"),
            open: self.word("first-boot-open"),
            way_heading: self.word("first-boot-way-heading"),
            test_lead: self.word("first-boot-test-lead"),
            test: self.word("first-boot-test"),
            findings: visit.findings.as_ref().map(|r| self.lines(r)).unwrap_or_default(),
            kind_label: self.word("first-boot-kind"),
            kinds: vec![
                chosen("system", self.word("first-boot-kind-system")),
                chosen("dhcp", self.word("first-boot-kind-dhcp")),
                chosen("static", self.word("first-boot-kind-static")),
                chosen("pppoe", self.word("first-boot-kind-pppoe")),
            ],
            fields: vec![
                ("address4", self.word("first-boot-address"), &way.address4, "text"),
                ("gateway4", self.word("first-boot-router"), &way.gateway4, "text"),
                ("dns", self.word("first-boot-dns"), &way.dns, "text"),
                ("user", self.word("first-boot-user"), &way.user, "text"),
                ("password", self.word("first-boot-password"), "", "password"),
                ("vlan", self.word("first-boot-vlan"), &way.vlan, "text"),
            ],
            way_hint: self.word("first-boot-way-hint"),
            keep: self.word("first-boot-keep"),
            claim_heading: self.word("first-boot-claim-heading"),
            claim_lead: self.words.with(self.lang, "first-boot-claim-lead", &[("hub", &visit.hub)]),
            claim_label: self.word("first-boot-claim-label"),
            claim: self.word("first-boot-claim"),
        })
    }

    fn lines(&self, report: &Report) -> Vec<Line> {
        let line = |finding: &crate::doctor::Finding| {
            let args: Vec<(&str, &str)> = finding.args.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let (grade, name) = match finding.grade {
                Grade::Good => ("good", "doctor-grade-good"),
                Grade::Warning => ("warning", "doctor-grade-warning"),
                Grade::Bad => ("bad", "doctor-grade-bad"),
            };
            Line {
                grade,
                name: self.words.text(self.lang, name).to_owned(),
                says: self.words.with(self.lang, finding.key, &args),
                mend: finding.mend.map(|key| self.words.with(self.lang, key, &args)),
            }
        };
        report.0.iter().map(line).collect()
    }
}
