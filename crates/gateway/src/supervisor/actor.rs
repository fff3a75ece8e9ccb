//! The supervisor's task: takes one message at a time and keeps kernel, book and journal in step.
//!
//! It never waits for the journal's disk: entries are handed in and what follows from
//! them happens when they are written. Everything else it does within milliseconds.

mod apply;
mod carried;
mod hours;
mod keep;
mod passes;
mod people;
mod places;
mod queues;
mod told;
mod tunnel;
mod upkeep;
mod ways;

use super::{Ask, Supervisor, Totals, Who};
use crate::clock::Clock;
use crate::config::Config;
use crate::connections::Teller;
use crate::journal::{Journal, JournalError};
use crate::kernel::neighbours::{Heard, Listener};
use crate::kernel::{Kernel, KernelError};
use crate::orders::Orders;
use crate::sessions::Sessions;
use crate::sessions::book::Book;
use crate::sessions::spent::Spent;
use crate::ways::LineState;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use kulkul_model::Refusal;
use kulkul_model::Zone;
use kulkul_model::session::{Mac, Session, SessionId, Usage};
use kulkul_wire::link::desired::TunnelSection;
use kulkul_wire::link::{Entry, Event};
use std::collections::BTreeMap;
use std::net::IpAddr;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use queues::{Can, TOGETHER};

/// Messages that wait; more are made to wait at the sender.
const QUEUE: usize = 1_024;

/// What the supervisor is made of.
pub struct Parts {
    /// The box's settings.
    pub config: Config,
    /// Its clock.
    pub clock: Clock,
    /// Its kernel.
    pub kernel: Box<dyn Kernel>,
    /// Hears of neighbours; none where the kernel is on paper.
    pub listener: Option<Listener>,
    /// Where starts, interims and stops are recorded.
    pub journal: Journal,
    /// Draws the ids of sessions.
    pub ids: Box<dyn FnMut() -> SessionId + Send>,
    /// How this kernel can share a line.
    pub can: Can,
    /// Hears who is online, for the connection log.
    pub teller: Teller,
}

/// Why the supervisor could not start.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The book of sessions or the orders could not be read or written.
    #[error("the sessions under {dir}: {source}")]
    Book {
        /// The data directory.
        dir: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The place's network and the uplink's overlap.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
}

/// Brings kernel and sessions together and starts the task.
///
/// When this returns the table is loaded and everybody who was online is again.
///
/// # Errors
/// `SupervisorError`; the kernel is as it was before.
pub fn start(parts: Parts, stop: CancellationToken) -> Result<(Supervisor, JoinHandle<()>), SupervisorError> {
    let (asks_tx, asks) = mpsc::channel(QUEUE);
    let (totals_tx, totals) = watch::channel(Totals::default());
    let (lines_tx, lines) = watch::channel(Vec::new());
    let (tunnel_tx, tunnel) = watch::channel(TunnelSection::default());
    let mut actor = Actor::open(parts, (totals_tx, lines_tx, tunnel_tx))?;
    actor.begin()?;
    let task = tokio::spawn(actor.run(asks, stop));
    Ok((Supervisor::new(asks_tx, totals, lines, tunnel), task))
}

/// What became of an entry that was handed to the journal.
enum Written {
    Start(SessionId, Result<u64, JournalError>),
    Stop(SessionId, Result<u64, JournalError>),
    Other(Result<u64, JournalError>),
}

type Waiting = oneshot::Sender<Result<Session, Refusal>>;

struct Actor {
    config: Config,
    clock: Clock,
    kernel: Box<dyn Kernel>,
    listener: Option<Listener>,
    journal: Journal,
    ids: Box<dyn FnMut() -> SessionId + Send>,
    orders: Orders,
    /// The zone of the orders.
    zone: Zone,
    hours: hours::Hours,
    queues: queues::Queues,
    /// What devices used today in sessions that are over.
    spent: Spent,
    ways: ways::Ways,
    lines: watch::Sender<Vec<LineState>>,
    tunnel: watch::Sender<TunnelSection>,
    digest: String,
    sessions: Sessions,
    book: Book,
    /// Who waits for a session's start to be written.
    waiting: BTreeMap<SessionId, Vec<Waiting>>,
    /// Device by address, as the neighbour table told; only for segments of the place.
    neighbours: BTreeMap<IpAddr, Mac>,
    writing: FuturesUnordered<BoxFuture<'static, Written>>,
    totals: watch::Sender<Totals>,
    begun: u64,
    /// What sessions that are over had used.
    finished: Usage,
    /// What all had used when this process began.
    base: Usage,
    consents: BTreeMap<u32, u64>,
    log: told::Log,
    upkeep: upkeep::Upkeep,
}

impl Actor {
    async fn run(mut self, mut asks: mpsc::Receiver<Ask>, stop: CancellationToken) {
        let clock = self.clock.clone();
        loop {
            let tick = clock.sleep_ms(upkeep::TICK_MS);
            tokio::pin!(tick);
            // Within one tick, messages come first; the tick is pinned so that they cannot starve it.
            loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return self.close().await,
                    () = &mut tick => break,
                    Some(written) = self.writing.next(), if !self.writing.is_empty() => self.written(written),
                    heard = hear(self.listener.as_mut()) => self.heard(heard),
                    ask = asks.recv() => match ask {
                        Some(ask) => self.answer(ask),
                        None => return self.close().await,
                    },
                }
            }
            self.tick();
        }
    }

    /// An answer that nobody waits for any more is dropped: every `send` here may fail.
    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Admit(admission, tx) => self.admit(&admission, tx),
            Ask::LogOut(ip, tx) => {
                let _ = tx.send(self.log_out(ip));
            }
            Ask::Who(ip, tx) => {
                let _ = tx.send(self.who(ip));
            }
            Ask::Walled { addresses, ttl_s } => self.walled(&addresses, ttl_s),
            Ask::Apply(desired, tx) => {
                let _ = tx.send(self.apply(&desired));
            }
            Ask::GoOver(to, why) => self.go_over(to, why),
            Ask::TunnelMade => self.report("the tunnel's routes", Actor::keep_tunnel),
            Ask::Leased { line, lease, trouble } => self.leased(line, lease, trouble),
            Ask::People(tx) => {
                let _ = tx.send(self.sessions.iter().map(|l| self.seen(l)).collect());
            }
        }
    }

    fn who(&mut self, ip: IpAddr) -> Option<Who> {
        let (mac, _) = self.device(ip)?;
        self.join(mac, ip);
        let session = self.sessions.of(mac).filter(|l| l.phase == crate::sessions::Phase::Online);
        let today = Some(self.used_today(mac, session));
        Some(Who { mac, session: session.map(|l| self.seen(l)), today })
    }

    fn seen(&self, live: &crate::sessions::Live) -> Session {
        live.session(self.clock.now(), self.clock.mono_ms())
    }

    fn record(&mut self, entry: Entry) {
        let journal = self.journal.clone();
        self.writing.push(Box::pin(async move { Written::Other(journal.append(entry).await) }));
    }

    fn event(&mut self, event: Event) {
        self.record(Entry::Event(event));
    }

    /// Ends the task: the kernel goes on enforcing, the book is brought to the disk.
    async fn close(mut self) {
        self.flush_consents();
        self.account();
        self.account_ways(self.clock.mono_ms());
        let stamp = self.clock.stamp();
        if let Err(e) = self.book.rewrite(stamp, self.sessions.iter()) {
            tracing::warn!(error = %e, "the book of sessions was not written anew");
        }
        if let Err(e) = self.spent.keep() {
            tracing::warn!(error = %e, "what was used today");
        }
        while let Some(written) = self.writing.next().await {
            self.written(written);
        }
        tracing::info!(people = self.sessions.len(), "stopped; the kernel goes on enforcing");
    }
}

/// Waits for news of neighbours; for ever where there is no listener.
async fn hear(listener: Option<&mut Listener>) -> Result<Heard, KernelError> {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
