//! The built-in register of Badung, and invented places for load beyond its 987.

use std::fmt::Write as _;

/// The files of the register, in the order in which they are imported.
pub mod badung {
    /// Regency, districts, villages.
    pub const AREAS: &str = include_str!("../../../data/badung/areas.csv");
    /// Their outlines.
    pub const BOUNDARIES: &str = include_str!("../../../data/badung/boundaries.geojson");
    /// The ten categories.
    pub const CATEGORIES: &str = include_str!("../../../data/badung/categories.csv");
    /// The 987 places.
    pub const SITES: &str = include_str!("../../../data/badung/sites.csv");
}

/// The letters of invented site codes: no category of the register uses them.
pub const INVENTED_PREFIX: &str = "XX";

/// A register file of `count` invented places, spread over the register's villages.
///
/// Every name says that it is invented. They stand on a spiral around their village's
/// centre, within some 90 metres for 20,000, no two at one point.
#[must_use]
pub fn invented(count: u32) -> String {
    let villages: Vec<(&str, f64, f64)> = badung::AREAS
        .lines()
        .filter_map(|line| {
            let mut cells = line.split(',');
            let code = cells.next()?;
            let mut rest = cells.skip(3);
            let (lat, lon) = (rest.next()?.parse().ok()?, rest.next()?.parse().ok()?);
            // A village's code has four parts: 51.03.04.2001.
            (code.split('.').count() == 4).then_some((code, lat, lon))
        })
        .collect();
    let mut csv = String::from(
        "site_code,category,name,area_code,lat,lon,source,quality,official_id,address,coord_basis\n",
    );
    for (number, (village, lat, lon)) in (1..=count).zip(villages.iter().cycle()) {
        let turn = f64::from(number - 1) / villages.len() as f64;
        let (far, angle) = (0.000_045 * turn.floor().sqrt(), 2.399_963 * turn.floor());
        let (lat, lon) = (lat + far * angle.sin(), lon + far * angle.cos());
        // Writing to a string cannot fail.
        let _ = writeln!(
            csv,
            "{INVENTED_PREFIX}-{number:05},rekaan,Tempat rekaan {number},{village},{lat:.5},{lon:.5},\
             invented for a load test,placeholder,,,near village centroid"
        );
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_places_have_the_registers_form() {
        let csv = invented(200);
        let mut lines = csv.lines();
        assert_eq!(lines.next(), badung::SITES.lines().next());
        let second = lines.next().unwrap();
        assert!(second.starts_with("XX-00001,rekaan,Tempat rekaan 1,51.03."), "{second}");
        assert_eq!(lines.count(), 199);
        let many = invented(20_000);
        let points: std::collections::BTreeSet<String> = many
            .lines()
            .skip(1)
            .map(|l| l.split(',').skip(4).take(2).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(points.len(), 20_000, "no two at one point");
    }
}
