//! Opening hours and the day's ration: who may come in now, and until when.
//!
//! Worked out from the wall clock every second, so that a stepped clock or a new
//! timetable takes effect at once. While the clock is unset the last effect stays.

use super::Actor;
use crate::config::Kind;
use crate::sessions::{Live, Phase};
use crate::supervisor::DayUse;
use kulkul_model::session::{Mac, StopReason};
use kulkul_model::{Moment, Refusal};
use std::path::{Path, PathBuf};

/// There while the place is closed.
const CLOSED: &str = "closed";

/// What the hours say now.
pub(super) struct Hours {
    /// No public people are let in.
    closed: bool,
    /// When it closes, monotonic milliseconds.
    closes_mono_ms: Option<i64>,
    /// When it opens again.
    opens_at: Option<Moment>,
    file: PathBuf,
}

impl Hours {
    /// As they were when the box was last alive.
    pub(super) fn open(dir: &Path) -> Self {
        let file = dir.join(CLOSED);
        Hours { closed: file.exists(), closes_mono_ms: None, opens_at: None, file }
    }

    fn set_closed(&mut self, closed: bool) {
        if self.closed == closed {
            return;
        }
        self.closed = closed;
        let kept = if closed { std::fs::write(&self.file, "") } else { std::fs::remove_file(&self.file) };
        if let Err(error) = kept {
            tracing::warn!(%error, closed, "a start without a clock would not know this");
        }
    }
}

impl Actor {
    /// Works out hours and rations, and begins another day.
    pub(super) fn keep_hours(&mut self) {
        let mono_ms = self.clock.mono_ms();
        if let Some(now) = self.clock.wall() {
            let day = self.zone.day(now);
            if day != self.spent.day() {
                self.spent.begin(day);
                for live in self.sessions.iter_mut().filter(|l| l.today.day != day) {
                    live.begin_day(day, mono_ms);
                }
            }
            let (closed, closes, opens) = match &self.orders.hours.timetable {
                None => (false, None, None),
                Some(t) if t.is_open(now, &self.zone) => (false, t.closes_at(now, &self.zone), None),
                Some(t) => (true, None, t.opens_at(now, &self.zone)),
            };
            self.hours.set_closed(closed);
            self.hours.closes_mono_ms = closes.map(|at| mono_ms.saturating_add(at.since_ms(now)));
            self.hours.opens_at = opens;
        }
        let bounds: Vec<_> = self.sessions.iter().map(|l| self.bound(l, mono_ms)).collect();
        for (live, bound) in self.sessions.iter_mut().zip(bounds) {
            live.bound = bound;
        }
    }

    /// When a session must end before its own limit, and why.
    pub(super) fn bound(&self, live: &Live, mono_ms: i64) -> Option<(i64, StopReason)> {
        let closing = match live.kind {
            Kind::Public if self.hours.closed => Some(mono_ms),
            Kind::Public => self.hours.closes_mono_ms,
            Kind::Staff | Kind::Service => None,
        };
        let closing = closing.map(|at| (at, StopReason::Closed));
        [closing, self.rationed(live, mono_ms).map(|at| (at, StopReason::Quota))].into_iter().flatten().min()
    }

    /// When the day's ration of a device is used up, as far as that can be told.
    fn rationed(&self, live: &Live, mono_ms: i64) -> Option<i64> {
        let spent = self.spent.of(live.mac);
        let plan = &self.orders.plan;
        if plan.day_bytes.is_some_and(|most| spent.bytes.saturating_add(live.bytes_today()) >= most) {
            return Some(mono_ms);
        }
        let used = spent.ms.saturating_add(live.ms_today(mono_ms));
        let left = i64::try_from(plan.day_ms?.saturating_sub(used)).unwrap_or(i64::MAX);
        // What is left when the day ends is not needed: the next day has its own.
        let now = self.clock.wall()?;
        let rest_of_day = self.zone.next_day(now).since_ms(now);
        if left <= rest_of_day {
            return Some(mono_ms.saturating_add(left));
        }
        let next = i64::try_from(plan.day_ms?).unwrap_or(i64::MAX);
        Some(mono_ms.saturating_add(rest_of_day).saturating_add(next))
    }

    /// Why somebody who asks now is not let in.
    pub(super) fn not_now(&self, mac: Mac, kind: Kind) -> Option<Refusal> {
        let text = |at: Option<Moment>| at.map(|at| self.zone.rfc3339(at)).unwrap_or_default();
        if kind == Kind::Public && self.hours.closed {
            return Some(Refusal::new(403, "site-closed").with("opens", text(self.hours.opens_at)));
        }
        let (spent, plan) = (self.spent.of(mac), &self.orders.plan);
        let over = |used: u64, most: Option<u64>| most.is_some_and(|most| used >= most);
        if self.sessions.of(mac).is_none()
            && (over(spent.bytes, plan.day_bytes) || over(spent.ms, plan.day_ms))
        {
            let until = self.clock.wall().map(|now| self.zone.next_day(now));
            return Some(Refusal::new(403, "quota-used").with("until", text(until)));
        }
        None
    }

    /// What a device has used of the local day, its session of now included.
    pub(super) fn used_today(&self, mac: Mac, live: Option<&Live>) -> DayUse {
        let (spent, mono_ms) = (self.spent.of(mac), self.clock.mono_ms());
        let live = live.filter(|l| l.phase == Phase::Online);
        DayUse {
            bytes: spent.bytes.saturating_add(live.map_or(0, Live::bytes_today)),
            ms: spent.ms.saturating_add(live.map_or(0, |l| l.ms_today(mono_ms))),
        }
    }
}
