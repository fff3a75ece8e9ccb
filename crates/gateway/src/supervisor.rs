//! The supervisor: one task that owns sessions and all kernel state; others talk to it by messages.
//!
//! Nobody else may touch nf_tables. What it is told and what it answers are values; a
//! handle is cheap to clone. It answers `admit` only after packets pass.

use crate::sessions::Own;
use crate::ways::{Lease, LineState, Why};
use kulkul_model::Refusal;
use kulkul_model::admission::Basis;
use kulkul_model::session::{Mac, Session, Usage, WayIn};
use kulkul_wire::link::Desired;
use kulkul_wire::link::desired::TunnelSection;
use std::net::IpAddr;
use tokio::sync::{mpsc, oneshot, watch};

mod actor;

pub use actor::{Can, Parts, SupervisorError, TOGETHER, start};

/// Someone asks to be let in, from the address that the request came from.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The address that the request came from.
    pub ip: IpAddr,
    /// How, where there is no pass.
    pub way_in: WayIn,
    /// The version of the terms that were accepted.
    pub terms: Option<u32>,
    /// The language that the person reads, `id` or `en`.
    pub language: String,
    /// By which grant, voucher or account; none for a click.
    pub pass: Option<Pass>,
}

/// What lets a device in otherwise than by a click, and what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What the session's start names to the hub.
    pub basis: Basis,
    /// How the device comes in.
    pub way_in: WayIn,
    /// What it gives by itself.
    pub own: Own,
    /// Devices online at a time by the same voucher or account; none for no bound.
    pub devices: Option<u16>,
}

impl Admission {
    /// How the device comes in.
    #[must_use]
    pub fn by(&self) -> WayIn {
        self.pass.map_or(self.way_in, |pass| pass.way_in)
    }
}

/// The device behind an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Its hardware address, from the neighbour table.
    pub mac: Mac,
    /// Its session, when it is online.
    pub session: Option<Session>,
    /// What it has used of the local day; none where nobody counts it.
    pub today: Option<DayUse>,
}

/// What one device has used since the place's midnight, its session of now included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct DayUse {
    /// Bytes in both directions.
    pub bytes: u64,
    /// Time online, milliseconds.
    pub ms: u64,
}

/// What all people together used since this process began, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Devices online now.
    pub people: u32,
    /// Sessions begun since the process began.
    pub begun: u64,
    /// What was used since the process began, over all sessions.
    pub usage: Usage,
}

/// A handle to the supervisor.
#[derive(Clone, Debug)]
pub struct Supervisor {
    asks: mpsc::Sender<Ask>,
    totals: watch::Receiver<Totals>,
    lines: watch::Receiver<Vec<LineState>>,
    tunnel: watch::Receiver<TunnelSection>,
}

/// What the supervisor can be asked.
#[derive(Debug)]
pub(crate) enum Ask {
    Admit(Admission, oneshot::Sender<Result<Session, Refusal>>),
    LogOut(IpAddr, oneshot::Sender<Result<(), Refusal>>),
    Who(IpAddr, oneshot::Sender<Option<Who>>),
    Walled { addresses: Vec<IpAddr>, ttl_s: u32 },
    Apply(Box<Desired>, oneshot::Sender<Result<(), Refusal>>),
    People(oneshot::Sender<Vec<Session>>),
    GoOver(usize, Why),
    TunnelMade,
    Leased { line: usize, lease: Option<Lease>, trouble: Option<String> },
}

/// The supervisor is stopping or has too much to do.
pub(crate) fn busy() -> Refusal {
    Refusal::new(429, "gateway-busy")
}

impl Supervisor {
    pub(crate) fn new(
        asks: mpsc::Sender<Ask>,
        totals: watch::Receiver<Totals>,
        lines: watch::Receiver<Vec<LineState>>,
        tunnel: watch::Receiver<TunnelSection>,
    ) -> Self {
        Supervisor { asks, totals, lines, tunnel }
    }

    /// Lets the device behind `ask.ip` in; answers after its packets pass.
    ///
    /// A device that is in already gets its session again. The start of the session is in the journal, on disk, before this answers.
    ///
    /// # Errors
    /// `Refusal`: `device-unknown`, `device-blocked`, `way-in-closed`, `site-full`, `gateway-busy`; `voucher-devices`
    /// and `account-devices` with `devices`; `site-closed` with `opens` and `quota-used` with `until`, RFC 3339 or
    /// empty when that is not known.
    pub async fn admit(&self, ask: Admission) -> Result<Session, Refusal> {
        self.ask(|tx| Ask::Admit(ask, tx)).await.unwrap_or_else(|| Err(busy()))
    }

    /// Ends the session of the device behind `ip`.
    ///
    /// # Errors
    /// `Refusal`: `not-online`, `gateway-busy`.
    pub async fn log_out(&self, ip: IpAddr) -> Result<(), Refusal> {
        self.ask(|tx| Ask::LogOut(ip, tx)).await.unwrap_or_else(|| Err(busy()))
    }

    /// The device behind `ip` and its session; nothing when no neighbour has that address.
    pub async fn who(&self, ip: IpAddr) -> Option<Who> {
        self.ask(|tx| Ask::Who(ip, tx)).await.flatten()
    }

    /// Takes a desired state in, in one batch; nobody is dropped whom it does not put out.
    ///
    /// # Errors
    /// `Refusal`: `desired-refused` with `why`; what was before stays. `gateway-busy`.
    pub async fn apply(&self, desired: Desired) -> Result<(), Refusal> {
        self.ask(|tx| Ask::Apply(Box::new(desired), tx)).await.unwrap_or_else(|| Err(busy()))
    }

    /// Everybody who is online, by session id; for the status command.
    pub async fn sessions(&self) -> Vec<Session> {
        self.ask(Ask::People).await.unwrap_or_default()
    }

    /// Lets everybody reach `addresses` for `ttl_s` seconds: `name` is in the walled garden.
    pub async fn walled(&self, name: &str, addresses: Vec<IpAddr>, ttl_s: u32) {
        tracing::trace!(name, ?addresses, "walled garden");
        // A lost message only means that the next lookup of the name teaches it again.
        let _ = self.asks.send(Ask::Walled { addresses, ttl_s }).await;
    }

    /// Devices online now.
    #[must_use]
    pub fn people(&self) -> u32 {
        self.totals.borrow().people
    }

    /// Totals that change a few times a minute; what a minute used is a difference of two.
    #[must_use]
    pub fn usage(&self) -> watch::Receiver<Totals> {
        self.totals.clone()
    }

    /// Goes over to the way out with this number: 0 the provider's, 1 the community's.
    pub async fn go_over(&self, to: usize, why: Why) {
        // Only fails while stopping.
        let _ = self.asks.send(Ask::GoOver(to, why)).await;
    }

    /// Tells what a way out was given, or that it has nothing and why.
    pub async fn leased(&self, line: usize, lease: Option<Lease>, trouble: Option<String>) {
        let _ = self.asks.send(Ask::Leased { line, lease, trouble }).await;
    }

    /// The ways out as they are now.
    #[must_use]
    pub fn lines(&self) -> watch::Receiver<Vec<LineState>> {
        self.lines.clone()
    }

    /// The tunnel as it is ordered, once that is in force; kept from the last run.
    #[must_use]
    pub fn tunnel(&self) -> watch::Receiver<TunnelSection> {
        self.tunnel.clone()
    }

    /// Tells that the tunnel's interface is there: addresses and routes are wanted.
    pub async fn tunnel_made(&self) {
        // Only fails while stopping.
        let _ = self.asks.send(Ask::TunnelMade).await;
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (tx, rx) = oneshot::channel();
        self.asks.send(make(tx)).await.ok()?;
        rx.await.ok()
    }
}
