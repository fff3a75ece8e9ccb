//! Rollups: what an hour of minutes comes to, for figures over long times.

use crate::measurement::{Minute, UsageMinute};
use serde::{Deserialize, Serialize};

/// What the service half of an hour comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceSum {
    /// Minutes that were measured.
    pub minutes: u32,
    /// Minutes in which an anchor answered: what `rtt_sum_us` is a sum of.
    pub answered: u32,
    /// The shortest of the minutes' mean round trips to the anchors, microseconds.
    pub rtt_min_us: u32,
    /// The sum of them, microseconds.
    pub rtt_sum_us: u64,
    /// The longest, microseconds.
    pub rtt_max_us: u32,
    /// 19 of 20 minutes were at most this long, microseconds; 0 when not known.
    pub rtt_p95_us: u32,
    /// Packets sent to the anchors.
    pub sent: u32,
    /// Those that were lost.
    pub lost: u32,
}

impl ServiceSum {
    /// Sums up an hour's minutes.
    #[must_use]
    pub fn of(minutes: &[Minute]) -> Self {
        let mut sum = ServiceSum::default();
        let mut trips = Vec::with_capacity(minutes.len());
        for minute in minutes {
            sum.add(minute);
            trips.extend(minute.anchor_rtt_us());
        }
        trips.sort_unstable();
        let rank = (trips.len() * 95).div_ceil(100).saturating_sub(1);
        sum.rtt_p95_us = trips.get(rank).copied().unwrap_or(0);
        sum
    }

    /// Adds one minute to all but the 95th percentile.
    pub fn add(&mut self, minute: &Minute) {
        self.minutes += 1;
        for anchor in [minute.anchor_a, minute.anchor_b] {
            self.sent += u32::from(anchor.sent);
            self.lost += u32::from(anchor.lost);
        }
        if let Some(rtt) = minute.anchor_rtt_us() {
            self.rtt_min_us = if self.answered == 0 { rtt } else { self.rtt_min_us.min(rtt) };
            self.rtt_max_us = self.rtt_max_us.max(rtt);
            self.rtt_sum_us += u64::from(rtt);
            self.answered += 1;
        }
    }

    /// The mean round trip, microseconds; none when no anchor ever answered.
    #[must_use]
    pub fn rtt_mean_us(&self) -> Option<u32> {
        let mean = self.rtt_sum_us.checked_div(u64::from(self.answered))?;
        u32::try_from(mean).ok()
    }

    /// Joins two hours; the 95th percentile becomes the larger of the two.
    #[must_use]
    pub fn and(self, other: ServiceSum) -> Self {
        let (a, b) = (self.answered, other.answered);
        ServiceSum {
            minutes: self.minutes + other.minutes,
            answered: a + b,
            rtt_min_us: match (a, b) {
                (0, _) => other.rtt_min_us,
                (_, 0) => self.rtt_min_us,
                _ => self.rtt_min_us.min(other.rtt_min_us),
            },
            rtt_sum_us: self.rtt_sum_us + other.rtt_sum_us,
            rtt_max_us: self.rtt_max_us.max(other.rtt_max_us),
            rtt_p95_us: self.rtt_p95_us.max(other.rtt_p95_us),
            sent: self.sent + other.sent,
            lost: self.lost + other.lost,
        }
    }
}

/// What the usage half of an hour comes to. For staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UsageSum {
    /// Minutes that were counted.
    pub minutes: u32,
    /// The most devices at once.
    pub people_max: u32,
    /// Devices online, summed over minutes.
    pub people_sum: u64,
    /// Sessions that began.
    pub begun: u64,
    /// Bytes to people.
    pub down_bytes: u64,
    /// Bytes from people.
    pub up_bytes: u64,
}

impl UsageSum {
    /// Sums up an hour's minutes.
    #[must_use]
    pub fn of(minutes: &[UsageMinute]) -> Self {
        minutes.iter().fold(UsageSum::default(), |sum, m| UsageSum {
            minutes: sum.minutes + 1,
            people_max: sum.people_max.max(m.people),
            people_sum: sum.people_sum + u64::from(m.people),
            begun: sum.begun + u64::from(m.begun),
            down_bytes: sum.down_bytes.saturating_add(m.down_bytes),
            up_bytes: sum.up_bytes.saturating_add(m.up_bytes),
        })
    }

    /// Joins two hours.
    #[must_use]
    pub fn and(self, other: UsageSum) -> Self {
        UsageSum {
            minutes: self.minutes + other.minutes,
            people_max: self.people_max.max(other.people_max),
            people_sum: self.people_sum + other.people_sum,
            begun: self.begun + other.begun,
            down_bytes: self.down_bytes.saturating_add(other.down_bytes),
            up_bytes: self.up_bytes.saturating_add(other.up_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;
    use crate::measurement::{Pings, ProbeResult, Radios};

    fn minute(rtt_us: u32, lost: u8) -> Minute {
        let rtt_us = if lost == 5 { 0 } else { rtt_us };
        let anchor = Pings { sent: 5, lost, rtt_us };
        Minute {
            at: Moment::EPOCH,
            hub: Pings::default(),
            anchor_a: anchor,
            anchor_b: anchor,
            dns: ProbeResult::NotTried,
            dns_us: 0,
            http: ProbeResult::NotTried,
            http_us: 0,
            radios: Radios::default(),
        }
    }

    #[test]
    fn an_hour_sums_up() {
        let minutes: Vec<Minute> = (1..=40).map(|i| minute(i * 1000, u8::from(i == 40) * 5)).collect();
        let sum = ServiceSum::of(&minutes);
        assert_eq!((sum.minutes, sum.answered, sum.sent, sum.lost), (40, 39, 400, 10));
        assert_eq!((sum.rtt_min_us, sum.rtt_mean_us(), sum.rtt_max_us), (1000, Some(20_000), 39_000));
        assert_eq!(sum.rtt_p95_us, 38_000);
        let both = sum.and(ServiceSum::of(&[minute(500, 0)])).and(ServiceSum::default());
        assert_eq!((both.rtt_min_us, both.answered), (500, 40));
        assert_eq!(ServiceSum::default().rtt_mean_us(), None);
    }
}
