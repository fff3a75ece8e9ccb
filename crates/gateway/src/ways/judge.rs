//! Which way the place should use, from what was tried over each.
//!
//! Pure: rounds in, decisions out. Three failed rounds in a row lose a way; a way
//! without a cable is lost at once. The provider's line is gone back to only after it
//! was good for a while, so that a flapping line does not take people with it.

use super::Why;

/// Failed rounds in a row that lose a way.
pub const LOST_AFTER: u32 = 3;

/// What one round saw of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Something answered.
    Answered,
    /// Nothing did.
    Silent,
    /// It has no cable, or is not there.
    NoCarrier,
}

/// What is remembered from round to round.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    in_use: usize,
    failed: [u32; 2],
    /// Since when the provider's line is good, monotonic milliseconds.
    good_since: Option<i64>,
    return_ms: i64,
}

impl Judge {
    /// Begins with the way in use; `return_ms` is how long the provider's line must be good.
    #[must_use]
    pub fn new(in_use: usize, return_ms: i64) -> Self {
        Judge { in_use, failed: [0, 0], good_since: None, return_ms }
    }

    /// The way in use: 0 the provider's, 1 the community's.
    #[must_use]
    pub const fn in_use(&self) -> usize {
        self.in_use
    }

    /// Whether this round must try the community's line too, which is spared while it idles.
    #[must_use]
    pub const fn needs_backup(&self) -> bool {
        let [first, second] = self.failed;
        self.in_use == 1 || first > 0 || second > 0
    }

    /// Takes in a round; `second` is none where the community's line was not tried.
    pub fn after(&mut self, first: Seen, second: Option<Seen>, mono_ms: i64) -> Option<(usize, Why)> {
        let [lost, other] = &mut self.failed;
        count(lost, first);
        if let Some(seen) = second {
            count(other, seen);
        }
        // One lost packet is no reason to wait all over again.
        match first {
            Seen::Answered => _ = self.good_since.get_or_insert(mono_ms),
            _ if *lost > 1 => self.good_since = None,
            _ => {}
        }
        let (lost, other) = (*lost >= LOST_AFTER, *other >= LOST_AFTER);
        let good_ms = self.good_since.map(|since| mono_ms.saturating_sub(since));
        let decision = match self.in_use {
            0 if lost && second == Some(Seen::Answered) => {
                Some((1, if first == Seen::NoCarrier { Why::NoCarrier } else { Why::Silent }))
            }
            1 if good_ms.is_some_and(|ms| ms >= self.return_ms) => Some((0, Why::Back)),
            1 if other && first == Seen::Answered => Some((0, Why::BackupLost)),
            _ => None,
        };
        if let Some((to, _)) = decision {
            self.in_use = to;
        }
        decision
    }
}

fn count(failed: &mut u32, seen: Seen) {
    *failed = match seen {
        Seen::Answered => 0,
        Seen::Silent => failed.saturating_add(1),
        Seen::NoCarrier => failed.saturating_add(1).max(LOST_AFTER),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a round and way: `.` answered, `s` silent, `c` no cable, `-` not tried.
    fn play(first: &str, second: &str, return_rounds: i64) -> Vec<(usize, usize, Why)> {
        let seen = |c| match c {
            '.' => Some(Seen::Answered),
            's' => Some(Seen::Silent),
            'c' => Some(Seen::NoCarrier),
            _ => None,
        };
        let mut judge = Judge::new(0, return_rounds * 1_000);
        let rounds = first.chars().zip(second.chars()).enumerate();
        rounds
            .filter_map(|(n, (a, b))| {
                let at = i64::try_from(n).unwrap() * 1_000;
                let (to, why) = judge.after(seen(a).unwrap(), seen(b), at)?;
                Some((n, to, why))
            })
            .collect()
    }

    #[test]
    fn three_silent_rounds_lose_the_line_and_a_pulled_cable_loses_it_at_once() {
        assert_eq!(play("..s.ss.sss", "----------", 5), []);
        assert_eq!(play("..sss.", "---...", 5), [(4, 1, Why::Silent)]);
        assert_eq!(play("..c", "--.", 5), [(2, 1, Why::NoCarrier)]);
    }

    #[test]
    fn nobody_goes_over_to_a_way_that_is_dead_too() {
        assert_eq!(play("..ssssss", "---sssss", 5), []);
        assert_eq!(play("..ssssss", "---ssss.", 5), [(7, 1, Why::Silent)]);
    }

    #[test]
    fn the_first_way_must_be_good_for_a_while_and_one_lost_packet_is_forgiven() {
        assert_eq!(play("sss......", ".........", 5), [(2, 1, Why::Silent), (8, 0, Why::Back)]);
        assert_eq!(play("sss..s...", ".........", 5), [(2, 1, Why::Silent), (8, 0, Why::Back)]);
        assert_eq!(play("sss..ss.....", "............", 5), [(2, 1, Why::Silent)]);
    }

    #[test]
    fn a_dead_backup_sends_the_place_back_early() {
        assert_eq!(play("sss....", "...sss.", 60), [(2, 1, Why::Silent), (5, 0, Why::BackupLost)]);
    }

    #[test]
    fn an_idle_backup_is_spared() {
        let mut judge = Judge::new(0, 60_000);
        judge.after(Seen::Answered, None, 0);
        assert!(!judge.needs_backup());
        judge.after(Seen::Silent, None, 1_000);
        assert!(judge.needs_backup());
    }
}
