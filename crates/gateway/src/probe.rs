//! The minute's measurement: pings, a name, a page; the record of hours; the line's events.
//!
//! Measures whether or not the hub is there. Nothing is dated while the box's clock is
//! unset: what cannot be dated is not observed. Each box measures at its own second of
//! the minute, so that a thousand boxes are not one wave.

pub mod hour;
pub mod ping;
pub mod targets;
pub mod uplink;
pub mod web;

pub use targets::Targets;

use crate::access_points::AccessPoints;
use crate::clock::Clock;
use crate::config::Config;
use crate::dns::settings::FilterSettings;
use crate::dns::{Servers, Settings, upstream};
use crate::journal::Journal;
use crate::supervisor::Totals;
use hour::Hour;
use kulkul_model::Moment;
use kulkul_model::measurement::{Minute, Pings, ProbeResult, Radios, UsageMinute};
use kulkul_wire::dns::{RecordType, ResponseCode};
use kulkul_wire::link::desired::Desired;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uplink::Uplink;

const MINUTE_MS: i64 = 60_000;
/// Measuring begins within this much of a minute and is over before it ends.
const SPREAD_MS: u64 = 35_000;

/// The last minute, once there is one.
pub type Minutes = watch::Receiver<Option<(Minute, UsageMinute)>>;

/// What the measuring needs of the box.
pub struct Probe {
    /// The box's settings.
    pub config: Arc<Config>,
    /// The desired state in force.
    pub desired: watch::Receiver<Option<Arc<Desired>>>,
    /// Totals of what people used.
    pub totals: watch::Receiver<Totals>,
    /// Where hours and events go.
    pub journal: Journal,
    /// The clock.
    pub clock: Clock,
    /// Where the current hour's minutes are kept, so that a crash loses none.
    pub kept: PathBuf,
    /// What the box is called; its measuring time in the minute follows from it.
    pub name: String,
    /// Looks for the place's access points.
    pub radios: AccessPoints,
}

impl Probe {
    /// Measures every minute until `stop` and tells each into `tell`.
    pub async fn run(mut self, tell: watch::Sender<Option<(Minute, UsageMinute)>>, stop: CancellationToken) {
        let mut hour = Hour::open(self.kept.clone());
        let mut uplink = Uplink::default();
        let mut last_totals = *self.totals.borrow();
        let mut hub = None;
        let spread = offset_ms(&self.name);
        loop {
            let begin = self.clock.now().minute().plus_ms(spread);
            let next = if begin > self.clock.now() { begin } else { begin.plus_ms(MINUTE_MS) };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.clock.sleep_until(next) => {}
            }
            let Some(now) = self.clock.wall() else { continue };
            let at = now.minute();
            for entry in hour.close_before(at.hour()) {
                self.record(entry).await;
            }
            let mut radios = std::mem::take(&mut self.radios);
            let measuring = async { tokio::join!(self.minute(at, &mut hub), radios.look(at)) };
            let (minute, (seen, events)) = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                measured = measuring => measured,
            };
            self.radios = radios;
            let minute = Minute { radios: seen, ..minute };
            let totals = *self.totals.borrow();
            let usage = used(at, last_totals, totals);
            last_totals = totals;
            hour.add(minute, usage);
            tell.send_replace(Some((minute, usage)));
            for event in events {
                self.record(kulkul_wire::link::Entry::Event(event)).await;
            }
            if let Some(event) = uplink.after(at, minute.line_verdict()) {
                self.record(kulkul_wire::link::Entry::Event(event)).await;
            }
        }
    }

    async fn record(&self, entry: kulkul_wire::link::Entry) {
        let what = entry.kind().as_str();
        if let Err(error) = self.journal.append(entry).await {
            tracing::error!(what, %error, "not in the journal");
        }
    }

    /// One minute's measurement; everything is tried at the same time.
    async fn minute(&self, at: Moment, hub: &mut Option<IpAddr>) -> Minute {
        let desired = self.desired.borrow().clone();
        let targets = Targets::of(&self.config, desired.as_deref());
        let settings = Settings::of(&self.config, desired.as_deref(), FilterSettings::default());
        let servers = settings.servers();
        if let Some(found) = self.hub_address(&targets, &servers).await {
            *hub = Some(found);
        }
        let [a, b] = targets.anchors;
        // Where there are two ways, the minute is about the provider's line: it is the one
        // that is owed. What the community's line carries meanwhile does not make it up.
        let over = self.config.backup.as_ref().map(|_| self.config.uplink.interface.as_str());
        let (to_hub, anchor_a, anchor_b, (dns, dns_us), (http, http_us)) = tokio::join!(
            ping::five(*hub, over, &self.clock),
            ping::five(a, over, &self.clock),
            ping::five(b, over, &self.clock),
            look_up(&servers, targets.name.as_deref(), &self.clock),
            web::fetch(targets.page.as_ref(), &servers, &self.clock),
        );
        Minute { at, hub: to_hub, anchor_a, anchor_b, dns, dns_us, http, http_us, radios: Radios::default() }
    }

    /// The hub's address now; when its name cannot be looked up the last one stands.
    async fn hub_address(&self, targets: &Targets, servers: &Servers) -> Option<IpAddr> {
        web::resolve(&targets.hub, servers, &self.clock).await
    }
}

async fn look_up(servers: &Servers, name: Option<&str>, clock: &Clock) -> (ProbeResult, u32) {
    let Some(name) = name else { return (ProbeResult::NotTried, 0) };
    let began = clock.mono_us();
    match upstream::ask(servers, name, RecordType::A, clock).await {
        Ok(answer) if answer.code == ResponseCode::NoError => (ProbeResult::Good, elapsed_us(began, clock)),
        Ok(_) => (ProbeResult::Wrong, 0),
        Err(_) => (ProbeResult::Silent, 0),
    }
}

fn elapsed_us(began: i64, clock: &Clock) -> u32 {
    u32::try_from(clock.mono_us().saturating_sub(began)).unwrap_or(u32::MAX).max(1)
}

fn used(at: Moment, before: Totals, now: Totals) -> UsageMinute {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|l| l.parse().ok()).unwrap_or(0.0);
    UsageMinute {
        at,
        people: now.people,
        begun: u32::try_from(now.begun.saturating_sub(before.begun)).unwrap_or(u32::MAX),
        down_bytes: now.usage.down_bytes.saturating_sub(before.usage.down_bytes),
        up_bytes: now.usage.up_bytes.saturating_sub(before.usage.up_bytes),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a load is small and positive"
        )]
        load_centi: (load * 100.0) as u32,
    }
}

/// The box's own second of the minute, from its name (FNV-1a).
fn offset_ms(name: &str) -> i64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    i64::try_from(hash % SPREAD_MS).unwrap_or(0)
}

/// What pings to a target that is not known say: nothing was sent.
pub(crate) const NOT_SENT: Pings = Pings { sent: 0, lost: 0, rtt_us: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::session::Usage;

    #[test]
    fn a_minutes_use_is_the_difference_of_totals() {
        let usage = |up, down| Usage { up_bytes: up, down_bytes: down, ..Usage::default() };
        let before = Totals { people: 3, begun: 10, usage: usage(100, 1_000) };
        let now = Totals { people: 4, begun: 12, usage: usage(150, 4_000) };
        let minute = used(Moment::EPOCH, before, now);
        assert_eq!((minute.people, minute.begun, minute.up_bytes, minute.down_bytes), (4, 2, 50, 3_000));
        let restarted = used(Moment::EPOCH, now, Totals::default());
        assert_eq!((restarted.begun, restarted.down_bytes), (0, 0), "never below zero");
    }

    #[test]
    fn boxes_measure_at_different_seconds_and_always_the_same() {
        assert_eq!(offset_ms("gw-a"), offset_ms("gw-a"));
        let seconds: std::collections::BTreeSet<i64> =
            (0..500).map(|n| offset_ms(&format!("gw-{n}")) / 1000).collect();
        assert!(seconds.len() > 30, "{seconds:?}");
    }
}
