//! When the line counts as lost: three failed minutes in a row; back with the first good one.

use kulkul_model::Moment;
use kulkul_model::measurement::Verdict;
use kulkul_wire::link::event::Event;

/// Failed minutes in a row that make a loss.
const LOST_AFTER: u32 = 3;

/// The line over the last minutes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uplink {
    /// The first failed minute of the row that goes on.
    since: Option<Moment>,
    failed: u32,
}

impl Uplink {
    /// Takes in one minute; gives the event that it brings.
    ///
    /// A loss is told with its third minute. Its length, told when the line is back,
    /// counts from the beginning of the first one.
    pub fn after(&mut self, at: Moment, verdict: Verdict) -> Option<Event> {
        if verdict == Verdict::Failed {
            self.since.get_or_insert(at);
            self.failed = self.failed.saturating_add(1);
            return (self.failed == LOST_AFTER).then_some(Event::UplinkLost);
        }
        let before = std::mem::take(self);
        let since = before.since.filter(|_| before.failed >= LOST_AFTER)?;
        Some(Event::UplinkBack { lost_ms: u64::try_from(at.since_ms(since)).unwrap_or(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_takes_three_minutes_and_counts_from_the_first() {
        let mut uplink = Uplink::default();
        let at = |m: i64| Moment::from_ms(m * 60_000);
        let mut said = Vec::new();
        for (minute, letter) in "ggffgfffffpg".chars().enumerate() {
            let verdict = match letter {
                'g' => Verdict::Good,
                'p' => Verdict::Poor,
                _ => Verdict::Failed,
            };
            let minute = i64::try_from(minute).unwrap();
            if let Some(event) = uplink.after(at(minute), verdict) {
                said.push((minute, event));
            }
        }
        assert_eq!(said, [(7, Event::UplinkLost), (10, Event::UplinkBack { lost_ms: 5 * 60_000 })]);
    }
}
