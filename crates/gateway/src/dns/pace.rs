//! How fast each device may ask: a bucket of questions that refills with time.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// Questions a second for who is not admitted (rulings on tunnels before admission).
pub const BEFORE: u32 = 20;
/// Questions a second for who is online.
pub const AFTER: u32 = 200;
/// Devices that are remembered at a time.
const MOST: usize = 8_192;

/// Each device's bucket.
#[derive(Debug, Default)]
pub struct Pace(BTreeMap<IpAddr, Bucket>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of a question that are left.
    milli: i64,
    at_ms: i64,
}

impl Pace {
    /// Whether the device may ask now; `rate` is in questions a second, a second's worth at once.
    pub fn allows(&mut self, ip: IpAddr, rate: u32, now_ms: i64) -> bool {
        let full = i64::from(rate) * 1000;
        if self.0.len() >= MOST && !self.0.contains_key(&ip) {
            // Who has not asked for a second has a full bucket anyway.
            self.0.retain(|_, b| now_ms.saturating_sub(b.at_ms) < 1000);
            if self.0.len() >= MOST {
                return false;
            }
        }
        let bucket = self.0.entry(ip).or_insert(Bucket { milli: full, at_ms: now_ms });
        let gained = now_ms.saturating_sub(bucket.at_ms).saturating_mul(i64::from(rate));
        bucket.milli = bucket.milli.saturating_add(gained).min(full);
        bucket.at_ms = now_ms;
        let enough = bucket.milli >= 1000;
        if enough {
            bucket.milli -= 1000;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_asks_as_fast_as_it_may_and_no_faster() {
        let (mut pace, ip) = (Pace::default(), "10.0.0.1".parse().unwrap());
        let passed = (0..10_000).filter(|ms| pace.allows(ip, BEFORE, *ms)).count();
        assert!((215..=220).contains(&passed), "{passed} in ten seconds");
        assert!(pace.allows("10.0.0.2".parse().unwrap(), BEFORE, 10_000), "others are not held back");
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let mut pace = Pace::default();
        for n in 0..20_000u32 {
            pace.allows(IpAddr::from(n.to_be_bytes()), BEFORE, i64::from(n));
        }
        assert!(pace.0.len() <= MOST);
    }
}
