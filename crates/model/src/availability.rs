//! Availability: seconds of a stretch of time, each in exactly one bucket.

use crate::state::Observed;
use serde::{Deserialize, Serialize};

/// Seconds by what they count as; the sum is the length of what was looked at.
///
/// The first that fits counts: closed (by hours or decree), excused (announced
/// maintenance), else what was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seconds {
    /// Worked.
    pub up: i64,
    /// Worked badly.
    pub degraded: i64,
    /// Did not work.
    pub down: i64,
    /// Nobody observed it.
    pub unknown: i64,
    /// In announced maintenance.
    pub excused: i64,
    /// Closed by hours or decree.
    pub closed: i64,
}

impl Seconds {
    /// Adds observed seconds of open time.
    pub const fn add(&mut self, state: Observed, seconds: i64) {
        match state {
            Observed::Up => self.up += seconds,
            Observed::Degraded => self.degraded += seconds,
            Observed::Down => self.down += seconds,
            Observed::Unknown => self.unknown += seconds,
        }
    }

    /// Adds another stretch of time.
    pub const fn plus(&mut self, other: &Seconds) {
        self.up += other.up;
        self.degraded += other.degraded;
        self.down += other.down;
        self.unknown += other.unknown;
        self.excused += other.excused;
        self.closed += other.closed;
    }

    /// All seconds.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.up + self.degraded + self.down + self.unknown + self.excused + self.closed
    }

    /// The worst that happened, for a strip of bars; none for no time at all.
    ///
    /// Down goes first; unknown only shows where it is most of what was open.
    #[must_use]
    pub const fn worst(&self) -> Option<Observed> {
        let open = self.up + self.degraded + self.down + self.unknown;
        if open == 0 {
            None
        } else if self.down > 0 {
            Some(Observed::Down)
        } else if self.unknown * 2 > open {
            Some(Observed::Unknown)
        } else if self.degraded > 0 {
            Some(Observed::Degraded)
        } else if self.up > 0 {
            Some(Observed::Up)
        } else {
            Some(Observed::Unknown)
        }
    }
}
