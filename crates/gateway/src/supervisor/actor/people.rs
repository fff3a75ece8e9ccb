//! Letting people in and out, and taking in their devices' other addresses.

use super::passes::limit_ms;
use super::{Actor, Waiting, Written};
use crate::config::Kind;
use crate::kernel::KernelError;
use crate::kernel::neighbours::Heard;
use crate::sessions::{Counted, Live, Phase, Today};
use crate::supervisor::{Admission, busy};
use kulkul_model::Refusal;
use kulkul_model::session::{Mac, SessionId, StopReason, Usage};
use kulkul_wire::link::{Entry, SessionStart, SessionStop};
use kulkul_wire::netlink::routes::Neighbour;
use kulkul_wire::netlink::{Change, Element, Extra, Key, Set};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// More sessions than this are refused: half of a set's size, so that addresses have room.
const MOST_SESSIONS: usize = 20_000;

/// Elements outlive their session's limit by this, and nothing by more than the horizon.
const GRACE_MS: i64 = 60_000;
/// The longest timeout that an element gets; it is renewed when half of it is gone.
pub(super) const HORIZON_MS: i64 = 12 * 3_600_000;

impl Actor {
    pub(super) fn admit(&mut self, ask: &Admission, tx: Waiting) {
        let refuse = |tx: Waiting, r| {
            let _ = tx.send(Err(r));
        };
        let Some((mac, kind)) = self.device(ask.ip) else {
            return refuse(tx, Refusal::new(409, "device-unknown"));
        };
        if self.is_put_out(mac) {
            return refuse(tx, Refusal::new(403, "device-blocked"));
        }
        if let Some(refusal) = self.not_now(mac, kind) {
            return refuse(tx, refusal);
        }
        if let Some(live) = self.sessions.of(mac) {
            let id = live.id;
            match live.phase {
                Phase::Starting => self.waiting.entry(id).or_default().push(tx),
                Phase::Online => {
                    self.join(mac, ask.ip);
                    let session = self.sessions.get(id).map(|l| self.seen(l));
                    let _ = tx.send(session.ok_or_else(busy));
                }
                // Its stop is being written; a moment later it may begin anew.
                Phase::Stopping(_) => refuse(tx, busy()),
            }
            return;
        }
        if let Some(refusal) = self.not_by_this(mac, kind, ask) {
            return refuse(tx, refusal);
        }
        if self.sessions.len() >= MOST_SESSIONS {
            return refuse(tx, Refusal::new(429, "site-full"));
        }
        let live = self.newcomer(mac, kind, ask);
        let id = live.id;
        self.write_down(&live);
        self.sessions.insert(live);
        self.waiting.insert(id, vec![tx]);
        self.record_start(id);
    }

    fn newcomer(&mut self, mac: Mac, kind: Kind, ask: &Admission) -> Live {
        let mono_ms = self.clock.mono_ms();
        let others = self.neighbours.iter().filter(|(ip, m)| **m == mac && is_worth(**ip)).map(|(ip, _)| *ip);
        let others: Vec<IpAddr> = others.collect();
        let own = ask.pass.map(|pass| pass.own);
        let mut live = Live {
            id: (self.ids)(),
            mac,
            way_in: ask.by(),
            terms: ask.terms,
            language: ask.language.clone(),
            phase: Phase::Starting,
            began_mono_ms: mono_ms,
            limit_ms: limit_ms(own, &self.orders.plan),
            seen_mono_ms: mono_ms,
            told_mono_ms: mono_ms,
            addresses: [(ask.ip, Counted::default())].into(),
            carried: Usage::default(),
            caps: self.caps(own),
            kind,
            today: Today { day: self.spent.day(), bytes: 0, since_mono_ms: mono_ms },
            basis: ask.pass.map(|pass| pass.basis),
            own,
            bound: None,
        };
        live.bound = self.bound(&live, mono_ms);
        live.caps.class = self.queues.take();
        for ip in others {
            if live.has_room(ip) && self.sessions.at(ip).is_none() {
                live.addresses.ensure(ip);
            }
        }
        live
    }

    pub(super) fn record_start(&mut self, id: SessionId) {
        let Some(live) = self.sessions.get(id) else { return };
        let entry = Entry::SessionStart(SessionStart {
            session: id,
            mac: live.mac,
            addresses: live.addresses.keys().copied().collect(),
            way_in: live.way_in,
            terms: live.terms,
            language: live.language.clone(),
            limit_ms: live.limit_ms,
            basis: live.basis,
        });
        let journal = self.journal.clone();
        self.writing.push(Box::pin(async move { Written::Start(id, journal.append(entry).await) }));
    }

    /// Goes on with what waited for an entry.
    pub(super) fn written(&mut self, written: Written) {
        match written {
            Written::Start(id, Ok(_)) => self.let_in(id),
            Written::Start(id, Err(e)) => {
                tracing::error!(error = %e, "a session's start was not recorded: refused");
                if let Some(class) = self.sessions.remove(id).and_then(|l| l.caps.class) {
                    self.queues.give_back(class);
                }
                self.scratch(id);
                self.tell(id, &Err(busy()));
            }
            Written::Stop(id, Ok(_)) => {
                if let Some(live) = self.sessions.remove(id) {
                    self.finished = super::keep::sum(self.finished, live.usage());
                }
                self.scratch(id);
            }
            Written::Stop(id, Err(e)) => {
                tracing::warn!(error = %e, "a session's stop was not recorded: tried again");
                self.upkeep.untold.push(id);
            }
            Written::Other(Ok(_)) => {}
            Written::Other(Err(e)) => tracing::warn!(error = %e, "an entry was not recorded"),
        }
    }

    /// The start is on the disk: packets pass from here on.
    fn let_in(&mut self, id: SessionId) {
        let mono_ms = self.clock.mono_ms();
        let mut changes = Vec::new();
        let Some(live) = self.sessions.get(id) else { return };
        let (kind, class, own) = (live.kind, live.caps.class, live.own);
        if let Some(class) = class {
            self.make_class(class, kind, own);
        }
        let Some(live) = self.sessions.get_mut(id) else { return };
        let left_ms = left_ms(live, mono_ms);
        let (mac, caps) = (live.mac, live.caps);
        for (ip, counted) in live.addresses.iter_mut() {
            counted.until_mono_ms = mono_ms + left_ms;
            let person = crate::firewall::Person { mac, ip: *ip, caps };
            changes.extend(
                person
                    .elements(left_ms.unsigned_abs(), counted.up, counted.down)
                    .into_iter()
                    .map(Change::Add),
            );
        }
        // The log knows whose an address is before its first packet passes.
        let addresses: Vec<IpAddr> = live.addresses.keys().copied().collect();
        addresses.into_iter().for_each(|ip| self.tell_address(id, mac, ip));
        if let Err(e) = self.change(&changes) {
            // The table may have been flushed under us: mend it once, then this person is in it.
            tracing::warn!(error = %e, "letting someone in failed: the table is looked at");
            if let Some(live) = self.sessions.get_mut(id) {
                live.phase = Phase::Online;
            }
            if let Err(e) = self.mend("an admission was refused by the kernel") {
                tracing::error!(error = %e, "the table could not be mended");
                self.stop(id, StopReason::Lost);
                return self.tell(id, &Err(busy()));
            }
        }
        self.begun += 1;
        if let Some(live) = self.sessions.get_mut(id) {
            live.phase = Phase::Online;
            let live = live.clone();
            if let Some(terms) = live.terms {
                *self.consents.entry(terms).or_default() += 1;
            }
            self.write_down(&live);
            self.tell(id, &Ok(self.seen(&live)));
        }
        self.publish();
    }

    fn tell(&mut self, id: SessionId, answer: &Result<kulkul_model::session::Session, Refusal>) {
        for tx in self.waiting.remove(&id).unwrap_or_default() {
            let _ = tx.send(answer.clone());
        }
    }

    pub(super) fn log_out(&mut self, ip: IpAddr) -> Result<(), Refusal> {
        let not_online = || Refusal::new(409, "not-online");
        let (mac, _) = self.device(ip).ok_or_else(not_online)?;
        let live = self.sessions.of(mac).filter(|l| l.phase == Phase::Online).ok_or_else(not_online)?;
        let id = live.id;
        self.last_look();
        self.stop(id, StopReason::LoggedOut);
        Ok(())
    }

    /// Ends a session: kernel first, then the journal, then the book. Counters were read just before.
    pub(super) fn stop(&mut self, id: SessionId, reason: StopReason) {
        let mono_ms = self.clock.mono_ms();
        let Some(live) = self.sessions.get_mut(id) else { return };
        live.phase = Phase::Stopping(reason);
        live.told_mono_ms = mono_ms;
        let live = live.clone();
        self.spent.add(live.mac, live.bytes_today(), live.ms_today(mono_ms));
        self.write_down(&live);
        let removal: Vec<Change> = live.addresses.keys().flat_map(|ip| live.person(*ip).removal()).collect();
        match self.change(&removal) {
            Ok(()) => {}
            // Some had ended by themselves: what is left is removed by comparing.
            Err(e) if e.is_missing() => {
                if let Err(e) = self.reconcile() {
                    tracing::error!(error = %e, "a session's elements could not be removed");
                }
            }
            Err(e) => tracing::error!(error = %e, "a session's elements could not be removed"),
        }
        if let Some(class) = live.caps.class {
            self.drop_class(id, class);
        }
        self.tell_over(id);
        self.record_stop(id);
        self.publish();
    }

    pub(super) fn record_stop(&mut self, id: SessionId) {
        let Some(live) = self.sessions.get(id) else { return };
        let Phase::Stopping(reason) = live.phase else { return };
        let entry = Entry::SessionStop(SessionStop {
            session: id,
            age_ms: live.age_ms(live.told_mono_ms),
            usage: live.usage(),
            reason,
        });
        let journal = self.journal.clone();
        self.writing.push(Box::pin(async move { Written::Stop(id, journal.append(entry).await) }));
    }

    /// The device behind an address of the place and the kind of its segment, asked of the kernel each time.
    pub(super) fn device(&mut self, ip: IpAddr) -> Option<(Mac, Kind)> {
        let own = self.config.segments.iter().filter(|s| s.kind != Kind::Service);
        let (inside, outside): (Vec<_>, Vec<_>) = own.partition(|s| s.contains(ip));
        // IPv6 of a delegated prefix is in no segment's text: then every interface is asked.
        let places: Vec<(String, Kind)> =
            inside.iter().chain(&outside).map(|s| (s.interface.clone(), s.kind)).collect();
        for (name, kind) in places {
            match self.kernel.neighbour(&name, ip) {
                Ok(Some(Neighbour { mac: Some(mac), .. })) => return Some((mac, kind)),
                Ok(_) => {}
                Err(e) => tracing::warn!(error = %e, "the neighbour table"),
            }
        }
        None
    }

    fn is_put_out(&self, mac: Mac) -> bool {
        self.orders.is_out(mac, self.clock.now())
    }

    /// Takes one more address of a device that is online into its session.
    pub(super) fn join(&mut self, mac: Mac, ip: IpAddr) {
        let mono_ms = self.clock.mono_ms();
        let Some(live) = self.sessions.of(mac) else { return };
        if live.phase != Phase::Online
            || live.addresses.contains_key(&ip)
            || !live.has_room(ip)
            || !is_worth(ip)
        {
            return;
        }
        let id = live.id;
        let left_ms = left_ms(live, mono_ms);
        let mut changes = Vec::new();
        if let Some(old) = self.sessions.at(ip) {
            changes.extend(old.person(ip).removal());
        }
        let none = kulkul_wire::netlink::Counter::default();
        let elements = live.person(ip).elements(left_ms.unsigned_abs(), none, none);
        changes.extend(elements.into_iter().map(Change::Add));
        self.sessions.join(id, ip);
        self.tell_address(id, mac, ip);
        let result = self.change(&changes);
        if let Some(live) = self.sessions.get_mut(id) {
            if let Some(counted) = live.addresses.get_mut(&ip) {
                counted.until_mono_ms = mono_ms + left_ms;
            }
            let live = live.clone();
            self.write_down(&live);
        }
        // An element that was there or was not may only mean that the kernel was ahead of us.
        if result.is_err()
            && let Err(e) = self.reconcile()
        {
            tracing::warn!(error = %e, "an address could not join its session");
        } else {
            tracing::debug!(%mac, "an address joined its session");
        }
    }

    pub(super) fn heard(&mut self, heard: Result<Heard, KernelError>) {
        match heard {
            Ok(Heard::Changed(list)) => self.met(&list),
            Ok(Heard::Lost) => self.meet_all(),
            Err(e) => {
                tracing::error!(error = %e, "neighbours are read every minute from now on");
                self.listener = None;
            }
        }
    }

    /// Reads the whole neighbour table.
    pub(super) fn meet_all(&mut self) {
        match self.kernel.neighbours() {
            Ok(all) => {
                self.neighbours.clear();
                self.met(&all);
            }
            Err(e) => tracing::warn!(error = %e, "the neighbour table"),
        }
    }

    fn met(&mut self, list: &[Neighbour]) {
        let kernel = &self.kernel;
        let own = self.config.segments.iter().filter(|s| s.kind != Kind::Service);
        let indexes: Vec<u32> = own.filter_map(|s| kernel.index(&s.interface)).collect();
        for n in list.iter().filter(|n| indexes.contains(&n.interface)) {
            match n.mac {
                Some(mac) => {
                    self.neighbours.insert(n.ip, mac);
                    self.join(mac, n.ip);
                }
                None => {
                    self.neighbours.remove(&n.ip);
                }
            }
        }
    }

    pub(super) fn walled(&mut self, addresses: &[IpAddr], ttl_s: u32) {
        let left_ms = Some(u64::from(ttl_s.clamp(60, 86_400)) * 1_000);
        let element = |ip: &IpAddr| {
            let set = if ip.is_ipv4() { Set::Walled4 } else { Set::Walled6 };
            Change::Add(Element { set, key: Key::Address(*ip), left_ms, extra: Extra::None })
        };
        let changes: Vec<Change> = addresses.iter().map(element).collect();
        if let Err(e) = self.change(&changes) {
            tracing::warn!(error = %e, "the walled garden");
        }
    }

    /// Who is blocked and until when, as elements; and who of the service devices is allowed.
    pub(super) fn listed(&self) -> Vec<Element> {
        let now = self.clock.now();
        let mut blocked: BTreeMap<Mac, Option<u64>> = BTreeMap::new();
        for (mac, until) in self.orders.out(now) {
            let left = until.since_ms(now).unsigned_abs();
            blocked.entry(mac).and_modify(|held| *held = (*held).max(Some(left))).or_insert(Some(left));
        }
        blocked.extend(self.orders.access.blocked.iter().map(|m| (*m, None)));
        let blocked = blocked.into_iter().map(|(mac, left_ms)| (Set::Blocked, mac, left_ms));
        let allowed = self.orders.access.allowed.iter().map(|m| (Set::Allowed, *m, None));
        blocked
            .chain(allowed)
            .map(|(set, mac, left_ms)| Element { set, key: Key::Mac(mac), left_ms, extra: Extra::None })
            .collect()
    }
}

/// How long elements of this session stand from now on.
pub(super) fn left_ms(live: &Live, mono_ms: i64) -> i64 {
    (live.ends_mono_ms().saturating_add(GRACE_MS) - mono_ms).clamp(1_000, HORIZON_MS)
}

/// Whether an address can be seen beyond its own wire.
fn is_worth(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_link_local() && !v4.is_multicast() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local() && !v6.is_multicast() && !v6.is_unspecified(),
    }
}
