//! The connection log: off, who had which address, or each connection's translated port as well.
//!
//! It is kept on this box alone and never says where somebody went to. The supervisor
//! tells who is online and what is ordered, the kernel tells of connections. Nothing is
//! written while the clock is not set: a time that nobody can believe helps nobody.

mod ear;
mod files;
mod find;

pub use find::{Found, Held, Query, Span, WentOut, find};

use crate::clock::Clock;
use crate::journal::Journal;
use crate::kernel::KernelError;
use ear::{Ear, News};
use files::Files;
use ipnet::IpNet;
use kulkul_model::session::{Mac, SessionId};
use kulkul_wire::connections::Record;
use kulkul_wire::link::desired::{ConnectionLog, ConnectionsSection};
use kulkul_wire::link::{Entry, Event};
use kulkul_wire::netlink::flows::{Flow, Heard};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const TICK_MS: i64 = 5_000;
const PRUNE_MS: i64 = 600_000;
/// A wall clock that moved otherwise than time did by this much begins the log anew.
const STEP_MS: i64 = 2_000;
/// What is missing is told to the journal at most this often.
const TELL_MS: i64 = 3_600_000;
const QUEUE: usize = 4_096;

/// What the supervisor tells the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// What is ordered.
    Ordered(ConnectionsSection),
    /// Everybody who is online; what was told before counts no more.
    Everybody(Vec<(SessionId, Mac, Vec<IpAddr>)>),
    /// A session has an address, maybe its first.
    Has(SessionId, Mac, IpAddr),
    /// A session is over.
    Over(SessionId),
}

/// The supervisor's end: never waits.
#[derive(Clone, Debug)]
pub struct Teller(mpsc::Sender<Told>);

impl Teller {
    /// Tells the log; false where it has too much to do, then everybody is told anew later.
    pub(crate) fn tell(&self, told: Told) -> bool {
        !matches!(self.0.try_send(told), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// One with so much room, and who hears it.
    #[cfg(test)]
    pub(crate) fn heard(room: usize) -> (Self, mpsc::Receiver<Told>) {
        let (teller, told) = mpsc::channel(room);
        (Teller(teller), told)
    }

    /// One that nobody listens to, for a supervisor on its own.
    #[must_use]
    pub fn to_nobody() -> Self {
        Teller(mpsc::channel(1).0)
    }
}

/// The log.
pub struct Log {
    clock: Clock,
    journal: Journal,
    /// Networks of the place.
    places: Vec<IpNet>,
    told: mpsc::Receiver<Told>,
    files: Files,
    section: ConnectionsSection,
    ear: Option<Ear>,
    online: BTreeMap<SessionId, (Mac, BTreeSet<IpAddr>)>,
    /// What stands for a session in the file that is open.
    numbers: BTreeMap<SessionId, u32>,
    /// The next number; none is given twice in a file.
    given: u32,
    holders: BTreeMap<IpAddr, SessionId>,
    /// Connections in the file that is open that have not ended.
    open: BTreeSet<u32>,
    offset_ms: i64,
    pruned_ms: i64,
    lost_told_ms: Option<i64>,
}

impl Log {
    /// A log under a data directory, for a place with these networks.
    #[must_use]
    pub fn new(data: PathBuf, places: Vec<IpNet>, clock: Clock, journal: Journal) -> (Self, Teller) {
        let (teller, told) = mpsc::channel(QUEUE);
        let log = Log {
            offset_ms: offset(&clock),
            // Files of an earlier run are looked at with the first tick.
            pruned_ms: clock.mono_ms().saturating_sub(PRUNE_MS),
            files: Files::new(&data),
            clock,
            journal,
            places,
            told,
            section: ConnectionsSection::default(),
            ear: None,
            online: BTreeMap::new(),
            numbers: BTreeMap::new(),
            given: 0,
            holders: BTreeMap::new(),
            open: BTreeSet::new(),
            lost_told_ms: None,
        };
        (log, Teller(teller))
    }

    /// Keeps the log until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let clock = self.clock.clone();
        loop {
            let tick = clock.sleep_ms(TICK_MS);
            tokio::pin!(tick);
            loop {
                // Who is online comes before what they do: an address has its session before its packets pass.
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return self.end(),
                    () = &mut tick => break,
                    Some(told) = self.told.recv() => self.take(told),
                    news = hear(self.ear.as_mut()) => self.heard(news).await,
                }
            }
            self.tick().await;
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Ordered(section) => {
                let before = std::mem::replace(&mut self.section, section).log;
                if before != self.section.log {
                    self.end();
                    self.begin();
                }
                // Another number of days or megabytes is kept to at once.
                self.pruned_ms = self.clock.mono_ms().saturating_sub(PRUNE_MS);
            }
            Told::Everybody(all) => {
                self.online =
                    all.into_iter().map(|(id, mac, ips)| (id, (mac, ips.into_iter().collect()))).collect();
                self.end();
                self.begin();
            }
            Told::Has(session, mac, ip) => {
                let before = self.holders.get(&ip).filter(|s| **s != session);
                if let Some((_, ips)) = before.and_then(|s| self.online.get_mut(s)) {
                    ips.remove(&ip);
                }
                self.online.entry(session).or_insert_with(|| (mac, BTreeSet::new())).1.insert(ip);
                self.note_address(session, mac, ip);
            }
            Told::Over(session) => {
                self.online.remove(&session);
                self.holders.retain(|_, s| *s != session);
                if let Some(number) = self.numbers.remove(&session) {
                    self.put(&Record::Over { number });
                }
            }
        }
    }

    /// Begins a file with everybody who is online, and asks for the connections that there are.
    fn begin(&mut self) {
        self.numbers.clear();
        self.given = 0;
        self.holders.clear();
        self.open.clear();
        let Some(now) = self.clock.wall().filter(|_| self.section.log != ConnectionLog::Off) else {
            self.ear = None;
            return;
        };
        self.offset_ms = offset(&self.clock);
        if let Err(error) = self.files.begin(now) {
            tracing::warn!(%error, "the connection log");
            return;
        }
        self.put(&Record::Anew);
        let online: Vec<(SessionId, Mac, IpAddr)> =
            self.online.iter().flat_map(|(id, (mac, ips))| ips.iter().map(|ip| (*id, *mac, *ip))).collect();
        for (session, mac, ip) in online {
            self.note_address(session, mac, ip);
        }
        if self.section.log == ConnectionLog::Flow {
            if let Err(error) = self.listen() {
                tracing::error!(%error, "connections are not heard of");
                self.ear = None;
            }
        } else {
            self.ear = None;
        }
    }

    fn listen(&mut self) -> Result<(), KernelError> {
        let mut ear = match self.ear.take() {
            Some(ear) => ear,
            None => Ear::open(self.places.clone())?,
        };
        ear.ask_all()?;
        self.ear = Some(ear);
        Ok(())
    }

    fn note_address(&mut self, session: SessionId, mac: Mac, ip: IpAddr) {
        self.holders.insert(ip, session);
        if !self.files.is_open() {
            return;
        }
        let known = self.numbers.get(&session).copied();
        let number = known.unwrap_or(self.given);
        if known.is_none() {
            self.given += 1;
            self.numbers.insert(session, number);
            self.put(&Record::Session { number, session, mac });
        }
        self.put(&Record::Has { number, address: ip });
    }

    async fn heard(&mut self, news: Result<News, KernelError>) {
        match news {
            Ok(News::Heard(all)) => all.into_iter().for_each(|one| self.note(one)),
            Ok(News::Lost) => {
                self.end();
                self.begin();
                self.lost("more connections began than could be heard of").await;
            }
            Err(error) => {
                tracing::error!(%error, "connections are not heard of for a while");
                self.ear = None;
                self.lost("the kernel did not tell of connections").await;
            }
        }
    }

    fn note(&mut self, heard: Heard) {
        match heard {
            Heard::Began(Flow { id, near, protocol, port }) => {
                let number = self.holders.get(&near).and_then(|s| self.numbers.get(s)).copied();
                if let Some(number) = number.filter(|_| self.open.insert(id)) {
                    self.put(&Record::Began { id, number, protocol, port });
                }
            }
            Heard::Ended(id) => {
                if self.open.remove(&id) {
                    self.put(&Record::Ended { id });
                }
            }
        }
    }

    /// Writes a record, unless the clock has stepped: then the file ends with the one before.
    fn put(&mut self, record: &Record) {
        if self.is_stepped() {
            if let Err(error) = self.files.close() {
                tracing::warn!(%error, "the connection log");
            }
            return;
        }
        if let Err(error) = self.files.put(self.clock.now(), record) {
            tracing::warn!(%error, "the connection log");
        }
    }

    fn is_stepped(&self) -> bool {
        offset(&self.clock).saturating_sub(self.offset_ms).abs() > STEP_MS
    }

    async fn tick(&mut self) {
        let mono_ms = self.clock.mono_ms();
        let (now, on) = (self.clock.wall(), self.section.log != ConnectionLog::Off);
        if let (Some(now), true) = (now, on) {
            let deaf = self.section.log == ConnectionLog::Flow && self.ear.is_none();
            if !self.files.is_open() || self.is_stepped() || deaf || self.files.is_full(now, &self.section) {
                self.end();
                self.begin();
            }
            if !self.files.is_open() {
                self.lost("the disk did not take it").await;
            }
        }
        match self.files.flush() {
            Ok(Some(file)) => {
                // On another thread: a slow disk must not hold up what is heard.
                tokio::task::spawn_blocking(move || file.sync_data());
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the connection log"),
        }
        if let Some(now) = now.filter(|_| mono_ms.saturating_sub(self.pruned_ms) >= PRUNE_MS) {
            self.pruned_ms = mono_ms;
            match self.files.prune(now, &self.section) {
                Ok(false) => {}
                Ok(true) => self.lost("it had no room for as many days as were ordered").await,
                Err(error) => tracing::warn!(%error, "old parts of the connection log"),
            }
        }
    }

    /// Says that all that is open ends here, and closes the file.
    fn end(&mut self) {
        if self.files.is_open() {
            self.put(&Record::Anew);
        }
        if let Err(error) = self.files.close() {
            tracing::warn!(%error, "the connection log");
        }
    }

    /// Tells the journal that something is missing.
    async fn lost(&mut self, why: &str) {
        let mono_ms = self.clock.mono_ms();
        if self.lost_told_ms.is_some_and(|told| mono_ms.saturating_sub(told) < TELL_MS) {
            return;
        }
        self.lost_told_ms = Some(mono_ms);
        note(&self.journal, Event::ConnectionsLost { why: why.to_owned() }).await;
    }
}

async fn note(journal: &Journal, event: Event) {
    if let Err(error) = journal.append(Entry::Event(event)).await {
        tracing::warn!(%error, "an event of the connection log was not recorded");
    }
}

fn offset(clock: &Clock) -> i64 {
    clock.now().ms().saturating_sub(clock.mono_ms())
}

/// Waits for news of connections; for ever where nobody listens.
async fn hear(ear: Option<&mut Ear>) -> Result<News, KernelError> {
    match ear {
        Some(ear) => ear.next().await,
        None => std::future::pending().await,
    }
}

/// Answers from the log, once the journal has that somebody asked and why.
///
/// # Errors
/// When the log cannot be read or the question not be noted; nothing is told then.
pub async fn ask(data: PathBuf, journal: &Journal, query: Query, reason: String) -> io::Result<Vec<Found>> {
    let read = tokio::task::spawn_blocking(move || find(&data, query));
    let found = read.await.map_err(io::Error::other)??;
    let asked = Event::ConnectionsAsked { at: query.at, port: query.port, reason, found: found.len() as u64 };
    journal.append(Entry::Event(asked)).await.map_err(io::Error::other)?;
    Ok(found)
}

#[cfg(test)]
mod tests;
