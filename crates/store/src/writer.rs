//! The one task of a process that writes: lanes, shares, group commit.
//!
//! SQLite has one writer, and a commit costs a sync of the disk; so everything
//! that wants to write is handed to this task, which runs what is queued within
//! one transaction, a savepoint around each, and answers after the commit.
//! It must never answer before the commit, never run an item twice, and never
//! let a busy lane starve another.

use crate::engine::Pools;
use crate::{StoreError, Tx};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Whose turn it is: each lane has its own bounded queue and its share of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody waits to get online.
    Access,
    /// Journals and beats of gateways.
    Journal,
    /// Somebody waits for a page.
    Page,
    /// Work that nobody waits for.
    Job,
}

impl Lane {
    pub(crate) const ALL: [Lane; 4] = [Lane::Access, Lane::Journal, Lane::Page, Lane::Job];

    /// Items that may wait; whoever hands in more waits with them.
    const fn room(self) -> usize {
        match self {
            Lane::Access => 4_096,
            Lane::Journal => 1_024,
            Lane::Page => 256,
            Lane::Job => 64,
        }
    }

    /// Items of each round of fifteen, when all lanes are busy.
    const fn share(self) -> u32 {
        match self {
            Lane::Access => 8,
            Lane::Journal => 4,
            Lane::Page => 2,
            Lane::Job => 1,
        }
    }
}

/// After this much work a group commits, so that nobody waits long for it.
const GROUP_WORK: Duration = Duration::from_millis(15);
/// Items of one group at most.
const GROUP_ITEMS: usize = 512;

/// Shares the writer among the lanes: a round ends when no waiting lane has credit.
///
/// The round goes on over groups, so slow items of one lane cannot keep the
/// others out however few of them fit into a group.
#[derive(Debug)]
pub(crate) struct Shares {
    credit: [u32; 4],
}

impl Shares {
    pub(crate) fn new() -> Self {
        Shares { credit: Lane::ALL.map(Lane::share) }
    }

    /// The lane that is served next; none when nobody waits.
    pub(crate) fn next(&mut self, waiting: [bool; 4]) -> Option<Lane> {
        if !waiting.contains(&true) {
            return None;
        }
        for _ in 0..2 {
            for ((lane, waits), credit) in Lane::ALL.into_iter().zip(waiting).zip(&mut self.credit) {
                if waits && *credit > 0 {
                    *credit -= 1;
                    return Some(lane);
                }
            }
            self.credit = Lane::ALL.map(Lane::share);
        }
        None
    }
}

/// What became of the group that an item ran in.
pub(crate) type Fate = Result<(), StoreError>;

/// How long the writer's transactions took, from their beginning to their commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteTimes {
    /// Transactions since the start.
    pub count: u64,
    /// All of them together, microseconds.
    pub sum_us: u64,
    /// The longest, microseconds.
    pub longest_us: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Times {
    count: AtomicU64,
    sum_us: AtomicU64,
    longest_us: AtomicU64,
}

impl Times {
    fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
        self.longest_us.fetch_max(us, Ordering::Relaxed);
    }

    fn read(&self) -> WriteTimes {
        WriteTimes {
            count: self.count.load(Ordering::Relaxed),
            sum_us: self.sum_us.load(Ordering::Relaxed),
            longest_us: self.longest_us.load(Ordering::Relaxed),
        }
    }
}

/// One piece of work in a queue.
pub(crate) trait Item: Send {
    /// Runs the work; false when it failed and its changes must be undone.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool>;
    /// Tells whoever handed it in.
    fn settle(self: Box<Self>, fate: Fate);
}

pub(crate) struct Work<F, T, E> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Work<F, T, E> {
    pub(crate) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (answer, receiver) = oneshot::channel();
        (Work { work: Some(work), outcome: None, answer }, receiver)
    }
}

impl<F, T, E> Item for Work<F, T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            // A panic is caught, so that one bad item does not end the process's only writer.
            let outcome = AssertUnwindSafe(async { work(tx).await }).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Panicked.into()));
            let good = outcome.is_ok();
            self.outcome = Some(outcome);
            good
        })
    }

    fn settle(self: Box<Self>, fate: Fate) {
        let answer = match (self.outcome, fate) {
            (Some(Err(e)), _) => Err(e),
            (_, Err(e)) => Err(e.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Stopping.into()),
        };
        // Whoever asked may have gone away; the work is done all the same.
        let _ = self.answer.send(answer);
    }
}

/// The handing-in side of the queues.
pub(crate) struct Queues {
    lanes: [mpsc::Sender<Box<dyn Item>>; 4],
    bell: Arc<Notify>,
    times: Arc<Times>,
}

impl Queues {
    pub(crate) async fn hand_in(&self, lane: Lane, item: Box<dyn Item>) -> Result<(), StoreError> {
        let [access, journal, page, job] = &self.lanes;
        let queue = match lane {
            Lane::Access => access,
            Lane::Journal => journal,
            Lane::Page => page,
            Lane::Job => job,
        };
        queue.send(item).await.map_err(|_| StoreError::Stopping)?;
        self.bell.notify_one();
        Ok(())
    }

    /// How many items wait in each lane, in the order of `Lane`; for metrics.
    pub(crate) fn waiting(&self) -> [usize; 4] {
        self.lanes.each_ref().map(|q| q.max_capacity() - q.capacity())
    }

    pub(crate) fn times(&self) -> WriteTimes {
        self.times.read()
    }
}

/// The task's side of the queues.
pub(crate) struct Writer {
    pools: Pools,
    lanes: [mpsc::Receiver<Box<dyn Item>>; 4],
    bell: Arc<Notify>,
    times: Arc<Times>,
    shares: Shares,
    stop: CancellationToken,
}

/// Whether a group goes on after an item.
enum Step {
    GoOn,
    /// The item ran alone and failed: there is nothing to commit.
    Nothing,
    /// The connection is lost, and the group with it.
    Lost(StoreError),
}

impl Writer {
    pub(crate) fn new(pools: Pools, stop: CancellationToken) -> (Self, Queues) {
        let bell = Arc::new(Notify::new());
        let (senders, receivers): (Vec<_>, Vec<_>) =
            Lane::ALL.into_iter().map(|lane| mpsc::channel(lane.room())).unzip();
        let (Ok(senders), Ok(receivers)) = (<[_; 4]>::try_from(senders), <[_; 4]>::try_from(receivers))
        else {
            unreachable!("four lanes make four queues")
        };
        let times = Arc::<Times>::default();
        let queues = Queues { lanes: senders, bell: Arc::clone(&bell), times: Arc::clone(&times) };
        (Writer { pools, lanes: receivers, bell, times, shares: Shares::new(), stop }, queues)
    }

    /// Works until stopped, then does what was handed in before the stop.
    pub(crate) async fn run(mut self) {
        let stop = self.stop.clone();
        loop {
            if self.waiting().contains(&true) {
                self.group().await;
                continue;
            }
            let bell = Arc::clone(&self.bell);
            tokio::select! {
                biased;
                () = bell.notified() => {}
                () = stop.cancelled() => break,
            }
        }
        for lane in &mut self.lanes {
            lane.close();
        }
        while self.waiting().contains(&true) {
            self.group().await;
        }
    }

    fn waiting(&self) -> [bool; 4] {
        self.lanes.each_ref().map(|q| !q.is_empty())
    }

    fn take(&mut self) -> Option<Box<dyn Item>> {
        let lane = self.shares.next(self.waiting())?;
        let [access, journal, page, job] = &mut self.lanes;
        let queue = match lane {
            Lane::Access => access,
            Lane::Journal => journal,
            Lane::Page => page,
            Lane::Job => job,
        };
        queue.try_recv().ok()
    }

    /// Runs one group and answers everyone in it.
    #[expect(clippy::disallowed_methods, reason = "measures its own work; no result depends on it")]
    async fn group(&mut self) {
        let mut tx = match self.pools.begin_write().await {
            Ok(tx) => tx,
            Err(e) => {
                tracing::error!(error = %e, "the database cannot be reached; what was queued fails");
                while let Some(item) = self.take() {
                    item.settle(Err(e.clone()));
                }
                return;
            }
        };
        let began = Instant::now();
        let mut done: Vec<Box<dyn Item>> = Vec::new();
        while done.len() < GROUP_ITEMS && began.elapsed() < GROUP_WORK {
            let Some(mut item) = self.take() else { break };
            let alone = done.is_empty() && !self.waiting().contains(&true);
            match step(&mut tx, item.as_mut(), alone).await {
                (Step::GoOn, true) => done.push(item),
                (Step::GoOn, false) => item.settle(Ok(())),
                (Step::Nothing, _) => {
                    if let Err(e) = tx.rollback().await {
                        tracing::warn!(error = %e, "rolling back failed");
                    }
                    item.settle(Ok(()));
                    return;
                }
                (Step::Lost(e), _) => {
                    tracing::error!(error = %e, items = done.len() + 1, "a group of writes was lost");
                    drop(tx);
                    done.push(item);
                    settle_all(done, &Err(e));
                    return;
                }
            }
        }
        let unsure = tx.may_have_committed();
        let fate = tx.commit().await.map_err(|e| match e {
            sqlx::Error::Database(_) => StoreError::unavailable(e),
            e if unsure => StoreError::Uncertain { source: Arc::new(e) },
            e => StoreError::unavailable(e),
        });
        if let Err(e) = &fate {
            tracing::error!(error = %e, items = done.len(), "a commit failed");
        }
        self.times.add(began.elapsed());
        settle_all(done, &fate);
    }
}

/// Runs one item within the group; the flag says whether it stays in the group.
async fn step(tx: &mut Tx, item: &mut dyn Item, alone: bool) -> (Step, bool) {
    if alone {
        // The transaction itself is the savepoint: two statements less for the common case.
        return if item.run(tx).await { (Step::GoOn, true) } else { (Step::Nothing, false) };
    }
    if let Err(e) = tx.mark().await {
        return (Step::Lost(lost(e)), false);
    }
    let good = item.run(tx).await;
    match if good { tx.keep().await } else { tx.undo().await } {
        Ok(()) => (Step::GoOn, good),
        Err(e) => (Step::Lost(lost(e)), false),
    }
}

fn lost(e: StoreError) -> StoreError {
    match e {
        StoreError::Statement { source, .. } => StoreError::Unavailable { source },
        e => e,
    }
}

fn settle_all(items: Vec<Box<dyn Item>>, fate: &Fate) {
    for item in items {
        item.settle(fate.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(shares: &mut Shares, waiting: [bool; 4], turns: usize) -> [usize; 4] {
        let mut count = [0; 4];
        for _ in 0..turns {
            let lane = shares.next(waiting).unwrap();
            count[lane as usize] += 1;
        }
        count
    }

    #[test]
    fn every_waiting_lane_gets_its_share() {
        let mut shares = Shares::new();
        assert_eq!(served(&mut shares, [true; 4], 150), [80, 40, 20, 10]);
        assert_eq!(served(&mut shares, [true, false, false, true], 90), [80, 0, 0, 10]);
        assert_eq!(served(&mut shares, [false, false, false, true], 7), [0, 0, 0, 7]);
        assert_eq!(shares.next([false; 4]), None);
    }

    #[test]
    fn access_comes_first_in_a_round() {
        let mut shares = Shares::new();
        assert_eq!(shares.next([true; 4]), Some(Lane::Access));
        let mut shares = Shares::new();
        assert_eq!(shares.next([false, false, true, true]), Some(Lane::Page));
        assert_eq!(shares.next([true; 4]), Some(Lane::Access));
    }
}
