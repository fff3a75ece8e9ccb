//! When the other end counts as gone, and what is done about it. Pure: times in, advice out.
//!
//! WireGuard itself notices only when data goes unanswered. Here silence alone is enough:
//! after two signs of life that did not come, keys are agreed on anew, which either
//! brings an end that was started again back or shows that nobody is there.

/// How long an end may take to answer before it counts as gone, milliseconds.
const PATIENCE_MS: i64 = 15_000;
/// Between two looks for where it is now, while it does not answer, milliseconds.
const LOOK_MS: i64 = 20_000;

/// What is known of the other end.
#[derive(Clone, Debug)]
pub(super) struct Silence {
    /// How long silence is no news, milliseconds.
    quiet_ms: i64,
    began_ms: i64,
    heard_ms: Option<i64>,
    looked_ms: Option<i64>,
    up: bool,
    /// Since when it has been gone and told so.
    down_ms: Option<i64>,
}

/// What a tick asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Advice {
    /// Agree on keys anew.
    pub(super) shake: bool,
    /// Find out where the other end is.
    pub(super) look: bool,
    /// It has just come to count as gone.
    pub(super) lost: bool,
}

impl Silence {
    pub(super) fn new(keepalive_s: u16, mono_ms: i64) -> Self {
        Silence {
            quiet_ms: i64::from(keepalive_s) * 2_000 + 2_000,
            began_ms: mono_ms,
            heard_ms: None,
            looked_ms: None,
            up: false,
            down_ms: None,
        }
    }

    /// Something came that the other end alone can have sent; gives how long it was gone if it was.
    pub(super) fn heard(&mut self, mono_ms: i64) -> Option<i64> {
        self.heard_ms = Some(mono_ms);
        let was_down = !std::mem::replace(&mut self.up, true);
        let gone = self.down_ms.take().unwrap_or(self.began_ms);
        was_down.then_some(mono_ms.saturating_sub(gone))
    }

    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// Milliseconds since something came; none when nothing ever did.
    pub(super) fn since(&self, mono_ms: i64) -> Option<i64> {
        self.heard_ms.map(|heard| mono_ms.saturating_sub(heard))
    }

    pub(super) fn tick(&mut self, mono_ms: i64) -> Advice {
        // Before the first word there is nothing to be quiet about.
        let silent_ms = match self.heard_ms {
            Some(heard) => mono_ms.saturating_sub(heard).saturating_sub(self.quiet_ms),
            None => mono_ms.saturating_sub(self.began_ms),
        };
        let shake = silent_ms > 0 || self.heard_ms.is_none();
        let first = self.looked_ms.is_none();
        let look = first || (shake && self.looked_ms.is_none_or(|at| mono_ms.saturating_sub(at) >= LOOK_MS));
        if look {
            self.looked_ms = Some(mono_ms);
        }
        let lost = silent_ms > PATIENCE_MS && self.down_ms.is_none();
        if lost {
            (self.up, self.down_ms) = (false, Some(self.heard_ms.unwrap_or(self.began_ms)));
        }
        Advice { shake, look, lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_never_answers_is_looked_for_and_told_of_once() {
        let mut s = Silence::new(25, 1_000);
        assert_eq!(s.tick(1_000), Advice { shake: true, look: true, lost: false });
        assert_eq!(s.tick(2_000), Advice { shake: true, look: false, lost: false });
        assert_eq!(s.tick(17_000), Advice { shake: true, look: false, lost: true });
        assert_eq!(s.tick(18_000), Advice { shake: true, look: false, lost: false });
        assert_eq!(s.tick(22_000), Advice { shake: true, look: true, lost: false });
        assert!(!s.is_up());
        assert_eq!(s.heard(30_000), Some(29_000), "gone since the beginning");
        assert_eq!((s.heard(31_000), s.is_up()), (None, true));
    }

    #[test]
    fn silence_after_two_signs_of_life_is_looked_into_before_it_counts() {
        let mut s = Silence::new(25, 0);
        s.tick(0);
        assert_eq!(s.heard(500), Some(500));
        assert_eq!(s.tick(50_000), Advice::default(), "a sign of life may be late");
        assert_eq!(s.tick(53_000), Advice { shake: true, look: true, lost: false });
        assert!(s.is_up());
        assert_eq!(s.tick(68_000), Advice { shake: true, look: false, lost: true });
        assert!(!s.is_up());
        assert_eq!(s.heard(100_500), Some(100_000), "gone since it was heard last");
        assert_eq!(s.since(101_000), Some(500));
    }
}
