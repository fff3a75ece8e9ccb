//! Readings: what a box measures in a minute, given how its place is.

use super::{BYTES, CHARACTER, Condition, DAY_MINUTES, DELAY, LOSS, Place, World, local_minute};
use crate::dice::Throw;
use kulkul_model::Moment;
use kulkul_model::measurement::{Minute, Pings, ProbeResult, Radios, UsageMinute};

/// What happened to one minute at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The box was off or hung: nobody measured.
    Nothing,
    /// The box measured, and could reach nobody: the minute is for the journal only.
    Cut(Minute, UsageMinute),
    /// The box measured and can report.
    Seen(Minute, UsageMinute),
}

impl Reading {
    /// The minute, if one was measured.
    #[must_use]
    pub const fn measured(self) -> Option<(Minute, UsageMinute)> {
        match self {
            Reading::Nothing => None,
            Reading::Cut(minute, usage) | Reading::Seen(minute, usage) => Some((minute, usage)),
        }
    }
}

/// Packets to each target in a minute.
const SENT: u8 = 5;

/// Round trip to the hub by district, microseconds: Petang's hills are far from it.
fn distance_us(village: &str) -> u32 {
    match village.get(..8) {
        Some("51.03.01") => 5_200,
        Some("51.03.06") => 6_400,
        Some("51.03.05") => 7_900,
        Some("51.03.02") => 9_100,
        Some("51.03.03") => 12_400,
        Some("51.03.04") => 18_800,
        _ => 10_000,
    }
}

pub(super) fn of(world: &World, place: &Place, at: Moment, condition: Condition) -> Reading {
    match condition {
        Condition::NoPower | Condition::BoxDown => Reading::Nothing,
        Condition::UplinkDown => {
            let dead = Pings { sent: SENT, lost: SENT, rtt_us: 0 };
            let minute = Minute {
                at,
                hub: dead,
                anchor_a: dead,
                anchor_b: dead,
                dns: ProbeResult::Silent,
                dns_us: 0,
                http: ProbeResult::Silent,
                http_us: 0,
                radios: Radios::default(),
            };
            let people = world.people(place, at) / 4;
            Reading::Cut(minute, UsageMinute { at, people, load_centi: 4, ..UsageMinute::default() })
        }
        Condition::Well => seen(world, place, at, None),
        Condition::Slow { loss_percent } => seen(world, place, at, Some(loss_percent)),
    }
}

fn seen(world: &World, place: &Place, at: Moment, slow: Option<u8>) -> Reading {
    let minute = local_minute(at);
    let own = world.dice(place);
    let people = world.people(place, at);
    let near = distance_us(place.village.as_str()) + own.throw(CHARACTER, 6).below(3_500) as u32;
    // A full line makes everybody wait, and evenings fill every line a little.
    let evening = (18 * 60..22 * 60).contains(&minute.rem_euclid(DAY_MINUTES));
    let crowd = near * people.min(100) / 400 + if evening { near / 5 } else { 0 };
    let wait = if slow.is_some() { near * 6 } else { 0 };
    let base = near + crowd + wait;
    let jitter = |throw: Throw, us: u32| us + throw.below(u64::from(us / 6 + 400)) as u32;
    let throw = own.throw(DELAY, minute);
    let lost = own.throw(LOSS, minute);
    let percent = u64::from(slow.unwrap_or(0));
    let ping = |throw: Throw, far: u32| {
        let lost = (0..SENT).fold((0u8, throw), |(n, t), _| {
            // Good lines lose one packet in a thousand.
            let gone = t.per_million(1_000 + percent * 10_000);
            (n + u8::from(gone), t.again())
        });
        let rtt_us = if lost.0 == SENT { 0 } else { jitter(throw, base + far) };
        Pings { sent: SENT, lost: lost.0, rtt_us }
    };
    let hub = ping(lost, 0);
    let anchor_a = ping(lost.again().again(), 14_000);
    let anchor_b = ping(Throw::again(own.throw(LOSS, -minute)), 27_000);
    let slow_name = slow.is_some() && own.throw(LOSS, minute).again().per_million(40_000);
    let (dns, dns_us) = if slow_name {
        (ProbeResult::Silent, 0)
    } else {
        (ProbeResult::Good, jitter(throw.again(), base + 2_500))
    };
    let http_us = jitter(throw.again().again(), base * 4 + 42_000);
    let begun = u32::try_from(own.throw(BYTES, minute).below(u64::from(people / 12 + 2))).unwrap_or(0);
    let each = 400_000 + own.throw(BYTES, minute / 7).below(2_600_000);
    let down_bytes = u64::from(people) * each / if slow.is_some() { 4 } else { 1 };
    let usage = UsageMinute {
        at,
        people,
        begun: begun.min(people),
        down_bytes,
        up_bytes: down_bytes / 9,
        load_centi: 5 + people / 2,
    };
    let minute = Minute {
        at,
        hub,
        anchor_a,
        anchor_b,
        dns,
        dns_us,
        http: ProbeResult::Good,
        http_us,
        radios: Radios::default(),
    };
    Reading::Seen(minute, usage)
}
