//! When to order: within limits, and again in time (RFC 9773).
//!
//! Pure: the moments, the windows and the random number come from the caller.

use kulkul_model::Moment;

/// Advice is asked for again no sooner than this, milliseconds.
const SOONEST_MS: i64 = 60_000;
/// And no later than this.
const LATEST_MS: i64 = 86_400_000;

/// When an order may be made, of which `most` may be made in any `window_ms`; none: now.
///
/// `made` are the moments of earlier ones, oldest first.
#[must_use]
pub fn turn(made: &[Moment], most: u32, window_ms: i64, now: Moment) -> Option<Moment> {
    let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    let first = made.len().checked_sub(most)?;
    let free = made.get(first)?.plus_ms(window_ms);
    (free > now).then_some(free)
}

/// When to renew without advice: at two thirds of the time that the certificate lasts.
#[must_use]
pub const fn unadvised(from: Moment, until: Moment) -> Moment {
    from.plus_ms(until.since_ms(from) / 3 * 2)
}

/// When to renew by advice: `planned` while it is inside the window, else a moment inside.
///
/// A window that has begun means now. What is proposed after the certificate's end is no
/// advice.
#[must_use]
pub fn advised(
    (start, end): (Moment, Moment),
    planned: Option<Moment>,
    until: Moment,
    random: u64,
) -> Option<Moment> {
    if end < start || start >= until {
        return None;
    }
    if let Some(planned) = planned.filter(|p| start <= *p && *p <= end) {
        return Some(planned);
    }
    let width = u64::try_from(end.since_ms(start)).unwrap_or(0).saturating_add(1);
    let inside = i64::try_from(random % width).unwrap_or(0);
    Some(start.plus_ms(inside).min(until))
}

/// When advice is asked for again, from how many milliseconds the authority said.
#[must_use]
pub fn ask_again(now: Moment, said_ms: i64) -> Moment {
    now.plus_ms(said_ms.clamp(SOONEST_MS, LATEST_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Moment {
        Moment::from_ms(s * 1_000)
    }

    #[test]
    fn an_order_waits_until_the_window_has_room() {
        let hour = 3_600_000;
        assert_eq!(turn(&[], 2, hour, at(0)), None);
        assert_eq!(turn(&[at(0)], 2, hour, at(1)), None);
        assert_eq!(turn(&[at(0), at(10)], 2, hour, at(20)), Some(at(3_600)));
        assert_eq!(turn(&[at(0), at(10)], 2, hour, at(3_600)), None);
        // More than allowed were made, by other settings: the last that count decide.
        assert_eq!(turn(&[at(0), at(10), at(20)], 2, hour, at(30)), Some(at(3_610)));
        assert_eq!(turn(&[at(0)], 0, hour, at(1)), Some(at(3_600)), "none at all would never end");
    }

    #[test]
    fn without_advice_it_is_renewed_at_two_thirds() {
        assert_eq!(unadvised(at(0), at(90)), at(60));
    }

    #[test]
    fn advice_is_followed_at_a_random_moment_inside() {
        let (window, until) = ((at(100), at(200)), at(300));
        for random in [0, 1, 77, u64::MAX] {
            let chosen = advised(window, None, until, random).unwrap();
            assert!(at(100) <= chosen && chosen <= at(200), "{chosen}");
            // Once chosen it stays, whatever the dice say later.
            assert_eq!(advised(window, Some(chosen), until, random / 3), Some(chosen));
        }
        assert_eq!(advised(window, None, until, 100_000), Some(at(200)), "the end belongs to it");
        // The authority has moved the window: an incident, or a longer life.
        let moved = advised((at(10), at(20)), Some(at(150)), until, 5_000);
        assert_eq!(moved, Some(at(15)));
    }

    #[test]
    fn what_is_no_window_is_no_advice() {
        assert_eq!(advised((at(200), at(100)), None, at(300), 1), None);
        assert_eq!(advised((at(300), at(400)), None, at(300), 1), None);
        assert_eq!(advised((at(290), at(400)), None, at(300), 60_000), Some(at(300)));
    }

    #[test]
    fn the_authority_is_asked_again_between_a_minute_and_a_day() {
        assert_eq!(ask_again(at(0), 0), at(60));
        assert_eq!(ask_again(at(0), 21_600_000), at(21_600));
        assert_eq!(ask_again(at(0), i64::MAX), at(86_400));
    }
}
