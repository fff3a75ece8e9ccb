//! A stopwatch: how long something took. It decides nothing and dates nothing.
#![expect(clippy::disallowed_methods, reason = "durations of calls are measured here and nowhere else")]

use std::time::Instant;

/// Started once, read as often as needed.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Microseconds since the start.
    #[must_use]
    pub fn us(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
