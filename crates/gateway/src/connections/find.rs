//! Who was online at a moment, and who went out by a port then, as the log tells it.
//!
//! The end of a file that was torn by a power cut ends what it knew of at its last
//! record: too little is said then rather than too much.

use super::files;
use kulkul_model::Moment;
use kulkul_model::session::{Mac, SessionId, id_text};
use kulkul_wire::connections::{Record, Records};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// Two spans of one thing that are this near are one, milliseconds.
const NEAR_MS: i64 = 2_000;

/// What is asked of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The moment.
    pub at: Moment,
    /// How far clocks may differ, seconds.
    pub within_s: u32,
    /// The source port that the outside saw; none asks for everybody.
    pub port: Option<u16>,
}

/// From when until when; no end while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first moment that the log knows of.
    pub from: Moment,
    /// The last one.
    pub until: Option<Moment>,
}

/// An address of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The address.
    pub address: IpAddr,
    /// When the session had it.
    #[serde(flatten)]
    pub span: Span,
}

/// A connection of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WentOut {
    /// The transport protocol.
    pub protocol: u8,
    /// The source port that the outside saw.
    pub port: u16,
    /// When it lasted.
    #[serde(flatten)]
    pub span: Span,
}

/// A session that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The session.
    #[serde(with = "id_text")]
    pub session: SessionId,
    /// Its device.
    pub mac: Mac,
    /// Its addresses around that moment.
    pub addresses: Vec<Held>,
    /// Its connections by the port that was asked for.
    pub connections: Vec<WentOut>,
}

impl Span {
    fn meets(&self, from: Moment, until: Moment) -> bool {
        self.from <= until && self.until.is_none_or(|end| end >= from)
    }
}

/// Reads the log under a data directory.
///
/// # Errors
/// When a file cannot be read.
pub fn find(data: &Path, query: Query) -> io::Result<Vec<Found>> {
    let mut walk = Walk { port: query.port, ..Walk::default() };
    let parts = files::parts(data)?;
    for (i, part) in parts.iter().enumerate() {
        let bytes = match std::fs::read(&part.path) {
            // It has just been deleted: its days were over.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            read => read?,
        };
        let mut last = part.began;
        for (at, record) in Records(&bytes) {
            walk.take(at, record);
            last = at;
        }
        if i + 1 < parts.len() {
            walk.close(last);
        }
    }
    let slack = i64::from(query.within_s) * 1_000;
    // Records have whole seconds.
    let (from, until) = (query.at.plus_ms(-slack - 999), query.at.plus_ms(slack));
    let mut found: Vec<Found> = Vec::new();
    for (session, mut known) in walk.sessions {
        known.addresses.retain(|a| a.span.meets(from, until));
        known.connections.retain(|c| c.span.meets(from, until));
        let fits =
            if query.port.is_some() { &known.connections.is_empty() } else { &known.addresses.is_empty() };
        if !fits {
            let Known { mac, addresses, connections } = known;
            found.push(Found { session, mac, addresses, connections });
        }
    }
    Ok(found)
}

struct Known {
    mac: Mac,
    addresses: Vec<Held>,
    connections: Vec<WentOut>,
}

#[derive(Default)]
struct Walk {
    port: Option<u16>,
    sessions: BTreeMap<SessionId, Known>,
    numbers: BTreeMap<u32, SessionId>,
    holders: BTreeMap<IpAddr, SessionId>,
    /// Connections that are open, by the kernel's number.
    open: BTreeMap<u32, (SessionId, u8, u16)>,
}

impl Walk {
    fn take(&mut self, at: Moment, record: Record) {
        match record {
            Record::Anew => self.close(at),
            Record::Session { number, session, mac } => {
                self.numbers.insert(number, session);
                let new = || Known { mac, addresses: Vec::new(), connections: Vec::new() };
                self.sessions.entry(session).or_insert_with(new);
            }
            Record::Has { number, address } => {
                let Some(session) = self.numbers.get(&number).copied() else { return };
                self.leave(address, at);
                self.holders.insert(address, session);
                let Some(known) = self.sessions.get_mut(&session) else { return };
                let near = |h: &&mut Held| h.address == address && is_near(&h.span, at);
                match known.addresses.iter_mut().rev().find(near) {
                    Some(held) => held.span.until = None,
                    None => known.addresses.push(Held { address, span: Span { from: at, until: None } }),
                }
            }
            Record::Over { number } => {
                let Some(session) = self.numbers.remove(&number) else { return };
                let gone: Vec<IpAddr> =
                    self.holders.iter().filter(|(_, s)| **s == session).map(|(ip, _)| *ip).collect();
                gone.into_iter().for_each(|ip| self.leave(ip, at));
            }
            Record::Began { id, number, protocol, port } => {
                let Some(session) = self.numbers.get(&number).copied() else { return };
                if self.port != Some(port) || self.open.contains_key(&id) {
                    return;
                }
                self.open.insert(id, (session, protocol, port));
                let Some(known) = self.sessions.get_mut(&session) else { return };
                let same =
                    |c: &&mut WentOut| c.protocol == protocol && c.port == port && is_near(&c.span, at);
                match known.connections.iter_mut().rev().find(same) {
                    Some(before) => before.span.until = None,
                    None => {
                        let span = Span { from: at, until: None };
                        known.connections.push(WentOut { protocol, port, span });
                    }
                }
            }
            Record::Ended { id } => self.end(id, at),
        }
    }

    fn leave(&mut self, address: IpAddr, at: Moment) {
        let holder = self.holders.remove(&address).and_then(|s| self.sessions.get_mut(&s));
        let open = |h: &&mut Held| h.address == address && h.span.until.is_none();
        if let Some(held) = holder.and_then(|k| k.addresses.iter_mut().find(open)) {
            held.span.until = Some(at);
        }
    }

    fn end(&mut self, id: u32, at: Moment) {
        let Some((session, protocol, port)) = self.open.remove(&id) else { return };
        // Several at once by one port, to several places, are one span until the last of them ends.
        if self.open.values().any(|o| *o == (session, protocol, port)) {
            return;
        }
        let known = self.sessions.get_mut(&session);
        let open = |c: &&mut WentOut| c.protocol == protocol && c.port == port && c.span.until.is_none();
        if let Some(went) = known.and_then(|k| k.connections.iter_mut().find(open)) {
            went.span.until = Some(at);
        }
    }

    /// Ends all that is open.
    fn close(&mut self, at: Moment) {
        let held: Vec<IpAddr> = self.holders.keys().copied().collect();
        held.into_iter().for_each(|ip| self.leave(ip, at));
        let open: Vec<u32> = self.open.keys().copied().collect();
        open.into_iter().for_each(|id| self.end(id, at));
        self.numbers.clear();
    }
}

/// Whether a span lasts or ended just before `at`.
fn is_near(span: &Span, at: Moment) -> bool {
    span.until.is_none_or(|end| at.since_ms(end) <= NEAR_MS)
}

#[cfg(test)]
mod tests;
