//! Diagnostics: the few things that staff may ask of a box from afar, each done once.
//!
//! The asks are part of the desired state and have an end; the answers are entries of the
//! journal. There is no shell and no command line. Nothing is ever sent to people's devices.

pub mod tail;
mod trace;

use crate::clock::Clock;
use crate::config::Config;
use crate::disk::write_whole;
use crate::dns::upstream;
use crate::doctor;
use crate::journal::Journal;
use crate::probe::{ping, web};
use crate::words::{Lang, Words};
use kulkul_model::Moment;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticKind, DiagnosticOutcome, LONGEST_ANSWER};
use kulkul_wire::dns::RecordType;
use kulkul_wire::link::desired::{Desired, DiagnosticAsk, MOST_ASKS};
use kulkul_wire::link::{Diagnostic, Entry};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Nothing may take longer than this, milliseconds.
const MOST_MS: i64 = 60_000;
const PINGS: u16 = 5;
const APART_MS: i64 = 500;
const PATIENCE_MS: i64 = 2_000;
/// Lines of an answer about a name.
const MOST_RECORDS: usize = 20;
const DONE: &str = "diagnostics.json";
const DAY_MS: i64 = 86_400_000;

type Told = (DiagnosticOutcome, String);

/// Does what is asked.
pub struct Diagnostics {
    config: Arc<Config>,
    desired: watch::Receiver<Option<Arc<Desired>>>,
    journal: Journal,
    clock: Clock,
    /// What was begun, and until when it could have been.
    done: Vec<(DiagnosticId, Moment)>,
}

impl Diagnostics {
    /// For a box; what earlier runs have begun is not done again.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        desired: watch::Receiver<Option<Arc<Desired>>>,
        journal: Journal,
        clock: Clock,
    ) -> Self {
        let done = std::fs::read(config.data.join(DONE)).unwrap_or_default();
        // A file that cannot be read is none: an ask is worth little an hour later anyway.
        let done = serde_json::from_slice(&done).unwrap_or_default();
        Diagnostics { config, desired, journal, clock, done }
    }

    /// Follows the desired state until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let asks = self.due();
            if asks.is_empty() {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    changed = self.desired.changed() => if changed.is_err() { return },
                }
                continue;
            }
            for ask in asks {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = self.answer(&ask) => {}
                }
            }
        }
    }

    /// What was not begun and may be now; nothing while the clock cannot be believed.
    fn due(&mut self) -> Vec<DiagnosticAsk> {
        let desired = self.desired.borrow_and_update().clone();
        let (Some(desired), Some(now)) = (desired, self.clock.wall()) else { return Vec::new() };
        let fresh = |a: &&DiagnosticAsk| a.until > now && !self.done.iter().any(|(id, _)| *id == a.id);
        desired.diagnostics.asks.iter().filter(fresh).take(MOST_ASKS).cloned().collect()
    }

    async fn answer(&mut self, ask: &DiagnosticAsk) {
        let began = self.clock.mono_ms();
        let (outcome, text) = match self.note(ask) {
            Ok(()) => {
                let (config, clock) = (Arc::clone(&self.config), self.clock.clone());
                let work = Box::pin(look(&config, &clock, ask));
                let late = || (DiagnosticOutcome::Failed, "it took too long".to_owned());
                self.clock.at_most(MOST_MS, work).await.unwrap_or_else(late)
            }
            // Done without a note it could be done again after each start.
            Err(error) => (DiagnosticOutcome::Failed, format!("the disk did not take a note of it: {error}")),
        };
        let took_ms = u64::try_from(self.clock.mono_ms().saturating_sub(began)).unwrap_or(0);
        let entry = Diagnostic { id: ask.id, outcome, took_ms, text: bounded(text) };
        tracing::info!(id = %ask.id, kind = ask.kind, outcome = outcome.as_str(), "staff asked");
        if let Err(error) = self.journal.append(Entry::Diagnostic(entry)).await {
            tracing::warn!(%error, "an answer was not recorded");
        }
    }

    /// Notes that an ask is begun, so that it is not begun twice.
    fn note(&mut self, ask: &DiagnosticAsk) -> std::io::Result<()> {
        let now = self.clock.now();
        self.done.retain(|(_, until)| now.since_ms(*until) < DAY_MS);
        self.done.push((ask.id, ask.until));
        write_done(&self.config.data, &self.done)
    }
}

fn write_done(data: &Path, done: &[(DiagnosticId, Moment)]) -> std::io::Result<()> {
    write_whole(&data.join(DONE), &serde_json::to_vec(done)?)
}

async fn look(config: &Config, clock: &Clock, ask: &DiagnosticAsk) -> Told {
    let refused = |why: &str| (DiagnosticOutcome::Refused, why.to_owned());
    let Some(kind) = DiagnosticKind::parse(&ask.kind) else {
        return refused("this version of the box's program does not know the kind");
    };
    // The hub has checked it; a box does not take its word for it.
    let Some(target) = kind.target(ask.target.as_deref().unwrap_or_default()) else {
        return refused("the target is neither an address nor a name");
    };
    let target = target.unwrap_or_default();
    match kind {
        DiagnosticKind::Log => (DiagnosticOutcome::Done, tail::lines(config)),
        DiagnosticKind::Doctor => {
            // It tries the kernel and waits for programs; the thread that lets people in must not.
            let (config, clock, here) = (config.clone(), clock.clone(), Handle::current());
            let work = move || here.block_on(doctor::examine(&config, &clock));
            match tokio::task::spawn_blocking(work).await {
                Ok(report) => (DiagnosticOutcome::Done, report.in_words(&Words::builtin(), Lang::En)),
                Err(error) => (DiagnosticOutcome::Failed, error.to_string()),
            }
        }
        DiagnosticKind::Names => names(config, clock, &target).await,
        DiagnosticKind::Ping | DiagnosticKind::Trace => {
            let here = vec![resolver(config)].into();
            let Some(ip) = web::resolve(&target, &here, clock).await else {
                return (DiagnosticOutcome::Failed, format!("{target} has no address"));
            };
            if !is_outside(config, ip) {
                return refused("the target is at the place; people's devices are not asked");
            }
            if kind == DiagnosticKind::Ping {
                pings(clock, &target, ip).await
            } else {
                trace::trace(clock, &target, ip).await
            }
        }
    }
}

fn resolver(config: &Config) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, config.dns.port))
}

async fn pings(clock: &Clock, target: &str, ip: IpAddr) -> Told {
    let (mut text, mut came, mut sum_us) = (format!("{target} ({ip})\n"), 0u64, 0u64);
    for seq in 1..=PINGS {
        // Writing into a text does not fail.
        let _ = match ping::one(ip, None, seq, PATIENCE_MS, clock).await {
            Some(us) => {
                (came, sum_us) = (came + 1, sum_us.saturating_add(us));
                writeln!(text, "{seq}  {}", ms(us))
            }
            None => writeln!(text, "{seq}  no answer"),
        };
        if seq < PINGS {
            clock.sleep_ms(APART_MS).await;
        }
    }
    let mean = sum_us.checked_div(came).map(|us| format!(", {} on average", ms(us))).unwrap_or_default();
    let _ = write!(text, "{PINGS} sent, {came} answered{mean}");
    (DiagnosticOutcome::Done, text)
}

/// What the box's own resolver says of a name: what people here would get.
async fn names(config: &Config, clock: &Clock, name: &str) -> Told {
    let here = vec![resolver(config)].into();
    let mut text = String::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let began = clock.mono_us();
        let _ = match upstream::ask(&here, name, kind, clock).await {
            Ok(answer) => {
                let took = u64::try_from(clock.mono_us().saturating_sub(began)).unwrap_or(0);
                let count = answer.records.len();
                let said = writeln!(text, "{kind}: {:?}, {count} records, {}", answer.code, ms(took));
                for record in answer.records.iter().take(MOST_RECORDS) {
                    let _ = writeln!(text, "  {record}");
                }
                said
            }
            Err(error) => writeln!(text, "{kind}: {error}"),
        };
    }
    (DiagnosticOutcome::Done, text)
}

fn ms(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

/// Whether an address is none of the place's nor one of many or of nobody.
fn is_outside(config: &Config, ip: IpAddr) -> bool {
    let (near, ip) = match ip {
        IpAddr::V4(v4) => (v4.is_link_local() || v4.is_broadcast(), ip),
        IpAddr::V6(v6) => (v6.is_unicast_link_local(), v6.to_ipv4_mapped().map_or(ip, IpAddr::V4)),
    };
    let lan = config.segments.iter().any(|s| s.networks().any(|net| net.contains(&ip)));
    let delegated = || {
        let held = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
        let names: Vec<&str> = config.segments.iter().map(|s| s.interface.as_str()).collect();
        is_beside(&held, &names, ip)
    };
    !(near || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || lan || delegated())
}

/// Whether an IPv6 address is in a network of these interfaces, as /proc/net/if_inet6 lists them.
fn is_beside(held: &str, interfaces: &[&str], ip: IpAddr) -> bool {
    let IpAddr::V6(ip) = ip else { return false };
    held.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [address, _, length, _, _, name] = words.as_slice() else { return false };
        let (Ok(address), Ok(length)) = (u128::from_str_radix(address, 16), u32::from_str_radix(length, 16))
        else {
            return false;
        };
        let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
        interfaces.contains(name) && address & mask == ip.to_bits() & mask
    })
}

fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LONGEST_ANSWER));
    text
}

#[cfg(test)]
mod tests;
