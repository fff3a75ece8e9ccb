//! DNS messages as the resolver uses them (RFC 1035, RFC 6891), as bytes and back.
//!
//! One question a message, class IN only. What a decoder here returns was checked; it
//! never panics on what a stranger sends. Records are opaque but for addresses.

mod answer;
mod chain;
mod glance;
pub mod update;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, RData};
use std::net::{IpAddr, Ipv6Addr};

pub use answer::Answer;
pub use glance::{Glance, Key, NameRoom, Ready};
pub use hickory_proto::op::ResponseCode;
pub use hickory_proto::rr::{Record, RecordType};

/// The largest answer without EDNS (RFC 1035, section 4.2.1).
pub const PLAIN_LIMIT: usize = 512;
/// The largest UDP answer that we ask for and give (RFC 9715).
pub const UDP_LIMIT: usize = 1232;

/// What a question wants of DNSSEC, handed through to the upstream and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Wants {
    /// Signatures and proofs too (DO, RFC 3225).
    pub dnssec: bool,
    /// Answers that the upstream could not prove as well (CD, RFC 4035).
    pub unchecked: bool,
    /// To be told whether the upstream proved it (AD, RFC 6840).
    pub authentic: bool,
}

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
    /// What it wants of DNSSEC.
    pub wants: Wants,
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
        wants: Wants {
            dnssec: edns.is_some_and(|e| e.flags().dnssec_ok),
            unchecked: message.metadata.checking_disabled,
            authentic: message.metadata.authentic_data,
        },
        query: query.clone(),
        edns: edns.is_some(),
        recursion_desired: message.metadata.recursion_desired,
    })
}

impl Ask {
    /// What its answer is kept under.
    #[must_use]
    pub fn key(&self, wants: Wants) -> Option<Key> {
        Key::of(self.query.name().iter(), self.kind.into(), wants)
    }
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
    let said = Answer { code, records: records.to_vec(), authority: authority.to_vec(), ..Answer::default() };
    answer_with(ask, &said, limit)
}

/// Writes what an upstream answered as the answer to a question, like `answer`.
#[must_use]
pub fn answer_with(ask: &Ask, said: &Answer, limit: usize) -> Vec<u8> {
    let mut message = said.message(ask.id, ask.query.clone());
    message.metadata.recursion_desired = ask.recursion_desired;
    message.metadata.checking_disabled = ask.wants.unchecked;
    message.metadata.authentic_data &= ask.wants.authentic || ask.wants.dnssec;
    if ask.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(u16::try_from(UDP_LIMIT).unwrap_or(u16::MAX));
        edns.set_dnssec_ok(ask.wants.dnssec);
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
    ask_for(name, kind, Wants::default(), random)
}

/// Writes a question for an upstream that wants this of DNSSEC, like `ask`.
///
/// # Errors
/// Nothing for a name that cannot be written.
#[must_use]
pub fn ask_for(name: &str, kind: RecordType, wants: Wants, random: u128) -> Option<(Sent, Vec<u8>)> {
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
    message.metadata.checking_disabled = wants.unchecked;
    message.metadata.authentic_data = wants.authentic;
    message.add_query(query.clone());
    let mut edns = Edns::new();
    edns.set_dnssec_ok(wants.dnssec);
    edns.set_max_payload(u16::try_from(UDP_LIMIT).ok()?);
    message.set_edns(edns);
    Some((Sent { id, query }, message.to_vec().ok()?))
}

/// Reads an upstream's answer to `sent`; nothing for anything else.
///
/// Records of other names are left out; aliases that go round in a circle make the answer
/// a failure of the server.
#[must_use]
pub fn read_answer(bytes: &[u8], sent: &Sent) -> Option<Answer> {
    let message = Message::from_vec(bytes).ok()?;
    let [query] = message.queries.as_slice() else { return None };
    let fits = message.metadata.id == sent.id
        && message.metadata.message_type == MessageType::Response
        && query.query_type() == sent.query.query_type()
        && query.query_class() == sent.query.query_class()
        && query.name().eq_case(sent.query.name());
    fits.then(|| Answer::of(message, &sent.query))
}

/// A record that makes `name` another name for `to`.
#[must_use]
pub fn alias_record(name: &str, to: &str, ttl_s: u32) -> Option<Record> {
    let to = hickory_proto::rr::rdata::CNAME(Name::from_ascii(to).ok()?);
    Some(Record::from_rdata(Name::from_ascii(name).ok()?, ttl_s, RData::CNAME(to)))
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
