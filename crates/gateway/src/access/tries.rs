//! How often somebody may try, and how many come in while the hub does not answer.
//!
//! In memory only: a start begins anew, and what was used up is in the book.

use kulkul_model::session::Mac;
use std::collections::VecDeque;

/// Tries of one device within the window.
pub const MOST_EACH: usize = 10;
/// Tries of all devices within the window: a device may take a new address as often as it likes.
pub const MOST: usize = 120;
const WINDOW_MS: i64 = 10 * 60_000;
const HOUR_MS: i64 = 3_600_000;

/// Tries that did not let anybody in, the latest last.
#[derive(Debug, Default)]
pub(super) struct Tries(VecDeque<(i64, Mac)>);

impl Tries {
    /// Counts a try; false when there were too many already.
    pub(super) fn take(&mut self, device: Mac, mono_ms: i64) -> bool {
        while self.0.front().is_some_and(|(at, _)| mono_ms.saturating_sub(*at) >= WINDOW_MS) {
            self.0.pop_front();
        }
        let own = self.0.iter().filter(|(_, d)| *d == device).count();
        if own >= MOST_EACH || self.0.len() >= MOST {
            return false;
        }
        self.0.push_back((mono_ms, device));
        true
    }

    /// The device's last try was no guess: it does not count.
    pub(super) fn forgive(&mut self, device: Mac) {
        if let Some(at) = self.0.iter().rposition(|(_, d)| *d == device) {
            self.0.remove(at);
        }
    }
}

/// When somebody was let in without the hub.
#[derive(Debug, Default)]
pub(super) struct Accepted(VecDeque<i64>);

impl Accepted {
    /// Whether one more may come in within the hour.
    pub(super) fn has_room(&mut self, most: u32, mono_ms: i64) -> bool {
        while self.0.front().is_some_and(|at| mono_ms.saturating_sub(*at) >= HOUR_MS) {
            self.0.pop_front();
        }
        self.0.len() < usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Somebody was.
    pub(super) fn note(&mut self, mono_ms: i64) {
        self.0.push_back(mono_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(n: usize) -> Mac {
        Mac([2, 0, 0, 0, u8::try_from(n / 256).unwrap(), u8::try_from(n % 256).unwrap()])
    }

    #[test]
    fn tries_are_bounded_for_each_device_and_for_all() {
        let mut tries = Tries::default();
        assert!((0..MOST_EACH).all(|_| tries.take(device(1), 0)));
        assert!(!tries.take(device(1), WINDOW_MS - 1));
        assert!(tries.take(device(1), WINDOW_MS));
        let mut tries = Tries::default();
        assert!((0..MOST).all(|n| tries.take(device(n), 0)));
        assert!(!tries.take(device(MOST), 0), "a new address every time does not help");
        tries.forgive(device(7));
        assert!(tries.take(device(MOST), 0));
    }

    #[test]
    fn an_hour_holds_so_many() {
        let mut accepted = Accepted::default();
        assert!(accepted.has_room(1, 0));
        accepted.note(0);
        assert!(!accepted.has_room(1, HOUR_MS - 1));
        assert!(accepted.has_room(1, HOUR_MS) && !accepted.has_room(0, HOUR_MS));
    }
}
