//! DNS messages as the resolver uses them (RFC 1035, RFC 6891), as bytes and back.
//!
//! One question a message, class IN only. What a decoder here returns was checked; it
//! never panics on what a stranger sends. Records are opaque but for addresses.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::svcb::SvcParamValue;
use hickory_proto::rr::{DNSClass, Name, RData};
use std::net::{IpAddr, Ipv6Addr};

pub use hickory_proto::op::ResponseCode;
pub use hickory_proto::rr::{Record, RecordType};

/// The largest answer without EDNS (RFC 1035, section 4.2.1).
pub const PLAIN_LIMIT: usize = 512;
/// The largest UDP answer that we ask for and give (RFC 9715).
pub const UDP_LIMIT: usize = 1232;

/// What a device asks.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The message's id.
    pub id: u16,
    /// The name, lower case with a last dot.
    pub name: String,
    /// The kind of record.
    pub kind: RecordType,
    /// The largest UDP answer that it takes.
    pub limit: usize,
    query: Query,
    edns: bool,
    recursion_desired: bool,
}

/// Why bytes are not a question that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Not even a header, or itself an answer: no reply, or two resolvers talk for ever.
    Silent,
    /// A header, but not one sound question: reply with this id and code.
    Reply {
        /// The message's id.
        id: u16,
        /// What to say.
        code: ResponseCode,
    },
}

/// Reads a question.
///
/// # Errors
/// `Bad` says whether a reply is due, and which.
pub fn read_ask(bytes: &[u8]) -> Result<Ask, Bad> {
    let &[high, low, flags, ..] = bytes else { return Err(Bad::Silent) };
    let id = u16::from_be_bytes([high, low]);
    if bytes.len() < 12 || flags & 0x80 != 0 {
        return Err(Bad::Silent);
    }
    let reply = |code| Err(Bad::Reply { id, code });
    let Ok(message) = Message::from_vec(bytes) else { return reply(ResponseCode::FormErr) };
    if message.metadata.op_code != OpCode::Query {
        return reply(ResponseCode::NotImp);
    }
    let [query] = message.queries.as_slice() else { return reply(ResponseCode::FormErr) };
    if query.query_class() != DNSClass::IN {
        return reply(ResponseCode::Refused);
    }
    let kind = query.query_type();
    if matches!(kind, RecordType::AXFR | RecordType::IXFR | RecordType::ANY | RecordType::OPT) {
        return reply(ResponseCode::NotImp);
    }
    let edns = message.edns.as_ref();
    if edns.is_some_and(|e| e.version() != 0) {
        return reply(ResponseCode::BADVERS);
    }
    let limit = edns.map_or(PLAIN_LIMIT, |e| usize::from(e.max_payload()).clamp(PLAIN_LIMIT, UDP_LIMIT));
    Ok(Ask {
        id,
        name: lower(query.name()),
        kind,
        limit,
        query: query.clone(),
        edns: edns.is_some(),
        recursion_desired: message.metadata.recursion_desired,
    })
}

/// A name in lower case with a last dot.
fn lower(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// A reply that has a code and nothing else.
#[must_use]
pub fn reply(id: u16, code: ResponseCode) -> Vec<u8> {
    Message::error_msg(id, OpCode::Query, code).to_vec().unwrap_or_default()
}

/// Writes the answer to a question; what is over `limit` bytes is cut and marked so.
#[must_use]
pub fn answer(
    ask: &Ask,
    code: ResponseCode,
    records: &[Record],
    authority: &[Record],
    limit: usize,
) -> Vec<u8> {
    let mut message = Message::response(ask.id, OpCode::Query);
    message.metadata.recursion_desired = ask.recursion_desired;
    message.metadata.recursion_available = true;
    message.metadata.response_code = code;
    message.add_query(ask.query.clone());
    message.add_answers(records.iter().cloned());
    message.add_authorities(authority.iter().cloned());
    if ask.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(u16::try_from(UDP_LIMIT).unwrap_or(u16::MAX));
        message.set_edns(edns);
    }
    match message.to_vec() {
        Ok(bytes) if bytes.len() <= limit => bytes,
        Ok(_) => message.truncate().to_vec().unwrap_or_default(),
        Err(_) => reply(ask.id, ResponseCode::ServFail),
    }
}

/// A question as it was sent upstream: the answer must repeat all of it.
#[derive(Clone, Debug)]
pub struct Sent {
    id: u16,
    query: Query,
}

/// Writes a question for an upstream.
///
/// `random` gives the id and the letters' case: 16 bits and as many as there are
/// letters, which somebody who answers in the upstream's place would have to guess.
///
/// # Errors
/// Nothing for a name that cannot be written.
#[must_use]
pub fn ask(name: &str, kind: RecordType, random: u128) -> Option<(Sent, Vec<u8>)> {
    let id = u16::try_from(random & 0xffff).ok()?;
    let mut bits = random >> 16;
    let mixed: String = name
        .chars()
        .map(|c| {
            let up = bits & 1 == 1;
            bits = bits.rotate_right(1);
            if up { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
        })
        .collect();
    let mut name = Name::from_ascii(&mixed).ok()?;
    name.set_fqdn(true);
    let mut query = Query::query(name, kind);
    query.set_query_class(DNSClass::IN);
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(query.clone());
    let mut edns = Edns::new();
    edns.set_max_payload(u16::try_from(UDP_LIMIT).ok()?);
    message.set_edns(edns);
    Some((Sent { id, query }, message.to_vec().ok()?))
}

/// What an upstream answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it went.
    pub code: ResponseCode,
    /// The records that answer.
    pub records: Vec<Record>,
    /// The zone's SOA, for answers without records.
    pub authority: Vec<Record>,
    /// Cut to fit: ask again by TCP.
    pub truncated: bool,
}

/// Reads an upstream's answer to `sent`; nothing for anything else.
#[must_use]
pub fn read_answer(bytes: &[u8], sent: &Sent) -> Option<Answer> {
    let message = Message::from_vec(bytes).ok()?;
    let [query] = message.queries.as_slice() else { return None };
    let fits = message.metadata.id == sent.id
        && message.metadata.message_type == MessageType::Response
        && query.query_type() == sent.query.query_type()
        && query.query_class() == sent.query.query_class()
        && query.name().eq_case(sent.query.name());
    fits.then(|| Answer {
        code: message.metadata.response_code,
        truncated: message.metadata.truncation,
        records: message.answers,
        authority: message
            .authorities
            .into_iter()
            .filter(|r| r.record_type() == RecordType::SOA)
            .take(1)
            .collect(),
    })
}

impl Answer {
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

/// An address record for a name of ours.
#[must_use]
pub fn address_record(name: &str, ip: IpAddr, ttl_s: u32) -> Option<Record> {
    let data = match ip {
        IpAddr::V4(ip) => RData::A(ip.into()),
        IpAddr::V6(ip) => RData::AAAA(ip.into()),
    };
    Some(Record::from_rdata(Name::from_ascii(name).ok()?, ttl_s, data))
}

/// Whether an address is of a network that outside names must not point into.
///
/// Private, shared, loopback, link-local, multicast and unspecified ranges, also
/// when they are written inside IPv6 (RFC 1918, 6598, 4193, 4291, 6052).
#[must_use]
pub fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || embedded(ip).is_some_and(|v4| is_inside(IpAddr::V4(v4)))
        }
    }
}

/// The IPv4 address inside a NAT64 address of the well-known prefix (RFC 6052).
fn embedded(ip: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let bits = u128::from(ip);
    (bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000).then(|| {
        let low = u32::try_from(bits & 0xffff_ffff).unwrap_or_default();
        std::net::Ipv4Addr::from(low)
    })
}

#[cfg(test)]
mod tests;
