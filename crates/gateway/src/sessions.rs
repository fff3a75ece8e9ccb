//! Sessions as the supervisor keeps them: who is online, since when, until when, what it used.
//!
//! Times are monotonic, because a jump of the wall clock must end nobody's session.
//! What a session used is what was carried over plus what the kernel's elements count
//! now; an element that has to be made anew goes on from the last count that was seen.
//! Nothing here asks the kernel or the disk.

pub mod addresses;
pub mod book;
pub mod spent;

pub use addresses::Addresses;

use crate::config::Kind;
use crate::firewall::{Caps, Person};
use kulkul_model::Moment;
use kulkul_model::admission::{Basis, Token16};
use kulkul_model::session::{Mac, Session, SessionId, StopReason, Usage, WayIn};
use kulkul_wire::netlink::Counter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The most IPv6 addresses of one device that a session takes in.
pub const MOST_ADDRESSES6: usize = 16;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Its start is on the way to the journal.
    Starting,
    /// Packets pass.
    Online,
    /// It has ended, its stop is on the way to the journal.
    Stopping(StopReason),
}

/// What one address has sent and received, and until when its elements stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Sent by the device.
    pub up: Counter,
    /// Received by the device.
    pub down: Counter,
    /// When the kernel's elements end by themselves, monotonic milliseconds; 0 when there are none.
    pub until_mono_ms: i64,
}

/// One device that is, or was just now, online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The id.
    #[serde(with = "id_text")]
    pub id: SessionId,
    /// The device.
    pub mac: Mac,
    /// How it was let in.
    pub way_in: WayIn,
    /// The version of the terms that were accepted.
    pub terms: Option<u32>,
    /// The language of the portal.
    pub language: String,
    /// How far it is.
    pub phase: Phase,
    /// When it began.
    pub began_mono_ms: i64,
    /// The longest that it may last, milliseconds.
    pub limit_ms: u64,
    /// When it last sent or received anything.
    pub seen_mono_ms: i64,
    /// When its last interim was written.
    pub told_mono_ms: i64,
    /// Its addresses.
    pub addresses: Addresses,
    /// What addresses that it no longer has used, and what reset counters had counted.
    pub carried: Usage,
    /// Its limits, as its elements carry them.
    pub caps: Caps,
    /// The kind of segment that it came in by.
    #[serde(default)]
    pub kind: Kind,
    /// What it had used when the local day began.
    #[serde(default)]
    pub today: Today,
    /// By which grant, voucher or account; none for a click.
    #[serde(default)]
    pub basis: Option<Basis>,
    /// What the voucher or account gives, where that is not what the place gives.
    #[serde(default)]
    pub own: Option<Own>,
    /// When it must end before its limit, and why; worked out anew every second.
    #[serde(skip)]
    pub bound: Option<(i64, StopReason)>,
}

/// What a voucher or an account gives by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// What tells it from others.
    pub holder: Option<Token16>,
    /// The longest that the session may last, milliseconds; none takes the place's limit.
    pub limit_ms: Option<u64>,
    /// Rate to the device, kbit/s; none takes the place's.
    pub down_kbps: Option<u32>,
    /// Rate from the device, kbit/s.
    pub up_kbps: Option<u32>,
}

/// Where the count of the local day begins within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Today {
    /// The day's first moment; the epoch while the clock is unset.
    pub day: Moment,
    /// Bytes in both directions that the session had used by then.
    pub bytes: u64,
    /// When that was, or when the session began, monotonic milliseconds.
    pub since_mono_ms: i64,
}

impl Live {
    /// When it must end, monotonic milliseconds.
    #[must_use]
    pub fn ends_mono_ms(&self) -> i64 {
        let limit = self.limit_mono_ms();
        self.bound.map_or(limit, |(bound, _)| limit.min(bound))
    }

    fn limit_mono_ms(&self) -> i64 {
        self.began_mono_ms.saturating_add(i64::try_from(self.limit_ms).unwrap_or(i64::MAX))
    }

    /// Bytes in both directions since the local day began.
    #[must_use]
    pub fn bytes_today(&self) -> u64 {
        let used = self.usage();
        used.up_bytes.saturating_add(used.down_bytes).saturating_sub(self.today.bytes)
    }

    /// Time online since the local day began, milliseconds.
    #[must_use]
    pub fn ms_today(&self, mono_ms: i64) -> u64 {
        let since = self.today.since_mono_ms.max(self.began_mono_ms);
        u64::try_from(mono_ms.saturating_sub(since)).unwrap_or(0)
    }

    /// Begins the count of another local day.
    pub fn begin_day(&mut self, day: Moment, mono_ms: i64) {
        let used = self.usage();
        let bytes = used.up_bytes.saturating_add(used.down_bytes);
        self.today = Today { day, bytes, since_mono_ms: mono_ms };
    }

    /// How long it has lasted, milliseconds.
    #[must_use]
    pub fn age_ms(&self, mono_ms: i64) -> u64 {
        u64::try_from(mono_ms.saturating_sub(self.began_mono_ms)).unwrap_or(0)
    }

    /// What it has used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.addresses.values().fold(self.carried, |sum, a| plus(sum, a.up, a.down))
    }

    /// The session as others see it, at wall time `now` and monotonic time `mono_ms`.
    #[must_use]
    pub fn session(&self, now: Moment, mono_ms: i64) -> Session {
        let at = |then: i64| now.plus_ms(then.saturating_sub(mono_ms));
        Session {
            id: self.id,
            mac: self.mac,
            addresses: self.addresses.keys().copied().collect(),
            way_in: self.way_in,
            terms: self.terms,
            began_at: at(self.began_mono_ms),
            ends_at: at(self.ends_mono_ms()),
            last_seen_at: at(self.seen_mono_ms),
            usage: self.usage(),
        }
    }

    /// Its address as the firewall sees it.
    #[must_use]
    pub fn person(&self, ip: IpAddr) -> Person {
        Person { mac: self.mac, ip, caps: self.caps }
    }

    /// Whether one more address may join.
    #[must_use]
    pub fn has_room(&self, ip: IpAddr) -> bool {
        let same = self.addresses.keys().filter(|a| a.is_ipv4() == ip.is_ipv4()).count();
        // A device moves between IPv4 leases now and then; it does not hold many.
        same < if ip.is_ipv4() { 4 } else { MOST_ADDRESSES6 }
    }

    /// Takes in what an address's elements count now; true when something passed since.
    pub fn count(&mut self, ip: IpAddr, up: Option<Counter>, down: Option<Counter>, mono_ms: i64) -> bool {
        let Some(there) = self.addresses.get_mut(&ip) else { return false };
        let mut carried = self.carried;
        let mut moved = false;
        let mut take = |old: &mut Counter, new: Option<Counter>, is_up: bool| {
            let Some(new) = new.filter(|n| n != old) else { return };
            if new.packets < old.packets || new.bytes < old.bytes {
                // Somebody reset the counter: what it had counted is carried over.
                carried = if is_up {
                    plus(carried, *old, Counter::default())
                } else {
                    plus(carried, Counter::default(), *old)
                };
            }
            *old = new;
            moved = true;
        };
        take(&mut there.up, up, true);
        take(&mut there.down, down, false);
        self.carried = carried;
        if moved {
            self.seen_mono_ms = mono_ms;
        }
        moved
    }

    /// Why it must end now, if it must.
    #[must_use]
    pub fn must_end(&self, mono_ms: i64, idle_ms: u64) -> Option<StopReason> {
        if self.phase != Phase::Online {
            return None;
        }
        if let Some((_, reason)) = self.bound.filter(|(bound, _)| mono_ms >= *bound) {
            return Some(reason);
        }
        if mono_ms >= self.limit_mono_ms() {
            return Some(StopReason::SessionLimit);
        }
        let idle = u64::try_from(mono_ms.saturating_sub(self.seen_mono_ms)).unwrap_or(0);
        (idle_ms > 0 && idle >= idle_ms).then_some(StopReason::Idle)
    }

    /// Moves all its times by `ms`: another run of the machine counts from elsewhere.
    pub fn shift(&mut self, ms: i64) {
        let today = &mut self.today.since_mono_ms;
        for t in [&mut self.began_mono_ms, &mut self.seen_mono_ms, &mut self.told_mono_ms, today] {
            *t = t.saturating_add(ms);
        }
        for a in self.addresses.values_mut() {
            a.until_mono_ms = 0;
        }
    }
}

fn plus(sum: Usage, up: Counter, down: Counter) -> Usage {
    Usage {
        up_bytes: sum.up_bytes.saturating_add(up.bytes),
        up_packets: sum.up_packets.saturating_add(up.packets),
        down_bytes: sum.down_bytes.saturating_add(down.bytes),
        down_packets: sum.down_packets.saturating_add(down.packets),
    }
}

/// All sessions, found by id, device or address.
#[derive(Debug, Default)]
pub struct Sessions {
    all: BTreeMap<SessionId, Live>,
    by_mac: BTreeMap<Mac, SessionId>,
    by_ip: BTreeMap<IpAddr, SessionId>,
}

impl Sessions {
    /// Adds a session; a device has one.
    pub fn insert(&mut self, live: Live) {
        self.by_mac.insert(live.mac, live.id);
        for ip in live.addresses.keys() {
            self.by_ip.insert(*ip, live.id);
        }
        self.all.insert(live.id, live);
    }

    /// Removes a session.
    pub fn remove(&mut self, id: SessionId) -> Option<Live> {
        let live = self.all.remove(&id)?;
        if self.by_mac.get(&live.mac) == Some(&id) {
            self.by_mac.remove(&live.mac);
        }
        for ip in live.addresses.keys() {
            if self.by_ip.get(ip) == Some(&id) {
                self.by_ip.remove(ip);
            }
        }
        Some(live)
    }

    /// Gives a session one more address; it is taken from a session that had it.
    pub fn join(&mut self, id: SessionId, ip: IpAddr) {
        if let Some(old) = self.by_ip.insert(ip, id).filter(|old| *old != id)
            && let Some(live) = self.all.get_mut(&old)
            && let Some(counted) = live.addresses.remove(&ip)
        {
            live.carried = plus(live.carried, counted.up, counted.down);
        }
        if let Some(live) = self.all.get_mut(&id) {
            live.addresses.ensure(ip);
        }
    }

    /// The session with this id.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&Live> {
        self.all.get(&id)
    }

    /// The session with this id, to be changed.
    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Live> {
        self.all.get_mut(&id)
    }

    /// The session of a device.
    #[must_use]
    pub fn of(&self, mac: Mac) -> Option<&Live> {
        self.by_mac.get(&mac).and_then(|id| self.all.get(id))
    }

    /// The session that has an address.
    #[must_use]
    pub fn at(&self, ip: IpAddr) -> Option<&Live> {
        self.by_ip.get(&ip).and_then(|id| self.all.get(id))
    }

    /// The id of the session that has an address.
    #[must_use]
    pub fn id_at(&self, ip: IpAddr) -> Option<SessionId> {
        self.by_ip.get(&ip).copied()
    }

    /// All sessions, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Live> {
        self.all.values()
    }

    /// All sessions, to be changed; not their ids, devices or addresses.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Live> {
        self.all.values_mut()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

mod id_text {
    use kulkul_model::session::SessionId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &SessionId, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SessionId, D::Error> {
        let text = String::deserialize(d)?;
        SessionId::parse(&text).ok_or_else(|| D::Error::custom("not a session's id"))
    }
}

#[cfg(test)]
pub(crate) mod tests;
