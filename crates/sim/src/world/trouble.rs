//! Trouble: power cuts, torn fibre, hung boxes, slow lines, and when they end.
//!
//! Rates are chosen so that two or three places in a hundred are off at any time,
//! as the press described the real network on its bad days.

use super::{
    BOX, CHARACTER, DAY_MINUTES, MINUTE_MS, POWER, Place, UPLINK, VILLAGE_POWER, World, local_minute,
};
use crate::dice::Throw;

use kulkul_model::Moment;

/// The village where a branch of the fibre is torn four minutes after the world begins.
pub const SOON: &str = "51.03.04.2003";

/// How a place is in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All is well.
    Well,
    /// The line works and loses packets: this many in a hundred.
    Slow {
        /// Packets lost in a hundred.
        loss_percent: u8,
    },
    /// The box runs, the line is dead.
    UplinkDown,
    /// The box has no power.
    NoPower,
    /// The box hangs.
    BoxDown,
}

/// A stretch of local minutes, the end not included.
#[derive(Clone, Copy)]
struct Span {
    from: i64,
    until: i64,
}

impl Span {
    const fn holds(self, minute: i64) -> bool {
        self.from <= minute && minute < self.until
    }
}

/// The trouble that a day's throw brings, if any: it begins within that day.
const fn of_day(throw: Throw, per_million: u64, day: i64, least: u64, most: u64) -> Option<Span> {
    if !throw.per_million(per_million) {
        return None;
    }
    let begin = throw.again();
    // The product of two throws makes short troubles common and long ones rare.
    let span = most - least;
    let long = begin.again().below(span).saturating_mul(begin.again().again().below(1000)) / 1000;
    let from = day * DAY_MINUTES + begin.below(DAY_MINUTES as u64) as i64;
    Some(Span { from, until: from + (least + long) as i64 })
}

impl World {
    /// How a place is in the minute that holds `at`.
    #[must_use]
    pub fn condition(&self, place: &Place, at: Moment) -> Condition {
        let minute = local_minute(at);
        if self.has_no_power(place, minute) {
            return Condition::NoPower;
        }
        if self.box_hangs(place, minute) {
            return Condition::BoxDown;
        }
        if self.fibre_is_torn(place, at) || self.line_is_dead(place, minute) {
            return Condition::UplinkDown;
        }
        self.loss_percent(place, minute)
            .map_or(Condition::Well, |loss_percent| Condition::Slow { loss_percent })
    }

    /// Own fuse or the village's transformer; the latter spares those with a battery.
    fn has_no_power(&self, place: &Place, minute: i64) -> bool {
        let village = self.dice.named(place.village.as_str());
        let own = self.dice(place);
        let battery = own.throw(CHARACTER, 1).per_million(250_000);
        days(minute, 1).any(|day| {
            of_day(own.throw(POWER, day), 25_000, day, 8, 240).is_some_and(|s| s.holds(minute))
                || (!battery
                    && of_day(village.throw(VILLAGE_POWER, day), 20_000, day, 10, 150)
                        .is_some_and(|s| s.holds(minute)))
        })
    }

    fn box_hangs(&self, place: &Place, minute: i64) -> bool {
        let own = self.dice(place);
        days(minute, 2)
            .any(|day| of_day(own.throw(BOX, day), 8_000, day, 20, 1_800).is_some_and(|s| s.holds(minute)))
    }

    fn line_is_dead(&self, place: &Place, minute: i64) -> bool {
        let own = self.dice(place);
        // Five in a thousand: the terminal is stolen or broken, and nobody has come for days.
        let gone = own.throw(CHARACTER, 2).per_million(5_000);
        let since = local_minute(self.around) - own.throw(CHARACTER, 3).below(5 * DAY_MINUTES as u64) as i64;
        (gone && minute >= since)
            || days(minute, 1).any(|day| {
                of_day(own.throw(UPLINK, day), 70_000, day, 4, 200).is_some_and(|s| s.holds(minute))
            })
    }

    /// The shared cuts: the fibre to the north two days ago, a branch of it now, a branch soon.
    fn fibre_is_torn(&self, place: &Place, at: Moment) -> bool {
        let Some(rest) = place.village.as_str().strip_prefix("51.03.") else { return false };
        let minutes = at.since_ms(self.around) / MINUTE_MS;
        let petang = rest.starts_with("04.");
        let sangeh = matches!(rest, "03.2013" | "03.2014");
        let before = (petang || sangeh) && (-2_920..-2_500).contains(&minutes);
        let branch_now = rest == "04.2007" && (-48..130).contains(&minutes);
        let branch_soon = place.village.as_str() == SOON && (4..25).contains(&minutes);
        before || branch_now || branch_soon
    }

    /// Slow lines: some always, more of them in the evening when everybody is at home.
    fn loss_percent(&self, place: &Place, minute: i64) -> Option<u8> {
        let own = self.dice(place);
        let slow = own.throw(CHARACTER, 4);
        let hour = minute.rem_euclid(DAY_MINUTES) / 60;
        let always = slow.per_million(14_000);
        let evening = slow.again().per_million(35_000) && (19..22).contains(&hour);
        (always || evening).then(|| 34 + own.throw(CHARACTER, 5).below(16) as u8)
    }
}

/// The day of a minute and the `before` days that trouble may reach over from.
fn days(minute: i64, before: i64) -> impl Iterator<Item = i64> {
    let today = minute.div_euclid(DAY_MINUTES);
    today - before..=today
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::area::AreaCode;
    use kulkul_model::category::CategoryKey;
    use kulkul_model::site::SiteCode;

    #[test]
    fn the_fibre_to_petang_was_torn_two_days_ago() {
        let now = Moment::parse("2026-11-24T10:00:00+08:00").unwrap();
        let world = World::new(7, now);
        let off = (0..100)
            .map(|i| Place {
                code: SiteCode::parse(&format!("SD-{i}")).unwrap(),
                category: CategoryKey::parse("sd_negeri").unwrap(),
                village: AreaCode::parse("51.03.04.2001").unwrap(),
            })
            .filter(|p| world.condition(p, now.plus_ms(-2_800 * MINUTE_MS)) != Condition::Well)
            .count();
        assert!(off >= 98, "{off}");
    }

    #[test]
    fn trouble_begins_and_ends() {
        let now = Moment::parse("2026-11-24T10:00:00+08:00").unwrap();
        let world = World::new(11, now);
        let place = Place {
            code: SiteCode::parse("BJ-007").unwrap(),
            category: CategoryKey::parse("banjar").unwrap(),
            village: AreaCode::parse("51.03.01.1002").unwrap(),
        };
        let minutes = 60 * DAY_MINUTES;
        let changes = (1..minutes)
            .filter(|m| {
                let at = now.plus_ms(-m * MINUTE_MS);
                let down =
                    |at| !matches!(world.condition(&place, at), Condition::Well | Condition::Slow { .. });
                down(at) != down(at.plus_ms(MINUTE_MS))
            })
            .count();
        assert!((4..60).contains(&changes), "{changes} changes in sixty days");
    }
}
