//! Sharing a full line: which classes there are and what each is sure of.
//!
//! Pure: orders and people in, classes out. Above all stands the line; below it the
//! segments with what they are sure of, and a class for each device of people. All
//! devices take turns of one length, so that a greedy one with fifty connections gets
//! no more than a modest one with one, and one alone gets the whole line.

use crate::config::Kind;
use crate::sessions::Own;
use kulkul_wire::link::desired::{LineSection, PlanSection};
use kulkul_wire::netlink::queues::{Class, Leaf};
use kulkul_wire::ruleset::classes::{LINE, OWN, PUBLIC, SERVICE, STAFF, STRANGERS};

/// Which way packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the provider.
    Up,
    /// To the place.
    Down,
}

/// The leaves that this kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Leaves {
    /// `fq_codel`.
    pub fq_codel: bool,
    /// `sfq`.
    pub sfq: bool,
}

/// What the box itself is sure of, percent.
const OWN_PERCENT: u32 = 5;
/// What the walled garden gets at most, percent.
const STRANGERS_MOST_PERCENT: u32 = 20;
/// What the box sends to the place does not cross the line: a gigabit, bytes per second.
const LOCAL: u32 = 125_000_000;
/// The shortest and the longest turn, bytes: one and ten full frames.
const TURN: (u32, u32) = (1_514, 15_140);
/// What a device is sure of at most: a two-hundredth of its segment's part.
const DEVICE_PART: u32 = 200;
/// How long packets wait at most where flows cannot take turns, milliseconds.
const WAIT_MS: u32 = 200;

/// One direction of a line that is shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    way: Way,
    /// Bytes per second.
    rate: u32,
    /// Percent and priority of public, staff and service segments.
    shares: [(u32, u8); 3],
    /// What one device may get at most, bytes per second.
    most: Option<u32>,
    leaves: Leaves,
}

fn bytes_per_s(kbps: u32) -> u32 {
    u32::try_from(u64::from(kbps) * 125).unwrap_or(u32::MAX).max(1_000)
}

impl Side {
    /// The side that orders ask for; nothing where the line is not known or not to be shared.
    #[must_use]
    pub fn of(line: &LineSection, plan: &PlanSection, way: Way, leaves: Leaves) -> Option<Self> {
        let (kbps, most) = match way {
            Way::Up => (line.up_kbps, plan.up_kbps),
            Way::Down => (line.down_kbps, plan.down_kbps),
        };
        let kbps = kbps.filter(|_| line.fair)?;
        let names = ["public", "staff", "service"];
        let named = |name: &str| line.shares.iter().find(|s| s.kind == name);
        let promised: u32 = line.shares.iter().map(|s| u32::from(s.min_percent)).sum();
        let silent = names.iter().filter(|n| named(n).is_none()).count();
        let rest = (100 - OWN_PERCENT).saturating_sub(promised) / u32::try_from(silent).unwrap_or(1).max(1);
        let shares = [(names[0], 2), (names[1], 1), (names[2], 0)].map(|(name, priority)| {
            let share = named(name).map(|s| (u32::from(s.min_percent), s.priority.min(7)));
            share.unwrap_or((rest, priority))
        });
        Some(Side { way, rate: bytes_per_s(kbps), shares, most: most.map(bytes_per_s), leaves })
    }

    /// Which way its packets go.
    #[must_use]
    pub const fn way(&self) -> Way {
        self.way
    }

    /// The classes that are there whoever is online, those above before those below.
    #[must_use]
    pub fn frame(&self) -> Vec<Class> {
        let class = |minor, parent, rate: u32, ceil, priority| Class {
            minor,
            parent,
            rate: rate.clamp(1_000, ceil),
            ceil,
            priority,
            quantum: self.turn(),
        };
        let part = |percent: u32| self.part(percent);
        let own = match self.way {
            Way::Up => class(OWN, LINE, part(OWN_PERCENT), self.rate, 0),
            Way::Down => class(OWN, 0, LOCAL, LOCAL, 0),
        };
        let [public, staff, service] = self.shares;
        let strangers = part(STRANGERS_MOST_PERCENT).max(1_000);
        vec![
            class(LINE, 0, self.rate, self.rate, 0),
            own,
            class(PUBLIC, LINE, part(public.0), self.rate, public.1),
            class(STAFF, LINE, part(staff.0), self.rate, staff.1),
            class(SERVICE, LINE, part(service.0), self.rate, service.1),
            class(STRANGERS, LINE, part(1), strangers, 7),
        ]
    }

    /// The class of one device; what its voucher or account gives wins over the plan.
    #[must_use]
    pub fn device(&self, minor: u16, kind: Kind, own: Option<Own>) -> Class {
        let [public, staff, _] = self.shares;
        let (parent, (percent, priority)) = match kind {
            Kind::Public => (PUBLIC, public),
            Kind::Staff | Kind::Service => (STAFF, staff),
        };
        let own = own.and_then(|own| match self.way {
            Way::Up => own.up_kbps,
            Way::Down => own.down_kbps,
        });
        let ceil = own.map(bytes_per_s).or(self.most).map_or(self.rate, |most| most.min(self.rate));
        let rate = (self.part(percent) / DEVICE_PART).clamp(1_000, ceil);
        Class { minor, parent, rate, ceil, priority, quantum: self.turn() }
    }

    /// What waits in a class: turns for flows where the kernel can, else a queue of a fifth of a second.
    #[must_use]
    pub fn leaf(&self, class: &Class) -> Leaf {
        if self.leaves.fq_codel {
            Leaf::FqCodel
        } else if self.leaves.sfq {
            Leaf::Sfq
        } else {
            let bytes = u64::from(class.ceil) * u64::from(WAIT_MS) / 1_000;
            Leaf::Bfifo(u32::try_from(bytes).unwrap_or(u32::MAX).max(64 * 1_514))
        }
    }

    fn part(&self, percent: u32) -> u32 {
        u32::try_from(u64::from(self.rate) * u64::from(percent) / 100).unwrap_or(u32::MAX)
    }

    fn turn(&self) -> u32 {
        (self.rate / 1_000).clamp(TURN.0, TURN.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::link::desired::SegmentShare;
    use kulkul_wire::ruleset::classes::FIRST_DEVICE;
    use proptest::prelude::*;

    fn line(down_kbps: u32, shares: &[(&str, u8, u8)]) -> LineSection {
        let share = |(kind, min_percent, priority): &(&str, u8, u8)| SegmentShare {
            kind: (*kind).to_owned(),
            min_percent: *min_percent,
            priority: *priority,
        };
        LineSection {
            down_kbps: Some(down_kbps),
            shares: shares.iter().map(share).collect(),
            ..LineSection::default()
        }
    }

    fn down(line: &LineSection, most: Option<u32>) -> Side {
        let plan = PlanSection { down_kbps: most, ..PlanSection::default() };
        Side::of(line, &plan, Way::Down, Leaves::default()).unwrap()
    }

    #[test]
    fn a_line_that_is_not_known_or_not_to_be_shared_has_no_classes() {
        let plan = PlanSection::default();
        let of = |line: &LineSection, way| Side::of(line, &plan, way, Leaves::default());
        assert_eq!(of(&LineSection::default(), Way::Down), None);
        assert_eq!(of(&line(10_000, &[]), Way::Up), None, "only one direction is known");
        assert_eq!(of(&LineSection { fair: false, ..line(10_000, &[]) }, Way::Down), None);
    }

    #[test]
    fn segments_are_sure_of_what_was_promised_and_a_device_of_a_little() {
        let side = down(&line(10_000, &[("service", 30, 0), ("staff", 20, 1)]), Some(4_000));
        let frame = side.frame();
        let rate = |minor| frame.iter().find(|c| c.minor == minor).unwrap().rate;
        assert_eq!(
            [rate(LINE), rate(SERVICE), rate(STAFF), rate(PUBLIC)],
            [1_250_000, 375_000, 250_000, 562_500]
        );
        let device = side.device(FIRST_DEVICE, Kind::Public, None);
        assert_eq!((device.parent, device.ceil, device.priority), (PUBLIC, 500_000, 2));
        let own = |down_kbps| Some(Own { holder: None, limit_ms: None, down_kbps, up_kbps: Some(64) });
        let ceil = |kbps| side.device(FIRST_DEVICE, Kind::Public, own(kbps)).ceil;
        assert_eq!([ceil(Some(8_000)), ceil(Some(99_000)), ceil(None)], [1_000_000, 1_250_000, 500_000]);
        assert_eq!(down(&line(10_000, &[]), None).device(16, Kind::Staff, None).ceil, 1_250_000);
    }

    #[test]
    fn the_best_leaf_that_there_is_is_taken() {
        let side = |leaves| Side { leaves, ..down(&line(10_000, &[]), None) };
        let class = side(Leaves::default()).device(16, Kind::Public, None);
        assert_eq!(side(Leaves::default()).leaf(&class), Leaf::Bfifo(250_000));
        assert_eq!(side(Leaves { fq_codel: false, sfq: true }).leaf(&class), Leaf::Sfq);
        assert_eq!(side(Leaves { fq_codel: true, sfq: true }).leaf(&class), Leaf::FqCodel);
    }

    proptest! {
        #[test]
        fn classes_promise_no_more_than_the_line_and_no_rate_is_over_its_most(
            kbps in 64u32..40_000_000, most in proptest::option::of(8u32..1_000_000), a in 0u8..50, b in 0u8..50,
        ) {
            let side = down(&line(kbps, &[("public", a, 1), ("service", b, 0)]), most);
            let frame = side.frame();
            for c in frame.iter().chain([&side.device(99, Kind::Public, None)]) {
                prop_assert!(c.rate >= 1 && c.rate <= c.ceil, "{c:?}");
            }
            let below: u64 = frame.iter().filter(|c| c.parent == LINE).map(|c| u64::from(c.rate)).sum();
            let line = u64::from(frame[0].rate);
            prop_assert!(below <= line + 4_000, "{below} of {line}");
        }
    }
}
