//! Tempo: how long answers took, as counts by size, so that a run needs no list of them.

/// Counts of durations in buckets that grow by an eighth; good to about 6 %.
#[derive(Clone, Debug)]
pub struct Tempo {
    counts: Vec<u64>,
    total: u64,
    longest_us: u64,
}

/// Buckets for each doubling.
const STEPS: u64 = 8;
/// Enough doublings for an hour in microseconds.
const DOUBLINGS: u64 = 32;

impl Default for Tempo {
    fn default() -> Self {
        let buckets = usize::try_from(STEPS * DOUBLINGS).unwrap_or(256);
        Tempo { counts: vec![0; buckets], total: 0, longest_us: 0 }
    }
}

fn bucket(us: u64) -> usize {
    let us = us.max(STEPS);
    let doubling = u64::from(us.ilog2());
    let step = (us >> (doubling - 3)) & (STEPS - 1);
    usize::try_from((doubling - 3) * STEPS + step).unwrap_or(usize::MAX)
}

fn upper_us(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let (doubling, step) = (bucket / STEPS + 3, bucket % STEPS);
    ((STEPS + step + 1) << (doubling - 3)) - 1
}

impl Tempo {
    /// Counts one duration.
    pub fn add(&mut self, us: u64) {
        let last = self.counts.len() - 1;
        if let Some(n) = self.counts.get_mut(bucket(us).min(last)) {
            *n += 1;
        }
        self.total += 1;
        self.longest_us = self.longest_us.max(us);
    }

    /// Adds all that another has counted.
    pub fn join(&mut self, other: &Tempo) {
        for (n, m) in self.counts.iter_mut().zip(&other.counts) {
            *n += m;
        }
        self.total += other.total;
        self.longest_us = self.longest_us.max(other.longest_us);
    }

    /// How many were counted.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The longest, microseconds.
    #[must_use]
    pub const fn longest_us(&self) -> u64 {
        self.longest_us
    }

    /// The duration that `percent` of all did not exceed, microseconds; 0 when there are none.
    #[must_use]
    pub fn percentile_us(&self, percent: u64) -> u64 {
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (i, n) in self.counts.iter().enumerate() {
            seen += n;
            if seen >= rank {
                return upper_us(i).min(self.longest_us);
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_close() {
        let mut t = Tempo::default();
        assert_eq!(t.percentile_us(50), 0);
        for us in 1..=100_000u64 {
            t.add(us);
        }
        for (percent, want) in [(50, 50_000u64), (99, 99_000), (100, 100_000)] {
            let got = t.percentile_us(percent);
            assert!(got.abs_diff(want) * 100 <= want * 13, "{percent}: {got}");
        }
        let mut other = Tempo::default();
        other.add(9_000_000);
        t.join(&other);
        assert_eq!((t.total(), t.longest_us()), (100_001, 9_000_000));
    }

    #[test]
    fn buckets_are_in_order() {
        let edges: Vec<usize> =
            [0, 7, 8, 9, 15, 16, 17, 31, 32, 1_000, u64::from(u32::MAX)].map(bucket).into();
        assert!(edges.is_sorted());
        for us in [8u64, 9, 100, 12_345] {
            assert!(upper_us(bucket(us)) >= us);
        }
    }
}
