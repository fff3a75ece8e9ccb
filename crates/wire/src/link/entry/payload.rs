//! The payloads of entries as deterministic CBOR arrays, field by field.

use super::{
    Anchor, CSR_LIMIT, CertificateRequest, Consent, Diagnostic, Entry, Gap, GapReason, Kind, Report,
    SessionInterim, SessionStart, SessionStop, Started,
};
use crate::link::bytes::{Digest, PublicKey};
use crate::link::cbor::{Malformed, Put, Take};
use crate::link::header::Stamp;
use kulkul_model::Moment;
use kulkul_model::admission::{Basis, Token16};
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticOutcome, LONGEST_ANSWER};
use kulkul_model::gateway::Capabilities;
use kulkul_model::report::{self, ReportKind};
use kulkul_model::session::{Mac, SessionId, StopReason, Usage, WayIn};
use std::net::IpAddr;

/// Reads the fields of a payload and says how many they were.
pub(super) fn take(kind: Kind, t: &mut Take<'_>, n: u64) -> Result<(Entry, u64), Malformed> {
    Ok(match kind {
        Kind::Started => {
            let (started, taken) = take_started(t, n)?;
            (Entry::Started(started), taken)
        }
        Kind::SessionStart => {
            let (start, taken) = take_start(t, n)?;
            (Entry::SessionStart(start), taken)
        }
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
            let (boot, mono_ms, wall) = (crate::link::BootId(t.fixed()?), t.u64()?, t.i64()?);
            let at = Stamp { boot, mono_ms, wall: Some(Moment::from_ms(wall)) };
            (Entry::Anchor(Anchor { at }), 3)
        }
        Kind::Report => (Entry::Report(take_report(t)?), 4),
        Kind::TunnelEnd => (Entry::TunnelEnd(super::tunnel::take(t)?), 2),
        Kind::Diagnostic => {
            let id = DiagnosticId(t.fixed()?);
            let (outcome, took_ms) = (DiagnosticOutcome::parse(t.text()?), t.u64()?);
            let text = t.text()?;
            if text.len() > LONGEST_ANSWER {
                return Err(Malformed::TooBig { what: "answer", limit: LONGEST_ANSWER });
            }
            (Entry::Diagnostic(Diagnostic { id, outcome, took_ms, text: text.to_owned() }), 4)
        }
        Kind::CertificateRequest => {
            let csr = t.bytes()?;
            if csr.len() > CSR_LIMIT {
                return Err(Malformed::TooBig { what: "certificate request", limit: CSR_LIMIT });
            }
            (Entry::CertificateRequest(CertificateRequest { csr: csr.to_vec() }), 1)
        }
        Kind::Event | Kind::Hour | Kind::Other(_) => {
            t.skip(n)?;
            return Err(t.bad());
        }
    })
}

/// A kind of a newer version reads as `Other`; a text that no box of ours would send is refused.
fn take_report(t: &mut Take<'_>) -> Result<Report, Malformed> {
    let number = t.u64()?;
    let kind = ReportKind::parse(t.text()?).unwrap_or(ReportKind::Other);
    let (text, language) = (t.text()?, t.text()?);
    if text.chars().count() > report::LONGEST || language.len() > LANGUAGE {
        return Err(t.bad());
    }
    Ok(Report { number, kind, text: text.to_owned(), language: language.to_owned() })
}

/// The longest code of a language (RFC 5646 gives 35).
const LANGUAGE: usize = 35;

/// The first seven fields are those of version 0.1; a decoder takes what follows only where it is there.
pub(super) fn put_started(p: &mut Put, s: &Started) {
    let c = &s.capabilities;
    p.array(STARTED).text(&c.version).text(&c.kernel);
    for has in [c.flowtable, c.cake, c.fq_codel, c.ifb, c.ipv6] {
        p.bool(has);
    }
    for has in [c.probed, c.nat, c.limit, c.quota, c.tproxy, c.htb, c.sfq, c.wireguard] {
        p.bool(has);
    }
    p.text(&c.target).maybe(s.program, |p, digest| {
        p.bytes(&digest.0);
    });
}

const STARTED: u64 = 17;
/// Those before updates.
const PROBED: u64 = 15;

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
    if n >= PROBED {
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
    if n < STARTED {
        let taken = if n < PROBED { 7 } else { PROBED };
        return Ok((Started { capabilities: c, program: None }, taken));
    }
    c.target = t.text()?.to_owned();
    let program = t.maybe(Take::fixed)?.map(Digest);
    Ok((Started { capabilities: c, program }, STARTED))
}

pub(super) fn put_start(p: &mut Put, s: &SessionStart) {
    p.array(START).bytes(&s.session.0).bytes(&s.mac.0).array(s.addresses.len() as u64);
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
    p.maybe(s.basis, |p, basis| {
        let (code, token) = match basis {
            Basis::Grant(token) => (1, token),
            Basis::Voucher(token) => (2, token),
            Basis::Account(token) => (3, token),
        };
        p.array(2).u64(code).bytes(&token.0);
    });
}

/// The first seven are those of version 0.1.
const START: u64 = 8;

/// A basis of a newer version reads as none.
fn take_basis(t: &mut Take<'_>) -> Result<Option<Basis>, Malformed> {
    let n = t.array(2)?;
    let (code, token) = (t.u64()?, Token16(t.fixed()?));
    t.skip(n - 2)?;
    Ok(match code {
        1 => Some(Basis::Grant(token)),
        2 => Some(Basis::Voucher(token)),
        3 => Some(Basis::Account(token)),
        _ => None,
    })
}

/// Reads the fields and says how many they were.
fn take_start(t: &mut Take<'_>, n: u64) -> Result<(SessionStart, u64), Malformed> {
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
    let mut start = SessionStart {
        session,
        mac,
        addresses,
        way_in: WayIn::parse(t.text()?).ok_or_else(|| t.bad())?,
        terms: t.maybe(Take::u32)?,
        language: t.text()?.to_owned(),
        limit_ms: t.u64()?,
        basis: None,
    };
    if n < START {
        return Ok((start, 7));
    }
    start.basis = t.maybe(take_basis)?.flatten();
    Ok((start, START))
}

pub(super) fn put_usage(p: &mut Put, u: Usage) {
    p.u64(u.up_bytes).u64(u.down_bytes).u64(u.up_packets).u64(u.down_packets);
}

fn take_usage(t: &mut Take<'_>) -> Result<Usage, Malformed> {
    Ok(Usage { up_bytes: t.u64()?, down_bytes: t.u64()?, up_packets: t.u64()?, down_packets: t.u64()? })
}
