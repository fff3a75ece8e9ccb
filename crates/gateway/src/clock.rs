//! The one place in the gateway that reads the machine's time and waits for it.
//!
//! A box's clock may start in 1970 and may jump. Intervals are therefore measured on
//! the monotonic clock, and the wall clock is only told when it can be believed.
//! A simulated clock moves only when its owner moves it.
#![expect(clippy::disallowed_methods, reason = "this is the one file that may ask the machine")]

use kulkul_model::Moment;
pub use kulkul_wire::link::BootId;
use kulkul_wire::link::Stamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// No machine that runs this program can have an earlier time: 2026-11-01T00:00:00Z.
pub const BUILT_AT: Moment = Moment::from_ms(1_793_491_200_000);

/// The longest wait on the machine before the wall clock is looked at again.
const SLICE_MS: i64 = 1_000;

/// Tells wall time, monotonic time and boot; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    Machine {
        started: Instant,
        /// Monotonic milliseconds since boot at `started`.
        started_mono_ms: i64,
        boot: BootId,
        /// What is added to the machine's wall clock; learnt from the hub while the clock is unset.
        shift_ms: AtomicI64,
    },
    Simulated {
        boot: BootId,
        time: watch::Receiver<Reading>,
    },
}

/// Wall and monotonic time of a simulated clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    wall: Moment,
    mono_ms: i64,
}

/// Moves a simulated clock.
#[derive(Clone, Debug)]
pub struct Hand(Arc<watch::Sender<Reading>>);

impl Hand {
    /// Lets `ms` milliseconds pass on both clocks.
    pub fn pass(&self, ms: i64) {
        self.0.send_modify(|r| {
            r.wall = r.wall.plus_ms(ms.max(0));
            r.mono_ms = r.mono_ms.saturating_add(ms.max(0));
        });
    }

    /// Steps the wall clock to `wall`; no time passes.
    pub fn step(&self, wall: Moment) {
        self.0.send_modify(|r| r.wall = wall);
    }

    /// Lets time pass until the wall clock shows `wall`; earlier times are ignored.
    pub fn set(&self, wall: Moment) {
        let now = self.0.borrow().wall;
        self.pass(wall.since_ms(now));
    }
}

impl Clock {
    /// The machine's own clocks.
    #[must_use]
    pub fn machine() -> Self {
        // Seconds since boot with two decimals; without it the process's own start has to do.
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
        let seconds: f64 = uptime.split(' ').next().and_then(|s| s.parse().ok()).unwrap_or(0.0);
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Clock(Arc::new(Source::Machine {
            started: Instant::now(),
            #[expect(clippy::cast_possible_truncation, reason = "centuries fit")]
            started_mono_ms: (seconds * 1000.0) as i64,
            boot: BootId::parse(&boot).unwrap_or_default(),
            shift_ms: AtomicI64::new(0),
        }))
    }

    /// A clock that stands at `start` until its hand is moved.
    #[must_use]
    pub fn simulated(start: Moment, boot: BootId) -> (Self, Hand) {
        let (tx, time) = watch::channel(Reading { wall: start, mono_ms: 0 });
        (Clock(Arc::new(Source::Simulated { boot, time })), Hand(Arc::new(tx)))
    }

    /// The wall clock, believed or not; for values that are only compared here.
    #[must_use]
    pub fn now(&self) -> Moment {
        match &*self.0 {
            Source::Machine { shift_ms, .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Moment::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
                    .plus_ms(shift_ms.load(Ordering::Relaxed))
            }
            Source::Simulated { time, .. } => time.borrow().wall,
        }
    }

    /// The wall clock, or nothing while it cannot be believed.
    #[must_use]
    pub fn wall(&self) -> Option<Moment> {
        Some(self.now()).filter(|now| *now >= BUILT_AT)
    }

    /// Whether the wall clock can be believed.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.wall().is_some()
    }

    /// Takes the hub's signed time while the machine's own is unset; tells whether it was taken.
    pub fn learn(&self, hub: Moment) -> bool {
        if self.is_set() || hub < BUILT_AT {
            return false;
        }
        match &*self.0 {
            Source::Machine { shift_ms, .. } => {
                let gap = hub.since_ms(self.now());
                shift_ms.fetch_add(gap, Ordering::Relaxed);
                true
            }
            Source::Simulated { .. } => false,
        }
    }

    /// Milliseconds since the machine was switched on; never steps.
    #[must_use]
    pub fn mono_ms(&self) -> i64 {
        match &*self.0 {
            Source::Machine { started, started_mono_ms, .. } => i64::try_from(started.elapsed().as_millis())
                .unwrap_or(i64::MAX)
                .saturating_add(*started_mono_ms),
            Source::Simulated { time, .. } => time.borrow().mono_ms,
        }
    }

    /// Microseconds since an arbitrary fixed point; for measuring round trips.
    #[must_use]
    pub fn mono_us(&self) -> i64 {
        match &*self.0 {
            Source::Machine { started, .. } => {
                i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX)
            }
            Source::Simulated { time, .. } => time.borrow().mono_ms.saturating_mul(1_000),
        }
    }

    /// Which run of the machine this is.
    #[must_use]
    pub fn boot(&self) -> BootId {
        match &*self.0 {
            Source::Machine { boot, .. } | Source::Simulated { boot, .. } => *boot,
        }
    }

    /// Boot, monotonic and, where it can be believed, wall time: what an entry is dated with.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp { boot: self.boot(), mono_ms: u64::try_from(self.mono_ms()).unwrap_or(0), wall: self.wall() }
    }

    /// Waits until the wall clock shows `at`; follows the wall clock's steps within a second.
    pub async fn sleep_until(&self, at: Moment) {
        match &*self.0 {
            Source::Machine { .. } => loop {
                let left = at.since_ms(self.now());
                if left <= 0 {
                    return;
                }
                let slice = u64::try_from(left.min(SLICE_MS)).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(slice)).await;
            },
            Source::Simulated { time, .. } => wait(time, |r| r.wall >= at).await,
        }
    }

    /// Waits for `ms` milliseconds of the monotonic clock.
    pub async fn sleep_ms(&self, ms: i64) {
        match &*self.0 {
            Source::Machine { .. } => {
                tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
            }
            Source::Simulated { time, .. } => {
                let until = time.borrow().mono_ms.saturating_add(ms);
                wait(time, |r| r.mono_ms >= until).await;
            }
        }
    }

    /// Runs `work` for at most `ms` milliseconds; nothing when they are over first.
    pub async fn at_most<F: Future>(&self, ms: i64, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep_ms(ms) => None,
        }
    }
}

async fn wait(time: &watch::Receiver<Reading>, mut reached: impl FnMut(&Reading) -> bool) {
    // An error means that the hand is gone: that time will never come.
    if time.clone().wait_for(|r| reached(r)).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_its_boot_and_goes_forward() {
        let clock = Clock::machine();
        assert_ne!(clock.boot(), BootId::default());
        assert!(clock.mono_ms() > 0);
        assert!(clock.now() > Moment::EPOCH);
    }

    #[test]
    fn a_clock_from_1970_is_not_believed_until_the_hub_tells() {
        let (clock, hand) = Clock::simulated(Moment::from_ms(60_000), BootId([1; 16]));
        assert_eq!(clock.wall(), None);
        hand.step(BUILT_AT.plus_ms(5));
        assert_eq!(clock.wall(), Some(BUILT_AT.plus_ms(5)));
        assert_eq!(clock.mono_ms(), 0, "a step lets no time pass");
        let machine = Clock(Arc::new(Source::Machine {
            started: Instant::now(),
            started_mono_ms: 0,
            boot: BootId::default(),
            shift_ms: AtomicI64::new(-1_700_000_000_000),
        }));
        assert!(!machine.is_set(), "years before its own build");
        assert!(machine.learn(BUILT_AT.plus_ms(1_000)));
        assert!(machine.now().since_ms(BUILT_AT) >= 1_000);
        assert!(!machine.learn(BUILT_AT.plus_ms(9_000_000)), "a believed clock is not moved by the hub");
    }

    #[tokio::test]
    async fn waits_end_in_the_clocks_own_time() {
        let (clock, hand) = Clock::simulated(BUILT_AT, BootId::default());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_ms(500).await;
                clock.mono_ms()
            }
        });
        tokio::task::yield_now().await;
        hand.step(BUILT_AT.plus_ms(86_400_000));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished(), "a step of the wall clock ends no interval");
        hand.pass(500);
        assert_eq!(sleeper.await.unwrap(), 500);
        assert_eq!(clock.at_most(0, std::future::pending::<()>()).await, None);
    }
}
