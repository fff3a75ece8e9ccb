//! Trying each way out, and telling the supervisor to go over when one is dead.
//!
//! A round sends one echo over each way, bound to its interface, to the hub and the
//! anchors in turn: three failed rounds in a row mean that none of them answered. The
//! community's line may be paid by the byte: while it idles it is tried every half minute.

use super::judge::{Judge, Seen};
use crate::clock::Clock;
use crate::config::{Backup, Config, Uplink};
use crate::dns::Settings;
use crate::dns::settings::FilterSettings;
use crate::probe::{Targets, ping, web};
use crate::supervisor::Supervisor;
use kulkul_wire::link::Desired;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// From round to round, in milliseconds.
const ROUND_MS: i64 = 1_000;
/// How long an answer may take; less than a round.
const PATIENCE_MS: i64 = 900;
/// How often an idle way is tried, in milliseconds.
const IDLE_MS: i64 = 30_000;
/// How often the hub's name is looked up, in milliseconds.
const NAME_MS: i64 = 600_000;

/// Whether something answered over each way last.
pub type Answers = [Option<bool>; 2];

/// What the watching needs of the box.
pub struct Watch {
    /// The box's settings.
    pub config: Arc<Config>,
    /// The desired state in force, which names the anchors.
    pub desired: watch::Receiver<Option<Arc<Desired>>>,
    /// Who goes over.
    pub supervisor: Supervisor,
    /// The clock.
    pub clock: Clock,
}

/// A way and whom it asks next.
struct Tried<'a> {
    uplink: &'a Uplink,
    turn: usize,
}

impl Watch {
    /// Tries both ways until `stop`; returns at once where there is only one.
    pub async fn run(self, tell: watch::Sender<Answers>, stop: CancellationToken) {
        let config = Arc::clone(&self.config);
        let Some(backup) = &config.backup else { return };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.rounds(&config, backup, &tell) => {}
        }
    }

    async fn rounds(&self, config: &Config, backup: &Backup, tell: &watch::Sender<Answers>) {
        let lines = self.supervisor.lines();
        let in_use = lines.borrow().iter().position(|l| l.in_use).unwrap_or(0);
        let mut judge = Judge::new(in_use, i64::from(backup.return_after_s) * 1_000);
        let mut first = Tried { uplink: &config.uplink, turn: 0 };
        let mut second = Tried { uplink: &backup.uplink, turn: 0 };
        let mut tried_ms = i64::MIN / 2;
        let mut named: Option<(i64, Option<IpAddr>)> = None;
        loop {
            let began = self.clock.mono_ms();
            let hub = match named {
                Some((at, Some(ip))) if began - at < NAME_MS => Some(ip),
                Some((at, none)) if began - at < IDLE_MS => none,
                _ => {
                    let found = self.clock.at_most(PATIENCE_MS, Box::pin(self.hub())).await.flatten();
                    let found = found.or(named.and_then(|(_, ip)| ip));
                    named = Some((began, found));
                    found
                }
            };
            let targets = self.targets(hub);
            let due = judge.needs_backup() || !has_cable(config.uplink.wire()) || began - tried_ms >= IDLE_MS;
            let (a, b) = tokio::join!(first.look(&targets, &self.clock), async {
                if due { Some(second.look(&targets, &self.clock).await) } else { None }
            });
            if due {
                tried_ms = began;
            }
            let is_good = |seen: Seen| seen == Seen::Answered;
            tell.send_if_modified(|old| {
                let now = [Some(is_good(a)), b.map(is_good).or(old[1])];
                std::mem::replace(old, now) != now
            });
            if let Some((to, why)) = judge.after(a, b, self.clock.mono_ms()) {
                self.supervisor.go_over(to, why).await;
            }
            let left = ROUND_MS.saturating_sub(self.clock.mono_ms().saturating_sub(began));
            self.clock.sleep_ms(left.max(10)).await;
        }
    }

    async fn hub(&self) -> Option<IpAddr> {
        let desired = self.desired.borrow().clone();
        let targets = Targets::of(&self.config, desired.as_deref());
        let settings = Settings::of(&self.config, desired.as_deref(), FilterSettings::default());
        web::resolve(&targets.hub, &settings.servers(), &self.clock).await
    }

    fn targets(&self, hub: Option<IpAddr>) -> Vec<IpAddr> {
        let desired = self.desired.borrow().clone();
        let anchors = Targets::of(&self.config, desired.as_deref()).anchors;
        hub.into_iter().chain(anchors.into_iter().flatten()).collect()
    }
}

impl Tried<'_> {
    async fn look(&mut self, targets: &[IpAddr], clock: &Clock) -> Seen {
        if !has_cable(self.uplink.wire()) {
            return Seen::NoCarrier;
        }
        self.turn = self.turn.wrapping_add(1);
        let at = self.turn.checked_rem(targets.len());
        let Some(target) = at.and_then(|at| targets.get(at)) else { return Seen::Silent };
        match ping::one(*target, Some(&self.uplink.interface), 1, PATIENCE_MS, clock).await {
            Some(_) => Seen::Answered,
            None => Seen::Silent,
        }
    }
}

/// Whether the link says that a cable is in; one that is switched off cannot say.
fn has_cable(link: &str) -> bool {
    std::fs::read_to_string(format!("/sys/class/net/{link}/carrier")).is_ok_and(|c| c.trim() == "1")
}
