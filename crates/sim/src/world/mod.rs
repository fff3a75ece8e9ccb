//! The world: which place has light, a line and people, minute by minute.
//!
//! A pure function of the seed, the place and the minute: asking twice, in any
//! order, gives the same answer, so a week of history and the live present fit
//! together. It does no input or output. `trouble` says what goes wrong,
//! `reading` what a box there would measure, `people` who is online.

mod people;
mod reading;
mod trouble;

pub use reading::Reading;
pub use trouble::{Condition, SOON};

use crate::dice::Dice;
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::SiteCode;

/// The regency's offset from UTC; Bali has no summer time.
const OFFSET_MS: i64 = 8 * 3_600_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// What the world knows of a place.
#[derive(Clone, Debug)]
pub struct Place {
    /// The site's code, from which its fortunes follow.
    pub code: SiteCode,
    /// Its category, which sets who comes and when.
    pub category: CategoryKey,
    /// The village that it lies in: neighbours share power and fibre.
    pub village: AreaCode,
}

/// Whether and how a place is equipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equipment {
    /// A gateway is there, and people use the place.
    InService,
    /// A gateway is there and tested; the place is not handed over yet.
    Tested,
    /// Nothing is mounted yet.
    Planned,
    /// In service, but nobody measures: its box never reported.
    Unmeasured,
}

/// A seeded world.
#[derive(Clone, Copy, Debug)]
pub struct World {
    dice: Dice,
    /// Around this moment the shared troubles are laid out; usually the start.
    around: Moment,
}

impl World {
    /// The world of a seed whose shared troubles lie around a moment.
    #[must_use]
    pub const fn new(seed: u64, around: Moment) -> Self {
        World { dice: Dice::new(seed), around }
    }

    /// How a place is equipped; about four in a hundred are not in service or not measured.
    #[must_use]
    pub fn equipment(&self, place: &Place) -> Equipment {
        match self.dice(place).throw(EQUIPMENT, 0).below(1000) {
            0..12 => Equipment::Planned,
            12..24 => Equipment::Tested,
            24..31 => Equipment::Unmeasured,
            _ => Equipment::InService,
        }
    }

    /// What the place's box would measure in the minute that begins at `at`.
    #[must_use]
    pub fn reading(&self, place: &Place, at: Moment) -> Reading {
        let at = at.minute();
        reading::of(self, place, at, self.condition(place, at))
    }

    fn dice(&self, place: &Place) -> Dice {
        self.dice.named(place.code.as_str())
    }
}

/// The purposes that throws are made for; two purposes never share a throw.
const EQUIPMENT: u64 = 1;
const CHARACTER: u64 = 2;
const UPLINK: u64 = 3;
const POWER: u64 = 4;
const BOX: u64 = 5;
const VILLAGE_POWER: u64 = 6;
const LOSS: u64 = 7;
const DELAY: u64 = 8;
const PEOPLE: u64 = 9;
const BYTES: u64 = 10;

/// Minutes since 1970 in the regency's own time.
const fn local_minute(at: Moment) -> i64 {
    at.plus_ms(OFFSET_MS).ms().div_euclid(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Vec<Place> {
        let villages = ["51.03.01.1002", "51.03.04.2002", "51.03.03.2011", "51.03.04.2005"];
        let categories = ["banjar", "sd_negeri", "puskesmas", "obyek_wisata", "kantor_desa"];
        (0..987usize)
            .map(|i| Place {
                code: SiteCode::parse(&format!("BJ-{i:03}")).unwrap(),
                category: CategoryKey::parse(categories[i % categories.len()]).unwrap(),
                village: AreaCode::parse(villages[i % villages.len()]).unwrap(),
            })
            .collect()
    }

    #[test]
    fn the_same_minute_is_always_the_same() {
        let at = Moment::parse("2026-11-24T10:00:00+08:00").unwrap();
        let world = World::new(7, at);
        let places = places();
        for place in places.iter().take(50) {
            let a = world.reading(place, at);
            assert_eq!(a, world.reading(place, at.plus_ms(59_999)), "within one minute");
        }
    }

    #[test]
    fn a_few_in_a_hundred_are_in_trouble() {
        let now = Moment::parse("2026-11-24T10:00:00+08:00").unwrap();
        let world = World::new(7, now);
        let places = places();
        let mut dead = 0;
        let mut slow = 0;
        for place in &places {
            match world.condition(place, now) {
                Condition::Well => {}
                Condition::Slow { .. } => slow += 1,
                _ => dead += 1,
            }
        }
        assert!((5..70).contains(&dead), "{dead} dead");
        assert!((5..40).contains(&slow), "{slow} slow");
        let bad: usize = (0..7 * 24)
            .map(|h| now.plus_ms(-h * 3_600_000))
            .map(|at| {
                let off =
                    |p: &&Place| !matches!(world.condition(p, at), Condition::Well | Condition::Slow { .. });
                places.iter().filter(off).count()
            })
            .sum();
        let share = bad as f64 / (7.0 * 24.0 * 987.0);
        assert!((0.005..0.05).contains(&share), "{share} of the week was dead");
    }
}
