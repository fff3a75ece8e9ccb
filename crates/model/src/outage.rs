//! Outages: maximal intervals of down, found in the facts of minutes.
//!
//! Three failed minutes in a row make an outage; it begins with the first of them
//! and ends with the first minute that worked. A minute that nobody observed
//! neither makes nor ends one: it is bridged, and its seconds are not counted.
//! After an hour without any observation the outage ends where observation did.

use crate::Moment;
use crate::availability::Seconds;
use crate::facts::{Facts, MINUTE_MS, Mark, Timeline};
use crate::site::SiteCode;
use crate::state::Observed;
use serde::{Deserialize, Serialize};

/// This many failed minutes in a row make a place down.
pub const FAILED_MINUTES: u32 = 3;
/// An outage is not carried over more unobserved minutes than these.
pub const BRIDGED_MINUTES: u32 = 60;

/// Why a place was down, as far as evidence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The box had no power.
    Power,
    /// The line to the provider was lost.
    Uplink,
    /// Something above several places failed.
    Upstream,
    /// The box itself failed or was restarted.
    Gateway,
    /// None of the place's access points answered.
    AccessPoint,
    /// Not known yet.
    Unknown,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 6] =
        [Cause::Power, Cause::Uplink, Cause::Upstream, Cause::Gateway, Cause::AccessPoint, Cause::Unknown];

    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Power => "power",
            Cause::Uplink => "uplink",
            Cause::Upstream => "upstream",
            Cause::Gateway => "gateway",
            Cause::AccessPoint => "access_point",
            Cause::Unknown => "unknown",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
}

/// An outage as the facts show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first failed minute.
    pub from: Moment,
    /// The first minute that worked; none while it lasts.
    pub to: Option<Moment>,
    /// Seconds of failed minutes; unobserved ones in between are not in it.
    pub seconds: i64,
    /// Those of them that are down only because nothing was heard.
    pub silent_seconds: i64,
}

impl Span {
    /// Whether `at` lies in it.
    #[must_use]
    pub fn holds(&self, at: Moment) -> bool {
        at >= self.from && self.to.is_none_or(|to| at < to)
    }
}

/// An outage on record. Every change makes a revision; none is edited away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Its number, counted up over all sites.
    pub number: i64,
    /// Where.
    pub site: SiteCode,
    /// From when to when, and how many seconds of it are down.
    pub span: Span,
    /// Why, as far as known.
    pub cause: Cause,
    /// The outage above that explains it, if one does.
    pub parent: Option<i64>,
    /// The fibre segment or POP that explains it, if one does.
    pub upstream: Option<String>,
    /// 1 when it was opened, one more with every change.
    pub revision: i64,
    /// Its leaf in the evidence log, once there is one.
    pub evidence: Option<i64>,
    /// True when later evidence showed that there was none.
    pub withdrawn: bool,
}

/// Follows a site minute by minute and says when an outage opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The failed minutes so far: an outage once there are three.
    run: Option<Run>,
    /// Which of the latest five minutes outside outages were measured poor or failed, one bit each.
    bad: u8,
    /// Unobserved minutes on end.
    unseen: u32,
    shown: Observed,
}

impl Default for Follower {
    fn default() -> Self {
        Follower { run: None, bad: 0, unseen: 0, shown: Observed::Unknown }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    span: Span,
    open: bool,
    unobserved: u32,
    observed_to: Moment,
}

impl Follower {
    /// Goes on in the middle of an outage that is on record.
    #[must_use]
    pub fn within(span: Span) -> Self {
        let run = Run { span, open: true, unobserved: 0, observed_to: span.from };
        Follower { run: Some(run), bad: 0, unseen: 0, shown: Observed::Down }
    }

    /// Takes the next minute; gives the outage that ends with it, if one does.
    pub fn step(&mut self, at: Moment, facts: Facts) -> Option<Span> {
        let mark = facts.mark();
        let mut ended = None;
        match (mark, self.run.as_mut()) {
            (Mark::Failed, run) => {
                let mut run = run.copied().unwrap_or(Run {
                    span: Span { from: at, to: None, seconds: 0, silent_seconds: 0 },
                    open: false,
                    unobserved: 0,
                    observed_to: at,
                });
                run.span.seconds += 60;
                run.span.silent_seconds += if facts.silent() { 60 } else { 0 };
                run.unobserved = 0;
                run.observed_to = at.plus_ms(MINUTE_MS);
                run.open |= run.span.seconds >= i64::from(FAILED_MINUTES) * 60;
                self.run = Some(run);
            }
            (Mark::Unknown, Some(run)) if run.open => {
                run.unobserved += 1;
                if run.unobserved > BRIDGED_MINUTES {
                    ended = Some(Span { to: Some(run.observed_to), ..run.span });
                    self.run = None;
                }
            }
            (Mark::Good | Mark::Poor, Some(run)) if run.open => {
                ended = Some(Span { to: Some(at), ..run.span });
                self.run = None;
            }
            _ => self.run = None,
        }
        let down = ended.is_some() || self.outage().is_some();
        self.bad = match mark {
            _ if down => 0,
            Mark::Unknown => self.bad,
            // Silence is shown as silence; it is not a sign of a slow place.
            Mark::Failed if facts.silent() => self.bad << 1 & 31,
            Mark::Good => self.bad << 1 & 31,
            Mark::Poor | Mark::Failed => (self.bad << 1 | 1) & 31,
        };
        self.unseen = if mark == Mark::Unknown { self.unseen + 1 } else { 0 };
        self.shown = match mark {
            Mark::Unknown if self.unseen > 1 => Observed::Unknown,
            Mark::Unknown => self.shown,
            _ if self.outage().is_some() => Observed::Down,
            // Silence says nothing until it is an outage.
            Mark::Failed if facts.silent() => self.shown,
            _ if self.bad.count_ones() >= 2 => Observed::Degraded,
            _ => Observed::Up,
        };
        ended
    }

    /// The outage that goes on, if one does.
    #[must_use]
    pub fn outage(&self) -> Option<Span> {
        self.run.filter(|r| r.open).map(|r| r.span)
    }

    /// What is observed after the latest minute.
    ///
    /// Degraded is two measured poor or failed minutes among the latest five, and
    /// unknown two unobserved ones on end, so that one minute does not make a map flicker.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.shown
    }
}

/// All outages of a timeline; the last may go on (`to` none).
#[must_use]
pub fn spans(timeline: &Timeline) -> Vec<Span> {
    let mut follower = Follower::default();
    let mut out: Vec<Span> = timeline.iter().filter_map(|(at, f)| follower.step(at, f)).collect();
    out.extend(follower.outage());
    out
}

/// What each minute of the timeline counts as, given its outages in order of time.
///
/// Failed minutes outside an outage are degraded, and so is each poor minute.
pub fn observed<'a>(
    timeline: &'a Timeline,
    spans: &'a [Span],
) -> impl Iterator<Item = (Moment, Observed)> + 'a {
    let mut rest = spans;
    timeline.iter().map(move |(at, facts)| {
        while rest.first().and_then(|s| s.to).is_some_and(|to| to <= at) {
            rest = rest.get(1..).unwrap_or_default();
        }
        let state = match facts.mark() {
            Mark::Unknown => Observed::Unknown,
            Mark::Good => Observed::Up,
            Mark::Failed if rest.first().is_some_and(|s| s.holds(at)) => Observed::Down,
            Mark::Poor | Mark::Failed => Observed::Degraded,
        };
        (at, state)
    })
}

/// Seconds of each kind in the minutes from `from` (with) to `to` (without).
#[must_use]
pub fn seconds(timeline: &Timeline, spans: &[Span], from: Moment, to: Moment) -> Seconds {
    let mut sum = Seconds::default();
    for (at, state) in observed(timeline, spans) {
        if at >= from && at < to {
            sum.add(state, 60);
        }
    }
    sum
}

/// Something a gateway wrote down that may explain an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clue {
    /// What it points to.
    pub cause: Cause,
    /// From when it held.
    pub from: Moment,
    /// Until when; none while it lasts.
    pub to: Option<Moment>,
}

/// A clue explains an outage that begins within these milliseconds of it.
const CLUE_SLACK_MS: i64 = 120_000;

/// The cause that clues give to an outage, `Unknown` without one.
///
/// A clue counts when it holds within two minutes of the outage's first minute. A
/// start of the box counts anywhere in the outage and just behind it: the box that
/// came back had been away. One before the outage says nothing about it. Loss of
/// power explains a lost uplink and a restart, so it goes first.
#[must_use]
pub fn cause(span: &Span, clues: &[Clue]) -> Cause {
    let near = |c: &&Clue| {
        let begins = span.from.plus_ms(MINUTE_MS + CLUE_SLACK_MS);
        let (first, last) = match c.cause {
            Cause::Gateway => {
                (span.from, span.to.map_or(Moment::from_ms(i64::MAX), |to| to.plus_ms(CLUE_SLACK_MS)))
            }
            _ => (span.from.plus_ms(-CLUE_SLACK_MS), begins),
        };
        c.from <= last && c.to.is_none_or(|to| to >= first)
    };
    clues.iter().filter(near).map(|c| c.cause).min().unwrap_or(Cause::Unknown)
}

/// What to do with the outages on record so that they say what the facts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Put a new one on record.
    Open(Span, Cause),
    /// Revise the one with this number.
    Revise(i64, Span, Cause),
    /// The facts show no such outage any more.
    Withdraw(i64),
}

/// Compares what is on record for one site with what the facts show.
///
/// `known` are outages that are not withdrawn, `found` those of the facts, both in
/// order of time. A found outage keeps the number of the first known one that it
/// overlaps. Applying the corrections and comparing again gives none.
#[must_use]
pub fn corrections(known: &[Outage], found: &[Span], clues: &[Clue]) -> Vec<Correction> {
    let mut out = Vec::new();
    let mut free: Vec<&Outage> = known.iter().collect();
    for span in found {
        let why = cause(span, clues);
        let overlaps = |o: &&Outage| {
            span.to.is_none_or(|to| o.span.from < to) && o.span.to.is_none_or(|to| span.from < to)
        };
        let Some(i) = free.iter().position(overlaps) else {
            out.push(Correction::Open(*span, why));
            continue;
        };
        let old = free.remove(i);
        // A cause that a person or another rule gave stays when the clues say nothing.
        let why = if why == Cause::Unknown { old.cause } else { why };
        if old.span != *span || old.cause != why {
            out.push(Correction::Revise(old.number, *span, why));
        }
    }
    out.extend(free.into_iter().map(|o| Correction::Withdraw(o.number)));
    out
}

#[cfg(test)]
mod tests;
