//! The pulse of a site: the latest two hours of facts, and what is observed now.
//!
//! Fed by beats and by the passing of time alone; the hub keeps one for each site
//! in memory. What it says about the past is provisional: the hour block is the
//! record. It never touches a database and never asks a clock.

use crate::Moment;
use crate::facts::{Facts, MINUTE_MS, Mark, Timeline};
use crate::measurement::Verdict;
use crate::outage::{Follower, Span};
use crate::state::Observed;

/// Without a beat for longer than this a place shows "no sign of life since".
pub const SILENT_AFTER_MS: i64 = 90_000;
/// Minutes that a pulse remembers, the current one included.
pub const REMEMBERED: i64 = 128;

/// The latest facts of one site.
#[derive(Clone, Debug)]
pub struct Pulse {
    ring: [Facts; REMEMBERED as usize],
    /// Number of the current minute since 1970; all before it are closed.
    current: i64,
    /// How things stood before the oldest minute of the ring.
    before: Follower,
    outage: Option<Span>,
    observed: Observed,
    since: Option<Moment>,
    seen_at: Option<Moment>,
}

/// What a step changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Change {
    /// The observed state is another one.
    pub state: bool,
    /// Outages from this moment on must be found anew.
    pub outage_from: Option<Moment>,
}

impl Change {
    /// Both changes.
    #[must_use]
    pub fn and(self, other: Change) -> Self {
        Change {
            state: self.state || other.state,
            outage_from: match (self.outage_from, other.outage_from) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }
}

fn number(at: Moment) -> i64 {
    at.ms().div_euclid(MINUTE_MS)
}

fn minute(number: i64) -> Moment {
    Moment::from_ms(number.saturating_mul(MINUTE_MS))
}

fn slot(number: i64) -> usize {
    // Always within the ring: a remainder by its length.
    usize::try_from(number.rem_euclid(REMEMBERED)).unwrap_or(0)
}

impl Pulse {
    /// A site of which nothing is known at `now`.
    #[must_use]
    pub fn new(now: Moment) -> Self {
        Pulse {
            ring: [Facts::NONE; REMEMBERED as usize],
            current: number(now),
            before: Follower::default(),
            outage: None,
            observed: Observed::Unknown,
            since: None,
            seen_at: None,
        }
    }

    /// A site as it was left: its latest facts, and the outage that is on record as going on.
    ///
    /// `timeline` may reach any way back; what is older than the ring only counts when
    /// the outage began there.
    #[must_use]
    pub fn restored(now: Moment, timeline: &Timeline, outage: Option<Span>, seen_at: Option<Moment>) -> Self {
        let mut pulse = Pulse { seen_at, ..Pulse::new(now) };
        let oldest = pulse.oldest();
        if let Some(span) = outage.filter(|s| s.from < minute(oldest)) {
            pulse.before = Follower::within(span);
        }
        for (at, facts) in timeline.iter() {
            pulse.put(number(at), facts);
        }
        pulse.judge();
        pulse
    }

    fn oldest(&self) -> i64 {
        self.current - REMEMBERED + 1
    }

    fn get(&self, number: i64) -> Facts {
        self.ring.get(slot(number)).copied().unwrap_or_default()
    }

    fn put(&mut self, number: i64, facts: Facts) -> bool {
        if number < self.oldest() || number > self.current {
            return false;
        }
        match self.ring.get_mut(slot(number)) {
            Some(f) => {
                let new = f.and(facts);
                std::mem::replace(f, new) != new
            }
            None => false,
        }
    }

    /// What is observed now.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.observed
    }

    /// Since when; none when the site was never observed.
    #[must_use]
    pub fn since(&self) -> Option<Moment> {
        self.since
    }

    /// The latest beat.
    #[must_use]
    pub fn seen_at(&self) -> Option<Moment> {
        self.seen_at
    }

    /// The outage that goes on.
    #[must_use]
    pub fn outage(&self) -> Option<Span> {
        self.outage
    }

    /// What is known of the minute that holds `at`; nothing outside what is remembered.
    #[must_use]
    pub fn facts(&self, at: Moment) -> Facts {
        let n = number(at);
        if n < self.oldest() || n > self.current { Facts::NONE } else { self.get(n) }
    }

    /// Whether a sign of life is overdue.
    #[must_use]
    pub fn silent(&self, now: Moment) -> bool {
        self.seen_at.is_some_and(|at| now.since_ms(at) > SILENT_AFTER_MS)
    }

    /// Takes a beat that arrived at `now`.
    pub fn hear(&mut self, now: Moment) -> Change {
        self.seen_at = self.seen_at.max(Some(now));
        self.put(number(now), Facts::HEARD);
        self.judge()
    }

    /// Takes a measured minute; none when it was known before or lies outside what is remembered.
    pub fn measure(&mut self, at: Moment, verdict: Verdict) -> Option<Change> {
        let n = number(at);
        let old = self.get(n).mark();
        if !self.put(n, Facts::measured(verdict)) {
            return None;
        }
        let new = self.get(n).mark();
        let mut change = self.judge();
        // A minute that failed or no longer fails may move the ends of an outage that is over.
        if n < self.current && old != new && (old == Mark::Failed || new == Mark::Failed) {
            change = change.and(Change { state: false, outage_from: Some(minute(n)) });
        }
        Some(change)
    }

    /// Lets time pass until `now`; `watched` says whether the hub saw all of a closed minute.
    pub fn advance(&mut self, now: Moment, watched: impl Fn(Moment) -> bool) -> Change {
        let to = number(now);
        if to <= self.current {
            return Change::default();
        }
        while self.current < to {
            if watched(minute(self.current)) {
                self.put(self.current, Facts::WATCHED);
            }
            let leaving = self.oldest();
            self.before.step(minute(leaving), self.get(leaving));
            self.current += 1;
            if let Some(f) = self.ring.get_mut(slot(self.current)) {
                *f = Facts::NONE;
            }
        }
        self.judge()
    }

    /// What is remembered, up to the latest minute that counts by now.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        let oldest = self.oldest();
        let facts = (oldest..self.counted().0).map(|n| self.get(n)).collect();
        Timeline { start: minute(oldest), facts }
    }

    /// The first minute that does not count yet, and how things stand before it.
    ///
    /// The current minute counts once it is measured. While a place is down, a minute in
    /// which it was only heard waits for its measurement until the next one closes: a
    /// line that carries beats and nothing else must not make the state flicker.
    fn counted(&self) -> (i64, Follower) {
        let mut follower = self.before;
        for n in self.oldest()..self.current - 1 {
            follower.step(minute(n), self.get(n));
        }
        for n in [self.current - 1, self.current] {
            let facts = self.get(n);
            let waits = facts.verdict().is_none()
                && (n == self.current || (facts.heard() && follower.outage().is_some()));
            if waits {
                return (n, follower);
            }
            follower.step(minute(n), facts);
        }
        (self.current + 1, follower)
    }

    fn judge(&mut self) -> Change {
        let (next, follower) = self.counted();
        let outage = follower.outage();
        let heard_now = self.get(self.current).heard();
        // The first beat after a time that nobody observed is good news at once.
        let first_beat = follower.observed() == Observed::Unknown && heard_now && outage.is_none();
        let observed = if first_beat { Observed::Up } else { follower.observed() };
        let state = observed != self.observed;
        if state {
            self.observed = observed;
            self.since = match outage {
                Some(span) if observed == Observed::Down => Some(span.from),
                _ if first_beat => self.seen_at,
                _ => Some(minute(next - 1)),
            };
        }
        let (old, new) = (self.outage.map(|s| s.from), outage.map(|s| s.from));
        self.outage = outage;
        let outage_from = if old == new { None } else { old.into_iter().chain(new).min() };
        Change { state, outage_from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_ms(1_795_500_000_000);

    fn at(s: i64) -> Moment {
        START.plus_ms(s * 1000)
    }

    /// Beats at :10 and :40 of each minute; the minute before is measured with the first.
    fn live(p: &mut Pulse, from_s: i64, to_s: i64, verdict: impl Fn(i64) -> Verdict) {
        for s in from_s..to_s {
            p.advance(at(s), |_| true);
            if s % 30 == 10 {
                p.hear(at(s));
                if s % 60 == 10 && s >= 70 {
                    p.measure(at(s - 70), verdict(s / 60 - 1));
                }
            }
        }
    }

    fn wait(p: &mut Pulse, from_s: i64, to_s: i64, watched: bool) -> Vec<(i64, Observed)> {
        let mut seen = Vec::new();
        for s in from_s..to_s {
            if p.advance(at(s), |_| watched).state {
                seen.push((s, p.observed()));
            }
        }
        seen
    }

    #[test]
    fn a_place_is_up_with_its_first_beat() {
        let mut p = Pulse::new(START);
        assert_eq!((p.observed(), p.since(), p.silent(at(500))), (Observed::Unknown, None, false));
        assert!(p.hear(at(10)).state);
        assert_eq!(p.observed(), Observed::Up);
        assert!(!p.silent(at(100)));
        assert!(p.silent(at(101)));
    }

    #[test]
    fn silence_makes_it_down_with_the_third_minute_backdated() {
        let mut p = Pulse::new(START);
        live(&mut p, 0, 300, |_| Verdict::Good);
        assert_eq!(wait(&mut p, 300, 900, true), [(480, Observed::Down)]);
        assert_eq!(p.since(), Some(at(300)));
        assert_eq!(p.outage().map(|s| (s.from, s.to)), Some((at(300), None)));
        // It comes back at 15:10; the first measured good minute ends it.
        assert!(!p.hear(at(910)).state, "a beat alone ends nothing");
        p.advance(at(960), |_| true);
        let change = p.measure(at(900), Verdict::Good).unwrap();
        assert_eq!(change, Change { state: true, outage_from: Some(at(300)) });
        assert_eq!((p.observed(), p.since()), (Observed::Up, Some(at(900))));
        assert_eq!(p.measure(at(900), Verdict::Good), None, "known before");
    }

    #[test]
    fn a_blind_hub_calls_nothing_down() {
        let mut p = Pulse::new(START);
        live(&mut p, 0, 300, |_| Verdict::Good);
        assert_eq!(wait(&mut p, 300, 900, false), [(420, Observed::Unknown)]);
        assert_eq!(p.outage(), None);
        p.advance(at(900), |_| true);
        assert!(p.hear(at(905)).state);
        assert_eq!(p.observed(), Observed::Up);
    }

    #[test]
    fn a_line_that_carries_only_beats_is_down_without_a_flicker() {
        let mut p = Pulse::new(START);
        live(&mut p, 0, 300, |_| Verdict::Good);
        let mut changes = Vec::new();
        for s in 300..1200 {
            if p.advance(at(s), |_| true).state {
                changes.push((s, p.observed()));
            }
            if s % 30 == 10 && p.hear(at(s)).state {
                changes.push((s, p.observed()));
            }
            if s % 60 == 10 && p.measure(at(s - 70), Verdict::Failed).is_some_and(|c| c.state) {
                changes.push((s, p.observed()));
            }
        }
        assert_eq!(changes, [(370, Observed::Degraded), (430, Observed::Down)]);
        assert_eq!(p.outage().map(|s| s.from), Some(at(240)));
    }

    #[test]
    fn a_restart_in_the_middle_changes_nothing() {
        let mut p = Pulse::new(START);
        live(&mut p, 0, 300, |_| Verdict::Good);
        wait(&mut p, 300, 12_000, true);
        let record = p.outage();
        let restored = Pulse::restored(at(11_999), &p.timeline(), record, p.seen_at());
        assert_eq!(restored.observed(), Observed::Down);
        assert_eq!(restored.outage().map(|s| s.from), Some(at(300)), "older than what is remembered");
        assert_eq!(restored.since(), Some(at(300)));
        let mut young = Pulse::new(START);
        live(&mut young, 0, 300, |_| Verdict::Good);
        wait(&mut young, 300, 421, true);
        let mut restored = Pulse::restored(at(421), &young.timeline(), None, young.seen_at());
        assert_eq!(restored.observed(), Observed::Up);
        assert_eq!(wait(&mut restored, 421, 600, true), [(480, Observed::Down)]);
        assert_eq!(restored.outage().map(|s| s.from), Some(at(300)));
    }

    #[test]
    fn late_minutes_correct_what_is_remembered() {
        let mut p = Pulse::new(START);
        live(&mut p, 0, 300, |_| Verdict::Good);
        wait(&mut p, 300, 605, true);
        assert_eq!(p.observed(), Observed::Down);
        p.hear(at(610));
        let mut change = Change::default();
        for m in 4..10 {
            change = change.and(p.measure(at(m * 60), Verdict::Good).unwrap_or_default());
        }
        assert_eq!(p.observed(), Observed::Up, "only the way to the hub was cut");
        assert_eq!(change.outage_from, Some(at(300)));
        assert_eq!(p.outage(), None);
    }
}
