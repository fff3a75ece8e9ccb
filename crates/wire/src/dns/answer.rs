//! What an upstream answered: read, bounded, and kept as bytes.

use super::{Key, Ready, chain};
use hickory_proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::svcb::SvcParamValue;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::net::IpAddr;

/// What an upstream answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it went.
    pub code: ResponseCode,
    /// The records that answer.
    pub records: Vec<Record>,
    /// The zone's SOA, for answers without records, and the proofs that there are none.
    pub authority: Vec<Record>,
    /// Cut to fit: ask again by TCP.
    pub truncated: bool,
    /// The upstream says that it proved it.
    pub authentic: bool,
}

impl Default for Answer {
    fn default() -> Self {
        let (records, authority) = (Vec::new(), Vec::new());
        Answer { code: ResponseCode::NoError, records, authority, truncated: false, authentic: false }
    }
}

/// Types of records that prove that there are none: SOA, NSEC, NSEC3.
const PROOFS: [u16; 3] = [6, 47, 50];
/// A signature over records; its first two bytes say of which type.
const RRSIG: u16 = 46;
/// Records of an answer's authority at most: a proof by NSEC3 takes three and their signatures.
const MOST_PROOFS: usize = 12;

impl Answer {
    pub(super) fn of(message: Message, query: &Query) -> Self {
        let authority = message.authorities.into_iter().filter(is_proof).take(MOST_PROOFS).collect();
        let (code, truncated) = (message.metadata.response_code, message.metadata.truncation);
        let authentic = message.metadata.authentic_data;
        match chain::belonging(query.name(), query.query_type(), message.answers) {
            Some(records) => Answer { code, records, authority, truncated, authentic },
            None => Answer { code: ResponseCode::ServFail, ..Answer::default() },
        }
    }

    pub(super) fn message(&self, id: u16, query: Query) -> Message {
        let mut message = Message::response(id, OpCode::Query);
        message.metadata.recursion_available = true;
        message.metadata.response_code = self.code;
        message.metadata.authentic_data = self.authentic;
        message.add_query(query);
        message.add_answers(self.records.iter().cloned());
        message.add_authorities(self.authority.iter().cloned());
        message
    }

    /// As bytes that are kept; none for what cannot be kept so.
    #[must_use]
    pub fn ready(&self, name: &str, kind: RecordType) -> Option<Ready> {
        let mut name = Name::from_ascii(name).ok()?;
        name.set_fqdn(true);
        Ready::of(&self.message(0, Query::query(name, kind)).to_vec().ok()?)
    }

    /// From bytes that were kept under `key`, their times counted down.
    #[must_use]
    pub fn kept(ready: &Ready, key: &Key, count_down: impl Fn(u32) -> u32) -> Option<Self> {
        let message = Message::from_vec(&ready.message(key, count_down)).ok()?;
        Some(Answer {
            code: message.metadata.response_code,
            authentic: message.metadata.authentic_data,
            records: message.answers,
            authority: message.authorities,
            truncated: false,
        })
    }

    /// How long it may be kept, in seconds: the least of its records' own times.
    ///
    /// Without records it is the SOA's, at most `none_s` (RFC 2308, section 5).
    #[must_use]
    pub fn keep_s(&self, most_s: u32, none_s: u32) -> u32 {
        let least = |records: &[Record]| records.iter().map(|r| r.ttl).min();
        match least(&self.records) {
            Some(ttl) => ttl.clamp(1, most_s),
            None => {
                let soa = self.authority.iter().find_map(|r| match &r.data {
                    RData::SOA(soa) => Some(r.ttl.min(soa.minimum)),
                    _ => None,
                });
                soa.unwrap_or(none_s).clamp(1, none_s)
            }
        }
    }

    /// The names that its aliases lead to, lower case with a last dot.
    pub fn aliases(&self) -> impl Iterator<Item = String> + '_ {
        self.records.iter().filter_map(|r| match &r.data {
            RData::CNAME(to) => Some(to.0.to_ascii().to_ascii_lowercase()),
            _ => None,
        })
    }

    /// The addresses in it.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.records.iter().filter_map(address)
    }

    /// Takes out records that point into places where outside names have no business.
    ///
    /// `forbidden` tells which addresses these are; tells whether anything was taken out.
    pub fn without(&mut self, forbidden: impl Fn(IpAddr) -> bool) -> bool {
        let before = self.records.len();
        self.records.retain(|r| match &r.data {
            RData::HTTPS(service) => !hints(&service.0.svc_params).any(&forbidden),
            RData::SVCB(service) => !hints(&service.svc_params).any(&forbidden),
            _ => !address(r).is_some_and(&forbidden),
        });
        self.records.len() != before
    }
}

fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(a) => Some(IpAddr::V6(a.0)),
        _ => None,
    }
}

fn hints<K>(params: &[(K, SvcParamValue)]) -> impl Iterator<Item = IpAddr> + '_ {
    params.iter().flat_map(|(_, value)| match value {
        SvcParamValue::Ipv4Hint(ips) => ips.0.iter().map(|a| IpAddr::V4(a.0)).collect(),
        SvcParamValue::Ipv6Hint(ips) => ips.0.iter().map(|a| IpAddr::V6(a.0)).collect(),
        _ => Vec::new(),
    })
}

fn is_proof(record: &Record) -> bool {
    match (&record.data, u16::from(record.record_type())) {
        (RData::Unknown { rdata, .. }, RRSIG) => {
            rdata.anything.first_chunk().is_some_and(|of| PROOFS.contains(&u16::from_be_bytes(*of)))
        }
        (_, kind) => PROOFS.contains(&kind),
    }
}
