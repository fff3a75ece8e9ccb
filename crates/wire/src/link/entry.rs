//! Journal entries: every kind of thing that a gateway records.

mod payload;
mod tunnel;

pub use tunnel::TunnelEnd;

use super::bytes::{Digest, PublicKey};
use super::cbor::{Malformed, Put, Take};
use super::event::Event;
use super::header::Stamp;
use kulkul_model::admission::Basis;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticOutcome};
use kulkul_model::gateway::Capabilities;
use kulkul_model::report::ReportKind;
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
    /// What somebody at the place says is wrong.
    Report,
    /// Tells the box's end of the tunnel.
    TunnelEnd,
    /// Answers what staff asked.
    Diagnostic,
    /// Asks for a certificate of the portal's name.
    CertificateRequest,
    /// A kind of a newer version.
    Other(u16),
}

impl Kind {
    const KNOWN: [(Kind, u16, &'static str); 14] = [
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
        (Kind::Report, 11, "report"),
        (Kind::TunnelEnd, 13, "tunnel_end"),
        (Kind::Diagnostic, 14, "diagnostic"),
        (Kind::CertificateRequest, 16, "certificate_request"),
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
    /// The release whose program runs; none for the one that was installed.
    #[serde(default)]
    pub program: Option<Digest>,
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
    /// By which grant, voucher or account; none for a click, and from boxes before this field.
    pub basis: Option<Basis>,
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

/// The answer to what staff asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which ask.
    pub id: DiagnosticId,
    /// How it ended.
    pub outcome: DiagnosticOutcome,
    /// How long it took, milliseconds.
    pub took_ms: u64,
    /// What was found, plain lines in English; at most `LONGEST_ANSWER` bytes.
    pub text: String,
}

/// Asks the hub for a certificate; the key that it is for never leaves the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The request, DER (RFC 2986); at most `CSR_LIMIT` bytes.
    pub csr: Vec<u8>,
}

/// The longest request for a certificate, bytes.
pub const CSR_LIMIT: usize = 4_096;

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

/// What somebody at the place says is wrong; the header's time is when they sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The number that they were told, counted by the box.
    pub number: u64,
    /// What kind of trouble.
    pub kind: ReportKind,
    /// Their words, plain and at most 1,000 characters (`kulkul_model::report::plain`); may be empty.
    pub text: String,
    /// The language of the portal, `id` or `en`.
    pub language: String,
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
    /// What somebody at the place says is wrong.
    Report(Report),
    /// Tells the box's end of the tunnel.
    TunnelEnd(TunnelEnd),
    /// Answers what staff asked.
    Diagnostic(Diagnostic),
    /// Asks for a certificate of the portal's name.
    CertificateRequest(CertificateRequest),
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
            Entry::Report(_) => Kind::Report,
            Entry::TunnelEnd(_) => Kind::TunnelEnd,
            Entry::Diagnostic(_) => Kind::Diagnostic,
            Entry::CertificateRequest(_) => Kind::CertificateRequest,
            Entry::Other { code, .. } => Kind::Other(*code),
        }
    }

    /// The payload's parts: deterministic CBOR arrays, or the two blocks of an hour.
    #[must_use]
    pub fn encode(&self) -> Vec<Vec<u8>> {
        let mut p = Put::new();
        match self {
            Entry::Started(s) => payload::put_started(&mut p, s),
            Entry::SessionStart(s) => payload::put_start(&mut p, s),
            Entry::SessionInterim(s) => {
                p.array(6).bytes(&s.session.0).u64(s.age_ms);
                payload::put_usage(&mut p, s.usage);
            }
            Entry::SessionStop(s) => {
                p.array(7).bytes(&s.session.0).u64(s.age_ms);
                payload::put_usage(&mut p, s.usage);
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
            Entry::Report(r) => {
                p.array(4).u64(r.number).text(r.kind.as_str()).text(&r.text).text(&r.language);
            }
            Entry::TunnelEnd(end) => tunnel::put(&mut p, end),
            Entry::Diagnostic(d) => {
                p.array(4).bytes(&d.id.0).text(d.outcome.as_str()).u64(d.took_ms).text(&d.text);
            }
            Entry::CertificateRequest(r) => {
                p.array(1).bytes(&r.csr);
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
        let (entry, taken) = payload::take(kind, &mut t, n)?;
        t.skip(n.checked_sub(taken).ok_or(Malformed::Shape("entry"))?)?;
        t.end()?;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests;
