//! What is wrong with this box and its place, in words for whoever stands beside it.
//!
//! Looks and asks; changes nothing. Each finding is one sentence and, where something
//! is wrong, what to do next. It works while the gateway's program does not run.

mod box_itself;
mod radios;
mod services;
mod tunnel;
mod way_out;
mod ways;

use crate::clock::Clock;
use crate::config::Config;
use crate::kernel::features;
use crate::status::{self, Question, Status};
use crate::words::{Lang, Words};
use kulkul_model::Zone;
use serde::Serialize;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Works, but somebody should look at it.
    Warning,
    /// Does not work.
    Bad,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How well it is.
    pub grade: Grade,
    /// The sentence's key in the words, for example `doctor-disk-bad`.
    pub key: &'static str,
    /// The key of what to do; none where nothing is to be done.
    pub mend: Option<&'static str>,
    /// Values in both sentences.
    pub args: Vec<(&'static str, String)>,
}

impl Finding {
    fn good(key: &'static str) -> Self {
        Finding { grade: Grade::Good, key, mend: None, args: Vec::new() }
    }

    fn warning(key: &'static str, mend: &'static str) -> Self {
        Finding { grade: Grade::Warning, key, mend: Some(mend), args: Vec::new() }
    }

    fn bad(key: &'static str, mend: &'static str) -> Self {
        Finding { grade: Grade::Bad, key, mend: Some(mend), args: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }
}

/// All findings, in the order in which a person would look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report(pub Vec<Finding>);

/// Looks at everything; takes at most about twenty seconds.
pub async fn examine(config: &Config, clock: &Clock) -> Report {
    let socket = config.data.join(status::SOCKET);
    let asked = clock.at_most(2_000, Box::pin(status::ask(&socket, Question::Status))).await;
    let status: Option<Status> =
        asked.and_then(Result::ok).and_then(|value| serde_json::from_value(value).ok());
    let mut findings = ways::out(config, status.as_ref());
    findings.extend(box_itself::interfaces(config));
    findings.extend(box_itself::forwarding(config));
    findings.push(box_itself::disk(&config.data));
    findings.push(box_itself::kernel(&features::detect()));
    findings.push(services::program(status.as_ref()));
    findings.extend(services::hours(status.as_ref()));
    findings.extend(services::share(status.as_ref()));
    findings.push(services::rules().await);
    findings.extend(services::dnsmasq(config));
    findings.extend(radios::all(status.as_ref()));
    findings.extend(tunnel::all(status.as_ref()));
    findings.extend(services::addresses_left(config, clock));
    let (resolver, portal, names, line, hub) = tokio::join!(
        services::resolver(config, clock),
        services::portal(config, clock),
        way_out::names(config, clock),
        way_out::line(config, clock),
        way_out::hub(config, clock),
    );
    findings.extend([resolver, portal, names, line, hub.reached]);
    findings.push(way_out::clock(clock, hub.seconds_apart));
    findings.push(services::claim(config, status.as_ref()));
    findings.push(services::certificate(config, clock));
    Report(findings)
}

/// What a person at the box needs to know before it belongs to a place: cable, way out, names, hub, time.
pub async fn way_to_the_hub(config: &Config, clock: &Clock) -> Report {
    let mut findings = ways::out(config, None);
    findings.extend(box_itself::interfaces(config));
    let (names, line, hub) = tokio::join!(
        way_out::names(config, clock),
        way_out::line(config, clock),
        way_out::hub(config, clock)
    );
    findings.extend([names, line, hub.reached]);
    findings.push(way_out::clock(clock, hub.seconds_apart));
    Report(findings)
}

impl Report {
    /// Whether nothing is broken and nothing is to be looked at.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.0.iter().all(|f| f.grade == Grade::Good)
    }

    /// What does not work: each finding's key, with its sentence in English.
    #[must_use]
    pub fn broken(&self) -> Vec<(String, String)> {
        let words = Words::builtin();
        let told = |f: &Finding| {
            let args: Vec<(&str, &str)> = f.args.iter().map(|(n, v)| (*n, v.as_str())).collect();
            (f.key.to_owned(), words.with(Lang::En, f.key, &args))
        };
        self.0.iter().filter(|f| f.grade == Grade::Bad).map(told).collect()
    }

    /// The findings in a person's words, what is wrong with what to do below it.
    #[must_use]
    pub fn in_words(&self, words: &Words, lang: Lang) -> String {
        let name = |grade| match grade {
            Grade::Good => words.text(lang, "doctor-grade-good"),
            Grade::Warning => words.text(lang, "doctor-grade-warning"),
            Grade::Bad => words.text(lang, "doctor-grade-bad"),
        };
        let width = [Grade::Good, Grade::Warning, Grade::Bad].map(|g| name(g).chars().count());
        let width = width.into_iter().max().unwrap_or(0);
        let mut out = String::new();
        for finding in &self.0 {
            let args: Vec<(&str, &str)> = finding.args.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let sentence = words.with(lang, finding.key, &args);
            out.push_str(&format!("{:width$}  {sentence}\n", name(finding.grade)));
            if let Some(mend) = finding.mend {
                let mend = words.with(lang, mend, &args);
                let todo = words.text(lang, "doctor-do");
                out.push_str(&format!("{:width$}  {todo} {mend}\n", ""));
            }
        }
        let count = |grade| self.0.iter().filter(|f| f.grade == grade).count().to_string();
        out.push('\n');
        if self.is_well() {
            out.push_str(words.text(lang, "doctor-all-good"));
        } else {
            let (bad, warnings) = (count(Grade::Bad), count(Grade::Warning));
            let args = [("bad", bad.as_str()), ("warnings", warnings.as_str())];
            out.push_str(&words.with(lang, "doctor-not-all-good", &args));
        }
        out.push('\n');
        out
    }
}

/// A date and time in the regency's zone, for sentences.
fn clock_time(at: kulkul_model::Moment) -> String {
    Zone::named("Asia/Makassar")
        .map_or_else(|_| at.to_string(), |zone| zone.civil(at).strftime("%Y-%m-%d %H:%M").to_string())
}

/// A date in the regency's zone, for sentences.
fn date(at: kulkul_model::Moment) -> String {
    Zone::named("Asia/Makassar")
        .map_or_else(|_| at.to_string(), |zone| zone.civil(at).strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests;
