//! Measurements: what a gateway saw in one minute, in integers with units.

use crate::Moment;
use serde::{Deserialize, Serialize};

/// Five packets to one target in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pings {
    /// Packets sent, at most 255.
    pub sent: u8,
    /// Packets lost, at most `sent`.
    pub lost: u8,
    /// Mean round trip of those that came back, microseconds; 0 when none did.
    pub rtt_us: u32,
}

impl Pings {
    /// Whether packets were sent and none came back.
    #[must_use]
    pub const fn all_lost(self) -> bool {
        self.sent > 0 && self.lost >= self.sent
    }
}

/// How a DNS or HTTP probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeResult {
    /// Not tried in this minute.
    #[default]
    NotTried,
    /// The expected answer came.
    Good,
    /// No answer in time.
    Silent,
    /// An answer came that is not the expected one (a provider's notice page).
    Wrong,
}

/// How many of the place's access points answered in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Radios {
    /// Access points that are registered.
    pub known: u8,
    /// Those that answered, at most `known`.
    pub seen: u8,
}

impl Radios {
    /// Whether there are some and none of them answered.
    #[must_use]
    pub const fn all_lost(self) -> bool {
        self.known > 0 && self.seen == 0
    }
}

/// What the network gave in one minute: the service half, public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minute {
    /// The beginning of the minute.
    pub at: Moment,
    /// To the hub.
    pub hub: Pings,
    /// To the first outside anchor.
    pub anchor_a: Pings,
    /// To the second outside anchor.
    pub anchor_b: Pings,
    /// How the name was looked up.
    pub dns: ProbeResult,
    /// Time to the name's answer, microseconds; 0 unless good.
    pub dns_us: u32,
    /// How the page was fetched.
    pub http: ProbeResult,
    /// Time to the page, microseconds; 0 unless good.
    pub http_us: u32,
    /// How many access points answered; a box without any in its desired state knows of none.
    #[serde(default)]
    pub radios: Radios,
}

/// What people used in one minute: the usage half, for staff only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UsageMinute {
    /// The beginning of the minute.
    pub at: Moment,
    /// Devices online at its end.
    pub people: u32,
    /// Sessions that began in it.
    pub begun: u32,
    /// Bytes to people.
    pub down_bytes: u64,
    /// Bytes from people.
    pub up_bytes: u64,
    /// One-minute load of the box, hundredths.
    pub load_centi: u32,
}

/// What one minute says about the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Works.
    Good,
    /// Works with loss or a failed probe.
    Poor,
    /// Hub and anchors lost all packets, DNS and HTTP both failed, or no access point answered.
    Failed,
}

/// Loss above this many hundredths of all packets makes a minute poor.
pub const POOR_LOSS_PERCENT: u32 = 20;

impl Minute {
    /// The mean round trip to the anchors that answered, microseconds.
    #[must_use]
    pub fn anchor_rtt_us(&self) -> Option<u32> {
        let back = |p: Pings| (p.sent > p.lost).then_some(p.rtt_us);
        match (back(self.anchor_a), back(self.anchor_b)) {
            (Some(a), Some(b)) => Some(a / 2 + b / 2 + (a % 2 + b % 2) / 2),
            (a, b) => a.or(b),
        }
    }

    /// What this minute says: see `Verdict` for the rule.
    ///
    /// A line that works is of no use where no access point answers: then the minute
    /// fails. Where some are missing it is poor at best.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.line_verdict() {
            _ if self.radios.all_lost() => Verdict::Failed,
            Verdict::Good if self.radios.seen < self.radios.known => Verdict::Poor,
            line => line,
        }
    }

    /// What this minute says of the line alone.
    ///
    /// A minute fails when hub and both anchors lose all packets, or when DNS and
    /// HTTP were both tried and both failed. It is poor when over 20 % of packets to
    /// the anchors are lost, or either of DNS and HTTP failed.
    #[must_use]
    pub fn line_verdict(&self) -> Verdict {
        let targets = [self.hub, self.anchor_a, self.anchor_b];
        let tried: Vec<Pings> = targets.into_iter().filter(|p| p.sent > 0).collect();
        let cut = !tried.is_empty() && tried.iter().all(|p| p.all_lost());
        let failed = |r| matches!(r, ProbeResult::Silent | ProbeResult::Wrong);
        if cut || (failed(self.dns) && failed(self.http)) {
            return Verdict::Failed;
        }
        let (sent, lost) = [self.anchor_a, self.anchor_b]
            .into_iter()
            .fold((0u32, 0u32), |(s, l), p| (s + u32::from(p.sent), l + u32::from(p.lost)));
        if lost * 100 > sent * POOR_LOSS_PERCENT || failed(self.dns) || failed(self.http) {
            Verdict::Poor
        } else {
            Verdict::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute() -> Minute {
        let good = Pings { sent: 5, lost: 0, rtt_us: 18_000 };
        Minute {
            at: Moment::EPOCH,
            hub: good,
            anchor_a: good,
            anchor_b: good,
            dns: ProbeResult::Good,
            dns_us: 9_000,
            http: ProbeResult::Good,
            http_us: 60_000,
            radios: Radios::default(),
        }
    }

    #[test]
    fn a_place_without_its_access_points_does_not_work() {
        let with = |known, seen| Minute { radios: Radios { known, seen }, ..minute() };
        for (known, seen, verdict) in
            [(0, 0, Verdict::Good), (2, 2, Verdict::Good), (2, 1, Verdict::Poor), (2, 0, Verdict::Failed)]
        {
            assert_eq!(with(known, seen).verdict(), verdict, "{seen} of {known}");
            assert_eq!(with(known, seen).line_verdict(), Verdict::Good, "the line is another matter");
        }
        let notice = Minute { dns: ProbeResult::Wrong, http: ProbeResult::Wrong, ..with(2, 1) };
        assert_eq!(notice.verdict(), Verdict::Failed);
    }

    #[test]
    fn verdicts_follow_the_rule() {
        let dead = Pings { sent: 5, lost: 5, rtt_us: 0 };
        assert_eq!(minute().verdict(), Verdict::Good);
        let only_hub = Minute { hub: dead, ..minute() };
        assert_eq!(only_hub.verdict(), Verdict::Good, "only the way to the hub is cut");
        let cut = Minute { hub: dead, anchor_a: dead, anchor_b: dead, ..minute() };
        assert_eq!(cut.verdict(), Verdict::Failed);
        let notice = Minute { dns: ProbeResult::Wrong, http: ProbeResult::Wrong, ..minute() };
        assert_eq!(notice.verdict(), Verdict::Failed, "a provider's unpaid-bill page");
        let slow_name = Minute { dns: ProbeResult::Silent, ..minute() };
        assert_eq!(slow_name.verdict(), Verdict::Poor);
        let lossy = Minute { anchor_a: Pings { sent: 5, lost: 3, rtt_us: 1 }, ..minute() };
        assert_eq!(lossy.verdict(), Verdict::Poor);
        let untried = Minute {
            hub: Pings::default(),
            anchor_a: Pings::default(),
            anchor_b: Pings::default(),
            dns: ProbeResult::NotTried,
            http: ProbeResult::NotTried,
            ..minute()
        };
        assert_eq!(untried.verdict(), Verdict::Good, "a minute that tried nothing says nothing bad");
    }
}
