//! Rows of a table as areas: `code,name,kind,parent_code,lat,lon,bps_code`.

use super::fault::Faults;
use super::plan::{Plan, Write};
use super::table::{Cells, Column, Table};
use crate::sites::Register;
use crate::sites::check::{NAME_CHARS, nearest, no};
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::geometry::Point;
use std::collections::BTreeMap;

/// The columns; `kind` is the register's own word (kabupaten, desa, ...).
pub const COLUMNS: &[Column] = &[
    Column { name: "code", aliases: &["kode", "area_code"], required: true },
    Column { name: "name", aliases: &["nama"], required: true },
    Column { name: "kind", aliases: &["jenis"], required: true },
    Column { name: "parent_code", aliases: &["parent", "induk", "kode_induk"], required: true },
    Column { name: "lat", aliases: &["latitude", "lintang"], required: true },
    Column { name: "lon", aliases: &["longitude", "lng", "bujur"], required: true },
    Column { name: "bps_code", aliases: &["kode_bps"], required: false },
];

/// Works out what a table of areas changes.
pub fn plan(table: &Table, register: &Register, faults: &mut Faults) -> Plan {
    let named = table.named(COLUMNS, faults);
    let mut areas: BTreeMap<AreaCode, (Area, Cells<'_, '_>)> = BTreeMap::new();
    if faults.count() > 0 {
        return Plan::default();
    }
    for cells in named.rows() {
        if let Some(area) = area(cells, register, named.has("bps_code"), faults) {
            if let Some((_, first)) = areas.get(&area.code) {
                faults.add(cells.fault("code", no("code-twice").with("row", first.record.row)));
            } else {
                areas.insert(area.code.clone(), (area, cells));
            }
        }
    }
    let find = |code: &AreaCode| areas.get(code).map(|(a, _)| a).or_else(|| register.areas.get(code));
    let mut depths = BTreeMap::new();
    for (area, cells) in areas.values() {
        match depth(area, &find) {
            Some(depth) => {
                depths.insert(&area.code, depth);
            }
            None => faults.add(cells.fault("parent_code", no("area-loop"))),
        }
        let Some(parent) = &area.parent else { continue };
        match find(parent) {
            None => {
                let near =
                    nearest(parent.as_str(), areas.keys().chain(register.areas.keys()).map(AreaCode::as_str));
                faults.add(cells.fault(
                    "parent_code",
                    match near {
                        Some(near) => no("parent-unknown-near").with("near", near),
                        None => no("parent-unknown"),
                    },
                ));
            }
            // The order of the kinds is that of the tree; an island hangs on whatever it belongs to.
            Some(p) if p.kind >= area.kind => {
                let said = no("parent-kind").with("parent", &p.name).with("kind", &p.local_kind);
                faults.add(cells.fault("parent_code", said));
            }
            Some(_) => {}
        }
        if area.kind == AreaKind::Village
            && register.shapes.get(&area.code).is_some_and(|s| !s.holds(area.centre))
        {
            faults.add(cells.fault("lat", no("centre-outside").with("name", &area.name)));
        }
    }
    let mut plan = Plan::default();
    let mut order: Vec<&Area> = areas.values().map(|(a, _)| a).collect();
    order.sort_by_key(|a| (depths.get(&a.code).copied(), a.code.clone()));
    for area in order {
        plan.put(Write::Area(area.clone()), register.areas.get(&area.code).cloned().map(Write::Area));
    }
    plan
}

/// Steps to the root; none where the tree bites its tail.
fn depth<'a>(area: &'a Area, find: &impl Fn(&AreaCode) -> Option<&'a Area>) -> Option<usize> {
    let up = std::iter::successors(Some(area), |a| a.parent.as_ref().and_then(find));
    let steps = up.take(17).count();
    (steps < 17).then_some(steps)
}

fn area(cells: Cells<'_, '_>, register: &Register, has_bps: bool, faults: &mut Faults) -> Option<Area> {
    let before = faults.count();
    let code = match AreaCode::parse(cells.text("code")) {
        Ok(code) => Some(code),
        Err(_) => {
            faults.add(cells.fault("code", no("area-code-wrong")));
            None
        }
    };
    let name = cells.text("name").to_owned();
    if name.is_empty() {
        faults.add(cells.fault("name", no("name-empty")));
    }
    if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        let said = no("text-too-long").with("n", name.chars().count()).with("most", NAME_CHARS);
        faults.add(cells.fault("name", said));
    }
    let local_kind = cells.text("kind").to_lowercase();
    let kind = AreaKind::parse(&local_kind);
    if kind.is_none() {
        faults.add(cells.fault("kind", no("kind-unknown")));
    }
    let parent = match cells.text("parent_code") {
        "" if kind == Some(AreaKind::Regency) => None,
        "" => {
            faults.add(cells.fault("parent_code", no("cell-empty")));
            None
        }
        text => match AreaCode::parse(text) {
            // The province above the regency is no part of this register.
            Ok(p) if kind == Some(AreaKind::Regency) && !register.areas.contains_key(&p) => None,
            Ok(p) => Some(p),
            Err(_) => {
                faults.add(cells.fault("parent_code", no("area-code-wrong")));
                None
            }
        },
    };
    let lat = cells.degrees("lat", faults);
    let lon = cells.degrees("lon", faults);
    if lat.is_some_and(|l| l.abs() > 90.0) || lon.is_some_and(|l| l.abs() > 180.0) {
        faults.add(cells.fault("lat", no("position-range")));
    }
    if let Some(code) = &code
        && let Some(wanted) = kind_by_code(code)
        && matches!(local_kind.as_str(), "desa" | "kelurahan")
        && wanted != local_kind
    {
        faults.add(cells.fault("kind", no("kind-by-code").with("code", code).with("wanted", wanted)));
    }
    let (code, kind, lat, lon) = (code?, kind?, lat?, lon?);
    let kept = || register.areas.get(&code).and_then(|a| a.bps_code.clone());
    let bps_code = if has_bps { cells.optional("bps_code") } else { kept() };
    let area = Area { code, name, kind, local_kind, parent, bps_code, centre: Point { lat, lon } };
    (faults.count() == before).then_some(area)
}

/// What Kemendagri's code says a village is: its last group begins with 1 for a kelurahan, 2 for a desa.
fn kind_by_code(code: &AreaCode) -> Option<&'static str> {
    let village = code.as_str().split('.').nth(3).filter(|g| g.len() == 4)?;
    match village.as_bytes().first() {
        Some(b'1') => Some("kelurahan"),
        Some(b'2') => Some("desa"),
        _ => None,
    }
}
