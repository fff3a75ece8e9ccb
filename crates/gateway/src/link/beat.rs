//! Beats: a sign of life every 30 seconds, before any backlog.

use super::{Link, LinkError, Patience, jittered};
use kulkul_wire::link::beat::MINUTES_LIMIT;
use kulkul_wire::link::{BEAT_EVERY_MS, Beat, BootId, Version};
use std::collections::VecDeque;
use tokio::sync::watch;

/// Beats until the hub refuses this box for good.
pub(super) async fn run(link: &Link, mut version: watch::Receiver<Option<Version>>) -> LinkError {
    let mut minutes = VecDeque::new();
    let mut patience = Patience::new(5_000, 120_000);
    loop {
        let latest = link.minutes.borrow().map(|(minute, _)| minute);
        if let Some(minute) = latest.filter(|m| minutes.back() != Some(m)) {
            if minutes.len() == MINUTES_LIMIT {
                minutes.pop_front();
            }
            minutes.push_back(minute);
        }
        let beat = Beat {
            boot: BootId(link.clock.boot().0),
            mono_ms: u64::try_from(link.clock.mono_ms()).unwrap_or(0),
            wall_ms: link.clock.wall().map(|w| w.ms()),
            desired: *version.borrow_and_update(),
            journal_head: link.journal.head(),
            minutes: minutes.iter().copied().collect(),
            people: (link.people)(),
            checkpoint: None,
        };
        match link.client.beat(&link.identity, &beat).await {
            Ok(answer) => {
                link.heard();
                link.clock.learn(answer.now);
                patience.calm();
                if link.identity.wants_keys(answer.keys) {
                    link.ask_keys().await;
                }
                // What was told need not be told again; the last one shows that it goes on.
                let told = minutes.len().saturating_sub(1);
                minutes.drain(..told);
                // A beat is also due when the desired state has just changed.
                tokio::select! {
                    biased;
                    _ = version.changed() => {}
                    () = link.clock.sleep_ms(jittered(BEAT_EVERY_MS)) => {}
                }
            }
            Err(error) if error.is_final() => return error,
            Err(error) => {
                tracing::debug!(%error, "a beat was not taken");
                link.trouble(&error);
                if error.code() == "request-stale" {
                    stale(link).await;
                }
                patience.wait(&link.clock).await;
            }
        }
    }
}

/// The hub finds our clock wrong: takes its signed time, for requests at least.
async fn stale(link: &Link) {
    match link.client.time(&link.identity.ring()).await {
        Ok(now) if link.clock.learn(now) => tracing::info!(%now, "the clock is set from the hub"),
        Ok(now) => {
            tracing::warn!(hub = %now, ours = %link.clock.now(), "the clock is wrong; requests are signed by the hub's");
            link.client.adopt(now);
        }
        Err(error) => tracing::warn!(%error, "the hub tells no time"),
    }
}
