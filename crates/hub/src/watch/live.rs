//! Live: what every site gives now, in memory, fed by beats and by time.
//!
//! A beat takes the lock for microseconds and touches no SQL. What must last goes
//! to `hot` every 15 s; what is shown goes to the board at most once a second.

use crate::Hub;
use kulkul_model::Moment;
use kulkul_model::facts::{Facts, Timeline};
use kulkul_model::gateway::GatewayId;
use kulkul_model::measurement::Minute;
use kulkul_model::outage::Span;
use kulkul_model::pulse::{Change, Pulse};
use kulkul_model::rollup::ServiceSum;
use kulkul_model::site::SiteCode;
use kulkul_model::state::Observed;
use kulkul_store::hot::HotMinute;
use kulkul_wire::link::Beat;
use std::collections::{BTreeMap, BTreeSet};

/// When no second passed within this time, the hub was asleep and saw nothing.
const ASLEEP_MS: i64 = 30_000;
/// A box's minute may lie this far ahead of the hub's clock.
const AHEAD_MS: i64 = 5_000;

/// Everything that is live.
#[derive(Debug, Default)]
pub struct Live {
    sites: BTreeMap<SiteCode, Entry>,
    /// Since when the hub has been watching without a break; none while it is blind.
    watching: Option<Moment>,
    ticked: Option<Moment>,
    /// Sites that look different since they were last asked for.
    changed: BTreeSet<SiteCode>,
    /// Whether anything small (a beat, people, delay) is newer than the board.
    touched: bool,
    /// From where on a site's outages must be found anew.
    unsettled: BTreeMap<SiteCode, Moment>,
}

#[derive(Debug)]
struct Entry {
    pulse: Pulse,
    people: u32,
    rtt_us: Option<u32>,
    silent: bool,
    /// Sums of measured minutes by hour: this one and the one before.
    sums: BTreeMap<Moment, ServiceSum>,
    /// Minutes to write to `hot`: the anchors' mean round trip, packets, losses.
    fresh: BTreeMap<Moment, (Option<u32>, u32, u32)>,
}

/// One site as the board shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What is observed.
    pub observed: Observed,
    /// Since when.
    pub since: Option<Moment>,
    /// The latest beat.
    pub seen_at: Option<Moment>,
    /// Whether a beat is overdue.
    pub silent: bool,
    /// Devices online.
    pub people: u32,
    /// Mean round trip to the anchors, microseconds.
    pub rtt_us: Option<u32>,
}

/// Takes a gateway's beat; cheap, and in memory only.
///
/// Minutes that were known before are ignored, as are those that the box dates
/// later than now or over two hours back: the hour block is their record.
pub fn beat(hub: &Hub, site: &SiteCode, _gateway: &GatewayId, beat: &Beat) {
    let now = hub.clock().now();
    hub.watch().live().beat(now, site, beat.people, &beat.minutes);
    hub.watch().metrics().beats.inc();
}

impl Entry {
    fn new(pulse: Pulse) -> Self {
        let (sums, fresh) = (BTreeMap::new(), BTreeMap::new());
        Entry { pulse, people: 0, rtt_us: None, silent: false, sums, fresh }
    }

    fn measure(&mut self, minute: &Minute) -> Change {
        let Some(change) = self.pulse.measure(minute.at, minute.verdict()) else { return Change::default() };
        let mut sum = ServiceSum::default();
        sum.add(minute);
        let hour = self.sums.entry(minute.at.hour()).or_default();
        *hour = hour.and(sum);
        while self.sums.len() > 2 {
            self.sums.pop_first();
        }
        self.rtt_us = minute.anchor_rtt_us().or(self.rtt_us);
        self.fresh.insert(minute.at.minute(), (minute.anchor_rtt_us(), sum.sent, sum.lost));
        change
    }
}

impl Live {
    /// Begins to watch, or goes on; a break before `now` stays a break.
    pub fn see(&mut self, now: Moment) {
        self.watching.get_or_insert(now);
    }

    /// Stops watching: from now on silence says nothing.
    pub fn go_blind(&mut self) {
        self.watching = None;
    }

    /// Since when the hub has been watching without a break.
    #[must_use]
    pub fn watching(&self) -> Option<Moment> {
        self.watching
    }

    /// Puts a site in place at `now` as it was left.
    pub fn restore(
        &mut self,
        now: Moment,
        site: SiteCode,
        pulse: Pulse,
        sums: BTreeMap<Moment, ServiceSum>,
        people: u32,
    ) {
        let silent = pulse.silent(now);
        self.sites.insert(site, Entry { sums, people, silent, ..Entry::new(pulse) });
    }

    /// Takes a beat with the minutes that it brought.
    pub fn beat(&mut self, now: Moment, site: &SiteCode, people: u32, minutes: &[Minute]) {
        if !self.sites.contains_key(site) {
            self.sites.insert(site.clone(), Entry::new(Pulse::new(now)));
        }
        let Some(entry) = self.sites.get_mut(site) else { return };
        let watching = self.watching;
        let mut change = entry.pulse.advance(now, |minute| watching.is_some_and(|from| from <= minute));
        change = change.and(entry.pulse.hear(now));
        entry.fresh.entry(now.minute()).or_insert((None, 0, 0));
        for minute in minutes.iter().filter(|m| m.at <= now.plus_ms(AHEAD_MS)) {
            change = change.and(entry.measure(minute));
        }
        entry.people = people;
        let spoke = std::mem::take(&mut entry.silent);
        self.touched = true;
        self.note(site, change, spoke);
    }

    fn note(&mut self, site: &SiteCode, change: Change, also: bool) {
        if change.state || also {
            self.changed.insert(site.clone());
        }
        if let Some(from) = change.outage_from {
            let first = self.unsettled.entry(site.clone()).or_insert(from);
            *first = from.min(*first);
        }
    }

    /// Lets time pass: closes minutes, and finds who is silent.
    pub fn tick(&mut self, now: Moment) {
        if self.ticked.is_some_and(|last| now.since_ms(last) > ASLEEP_MS) && self.watching.is_some() {
            self.watching = Some(now);
        }
        self.ticked = Some(now);
        let watching = self.watching;
        let mut news = Vec::new();
        for (site, entry) in &mut self.sites {
            let change = entry.pulse.advance(now, |minute| watching.is_some_and(|from| from <= minute));
            let silent = entry.pulse.silent(now);
            let also = std::mem::replace(&mut entry.silent, silent) != silent;
            if also || change != Change::default() {
                news.push((site.clone(), change, also));
            }
        }
        for (site, change, also) in news {
            self.note(&site, change, also);
        }
    }

    /// The latest second that was let pass.
    #[must_use]
    pub fn ticked(&self) -> Option<Moment> {
        self.ticked
    }

    /// One site as it stands.
    #[must_use]
    pub fn shown(&self, site: &SiteCode) -> Option<Shown> {
        self.sites.get(site).map(Entry::shown)
    }

    /// All sites as they stand, by code.
    pub fn all(&self) -> impl Iterator<Item = (&SiteCode, Shown)> {
        self.sites.iter().map(|(site, entry)| (site, entry.shown()))
    }

    /// Takes the sites that look different since this was last asked.
    pub fn take_changed(&mut self) -> BTreeSet<SiteCode> {
        std::mem::take(&mut self.changed)
    }

    /// Takes whether anything small is new.
    pub fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }

    /// Takes the sites whose outages must be found anew, with the moment from which on.
    pub fn take_unsettled(&mut self) -> BTreeMap<SiteCode, Moment> {
        std::mem::take(&mut self.unsettled)
    }

    /// Says that a site's outages must be found anew from `from` on.
    pub fn unsettle(&mut self, site: &SiteCode, from: Moment) {
        self.note(site, Change { state: false, outage_from: Some(from) }, false);
    }

    /// A site's latest two hours, as far as they count by now.
    #[must_use]
    pub fn timeline(&self, site: &SiteCode) -> Option<Timeline> {
        self.sites.get(site).map(|e| e.pulse.timeline())
    }

    /// The outage that goes on at a site.
    #[must_use]
    pub fn outage(&self, site: &SiteCode) -> Option<Span> {
        self.sites.get(site).and_then(|e| e.pulse.outage())
    }

    /// What was measured in an hour at a site, as far as beats told.
    #[must_use]
    pub fn sum(&self, site: &SiteCode, hour: Moment) -> ServiceSum {
        self.sites.get(site).and_then(|e| e.sums.get(&hour)).copied().unwrap_or_default()
    }

    /// The codes of all sites that ever sent a beat.
    #[must_use]
    pub fn codes(&self) -> Vec<SiteCode> {
        self.sites.keys().cloned().collect()
    }

    /// Takes the minutes that `hot` does not have yet.
    pub fn take_fresh(&mut self) -> Vec<HotMinute> {
        let mut out = Vec::new();
        for (site, entry) in &mut self.sites {
            let Some(seen_at) = entry.pulse.seen_at() else { continue };
            for (at, (rtt_us, sent, lost)) in std::mem::take(&mut entry.fresh) {
                let facts = entry.pulse.facts(at);
                if facts != Facts::NONE {
                    let (site, people) = (site.clone(), entry.people);
                    out.push(HotMinute { at, site, facts, seen_at, people, rtt_us, sent, lost });
                }
            }
        }
        out
    }
}

impl Entry {
    fn shown(&self) -> Shown {
        Shown {
            observed: self.pulse.observed(),
            since: self.pulse.since(),
            seen_at: self.pulse.seen_at(),
            silent: self.silent,
            // A count that nobody can have told lately is no count.
            people: if self.silent { 0 } else { self.people },
            rtt_us: if self.silent { None } else { self.rtt_us },
        }
    }
}
