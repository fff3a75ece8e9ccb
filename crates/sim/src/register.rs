//! Invented places, for load beyond the 987 of the built-in register.

use kulkul_hub::sites::builtin;
use kulkul_hub::sites::import::Kind;
use std::fmt::Write as _;

/// The letters of invented site codes: no category of the register uses them.
pub const INVENTED_PREFIX: &str = "XX";

/// The text of the built-in register's file of this kind.
fn built_in(kind: Kind) -> &'static str {
    let file = builtin::badung().into_iter().find(|f| f.kind == kind);
    file.and_then(|f| std::str::from_utf8(f.bytes).ok()).unwrap_or_default()
}

/// A register file of `count` invented places, spread over the register's villages.
///
/// Every name says that it is invented. They stand on a spiral around their village's
/// centre, within some 90 metres for 20,000, no two at one point.
#[must_use]
pub fn invented(count: u32) -> String {
    let villages: Vec<(&str, f64, f64)> = built_in(Kind::Areas)
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
        assert_eq!(lines.next(), built_in(Kind::Sites).lines().next());
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
