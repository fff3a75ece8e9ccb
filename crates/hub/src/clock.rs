//! The one place that reads the machine's time and waits for it.
//!
//! Everything else takes `now` as a parameter. A simulated clock moves only when
//! its owner moves it, and never pauses the runtime's own timers.
#![expect(clippy::disallowed_methods, reason = "this is the one file that may ask the machine")]

use kulkul_model::Moment;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Tells the time and waits for moments; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Machine,
    Simulated(watch::Receiver<Moment>),
}

/// Moves a simulated clock.
#[derive(Clone, Debug)]
pub struct Hand(Arc<watch::Sender<Moment>>);

/// Processor time of the calling thread, microseconds; to measure work, never to date it.
#[must_use]
pub fn thread_cpu_us() -> u64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(spent.tv_sec * 1_000_000 + spent.tv_nsec / 1_000).unwrap_or(0)
}

impl Hand {
    /// Sets the time; an earlier time than now is ignored.
    pub fn set(&self, to: Moment) {
        self.0.send_if_modified(|now| {
            let later = to > *now;
            if later {
                *now = to;
            }
            later
        });
    }
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn machine() -> Self {
        Clock(Source::Machine)
    }

    /// A clock that stands at `start` until its hand is moved.
    #[must_use]
    pub fn simulated(start: Moment) -> (Self, Hand) {
        let (tx, rx) = watch::channel(start);
        (Clock(Source::Simulated(rx)), Hand(Arc::new(tx)))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::Machine => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Moment::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Source::Simulated(rx) => *rx.borrow(),
        }
    }

    /// Waits until `at`; returns at once when it is past.
    pub async fn sleep_until(&self, at: Moment) {
        match &self.0 {
            Source::Machine => {
                let ms = u64::try_from(at.since_ms(self.now())).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            Source::Simulated(rx) => {
                // An error means the hand is gone: that time will never come.
                if rx.clone().wait_for(|now| *now >= at).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Waits for `ms` milliseconds of this clock.
    pub async fn sleep_ms(&self, ms: i64) {
        self.sleep_until(self.now().plus_ms(ms)).await;
    }
}

/// Waits for `work` at most `limit` of the machine's own time; none when it takes longer.
///
/// For sockets and peers, which keep the machine's time even beside a simulated clock.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_simulated_clock_wakes_sleepers_in_its_own_time() {
        let (clock, hand) = Clock::simulated(Moment::from_ms(1_000));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_ms(500).await;
                clock.now()
            }
        });
        tokio::task::yield_now().await;
        hand.set(Moment::from_ms(1_499));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        hand.set(Moment::from_ms(1_500));
        assert_eq!(sleeper.await.unwrap(), Moment::from_ms(1_500));
        hand.set(Moment::from_ms(1));
        assert_eq!(clock.now(), Moment::from_ms(1_500));
    }
}
