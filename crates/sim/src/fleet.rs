//! A fleet: thousands of light gateways on few tasks, and what they met.
//!
//! Each task has a share of the gateways, a connection of its own and a queue by
//! time; gateways take turns in it. How late turns begin is measured too, so that a
//! slow fleet is not taken for a slow hub.

use crate::caller::{CallError, Line};
use crate::light::{LightGateway, Standing, Turn};
use crate::stopwatch::Stopwatch;
use crate::tempo::Tempo;
use crate::world::World;
use kulkul_hub::clock::Clock;
use kulkul_model::Moment;
use kulkul_model::claim::ClaimCode;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A gateway whose turn failed tries again after this, at most its usual pause.
const AGAIN_MS: i64 = 5_000;
/// A task has at least this many gateways before another is made.
const SHARE: usize = 16;
/// Tasks at most. Gateways of one task wait for each other, which real ones never do: with
/// fewer tasks a slow disk at the hub would slow the fleet, and hide what the hub can take.
pub(crate) const MOST_TASKS: usize = 2_048;

/// Counts of what a fleet did; gateways of all tasks add to one.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Gateways that enrolled.
    pub enrolled: u64,
    /// Enrolments that failed.
    pub not_enrolled: u64,
    /// Beats that were answered.
    pub beats: u64,
    /// Calls that failed; their content is sent again.
    pub failed: u64,
    /// Gateways that the hub refuses: silent for good.
    pub revoked: u64,
    /// Entries that the hub took.
    pub delivered: u64,
    /// How long turns took: a beat, and the journal when there was any.
    pub turns: Tempo,
    /// The most that a turn began too late, milliseconds.
    pub latest_ms: i64,
    /// The last failure, in words.
    pub last_failure: Option<String>,
}

/// Counts that several tasks add to.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    /// Changes the counts.
    pub fn add<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The counts so far.
    #[must_use]
    pub fn now(&self) -> Counts {
        self.add(|counts| counts.clone())
    }
}

/// What a whole run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Gateways that took part.
    pub gateways: u64,
    /// Of these, how many the hub revoked.
    pub revoked: u64,
    /// Journal entries that were written.
    pub entries_sent: u64,
    /// Journal entries that the hub holds durably.
    pub entries_accepted: u64,
    /// The difference, for gateways that the hub did not revoke.
    pub entries_lost: u64,
    /// Beats that were answered.
    pub beats: u64,
    /// Calls that failed and were made again.
    pub failed_calls: u64,
    /// Half of all turns took no longer, microseconds.
    pub p50_us: u64,
    /// 99 of 100 turns took no longer, microseconds.
    pub p99_us: u64,
    /// The longest turn, microseconds.
    pub longest_us: u64,
    /// The most that a turn began too late, milliseconds: the fleet's own lateness.
    pub latest_ms: i64,
}

/// How a fleet runs.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Milliseconds between two turns of a gateway.
    pub every_ms: i64,
    /// All gateways have their first turn within so many milliseconds.
    pub first_within_ms: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace::every(kulkul_wire::link::BEAT_EVERY_MS)
    }
}

impl Pace {
    /// A turn every so many milliseconds, the first ones spread over one pause.
    #[must_use]
    pub const fn every(every_ms: i64) -> Self {
        Pace { every_ms, first_within_ms: every_ms }
    }
}

/// Splits gateways into the shares of as many tasks as they are worth.
#[must_use]
pub fn shares<T>(all: Vec<T>) -> Vec<Vec<T>> {
    let tasks = all.len().div_ceil(SHARE).clamp(1, MOST_TASKS);
    let mut shares: Vec<Vec<T>> = (0..tasks).map(|_| Vec::new()).collect();
    for (i, one) in all.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(i % tasks) {
            share.push(one);
        }
    }
    shares
}

/// Enrols gateways, each with its claim; gives back those that the hub took.
pub async fn enrol(
    claimed: Vec<(LightGateway, ClaimCode)>,
    line: &Line,
    clock: &Clock,
    tally: &Tally,
    stop: &CancellationToken,
) -> Vec<LightGateway> {
    let mut tasks = JoinSet::new();
    for share in shares(claimed) {
        let (line, clock, tally, stop) = (line.clone(), clock.clone(), tally.clone(), stop.clone());
        tasks.spawn(async move {
            let mut enrolled = Vec::new();
            for (mut gateway, claim) in share {
                if stop.is_cancelled() {
                    break;
                }
                match gateway.enrol(&line, &claim, clock.now()).await {
                    Ok(()) => {
                        tally.add(|c| c.enrolled += 1);
                        enrolled.push(gateway);
                    }
                    Err(e) => tally.add(|c| {
                        c.not_enrolled += 1;
                        c.last_failure = Some(format!("{}: {e}", gateway.place().code));
                    }),
                }
            }
            enrolled
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// Runs gateways until `stop`, then lets them deliver what is left; gives them back.
pub async fn run(
    gateways: Vec<LightGateway>,
    line: &Line,
    world: World,
    clock: &Clock,
    pace: Pace,
    tally: &Tally,
    stop: &CancellationToken,
) -> Vec<LightGateway> {
    let begin = clock.now();
    let mut tasks = JoinSet::new();
    for share in shares(gateways) {
        let (line, clock, tally, stop) = (line.clone(), clock.clone(), tally.clone(), stop.clone());
        tasks.spawn(async move {
            let mut share = take_turns(share, begin, &line, world, &clock, pace, &tally, &stop).await;
            for gateway in &mut share {
                // What is left is delivered now; a hub that is gone takes none of it.
                match gateway.flush(&line, clock.now()).await {
                    Ok(delivered) => tally.add(|c| c.delivered += delivered),
                    Err(_) => break,
                }
            }
            share
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

#[expect(clippy::too_many_arguments, reason = "all are the run's own and none belongs to another")]
async fn take_turns(
    mut share: Vec<LightGateway>,
    begin: Moment,
    line: &Line,
    world: World,
    clock: &Clock,
    pace: Pace,
    tally: &Tally,
    stop: &CancellationToken,
) -> Vec<LightGateway> {
    let count = i64::try_from(share.len().max(1)).unwrap_or(1);
    let spread = |i: usize, over: i64| over * i64::try_from(i).unwrap_or(0) / count;
    let mut first = vec![true; share.len()];
    let mut queue: BinaryHeap<Reverse<(Moment, usize)>> =
        (0..share.len()).map(|i| Reverse((begin.plus_ms(spread(i, pace.first_within_ms)), i))).collect();
    while let Some(Reverse((due, i))) = queue.pop() {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = clock.sleep_until(due) => {}
        }
        let Some(gateway) = share.get_mut(i) else { continue };
        let begins = first.get_mut(i).is_some_and(std::mem::take);
        // When all begin at once, being late in the first turn is meant.
        if !begins || pace.first_within_ms > 0 {
            let late = clock.now().since_ms(due);
            tally.add(|c| c.latest_ms = c.latest_ms.max(late));
        }
        let pause = match one_turn(gateway, line, world, clock, tally).await {
            // Turns are spread over one pause, so that gateways do not all beat at once.
            Ok(()) if begins && pace.first_within_ms < pace.every_ms => {
                pace.every_ms - spread(i, pace.every_ms)
            }
            Ok(()) => pace.every_ms,
            Err(()) => pace.every_ms.min(AGAIN_MS),
        };
        if gateway.standing() == Standing::Revoked {
            tally.add(|c| c.revoked += 1);
            continue;
        }
        // Counted from when it was due, so that a slow hub does not slow the fleet's pace.
        queue.push(Reverse((due.plus_ms(pause).max(clock.now()), i)));
    }
    share
}

async fn one_turn(
    gateway: &mut LightGateway,
    line: &Line,
    world: World,
    clock: &Clock,
    tally: &Tally,
) -> Result<(), ()> {
    let watch = Stopwatch::start();
    let mut turn = Turn::default();
    let done = gateway.turn(line, &world, clock.now(), &mut turn).await;
    let us = watch.us();
    tally.add(|c| {
        c.enrolled += u64::from(turn.enrolled);
        c.beats += u64::from(turn.beat);
        c.delivered += turn.delivered;
        if turn.beat && done.is_ok() {
            c.turns.add(us);
        }
        match &done {
            // A refused gateway is counted where it leaves the queue.
            Ok(()) | Err(CallError::Refused { .. }) => {}
            Err(e) => {
                c.failed += 1;
                c.last_failure = Some(format!("{}: {e}", gateway.place().code));
            }
        }
    });
    match done {
        Ok(()) | Err(CallError::Refused { .. }) => Ok(()),
        Err(_) => Err(()),
    }
}

/// Sums a run up.
#[must_use]
pub fn sum_up(gateways: &[LightGateway], counts: &Counts) -> Summary {
    let live = || gateways.iter().filter(|g| g.standing() != Standing::Revoked);
    Summary {
        gateways: gateways.len() as u64,
        revoked: counts.revoked,
        entries_sent: gateways.iter().map(LightGateway::written).sum(),
        entries_accepted: gateways.iter().map(LightGateway::held).sum(),
        entries_lost: live().map(|g| g.written() - g.held()).sum(),
        beats: counts.beats,
        failed_calls: counts.failed,
        p50_us: counts.turns.percentile_us(50),
        p99_us: counts.turns.percentile_us(99),
        longest_us: counts.turns.longest_us(),
        latest_ms: counts.latest_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_lose_nobody() {
        for n in [0usize, 1, 63, 64, 65, 987, 20_000] {
            let shares = shares((0..n).collect());
            assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), n);
            let most = shares.iter().map(Vec::len).max().unwrap_or(0);
            let least = shares.iter().map(Vec::len).min().unwrap_or(0);
            assert!(most - least <= 1 && shares.len() <= MOST_TASKS);
        }
    }
}
