//! Keeping kernel, orders and sessions the same: at start, after changes, after harm.

use super::apply::read_orders;
use super::people::left_ms;
use super::{Actor, Parts, SupervisorError, upkeep};
use crate::firewall::{self, PEOPLE};
use crate::kernel::KernelError;
use crate::sessions::book::{Book, into_this_run};
use crate::sessions::spent::Spent;
use crate::sessions::{Phase, Sessions};
use crate::supervisor::Totals;
use crate::ways::LineState;
use kulkul_model::session::{SessionId, Usage};
use kulkul_wire::link::Event;
use kulkul_wire::link::desired::TunnelSection;
use kulkul_wire::netlink::{Change, Counter, Element, Extra, Key, Set};
use kulkul_wire::ruleset::Policy;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tokio::sync::watch;

/// Changes in one transaction when many are needed: the socket's buffer holds them.
pub(super) const BATCH: usize = 500;

type Elements = BTreeMap<(Set, Key), Element>;

impl Actor {
    pub(super) fn open(
        parts: Parts,
        (totals, lines, tunnel): (
            watch::Sender<Totals>,
            watch::Sender<Vec<LineState>>,
            watch::Sender<TunnelSection>,
        ),
    ) -> Result<Self, SupervisorError> {
        let Parts { config, clock, mut kernel, listener, journal, ids, can, teller } = parts;
        let dir = config.data.clone();
        let failed = |source| SupervisorError::Book { dir: dir.clone(), source };
        let (book, people) = Book::open(&dir).map_err(failed)?;
        let (orders, zone) = read_orders(&dir).map_err(failed)?;
        let spent = Spent::open(&dir).map_err(failed)?;
        let hours = super::hours::Hours::open(&dir);
        let ways = super::ways::Ways::open(&config, kernel.as_mut(), clock.mono_ms())?;
        ways.each().try_for_each(|(name, have)| config.check_uplink(name, have))?;
        let mut sessions = Sessions::default();
        let now = clock.stamp();
        for (written, mut live) in people {
            into_this_run(&mut live, written, now);
            // Nobody could be seen while the daemon was away: idleness is counted from here.
            live.seen_mono_ms = clock.mono_ms();
            sessions.insert(live);
        }
        let queues = super::queues::Queues::new(&config, ways.in_use(), can);
        let upkeep = upkeep::Upkeep::new(&clock);
        Ok(Actor {
            config,
            clock,
            kernel,
            listener,
            journal,
            ids,
            orders,
            zone,
            hours,
            queues,
            spent,
            ways,
            lines,
            tunnel,
            digest: String::new(),
            sessions,
            book,
            waiting: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            writing: futures_util::stream::FuturesUnordered::new(),
            totals,
            begun: 0,
            finished: Usage::default(),
            base: Usage::default(),
            consents: BTreeMap::new(),
            log: super::told::Log::new(teller),
            upkeep,
        })
    }

    /// Compares kernel and sessions and makes them one; the table is loaded only when it differs.
    pub(super) fn begin(&mut self) -> Result<(), SupervisorError> {
        let began = self.clock.mono_ms();
        self.count_ways();
        if let Err(error) = self.share_out() {
            tracing::error!(%error, "the line is not shared out: rates by themselves bound people");
            self.share_no_more();
        }
        self.digest = self.policy().digest();
        let loaded = self.kernel.digest()?;
        if loaded.as_ref() == Some(&self.digest) {
            let changed = self.reconcile()?;
            let took_ms = self.clock.mono_ms().saturating_sub(began);
            tracing::info!(people = self.sessions.len(), changed, took_ms, "sessions and kernel are one");
        } else {
            self.load()?;
            tracing::info!(people = self.sessions.len(), kernel = self.kernel.name(), "the table is loaded");
        }
        self.upkeep.structure = self.kernel.structure()?;
        self.upkeep.generation = self.kernel.generation()?;
        self.begin_ways();
        self.begin_tunnel();
        self.meet_all();
        let ids: Vec<(SessionId, Phase)> = self.sessions.iter().map(|l| (l.id, l.phase)).collect();
        for (id, phase) in ids {
            match phase {
                // Killed between the click and the answer: the hub takes a second start as the first.
                Phase::Starting => self.record_start(id),
                Phase::Stopping(_) => self.record_stop(id),
                Phase::Online => {}
            }
        }
        self.base = self.used();
        self.keep_hours();
        self.publish();
        self.tell_all();
        self.note_boot();
        Ok(())
    }

    pub(super) fn policy(&self) -> Policy {
        let caps = self.caps(None);
        let bounded = caps.up.is_some() || caps.down.is_some() || self.may_bound_by_themselves();
        firewall::policy(
            &self.config,
            &self.orders,
            &self.ways.addresses(),
            bounded,
            self.queues.are_shared(),
        )
    }

    /// Makes changes and keeps count of our own transactions.
    pub(super) fn change(&mut self, changes: &[Change]) -> Result<(), KernelError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.kernel.change(changes)?;
        self.upkeep.generation = self.upkeep.generation.wrapping_add(1);
        Ok(())
    }

    /// Every element that should be there.
    fn expected(&mut self) -> Elements {
        let mono_ms = self.clock.mono_ms();
        let mut all: Vec<Element> = self.listed();
        for live in self.sessions.iter_mut().filter(|l| l.phase == Phase::Online) {
            let left_ms = left_ms(live, mono_ms);
            let (mac, caps) = (live.mac, live.caps);
            for (ip, counted) in live.addresses.iter() {
                let person = firewall::Person { mac, ip: *ip, caps };
                all.extend(person.elements(left_ms.unsigned_abs(), counted.up, counted.down));
            }
        }
        all.into_iter().map(|e| ((e.set, e.key), e)).collect()
    }

    /// Replaces the table in one transaction, everybody included.
    pub(super) fn load(&mut self) -> Result<(), KernelError> {
        // What the old table counted until now goes into the new one.
        self.take_counts()?;
        self.count_ways();
        let policy = self.policy();
        let people: Vec<Element> = self.expected().into_values().collect();
        self.kernel.load(&policy.text(&people))?;
        self.forget_counters();
        self.digest = policy.digest();
        self.mark_until();
        self.reconcile()?;
        self.upkeep.structure = self.kernel.structure()?;
        self.upkeep.generation = self.kernel.generation()?;
        Ok(())
    }

    fn mark_until(&mut self) {
        let mono_ms = self.clock.mono_ms();
        for live in self.sessions.iter_mut().filter(|l| l.phase == Phase::Online) {
            let until = mono_ms + left_ms(live, mono_ms);
            for counted in live.addresses.values_mut() {
                counted.until_mono_ms = until;
            }
        }
    }

    /// Adds what is missing, removes what is too much; returns how many changes that took.
    pub(super) fn reconcile(&mut self) -> Result<usize, KernelError> {
        let mut actual = Elements::new();
        for set in PEOPLE.into_iter().chain([Set::Blocked, Set::Allowed]) {
            actual.extend(self.kernel.dump(set)?.into_iter().map(|e| ((e.set, e.key), e)));
        }
        self.absorb(&actual);
        let expected = self.expected();
        let mut changes = Vec::new();
        for (at, e) in &expected {
            match actual.get(at) {
                None => changes.push(Change::Add(*e)),
                Some(there) if is_other_cap(e, there) => {
                    changes.push(Change::Remove(e.set, e.key));
                    changes.push(Change::Add(*e));
                }
                Some(_) => {}
            }
        }
        changes.extend(
            actual.keys().filter(|at| !expected.contains_key(at)).map(|(s, k)| Change::Remove(*s, *k)),
        );
        for part in changes.chunks(BATCH) {
            self.change(part)?;
        }
        let mono_ms = self.clock.mono_ms();
        for live in self.sessions.iter_mut() {
            let until = mono_ms + left_ms(live, mono_ms);
            for counted in live.addresses.values_mut().filter(|c| c.until_mono_ms == 0) {
                counted.until_mono_ms = until;
            }
        }
        Ok(changes.len())
    }

    /// Reads counters of all addresses into the sessions.
    pub(super) fn take_counts(&mut self) -> Result<(), KernelError> {
        let mut actual = Elements::new();
        for set in [Set::Auth4, Set::Auth6, Set::Down4, Set::Down6] {
            actual.extend(self.kernel.dump(set)?.into_iter().map(|e| ((e.set, e.key), e)));
        }
        let missing = self.absorb(&actual);
        if missing > 0 {
            self.upkeep.suspicious = true;
        }
        Ok(())
    }

    /// Counts what elements say; returns how many addresses have none.
    fn absorb(&mut self, actual: &Elements) -> usize {
        let mono_ms = self.clock.mono_ms();
        let mut missing = 0;
        for live in self.sessions.iter_mut().filter(|l| l.phase == Phase::Online) {
            let mac = live.mac;
            let ips: Vec<IpAddr> = live.addresses.keys().copied().collect();
            for ip in ips {
                let (auth, down) =
                    if ip.is_ipv4() { (Set::Auth4, Set::Down4) } else { (Set::Auth6, Set::Down6) };
                let up = actual.get(&(auth, Key::Device(mac, ip)));
                let down = actual.get(&(down, Key::Address(ip)));
                missing += usize::from(up.is_none() || down.is_none());
                live.count(ip, up.and_then(counter), down.and_then(counter), mono_ms);
                if let (Some(counted), Some(left)) = (live.addresses.get_mut(&ip), up.and_then(|e| e.left_ms))
                {
                    counted.until_mono_ms = mono_ms.saturating_add(i64::try_from(left).unwrap_or(0));
                }
            }
        }
        missing
    }

    /// Reads counters before sessions end; without it at most ten seconds of bytes are missing.
    pub(super) fn last_look(&mut self) {
        if let Err(e) = self.take_counts() {
            tracing::warn!(error = %e, "last counters of a session");
        }
    }

    /// Looks at the table and puts right what is not ours; tells the journal what it was.
    pub(super) fn mend(&mut self, seen: &str) -> Result<(), KernelError> {
        let digest = self.kernel.digest()?;
        let what = if digest.is_none() {
            Some("the table was gone")
        } else if digest.as_ref() != Some(&self.digest) || self.kernel.structure()? != self.upkeep.structure {
            Some("rules, chains or sets were changed")
        } else {
            None
        };
        let changed = if what.is_some() {
            self.load()?;
            0
        } else {
            self.reconcile()?
        };
        self.upkeep.generation = self.kernel.generation()?;
        let what =
            what.map(str::to_owned).or((changed > 0).then(|| format!("{changed} elements were not ours")));
        if let Some(what) = what {
            tracing::warn!(what, seen, "the ruleset was put right");
            self.event(Event::RulesetHealed { what });
        }
        Ok(())
    }
}

fn counter(e: &Element) -> Option<Counter> {
    match e.extra {
        Extra::Counter(c) => Some(c),
        _ => None,
    }
}

fn is_other_cap(wanted: &Element, there: &Element) -> bool {
    match (wanted.extra, there.extra) {
        (Extra::Cap { bytes_per_s: a }, Extra::Cap { bytes_per_s: b }) => a != b,
        (Extra::Class(a), Extra::Class(b)) => a != b,
        _ => false,
    }
}

pub(super) fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        up_bytes: a.up_bytes.saturating_add(b.up_bytes),
        down_bytes: a.down_bytes.saturating_add(b.down_bytes),
        up_packets: a.up_packets.saturating_add(b.up_packets),
        down_packets: a.down_packets.saturating_add(b.down_packets),
    }
}
