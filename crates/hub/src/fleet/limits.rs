//! Bounds: how often somebody may do something, and nonces that may not come twice.

use kulkul_model::Moment;
use kulkul_wire::link::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Subjects that a limiter remembers at most; more are refused until old ones are over.
const SUBJECTS: usize = 50_000;

/// So many times in so long, for each subject.
pub struct Limiter {
    most: u32,
    window_ms: i64,
    counts: Mutex<BTreeMap<String, (Moment, u32)>>,
}

impl Limiter {
    /// At most `most` times in `window_ms`.
    #[must_use]
    pub fn new(most: u32, window_ms: i64) -> Self {
        Limiter { most, window_ms, counts: Mutex::default() }
    }

    /// Whether `subject` may; counts nothing.
    pub fn allows(&self, subject: &str, now: Moment) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= SUBJECTS && !counts.contains_key(subject) {
            counts.retain(|_, (began, _)| now.since_ms(*began) < self.window_ms);
            return counts.len() < SUBJECTS;
        }
        counts.get(subject).is_none_or(|(began, n)| now.since_ms(*began) >= self.window_ms || *n < self.most)
    }

    /// Counts once for `subject`.
    pub fn count(&self, subject: &str, now: Moment) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = counts.entry(subject.to_owned()).or_insert((now, 0));
        if now.since_ms(entry.0) >= self.window_ms {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }

    /// Whether `subject` may; counts it when it may.
    pub fn take(&self, subject: &str, now: Moment) -> bool {
        let may = self.allows(subject, now);
        if may {
            self.count(subject, now);
        }
        may
    }
}

/// Nonces of one gateway within the window, so that a request is taken once.
#[derive(Default)]
pub struct Nonces {
    seen: BTreeSet<(i64, u64)>,
}

/// Requests of one gateway within the window at most: beats, polls, blobs.
const NONCES: usize = 1_024;

impl Nonces {
    /// Takes a nonce once; `created` in seconds, `now` likewise, `window_s` to both sides.
    ///
    /// False when it came before, or when too many came.
    pub fn take(&mut self, created: i64, nonce: &str, now: i64, window_s: i64) -> bool {
        self.seen = self.seen.split_off(&(now - window_s, 0));
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(nonce.as_bytes()).0;
        self.seen.len() < NONCES && self.seen.insert((created, u64::from_be_bytes([a, b, c, d, e, f, g, h])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_ends_with_its_window() {
        let limiter = Limiter::new(2, 1_000);
        let at = Moment::from_ms;
        assert!(limiter.take("a", at(0)) && limiter.take("a", at(1)));
        assert!(!limiter.take("a", at(999)));
        assert!(limiter.take("b", at(999)));
        assert!(limiter.take("a", at(1_000)));
    }

    #[test]
    fn a_nonce_comes_once() {
        let mut nonces = Nonces::default();
        assert!(nonces.take(100, "n1", 100, 300));
        assert!(!nonces.take(100, "n1", 399, 300));
        assert!(nonces.take(100, "n2", 399, 300));
        // Out of the window the date itself refuses it.
        for i in 0..NONCES {
            nonces.take(1_000, &i.to_string(), 1_000, 300);
        }
        assert!(!nonces.take(1_000, "more", 1_000, 300), "bounded");
        assert!(nonces.take(2_000, "more", 2_000, 300));
    }
}
