//! What the supervisor does by the clock: limits, counters, interims, healing, renewing.

use super::Actor;
use super::people::{HORIZON_MS, left_ms};
use crate::clock::Clock;
use crate::kernel::KernelError;
use crate::sessions::{Live, Phase};
use crate::supervisor::Totals;
use kulkul_model::Moment;
use kulkul_model::session::{SessionId, StopReason, Usage};
use kulkul_wire::link::{Consent, Entry, Event, SessionInterim, Stamp};
use kulkul_wire::netlink::Change;
use std::collections::BTreeSet;

/// How often the supervisor looks up.
pub(super) const TICK_MS: i64 = 1_000;
const WATCH_MS: i64 = 2_000;
const COUNT_MS: i64 = 10_000;
const MINUTE_MS: i64 = 60_000;
const INTERIM_MS: i64 = 600_000;
const CONSENT_MS: i64 = 3_600_000;
/// A wall clock that moved otherwise than time did by this much has stepped.
const STEP_MS: i64 = 2_000;
const ALIVE: &str = "alive.json";

/// What is remembered from tick to tick.
pub(super) struct Upkeep {
    /// The generation that our own transactions explain.
    pub(super) generation: u32,
    /// The table's structure as we loaded it.
    pub(super) structure: u64,
    /// Something did not fit: look at the table at the next tick.
    pub(super) suspicious: bool,
    /// Sessions whose stop the journal did not take yet.
    pub(super) untold: Vec<SessionId>,
    /// Interfaces of the place that are not there.
    pub(super) gone: BTreeSet<String>,
    /// The tunnel's routes may be there; at the start those of an earlier run may.
    pub(super) led: bool,
    watched: i64,
    counted: i64,
    synced: i64,
    looked: i64,
    minute: i64,
    consent: i64,
    /// Wall minus monotonic time at the last tick.
    offset_ms: i64,
}

impl Upkeep {
    pub(super) fn new(clock: &Clock) -> Self {
        let mono_ms = clock.mono_ms();
        Upkeep {
            generation: 0,
            structure: 0,
            suspicious: false,
            untold: Vec::new(),
            gone: BTreeSet::new(),
            led: true,
            watched: mono_ms,
            counted: mono_ms,
            synced: mono_ms,
            looked: mono_ms,
            minute: mono_ms,
            consent: mono_ms,
            offset_ms: clock.now().ms().saturating_sub(mono_ms),
        }
    }
}

/// True once in `every_ms`; moves `last`.
fn is_due(last: &mut i64, mono_ms: i64, every_ms: i64) -> bool {
    let due = mono_ms.saturating_sub(*last) >= every_ms;
    if due {
        *last = mono_ms;
    }
    due
}

impl Actor {
    pub(super) fn tick(&mut self) {
        let mono_ms = self.clock.mono_ms();
        self.notice_step(mono_ms);
        if is_due(&mut self.upkeep.watched, mono_ms, WATCH_MS) || self.upkeep.suspicious {
            self.report("watching the table", Actor::watch);
        }
        // Where bytes are rationed they are counted every second: that is how far over one may get.
        let count_ms = if self.orders.plan.day_bytes.is_some() { TICK_MS } else { COUNT_MS };
        if is_due(&mut self.upkeep.looked, mono_ms, WATCH_MS) {
            self.report("looking at the place's interfaces", Actor::keep_places);
            self.report("looking at the ways out", Actor::keep_ways);
            self.report("looking at the tunnel's routes", Actor::keep_tunnel);
        }
        if is_due(&mut self.upkeep.counted, mono_ms, count_ms) {
            self.account();
        }
        if is_due(&mut self.upkeep.synced, mono_ms, COUNT_MS) {
            self.sync_book();
            self.account_ways(mono_ms);
        }
        self.keep_hours();
        self.end_what_must();
        self.catch_up();
        if is_due(&mut self.upkeep.minute, mono_ms, MINUTE_MS) {
            self.report("renewing elements", Actor::renew);
            self.report("looking at the queues", Actor::mend_queues);
            self.interims(mono_ms);
            self.note_alive();
            if self.listener.is_none() {
                self.meet_all();
            }
        }
        if is_due(&mut self.upkeep.consent, mono_ms, CONSENT_MS) {
            self.flush_consents();
        }
        for id in std::mem::take(&mut self.upkeep.untold) {
            self.record_stop(id);
        }
    }

    pub(super) fn report(&mut self, doing: &str, work: impl FnOnce(&mut Self) -> Result<(), KernelError>) {
        if let Err(e) = work(self) {
            tracing::warn!(error = %e, "{doing}");
        }
    }

    /// Anybody's transaction raises the generation: one that is not ours is looked into.
    fn watch(&mut self) -> Result<(), KernelError> {
        let now = self.kernel.generation()?;
        if now == self.upkeep.generation && !self.upkeep.suspicious {
            return Ok(());
        }
        self.upkeep.suspicious = false;
        self.mend("the generation moved without us")
    }

    /// Reads counters, publishes totals.
    pub(super) fn account(&mut self) {
        self.report("reading counters", Actor::take_counts);
        self.publish();
    }

    pub(super) fn used(&self) -> Usage {
        self.sessions.iter().fold(self.finished, |all, l| super::keep::sum(all, l.usage()))
    }

    pub(super) fn publish(&mut self) {
        let people = self.sessions.iter().filter(|l| l.phase == Phase::Online).count();
        let used = self.used();
        let usage = Usage {
            up_bytes: used.up_bytes.saturating_sub(self.base.up_bytes),
            down_bytes: used.down_bytes.saturating_sub(self.base.down_bytes),
            up_packets: used.up_packets.saturating_sub(self.base.up_packets),
            down_packets: used.down_packets.saturating_sub(self.base.down_packets),
        };
        let totals = Totals { people: u32::try_from(people).unwrap_or(u32::MAX), begun: self.begun, usage };
        self.totals.send_if_modified(|old| {
            let changed = *old != totals;
            *old = totals;
            changed
        });
    }

    /// Ends every session whose time has come.
    pub(super) fn end_what_must(&mut self) {
        // Not the tick's own time: what was worked out since then ends at a later one.
        let mono_ms = self.clock.mono_ms();
        let idle_ms = self.orders.plan.idle_ms;
        let due = |l: &Live| l.must_end(mono_ms, idle_ms).map(|reason| (l.id, reason));
        let mut ending: Vec<(SessionId, StopReason)> = self.sessions.iter().filter_map(due).collect();
        if !ending.is_empty() {
            // The counters may be ten seconds old: somebody idle by them may not be so.
            self.account();
            ending = self.sessions.iter().filter_map(due).collect();
        }
        for (id, reason) in ending {
            self.stop(id, reason);
        }
    }

    fn interims(&mut self, mono_ms: i64) {
        let due: Vec<(Entry, Live)> = self
            .sessions
            .iter_mut()
            .filter(|l| l.phase == Phase::Online && mono_ms - l.told_mono_ms >= INTERIM_MS)
            .map(|l| {
                l.told_mono_ms = mono_ms;
                let entry = SessionInterim { session: l.id, age_ms: l.age_ms(mono_ms), usage: l.usage() };
                (Entry::SessionInterim(entry), l.clone())
            })
            .collect();
        for (entry, live) in due {
            self.write_down(&live);
            self.record(entry);
        }
    }

    /// Renews elements of which more than half of the horizon is gone.
    fn renew(&mut self) -> Result<(), KernelError> {
        let mono_ms = self.clock.mono_ms();
        let renews = self.kernel.renews();
        if !self.sessions.iter().any(|l| needs_renewal(l, mono_ms)) {
            return Ok(());
        }
        // Fresh counters, so that an element made anew goes on where the old one was.
        self.take_counts()?;
        let mut batches: Vec<Vec<Change>> = vec![Vec::new()];
        for live in self.sessions.iter_mut().filter(|l| needs_renewal(l, mono_ms)) {
            let left_ms = left_ms(live, mono_ms);
            let (mac, caps) = (live.mac, live.caps);
            let mut changes = Vec::new();
            for (ip, counted) in live.addresses.iter_mut() {
                counted.until_mono_ms = mono_ms + left_ms;
                let person = crate::firewall::Person { mac, ip: *ip, caps };
                if !renews {
                    changes.extend(person.removal());
                }
                let elements = person.elements(left_ms.unsigned_abs(), counted.up, counted.down);
                changes.extend(elements.into_iter().map(Change::Add));
            }
            // A removal and its addition are in one transaction: nobody is out in between.
            match batches.last_mut() {
                Some(last) if last.len() + changes.len() <= super::keep::BATCH => last.append(&mut changes),
                _ => batches.push(changes),
            }
        }
        batches.iter().try_for_each(|part| self.change(part))
    }

    fn notice_step(&mut self, mono_ms: i64) {
        let now = self.clock.now();
        let offset = now.ms().saturating_sub(mono_ms);
        let moved = offset.saturating_sub(self.upkeep.offset_ms);
        let from = Moment::from_ms(self.upkeep.offset_ms.saturating_add(mono_ms));
        self.upkeep.offset_ms = offset;
        if moved.abs() > STEP_MS {
            tracing::warn!(%from, to = %now, "the wall clock stepped");
            self.event(Event::ClockStepped { from, to: now });
        }
    }

    pub(super) fn flush_consents(&mut self) {
        for (terms, count) in std::mem::take(&mut self.consents) {
            self.record(Entry::Consent(Consent { terms, count }));
        }
    }

    /// Writes a session into the book; a full disk is no reason to put anybody out.
    pub(super) fn write_down(&mut self, live: &Live) {
        if let Err(e) = self.book.put(self.clock.stamp(), live) {
            tracing::warn!(error = %e, "the book of sessions");
        }
    }

    /// Strikes a session from the book.
    pub(super) fn scratch(&mut self, id: SessionId) {
        if let Err(e) = self.book.gone(id) {
            tracing::warn!(error = %e, "the book of sessions");
        }
    }

    fn sync_book(&mut self) {
        if self.book.is_long(self.sessions.len())
            && let Err(e) = self.book.rewrite(self.clock.stamp(), self.sessions.iter())
        {
            tracing::warn!(error = %e, "the book of sessions was not written anew");
        }
        if let Err(e) = self.spent.keep() {
            tracing::warn!(error = %e, "what was used today");
        }
        if let Ok(file) = self.book.handle() {
            // On another thread: a slow disk must not hold up the next person.
            tokio::task::spawn_blocking(move || file.sync_data());
        }
    }

    fn note_alive(&mut self) {
        let text = serde_json::to_vec(&self.clock.stamp()).unwrap_or_default();
        if let Err(e) = std::fs::write(self.config.data.join(ALIVE), text) {
            tracing::warn!(error = %e, "the sign of life");
        }
    }

    /// Another run of the machine than the last sign of life: the power was away.
    pub(super) fn note_boot(&mut self) {
        let text = std::fs::read(self.config.data.join(ALIVE)).unwrap_or_default();
        let last: Option<Stamp> = serde_json::from_slice(&text).ok();
        if let Some(last) = last.filter(|l| l.boot != self.clock.boot()) {
            self.event(Event::PowerBack { last_alive: last.wall });
        }
        self.note_alive();
    }
}

fn needs_renewal(live: &Live, mono_ms: i64) -> bool {
    let wanted = mono_ms + left_ms(live, mono_ms);
    live.phase == Phase::Online
        && live
            .addresses
            .values()
            .any(|c| c.until_mono_ms - mono_ms < HORIZON_MS / 2 && wanted - c.until_mono_ms > MINUTE_MS)
}
