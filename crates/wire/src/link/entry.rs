//! Journal entries: every kind of thing that a gateway records.

use super::bytes::{Digest, PublicKey};
use super::cbor::{Malformed, Put, Take};
use super::event::Event;
use super::header::Stamp;
use kulkul_model::Moment;
use kulkul_model::gateway::Capabilities;
use kulkul_model::session::{Mac, SessionId, StopReason, Usage, WayIn};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The kinds of entries; a number in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The daemon started.
    Started,
    /// A device was admitted.
    SessionStart,
    /// What a session has used so far.
    SessionInterim,
    /// A session ended.
    SessionStop,
    /// How many accepted a version of the terms.
    Consent,
    /// Something happened to the box.
    Event,
    /// One hour of minutes.
    Hour,
    /// Entries were lost.
    Gap,
    /// From the next entry on another key signs.
    KeyRotated,
    /// Dates earlier entries that have no wall-clock time.
    Anchor,
    /// A kind of a newer version.
    Other(u16),
}

impl Kind {
    const KNOWN: [(Kind, u16, &'static str); 10] = [
        (Kind::Started, 1, "started"),
        (Kind::SessionStart, 2, "session_start"),
        (Kind::SessionInterim, 3, "session_interim"),
        (Kind::SessionStop, 4, "session_stop"),
        (Kind::Consent, 5, "consent"),
        (Kind::Event, 6, "event"),
        (Kind::Hour, 7, "hour"),
        (Kind::Gap, 8, "gap"),
        (Kind::KeyRotated, 9, "key_rotated"),
        (Kind::Anchor, 10, "anchor"),
    ];

    /// The number in the header.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Kind::Other(code) => code,
            known => Self::KNOWN.iter().find(|k| k.0 == known).map_or(0, |k| k.1),
        }
    }

    /// The kind with this number.
    #[must_use]
    pub fn from_code(code: u16) -> Self {
        Self::KNOWN.iter().find(|k| k.1 == code).map_or(Kind::Other(code), |k| k.0)
    }

    /// The name that tables and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::KNOWN.iter().find(|k| k.0 == self).map_or("other", |k| k.2)
    }
}

/// The daemon started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// What the box can do, with the daemon's version.
    pub capabilities: Capabilities,
}

/// A device was admitted; the header's time is the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStart {
    /// The session.
    pub session: SessionId,
    /// The device.
    pub mac: Mac,
    /// Its addresses, at most 17.
    pub addresses: Vec<IpAddr>,
    /// How it was let in.
    pub way_in: WayIn,
    /// The version of the terms that were accepted.
    pub terms: Option<u32>,
    /// The language of the portal, `id` or `en`.
    pub language: String,
    /// The longest that it may last, milliseconds.
    pub limit_ms: u64,
}

/// What a session has used so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInterim {
    /// The session.
    pub session: SessionId,
    /// How long it has lasted, milliseconds.
    pub age_ms: u64,
    /// Since its beginning.
    pub usage: Usage,
}

/// A session ended. It lasted `age_ms` from its beginning, whenever this is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStop {
    /// The session.
    pub session: SessionId,
    /// How long it lasted, milliseconds.
    pub age_ms: u64,
    /// Since its beginning.
    pub usage: Usage,
    /// Why it ended.
    pub reason: StopReason,
}

/// How many accepted a version of the terms since the last such entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The version.
    pub terms: u32,
    /// How many.
    pub count: u64,
}

/// Why entries are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The stored bytes were damaged.
    Corrupt,
    /// Acknowledged and dropped before the hub lost them.
    Dropped,
    /// The hub refused them.
    Refused,
    /// Anything that a newer version knows.
    Other,
}

impl GapReason {
    const ALL: [(GapReason, &'static str); 4] = [
        (GapReason::Corrupt, "corrupt"),
        (GapReason::Dropped, "dropped"),
        (GapReason::Refused, "refused"),
        (GapReason::Other, "other"),
    ];

    /// The name that the link and tables use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|r| r.0 == self).map_or("other", |r| r.1)
    }
}

/// Entries `from..=to` are lost; this entry stands in their place with number `to`.
///
/// Its `prev` is that of the first lost entry, or zeros where that is not known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first that is lost.
    pub from: u64,
    /// The last that is lost.
    pub to: u64,
    /// Why.
    pub reason: GapReason,
    /// What the entry after names as its `prev`; none when that will be this gap itself.
    pub resume: Option<Digest>,
}

/// At `mono_ms` of run `boot` it was `wall`: dates entries of that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Run, monotonic and wall time of one moment; `wall` is always there.
    pub at: Stamp,
}

/// One thing that a gateway records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The daemon started.
    Started(Started),
    /// A device was admitted.
    SessionStart(SessionStart),
    /// What a session has used so far.
    SessionInterim(SessionInterim),
    /// A session ended.
    SessionStop(SessionStop),
    /// How many accepted the terms.
    Consent(Consent),
    /// Something happened to the box.
    Event(Event),
    /// One hour: two parts under one signature, each salted apart, so that the
    /// public one can be shown without the other.
    Hour {
        /// Block of `wire::minutes`, public.
        service: Vec<u8>,
        /// Block of `wire::minutes`, for staff.
        usage: Vec<u8>,
    },
    /// Entries were lost.
    Gap(Gap),
    /// From the next entry on this key signs.
    KeyRotated(PublicKey),
    /// Dates earlier entries.
    Anchor(Anchor),
    /// A kind of a newer version: kept, not understood.
    Other {
        /// Its number.
        code: u16,
        /// Its parts, as they came.
        parts: Vec<Vec<u8>>,
    },
}

impl Entry {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Entry::Started(_) => Kind::Started,
            Entry::SessionStart(_) => Kind::SessionStart,
            Entry::SessionInterim(_) => Kind::SessionInterim,
            Entry::SessionStop(_) => Kind::SessionStop,
            Entry::Consent(_) => Kind::Consent,
            Entry::Event(_) => Kind::Event,
            Entry::Hour { .. } => Kind::Hour,
            Entry::Gap(_) => Kind::Gap,
            Entry::KeyRotated(_) => Kind::KeyRotated,
            Entry::Anchor(_) => Kind::Anchor,
            Entry::Other { code, .. } => Kind::Other(*code),
        }
    }

    /// The payload's parts: deterministic CBOR arrays, or the two blocks of an hour.
    #[must_use]
    pub fn encode(&self) -> Vec<Vec<u8>> {
        let mut p = Put::new();
        match self {
            Entry::Started(s) => put_started(&mut p, s),
            Entry::SessionStart(s) => put_start(&mut p, s),
            Entry::SessionInterim(s) => {
                p.array(6).bytes(&s.session.0).u64(s.age_ms);
                put_usage(&mut p, s.usage);
            }
            Entry::SessionStop(s) => {
                p.array(7).bytes(&s.session.0).u64(s.age_ms);
                put_usage(&mut p, s.usage);
                p.text(s.reason.as_str());
            }
            Entry::Consent(c) => {
                p.array(2).u64(u64::from(c.terms)).u64(c.count);
            }
            Entry::Event(e) => return vec![e.encode()],
            Entry::Hour { service, usage } => return vec![service.clone(), usage.clone()],
            Entry::Gap(g) => {
                p.array(4).u64(g.from).u64(g.to).text(g.reason.as_str());
                p.maybe(g.resume, |p, digest| {
                    p.bytes(&digest.0);
                });
            }
            Entry::KeyRotated(key) => {
                p.array(1).bytes(&key.0);
            }
            Entry::Anchor(Anchor { at }) => {
                p.array(3).bytes(&at.boot.0).u64(at.mono_ms);
                p.i64(at.wall.unwrap_or_default().ms());
            }
            Entry::Other { parts, .. } => return parts.clone(),
        }
        vec![p.done()]
    }

    /// Reads the parts of an entry of this kind; all parts must be there.
    ///
    /// # Errors
    /// `Malformed` when a known kind has another shape. Unknown kinds are kept as `Other`.
    pub fn decode(kind: Kind, parts: &[&[u8]]) -> Result<Self, Malformed> {
        if let Kind::Other(code) = kind {
            return Ok(Entry::Other { code, parts: parts.iter().map(|p| p.to_vec()).collect() });
        }
        if let (Kind::Hour, [service, usage]) = (kind, parts) {
            return Ok(Entry::Hour { service: service.to_vec(), usage: usage.to_vec() });
        }
        let [part] = parts else { return Err(Malformed::Shape("entry")) };
        if kind == Kind::Event {
            return Event::decode(part).map(Entry::Event);
        }
        let mut t = Take::new(part, kind.as_str())?;
        let n = t.array(0)?;
        let (entry, taken) = take(kind, &mut t, n)?;
        t.skip(n.checked_sub(taken).ok_or(Malformed::Shape("entry"))?)?;
        t.end()?;
        Ok(entry)
    }
}

/// Reads the fields of a payload and says how many they were.
fn take(kind: Kind, t: &mut Take<'_>, n: u64) -> Result<(Entry, u64), Malformed> {
    Ok(match kind {
        Kind::Started => {
            let (started, taken) = take_started(t, n)?;
            (Entry::Started(started), taken)
        }
        Kind::SessionStart => (Entry::SessionStart(take_start(t)?), 7),
        Kind::SessionInterim => {
            let (session, age_ms, usage) = (SessionId(t.fixed()?), t.u64()?, take_usage(t)?);
            (Entry::SessionInterim(SessionInterim { session, age_ms, usage }), 6)
        }
        Kind::SessionStop => {
            let (session, age_ms, usage) = (SessionId(t.fixed()?), t.u64()?, take_usage(t)?);
            let reason = StopReason::parse(t.text()?).ok_or_else(|| t.bad())?;
            (Entry::SessionStop(SessionStop { session, age_ms, usage, reason }), 7)
        }
        Kind::Consent => (Entry::Consent(Consent { terms: t.u32()?, count: t.u64()? }), 2),
        Kind::Gap => {
            let (from, to, reason) = (t.u64()?, t.u64()?, t.text()?);
            let reason = GapReason::ALL.iter().find(|r| r.1 == reason).map_or(GapReason::Other, |r| r.0);
            if from > to {
                return Err(t.bad());
            }
            let resume = t.maybe(Take::fixed)?.map(Digest);
            (Entry::Gap(Gap { from, to, reason, resume }), 4)
        }
        Kind::KeyRotated => (Entry::KeyRotated(PublicKey(t.fixed()?)), 1),
        Kind::Anchor => {
            let (boot, mono_ms, wall) = (super::BootId(t.fixed()?), t.u64()?, t.i64()?);
            let at = Stamp { boot, mono_ms, wall: Some(Moment::from_ms(wall)) };
            (Entry::Anchor(Anchor { at }), 3)
        }
        Kind::Event | Kind::Hour | Kind::Other(_) => {
            t.skip(n)?;
            return Err(t.bad());
        }
    })
}

/// The first seven fields are those of version 0.1; a decoder takes what follows only where it is there.
fn put_started(p: &mut Put, s: &Started) {
    let c = &s.capabilities;
    p.array(STARTED).text(&c.version).text(&c.kernel);
    for has in [c.flowtable, c.cake, c.fq_codel, c.ifb, c.ipv6] {
        p.bool(has);
    }
    for has in [c.probed, c.nat, c.limit, c.quota, c.tproxy, c.htb, c.sfq, c.wireguard] {
        p.bool(has);
    }
}

const STARTED: u64 = 15;

/// Reads the fields and says how many they were.
fn take_started(t: &mut Take<'_>, n: u64) -> Result<(Started, u64), Malformed> {
    let mut c = Capabilities {
        version: t.text()?.to_owned(),
        kernel: t.text()?.to_owned(),
        ..Capabilities::default()
    };
    for has in [&mut c.flowtable, &mut c.cake, &mut c.fq_codel, &mut c.ifb, &mut c.ipv6] {
        *has = t.bool()?;
    }
    let taken = if n < STARTED { 7 } else { STARTED };
    if taken == STARTED {
        let more = [
            &mut c.probed,
            &mut c.nat,
            &mut c.limit,
            &mut c.quota,
            &mut c.tproxy,
            &mut c.htb,
            &mut c.sfq,
            &mut c.wireguard,
        ];
        for has in more {
            *has = t.bool()?;
        }
    }
    Ok((Started { capabilities: c }, taken))
}

fn put_start(p: &mut Put, s: &SessionStart) {
    p.array(7).bytes(&s.session.0).bytes(&s.mac.0).array(s.addresses.len() as u64);
    for address in &s.addresses {
        match address {
            IpAddr::V4(a) => p.bytes(&a.octets()),
            IpAddr::V6(a) => p.bytes(&a.octets()),
        };
    }
    p.text(s.way_in.as_str());
    p.maybe(s.terms, |p, v| {
        p.u64(u64::from(v));
    });
    p.text(&s.language).u64(s.limit_ms);
}

fn take_start(t: &mut Take<'_>) -> Result<SessionStart, Malformed> {
    let session = SessionId(t.fixed()?);
    let mac = Mac(t.fixed()?);
    let count = t.list(17)?;
    let mut addresses = Vec::new();
    for _ in 0..count {
        let bytes = t.bytes()?;
        let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
        addresses.push(v4.or_else(|_| v6()).map_err(|_| t.bad())?);
    }
    Ok(SessionStart {
        session,
        mac,
        addresses,
        way_in: WayIn::parse(t.text()?).ok_or_else(|| t.bad())?,
        terms: t.maybe(Take::u32)?,
        language: t.text()?.to_owned(),
        limit_ms: t.u64()?,
    })
}

fn put_usage(p: &mut Put, u: Usage) {
    p.u64(u.up_bytes).u64(u.down_bytes).u64(u.up_packets).u64(u.down_packets);
}

fn take_usage(t: &mut Take<'_>) -> Result<Usage, Malformed> {
    Ok(Usage { up_bytes: t.u64()?, down_bytes: t.u64()?, up_packets: t.u64()?, down_packets: t.u64()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::desired::Version;

    fn all() -> Vec<Entry> {
        let usage = Usage { up_bytes: 1, down_bytes: u64::MAX, up_packets: 3, down_packets: 4 };
        let session = SessionId([5; 16]);
        let version = Version { epoch: 1, counter: 2 };
        let at = Stamp { boot: super::super::BootId([1; 16]), mono_ms: 5, wall: Some(Moment::from_ms(6)) };
        let capabilities = Capabilities { version: "0.1.0".into(), cake: true, ..Capabilities::default() };
        vec![
            Entry::Started(Started { capabilities }),
            Entry::SessionStart(SessionStart {
                session,
                mac: Mac([2; 6]),
                addresses: vec!["10.77.0.9".parse().unwrap(), "fd77::9".parse().unwrap()],
                way_in: WayIn::ClickThrough,
                terms: Some(1),
                language: "id".into(),
                limit_ms: 43_200_000,
            }),
            Entry::SessionInterim(SessionInterim { session, age_ms: 60_000, usage }),
            Entry::SessionStop(SessionStop { session, age_ms: 1, usage, reason: StopReason::Idle }),
            Entry::Consent(Consent { terms: 1, count: 30 }),
            Entry::Hour { service: vec![1, 2], usage: vec![] },
            Entry::Gap(Gap { from: 3, to: 9, reason: GapReason::Corrupt, resume: Some(Digest([8; 32])) }),
            Entry::Gap(Gap { from: 3, to: 3, reason: GapReason::Refused, resume: None }),
            Entry::KeyRotated(PublicKey([4; 32])),
            Entry::Anchor(Anchor { at }),
            Entry::Other { code: 999, parts: vec![vec![0x80]] },
            Entry::Event(Event::UplinkLost),
            Entry::Event(Event::UplinkBack { lost_ms: 9 }),
            Entry::Event(Event::PowerBack { last_alive: None }),
            Entry::Event(Event::PowerBack { last_alive: Some(Moment::from_ms(-1)) }),
            Entry::Event(Event::DesiredApplied { version }),
            Entry::Event(Event::DesiredRefused { version, reason: "no".into() }),
            Entry::Event(Event::ClockStepped { from: Moment::EPOCH, to: Moment::from_ms(7) }),
            Entry::Event(Event::RulesetHealed { what: "set auth4".into() }),
            Entry::Event(Event::DiskFull { dropped: 3 }),
            Entry::Event(Event::PartRestarted { part: "dnsmasq".into() }),
            Entry::Event(Event::Other { name: "meteor".into() }),
        ]
    }

    fn read(kind: Kind, parts: &[Vec<u8>]) -> Result<Entry, Malformed> {
        Entry::decode(kind, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn every_kind_reads_back() {
        for entry in all() {
            assert_eq!(read(entry.kind(), &entry.encode()).as_ref(), Ok(&entry));
            assert_eq!(Kind::from_code(entry.kind().code()), entry.kind());
        }
    }

    #[test]
    fn a_start_of_the_first_version_reads_with_less() {
        let mut p = Put::new();
        p.array(7).text("0.1.0").text("5.15.0").bool(false).bool(true).bool(true).bool(true).bool(true);
        let Ok(Entry::Started(old)) = read(Kind::Started, &[p.done()]) else { panic!("not read") };
        assert!(old.capabilities.cake && old.capabilities.ipv6);
        assert!(!old.capabilities.probed, "what an older box did not tell is not known");
    }

    #[test]
    fn a_newer_version_may_add_fields_but_not_take_them_away() {
        for entry in all() {
            if matches!(entry, Entry::Hour { .. } | Entry::Other { .. }) {
                continue;
            }
            let part = entry.encode().remove(0);
            let mut longer = part.clone();
            longer[0] += 1;
            longer.extend([0x61, b'x']);
            assert_eq!(read(entry.kind(), &[longer]).as_ref(), Ok(&entry));
            if part[0] > 0x81 {
                let mut shorter = part.clone();
                shorter[0] -= 1;
                assert!(read(entry.kind(), &[shorter]).is_err());
            }
        }
    }
}
