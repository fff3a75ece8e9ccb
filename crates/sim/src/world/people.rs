//! People: how many are online at a kind of place, by hour and day of the week.

use super::{DAY_MINUTES, PEOPLE, Place, World, local_minute};
use kulkul_model::Moment;

/// Shares of the busiest hour in percent, for the 24 hours of a day.
type Day = [u32; 24];

const OFFICE: Day = [0, 0, 0, 0, 0, 0, 4, 25, 80, 100, 95, 85, 55, 75, 85, 60, 20, 8, 4, 3, 2, 1, 0, 0];
const SCHOOL: Day = [0, 0, 0, 0, 0, 1, 12, 70, 90, 100, 95, 90, 65, 30, 14, 8, 4, 2, 1, 1, 0, 0, 0, 0];
const HEALTH: Day =
    [6, 5, 4, 4, 5, 8, 20, 55, 95, 100, 90, 75, 50, 40, 35, 30, 28, 26, 25, 22, 18, 14, 10, 8];
const HALL: Day = [6, 3, 2, 1, 1, 3, 8, 12, 15, 18, 20, 22, 25, 28, 35, 45, 55, 60, 75, 95, 100, 85, 50, 20];
const SIGHTS: Day = [0, 0, 0, 0, 0, 2, 8, 20, 40, 65, 85, 95, 90, 88, 92, 100, 98, 90, 60, 30, 12, 4, 1, 0];

/// Who comes: the day's shape, the most on a weekday, and on a weekend.
const fn habits(category: &str) -> (Day, u32, u32) {
    match category.as_bytes() {
        b"kantor_camat" => (OFFICE, 55, 4),
        b"kantor_desa" | b"kantor_kelurahan" => (OFFICE, 24, 3),
        b"sd_negeri" => (SCHOOL, 32, 1),
        b"smp_negeri" => (SCHOOL, 85, 2),
        b"puskesmas" => (HEALTH, 38, 16),
        b"pustu" => (HEALTH, 9, 2),
        b"obyek_wisata" => (SIGHTS, 90, 150),
        _ => (HALL, 20, 26),
    }
}

impl World {
    /// Devices online in the minute that holds `at`, if the place works.
    pub(super) fn people(&self, place: &Place, at: Moment) -> u32 {
        let minute = local_minute(at);
        let own = self.dice(place);
        let (shape, weekday, weekend) = habits(place.category.as_str());
        // 1970-01-01 was a Thursday; Saturday and Sunday are days 2 and 3 from there.
        let most =
            if matches!(minute.div_euclid(DAY_MINUTES).rem_euclid(7), 2 | 3) { weekend } else { weekday };
        let of_day = minute.rem_euclid(DAY_MINUTES);
        let hour = usize::try_from(of_day / 60).unwrap_or(0);
        let share = |h: usize| shape.get(h % 24).copied().unwrap_or(0);
        // Between two hours the crowd grows or thins evenly.
        let into = u32::try_from(of_day % 60).unwrap_or(0);
        let percent = (share(hour) * (60 - into) + share(hour + 1) * into) / 60;
        // Some places are loved more than others, some hours are better than others.
        let loved = 50 + own.throw(PEOPLE, -1).below(110) as u32;
        let mood = 85 + own.throw(PEOPLE, minute / 60).below(30) as u32;
        let crowd = u64::from(most * percent * loved / 100 * mood) / 10_000;
        let coming_and_going = own.throw(PEOPLE, minute).below(1 + crowd / 6);
        u32::try_from(crowd.saturating_sub(crowd / 12) + coming_and_going).unwrap_or(0)
    }
}
