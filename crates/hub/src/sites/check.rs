//! What a site must be to enter the register: one set of rules for imports and edits.
//!
//! Pure: the register is given, nothing is read or written. A rule that says no
//! names the field and gives a `Refusal` whose words say how to mend it.

use super::register::Register;
use kulkul_model::Refusal;
use kulkul_model::area::{AreaCode, AreaKind};
use kulkul_model::category::CategoryKey;
use kulkul_model::geometry::Point;
use kulkul_model::site::{PositionQuality, Site, SiteCode};

/// A place whose position has a source may lie this far outside its village's simplified shape.
pub const TOLERANCE_M: f64 = 250.0;
/// Degrees around the register's shapes in which a site may lie.
const MARGIN: f64 = 0.01;
/// Characters of a name at most.
pub const NAME_CHARS: usize = 120;
/// Characters of any other text at most.
pub const TEXT_CHARS: usize = 400;

/// A rule said no to one field.
pub type No = (&'static str, Refusal);

/// A refusal of the register's rules.
#[must_use]
pub const fn no(code: &'static str) -> Refusal {
    Refusal::new(422, code)
}

/// The known text nearest to a wrong one, when it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&wrong, &k.to_lowercase()), k))
        .filter(|(far, k)| *far <= 2.max(k.chars().count() / 3))
        .min()
        .map(|(_, k)| k)
}

/// Checks one site against the register; gives every rule that it breaks.
///
/// Duplicates of code, point and name are `Crowd`'s work.
#[must_use]
pub fn site(register: &Register, site: &Site) -> Vec<No> {
    let mut out = Vec::new();
    texts(site, &mut out);
    category(register, site, &mut out);
    area(register, &site.area, &mut out);
    if out.iter().all(|(field, _)| *field != "area_code") {
        within(register, site, &mut out);
        if let Err(no) = position(register, site) {
            out.push(no);
        }
    }
    out
}

fn texts(site: &Site, out: &mut Vec<No>) {
    if site.name.trim().is_empty() {
        out.push(("name", no("name-empty")));
    }
    let optional = |t: &Option<String>| t.clone().unwrap_or_default();
    let all = [
        ("name", site.name.clone(), NAME_CHARS),
        ("source", site.source.clone(), TEXT_CHARS),
        ("coord_basis", optional(&site.position_basis), TEXT_CHARS),
        ("official_id", optional(&site.official_id), 64),
        ("address", optional(&site.address), TEXT_CHARS),
        ("upstream", optional(&site.upstream), 64),
    ];
    for (field, text, most) in all {
        let long = text.chars().count();
        if long > most {
            out.push((field, no("text-too-long").with("n", long).with("most", most)));
        }
        if text.chars().any(char::is_control) {
            out.push((field, no("text-control")));
        }
    }
    for (field, rate) in [("down_kbps", site.down_kbps), ("up_kbps", site.up_kbps)] {
        if rate.is_some_and(|r| !(64..=10_000_000).contains(&r)) {
            out.push((field, no("rate-range")));
        }
    }
}

fn category(register: &Register, site: &Site, out: &mut Vec<No>) {
    match register.categories.get(&site.category) {
        None => out.push(("category", unknown_category(register, site.category.as_str()))),
        Some(c) if c.prefix != site.code.prefix() => {
            out.push(("site_code", no("prefix-wrong").with("category", &c.key).with("prefix", &c.prefix)));
        }
        Some(_) => {}
    }
}

/// The refusal for a category that the register does not have.
#[must_use]
pub fn unknown_category(register: &Register, key: &str) -> Refusal {
    let known = register.categories.keys().map(CategoryKey::as_str);
    match nearest(key, known.clone()) {
        Some(near) => no("category-unknown-near").with("near", near),
        None if register.categories.is_empty() => no("category-none"),
        None => no("category-unknown").with("known", known.collect::<Vec<_>>().join(", ")),
    }
}

fn area(register: &Register, code: &AreaCode, out: &mut Vec<No>) {
    match register.areas.get(code) {
        None => {
            let known = register.areas.values().filter(|a| a.kind == AreaKind::Village);
            let near = nearest(code.as_str(), known.map(|a| a.code.as_str()));
            let near = near.and_then(|c| register.areas.values().find(|a| a.code.as_str() == c));
            out.push((
                "area_code",
                match near {
                    Some(a) => no("area-unknown-near").with("near", &a.code).with("name", &a.name),
                    None => no("area-unknown"),
                },
            ));
        }
        Some(a) if !matches!(a.kind, AreaKind::Village | AreaKind::Hamlet) => {
            out.push(("area_code", no("area-not-village").with("name", &a.name).with("kind", &a.local_kind)));
        }
        Some(_) => {}
    }
}

fn within(register: &Register, site: &Site, out: &mut Vec<No>) {
    let Some(wanted) = register.categories.get(&site.category).and_then(|c| c.within.as_deref()) else {
        return;
    };
    let Some(village) = register.up(&site.area).find(|a| a.kind == AreaKind::Village) else { return };
    if village.local_kind != wanted {
        let said = no("area-wrong-kind").with("name", &village.name).with("kind", &village.local_kind);
        out.push(("area_code", said.with("category", &site.category).with("wanted", wanted)));
    }
}

fn in_box(p: Point, (sw, ne): (Point, Point)) -> bool {
    (sw.lat - MARGIN..=ne.lat + MARGIN).contains(&p.lat)
        && (sw.lon - MARGIN..=ne.lon + MARGIN).contains(&p.lon)
}

fn position(register: &Register, site: &Site) -> Result<(), No> {
    let p = site.position;
    let swapped = Point { lat: p.lon, lon: p.lat };
    let mirrored = Point { lat: -p.lat, lon: p.lon };
    if let Some(around) = register.bounds
        && !in_box(p, around)
    {
        return Err(if in_box(swapped, around) {
            ("lat", no("position-swapped").with("lat", p.lon).with("lon", p.lat))
        } else if in_box(mirrored, around) {
            ("lat", no("position-sign").with("lat", -p.lat))
        } else {
            let (sw, ne) = around;
            let said = no("position-outside").with("south", sw.lat).with("north", ne.lat);
            ("lat", said.with("west", sw.lon).with("east", ne.lon))
        });
    }
    if !(-90.0..=90.0).contains(&p.lat) || !(-180.0..=180.0).contains(&p.lon) {
        return Err(("lat", no("position-range")));
    }
    let Some((village, shape)) = register.shape_around(&site.area) else { return Ok(()) };
    if shape.holds(p) {
        return Ok(());
    }
    let metres = shape.metres_to_edge(p);
    if site.position_quality != PositionQuality::Approximate && metres <= TOLERANCE_M {
        return Ok(());
    }
    let holder = register
        .areas
        .values()
        .find(|a| a.kind == AreaKind::Village && register.shapes.get(&a.code).is_some_and(|s| s.holds(p)));
    let said = match holder {
        Some(a) => no("position-other-village").with("other", &a.name).with("code", &a.code),
        None => no("position-outside-village"),
    };
    Err(("lat", said.with("village", &village.name).with("metres", metres.round())))
}

/// Who already has a code, a point or a name, so that no two sites share one.
#[derive(Debug, Default)]
pub struct Crowd {
    points: std::collections::BTreeMap<(u64, u64), SiteCode>,
    names: std::collections::BTreeMap<(CategoryKey, String, AreaCode), SiteCode>,
}

impl Crowd {
    /// Takes a site in; gives the fields that it shares with another one.
    pub fn enter(&mut self, site: &Site) -> Vec<No> {
        let mut out = Vec::new();
        let point = (site.position.lat.to_bits(), site.position.lon.to_bits());
        let name = (site.category.clone(), site.name.to_lowercase(), site.area.clone());
        let at_point = self.points.entry(point).or_insert_with(|| site.code.clone());
        if *at_point != site.code {
            out.push(("lat", no("position-taken").with("site", at_point)));
        }
        let of_name = self.names.entry(name).or_insert_with(|| site.code.clone());
        if *of_name != site.code {
            out.push(("name", no("name-taken").with("site", of_name)));
        }
        out
    }
}
