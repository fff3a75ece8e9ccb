//! Rows of a table as sites.
//!
//! An import writes the facts of the register. What staff decide about a site
//! (stage, capacity, upstream) stays as it is unless the file has that column,
//! and a surveyed position stays unless the file brings a surveyed one.

use super::fault::Faults;
use super::plan::{Plan, Write};
use super::table::{Cells, Column, Named, Table};
use crate::sites::Register;
use crate::sites::check::{self, Crowd, no};
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::geometry::Point;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use std::collections::BTreeMap;

const fn column(name: &'static str, aliases: &'static [&'static str], required: bool) -> Column {
    Column { name, aliases, required }
}

/// The columns, in the order of an export.
pub const COLUMNS: &[Column] = &[
    column("site_code", &["code", "kode", "kode_lokasi"], true),
    column("category", &["kategori"], true),
    column("name", &["nama"], true),
    column("area_code", &["area", "kode_wilayah", "kode_desa"], true),
    column("lat", &["latitude", "lintang"], true),
    column("lon", &["longitude", "lng", "bujur"], true),
    column("source", &["sumber"], false),
    column("quality", &["kualitas"], false),
    column("position_quality", &[], false),
    column("name_quality", &[], false),
    column("official_id", &["npsn", "id_resmi"], false),
    column("address", &["alamat"], false),
    column("coord_basis", &["position_basis"], false),
    column("stage", &["tahap"], false),
    column("down_kbps", &[], false),
    column("up_kbps", &[], false),
    column("upstream", &["hulu"], false),
    // What was observed when the file was made: nobody can import that.
    column("observed", &[], false),
    column("expected", &[], false),
    column("since", &[], false),
    column("seen_at", &[], false),
];

/// What staff decide; an import without the column leaves it alone.
const DECIDED: [&str; 4] = ["stage", "down_kbps", "up_kbps", "upstream"];

/// Works out what a table of sites changes.
pub fn plan(table: &Table, register: &Register, file_name: &str, faults: &mut Faults) -> Plan {
    let mut plan = Plan::default();
    let named = table.named(COLUMNS, faults);
    if faults.count() > 0 {
        return plan;
    }
    let mut rows: BTreeMap<SiteCode, (Site, Cells<'_, '_>)> = BTreeMap::new();
    for cells in named.rows() {
        let Some(site) = site(cells, &named, register, file_name, faults) else { continue };
        for (field, why) in check::site(register, &site) {
            faults.add(cells.fault(field, why));
        }
        match rows.get(&site.code) {
            Some((_, first)) => {
                faults.add(cells.fault("site_code", no("code-twice").with("row", first.record.row)));
            }
            None => {
                rows.insert(site.code.clone(), (site, cells));
            }
        }
    }
    let mut crowd = Crowd::default();
    for site in register.sites.values().filter(|s| !rows.contains_key(&s.code)) {
        crowd.enter(site);
    }
    let mut kept_positions = 0;
    for (site, cells) in rows.values() {
        for (field, why) in crowd.enter(site) {
            faults.add(cells.fault(field, why));
        }
        let old = register.sites.get(&site.code);
        let mut new = site.clone();
        if let Some(old) = old {
            if old.position_quality == PositionQuality::Surveyed
                && new.position_quality != PositionQuality::Surveyed
            {
                new.position = old.position;
                new.position_quality = old.position_quality;
                new.position_basis = old.position_basis.clone();
                kept_positions += 1;
            }
            new.revision = old.revision;
            if new != *old {
                new.revision += 1;
            }
        }
        plan.put(Write::Site(new), old.cloned().map(Write::Site));
    }
    notes(&mut plan, &named, register, &rows, kept_positions);
    plan
}

fn notes(
    plan: &mut Plan,
    named: &Named<'_>,
    register: &Register,
    rows: &BTreeMap<SiteCode, (Site, Cells<'_, '_>)>,
    kept_positions: usize,
) {
    if register.sites.is_empty() {
        return;
    }
    let kept: Vec<&str> = DECIDED.into_iter().filter(|c| !named.has(c)).collect();
    if !kept.is_empty() {
        plan.notes.push(no("note-kept").with("columns", kept.join(", ")));
    }
    if kept_positions > 0 {
        plan.notes.push(no("note-surveyed").with("n", kept_positions));
    }
    let absent = register.sites.keys().filter(|c| !rows.contains_key(c)).count();
    if absent > 0 {
        plan.notes.push(no("note-absent").with("n", absent));
    }
}

fn site(
    cells: Cells<'_, '_>,
    named: &Named<'_>,
    register: &Register,
    file_name: &str,
    faults: &mut Faults,
) -> Option<Site> {
    let code = SiteCode::parse(cells.text("site_code")).ok();
    if code.is_none() {
        faults.add(cells.fault("site_code", no("site-code-wrong")));
    }
    let category = CategoryKey::parse(cells.text("category")).ok();
    if category.is_none() {
        faults.add(cells.fault("category", check::unknown_category(register, cells.text("category"))));
    }
    let area = AreaCode::parse(cells.text("area_code")).ok();
    if area.is_none() {
        faults.add(cells.fault("area_code", no("area-code-wrong")));
    }
    let (lat, lon) = (cells.degrees("lat", faults), cells.degrees("lon", faults));
    let old = code.as_ref().and_then(|c| register.sites.get(c));
    let quality = quality(cells, named, old, faults);
    let stage = match cells.text("stage") {
        "" => Some(old.map_or(Stage::Planned, |o| o.stage)),
        text => {
            let stage = Stage::parse(text);
            if stage.is_none() {
                let known = Stage::ALL.map(Stage::as_str);
                faults.add(cells.fault(
                    "stage",
                    match check::nearest(text, known) {
                        Some(near) => no("stage-unknown-near").with("near", near),
                        None => no("stage-unknown").with("known", known.join(", ")),
                    },
                ));
            }
            stage
        }
    };
    let rate = |column: &'static str, kept: Option<u32>, faults: &mut Faults| {
        if named.has(column) { cells.whole(column, faults) } else { kept }
    };
    let down_kbps = rate("down_kbps", old.and_then(|o| o.down_kbps), faults);
    let up_kbps = rate("up_kbps", old.and_then(|o| o.up_kbps), faults);
    let text = |column: &str, kept: Option<String>| {
        if named.has(column) { cells.optional(column) } else { kept }
    };
    let kept = |field: fn(&Site) -> &Option<String>| old.and_then(|o| field(o).clone());
    let (position_quality, name_quality) = quality?;
    Some(Site {
        code: code?,
        category: category?,
        name: cells.text("name").to_owned(),
        area: area?,
        position: Point { lat: lat?, lon: lon? },
        position_quality,
        position_basis: text("coord_basis", kept(|o| &o.position_basis)),
        name_quality,
        source: text("source", old.map(|o| o.source.clone())).unwrap_or_else(|| file_name.to_owned()),
        official_id: text("official_id", kept(|o| &o.official_id)),
        address: text("address", kept(|o| &o.address)),
        stage: stage?,
        down_kbps,
        up_kbps,
        upstream: text("upstream", kept(|o| &o.upstream)),
        revision: 1,
    })
}

/// The qualities of position and name: their own columns, else the seed's one column.
fn quality(
    cells: Cells<'_, '_>,
    named: &Named<'_>,
    old: Option<&Site>,
    faults: &mut Faults,
) -> Option<(PositionQuality, NameQuality)> {
    let mut position = old.map_or(PositionQuality::Approximate, |o| o.position_quality);
    let mut name = old.map_or(NameQuality::Sourced, |o| o.name_quality);
    let before = faults.count();
    if named.has("quality") {
        (position, name) = match cells.text("quality") {
            "sourced" => (PositionQuality::Sourced, NameQuality::Sourced),
            "name-only" => (PositionQuality::Approximate, NameQuality::Sourced),
            "placeholder" => (PositionQuality::Approximate, NameQuality::Placeholder),
            _ => {
                faults.add(cells.fault("quality", no("quality-unknown")));
                (position, name)
            }
        };
    }
    if named.has("position_quality") {
        match PositionQuality::parse(cells.text("position_quality")) {
            Some(q) => position = q,
            None => faults.add(cells.fault("position_quality", no("position-quality-unknown"))),
        }
    }
    if named.has("name_quality") {
        match NameQuality::parse(cells.text("name_quality")) {
            Some(q) => name = q,
            None => faults.add(cells.fault("name_quality", no("name-quality-unknown"))),
        }
    }
    (faults.count() == before).then_some((position, name))
}
