//! Jobs: what watch does as time passes. Each is a loop on the hub's clock.
//!
//! `seconds` moves live states and shows them, from memory alone: a slow disk must
//! never make the hub lose sight of a place. `following` reads a changed register,
//! `keep` writes down what must last, `settling` finds outages anew, `sight` looks
//! at the canaries.

use super::assemble::Roster;
use super::{assemble, canaries, events, intake, restore, settle};
use crate::Hub;
use crate::clock::thread_cpu_us;
use kulkul_model::Moment;
use kulkul_model::facts::{HOUR_MS, MINUTE_MS};
use kulkul_model::site::SiteCode;
use kulkul_store::{Lane, StoreError, hot, import, pack, unsettled, watching};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

const SECOND_MS: i64 = 1_000;
const KEEP_MS: i64 = 15 * SECOND_MS;
/// Small changes (a beat, people, delay) are shown this often.
const SMALL_MS: i64 = 15 * SECOND_MS;
/// An hour is closed this long after its end: edges are clear and most blocks are there.
const CLOSE_AFTER_MS: i64 = 4 * MINUTE_MS;
/// Hot minutes are kept this long.
const HOT_MS: i64 = 3 * HOUR_MS;
/// Hour blocks, and the journal that they came in, are kept this long: thirteen months.
pub(crate) const EVIDENCE_MS: i64 = 396 * 24 * HOUR_MS;
/// Rows of one write.
const ROWS: usize = 250;
const ROWS_RETIRED: u32 = 500;
/// Sites settled in one write.
const SETTLED: usize = 10;

/// Restores the live states, builds the first board, and begins the jobs.
///
/// # Errors
/// `StoreError` of the database.
pub async fn start(hub: &Hub) -> Result<(), StoreError> {
    hub.watch().metrics().register(hub.metrics());
    let now = hub.clock().now();
    let sites = restore::restore(hub.watch(), hub.store(), now).await?;
    tracing::info!(sites, "live states restored");
    canaries::look(hub).await;
    let mut tx = hub.store().reader().await?;
    let (register, roster) = watch::channel(Arc::new(Roster::load(&mut tx).await?));
    drop(tx);
    let mut seconds = Seconds { roster, shown: now };
    seconds.show(hub, now);
    let go = |job: futures_util::future::BoxFuture<'static, ()>| {
        let stop = hub.stop().clone();
        hub.tasks().spawn(async move { stop.run_until_cancelled(job).await });
    };
    let h = hub.clone();
    go(Box::pin(async move { seconds.run(&h).await }));
    let h = hub.clone();
    go(Box::pin(async move { following(&h, &register).await }));
    let h = hub.clone();
    go(Box::pin(async move { settling(&h).await }));
    let h = hub.clone();
    go(Box::pin(async move { sight(&h).await }));
    // Not cut off by the stop: it writes down the last seconds and then ends.
    let h = hub.clone();
    hub.tasks().spawn(async move { keep(&h).await });
    Ok(())
}

struct Seconds {
    roster: watch::Receiver<Arc<Roster>>,
    shown: Moment,
}

impl Seconds {
    async fn run(mut self, hub: &Hub) {
        // The first board was built just now; when this task is first polled is chance.
        let mut next = self.shown;
        loop {
            // A hub that was asleep goes on from now; it does not run after lost seconds.
            next = next.plus_ms(SECOND_MS).max(hub.clock().now().plus_ms(-SECOND_MS));
            hub.clock().sleep_until(next).await;
            let now = hub.clock().now();
            hub.watch().metrics().lag_ms.set(now.since_ms(next));
            hub.watch().live().tick(now);
            self.show(hub, now);
        }
    }

    /// Builds and swaps the board when something is new, and tells the open pages.
    fn show(&mut self, hub: &Hub, now: Moment) {
        let last = hub.board();
        let roster = Arc::clone(&self.roster.borrow());
        let mut live = hub.watch().live();
        let changed = live.take_changed();
        let fresh = last.version == 0 || last.register_version != roster.version();
        let small = now.since_ms(self.shown) >= SMALL_MS && live.take_touched();
        if changed.is_empty() && !fresh && !small {
            return;
        }
        let began = thread_cpu_us();
        let board = roster.board(&live, last.version, now);
        drop(live);
        let metrics = hub.watch().metrics();
        metrics.boards.inc();
        metrics.board_cpu_microseconds.inc_by(thread_cpu_us().saturating_sub(began));
        self.shown = now;
        hub.watch().metrics().tally(&board.tally);
        let news = events::frames(hub, &last, &board, &changed);
        hub.set_board(board);
        for frame in news {
            // Nobody listens: nobody is told.
            let _ = hub.events().send(frame);
        }
    }
}

/// Reads the register anew when it was changed; `seconds` shows it with its next step.
async fn following(hub: &Hub, register: &watch::Sender<Arc<Roster>>) {
    let mut next = hub.clock().now();
    loop {
        next = next.plus_ms(SECOND_MS).max(hub.clock().now().plus_ms(-SECOND_MS));
        hub.clock().sleep_until(next).await;
        let known = register.borrow().version();
        let began = hub.clock().now();
        match read_register(hub, known).await {
            Ok(Some(roster)) => {
                register.send_replace(Arc::new(roster));
                // While thousands of boxes enrol the register changes all the time: reading it
                // takes a twentieth of the time at most.
                next = next.plus_ms(20 * hub.clock().now().since_ms(began).clamp(0, SECOND_MS));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the register cannot be read; the board keeps the last"),
        }
    }
}

/// The register when it is another than the known one, and whole.
///
/// While an import is being applied its rows become true a batch at a time. The board
/// shows none of them until the last: the import's own end is the row that switches.
pub(super) async fn read_register(hub: &Hub, known: u64) -> Result<Option<Roster>, StoreError> {
    let mut tx = hub.store().reader().await?;
    if assemble::version(&mut tx).await? == known || import::applying(&mut tx).await?.is_some() {
        return Ok(None);
    }
    Roster::load(&mut tx).await.map(Some)
}

/// Writes hot minutes and the hub's own watching every 15 s; closes hours; retires rows.
async fn keep(hub: &Hub) {
    let mut closed = hub.clock().now().plus_ms(-CLOSE_AFTER_MS).hour().plus_ms(-2 * HOUR_MS);
    let mut next = hub.clock().now();
    loop {
        next = next.plus_ms(KEEP_MS).max(hub.clock().now());
        let stopping = hub.stop().run_until_cancelled(hub.clock().sleep_until(next)).await.is_none();
        let now = hub.clock().now();
        if let Err(error) = keep_minutes(hub, now).await {
            tracing::warn!(%error, "the latest minutes were not written down");
        }
        if stopping {
            return;
        }
        let hour = now.plus_ms(-CLOSE_AFTER_MS).hour().plus_ms(-HOUR_MS);
        if hour > closed {
            match close_hour(hub, hour).await {
                Ok(()) => closed = hour,
                Err(error) => tracing::warn!(%error, %hour, "an hour was not closed; tried again"),
            }
        }
        if let Err(error) = retire(hub, now).await {
            tracing::warn!(%error, "old rows were not retired");
        }
    }
}

async fn keep_minutes(hub: &Hub, now: Moment) -> Result<(), StoreError> {
    let (mut fresh, watched) = {
        let mut live = hub.watch().live();
        (live.take_fresh(), live.watching())
    };
    // All parts are handed in at once, so that the writer commits them together.
    let mut parts = Vec::new();
    while !fresh.is_empty() {
        let part = fresh.split_off(fresh.len().saturating_sub(ROWS));
        parts.push(hub.store().write(Lane::Journal, move |tx| {
            Box::pin(async move {
                for minute in &part {
                    hot::put(tx, minute).await?;
                }
                Ok::<_, StoreError>(())
            })
        }));
    }
    let written = futures_util::future::join_all(parts).await;
    if let Some(from) = watched {
        hub.store()
            .write(Lane::Journal, move |tx| Box::pin(async move { watching::put(tx, from, now).await }))
            .await?;
    }
    written.into_iter().collect()
}

async fn close_hour(hub: &Hub, hour: Moment) -> Result<(), StoreError> {
    let codes = hub.watch().live().codes();
    for some in codes.chunks(ROWS / 5) {
        let hours: Vec<_> = {
            let live = hub.watch().live();
            let of = |site: &SiteCode| {
                let facts = live.timeline(site)?.hour(hour);
                Some((site.clone(), facts, live.sum(site, hour)))
            };
            some.iter().filter_map(of).collect()
        };
        hub.store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    for (site, facts, sum) in &hours {
                        intake::close(tx, site, hour, facts, *sum).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
    }
    Ok(())
}

/// Drops some rows that are older than is kept; what is left waits for the next time.
async fn retire(hub: &Hub, now: Moment) -> Result<(), StoreError> {
    for _ in 0..200 {
        let dropped = hub
            .store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    let minutes = hot::retire(tx, now.plus_ms(-HOT_MS), ROWS_RETIRED).await?;
                    let packs = pack::retire(tx, now.plus_ms(-EVIDENCE_MS), ROWS_RETIRED).await?;
                    Ok::<_, StoreError>(minutes + packs)
                })
            })
            .await?;
        if dropped == 0 {
            break;
        }
    }
    Ok(())
}

/// Settles what live changes and journals left unsettled, some sites at a time.
async fn settling(hub: &Hub) {
    let mut next = hub.clock().now();
    loop {
        next = next.plus_ms(SECOND_MS).max(hub.clock().now().plus_ms(-SECOND_MS));
        hub.clock().sleep_until(next).await;
        if let Err(error) = settle_all(hub).await {
            tracing::warn!(%error, "outages were not settled; tried again");
        }
    }
}

async fn settle_all(hub: &Hub) -> Result<(), StoreError> {
    let mut live: BTreeMap<SiteCode, Moment> = hub.watch().live().take_unsettled();
    let outcome = settle_some(hub, &mut live).await;
    // What was not done stays to be done.
    let mut kept = hub.watch().live();
    for (site, from) in &live {
        kept.unsettle(site, *from);
    }
    outcome
}

async fn settle_some(hub: &Hub, live: &mut BTreeMap<SiteCode, Moment>) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let mut tx = hub.store().reader().await?;
        let mut sites = unsettled::after(&mut tx, &after, 100).await?;
        drop(tx);
        let more = sites.last().map(|s| s.as_str().to_owned());
        sites.extend(live.keys().take(100).cloned());
        sites.sort();
        sites.dedup();
        hub.watch().metrics().unsettled.set(i64::try_from(sites.len()).unwrap_or(i64::MAX));
        if sites.is_empty() {
            return Ok(());
        }
        for some in sites.chunks(SETTLED) {
            let now = hub.clock().now();
            let work: Vec<_> = {
                let memory = hub.watch().live();
                some.iter().map(|s| (s.clone(), live.get(s).copied(), memory.timeline(s))).collect()
            };
            hub.store()
                .write(Lane::Job, move |tx| {
                    Box::pin(async move {
                        for (site, live_from, timeline) in &work {
                            let kept = unsettled::take(tx, site).await?;
                            let from = [*live_from, kept.map(|k| k.0)].into_iter().flatten().min();
                            let to = [live_from.map(|_| now), kept.map(|k| k.1)].into_iter().flatten().max();
                            if let (Some(from), Some(to)) = (from, to) {
                                settle::settle(tx, site, from, to, timeline.as_ref(), now).await?;
                            }
                        }
                        Ok::<_, StoreError>(())
                    })
                })
                .await?;
            for site in some {
                live.remove(site);
            }
        }
        match more {
            Some(code) => after = code,
            None if live.is_empty() => return Ok(()),
            None => {}
        }
    }
}

/// Looks at the canaries every ten seconds.
async fn sight(hub: &Hub) {
    loop {
        hub.clock().sleep_ms(10 * SECOND_MS).await;
        canaries::look(hub).await;
    }
}
