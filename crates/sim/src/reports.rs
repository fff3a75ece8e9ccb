//! Reports: what some of the people at a place say at its portal when something is wrong.
//!
//! A pure function of the world, like the diary. They are few: most people say nothing.

use crate::diary::MINUTE_MS;
use crate::dice::Dice;
use crate::world::{Place, Reading, World};
use kulkul_model::Moment;
use kulkul_model::report::ReportKind;
use kulkul_wire::link::{Entry, Report};

/// How long the line has been cut when somebody thinks of reporting it, minutes.
const PATIENCE: i64 = 12;
/// Of a million minutes with people, how many bring a report without a cut.
const SELDOM: u64 = 4;

const CUT: [&str; 4] = [
    "Internet mati sejak tadi, lampu alat merah.",
    "",
    "Tidak bisa buka apa-apa. Kabel di tiang depan sepertinya turun.",
    "No internet since this morning.",
];
const ELSE: [(ReportKind, &str); 4] = [
    (ReportKind::Slow, "Lambat sekali kalau jam pulang sekolah."),
    (ReportKind::EquipmentDamaged, "Antena di atas pintu bale goyang, bautnya lepas satu."),
    (ReportKind::CannotLogIn, "HP ibu saya tidak muncul halaman setujunya."),
    (ReportKind::Slow, ""),
];

/// What somebody reports in the minute that begins at `at`; its number is for the box to give.
#[must_use]
pub fn report(world: &World, place: &Place, at: Moment) -> Option<Entry> {
    let throw = Dice::new(11).named(place.code.as_str()).throw(1, at.ms().div_euclid(MINUTE_MS));
    let is_cut =
        |minutes: i64| matches!(world.reading(place, at.plus_ms(-minutes * MINUTE_MS)), Reading::Cut(..));
    let pick = throw.again();
    let (kind, words) = match world.reading(place, at) {
        Reading::Cut(..) if throw.per_million(500_000) && is_cut(PATIENCE) && !is_cut(PATIENCE + 1) => {
            (ReportKind::NoInternet, *CUT.get(usize::try_from(pick.below(4)).ok()?)?)
        }
        Reading::Seen(_, usage) if usage.people > 0 && throw.per_million(SELDOM) => {
            *ELSE.get(usize::try_from(pick.below(4)).ok()?)?
        }
        _ => return None,
    };
    let language = if words.starts_with("No ") { "en" } else { "id" }.to_owned();
    Some(Entry::Report(Report { number: 0, kind, text: words.to_owned(), language }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::area::AreaCode;
    use kulkul_model::category::CategoryKey;
    use kulkul_model::site::SiteCode;

    #[test]
    fn a_cut_brings_at_most_one_report_and_a_quiet_day_hardly_any() {
        let now = Moment::parse("2026-11-24T10:00:00+08:00").unwrap();
        let world = World::new(7, now);
        let (mut cuts, mut of_cuts, mut others) = (0, 0, 0);
        for n in 101..141 {
            let place = Place {
                code: SiteCode::parse(&format!("SD-{n}")).unwrap(),
                category: CategoryKey::parse("sd_negeri").unwrap(),
                village: AreaCode::parse("51.03.04.2001").unwrap(),
            };
            let mut before = false;
            for minute in 0..7 * 1_440 {
                let at = now.plus_ms(-minute * MINUTE_MS);
                let is_cut = matches!(world.reading(&place, at), Reading::Cut(..));
                cuts += u32::from(is_cut && !before);
                before = is_cut;
                match report(&world, &place, at) {
                    Some(Entry::Report(r)) if r.kind == ReportKind::NoInternet => of_cuts += 1,
                    Some(_) => others += 1,
                    None => {}
                }
            }
        }
        assert!(of_cuts > 0 && of_cuts <= cuts, "{of_cuts} of {cuts} cuts");
        assert!(others < 10, "{others}");
    }
}
