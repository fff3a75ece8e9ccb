//! GeoJSON features as boundaries: a polygon each, with the area's `code`.

use super::fault::{Fault, Faults};
use super::plan::{Plan, Write};
use super::table::{Column, Table};
use crate::sites::Register;
use crate::sites::check::no;
use kulkul_model::area::{AreaCode, AreaKind};
use std::collections::BTreeMap;

const fn ignored(name: &'static str) -> Column {
    Column { name, aliases: &[], required: false }
}

/// The properties; all but `code` are for people who look at the file.
pub const COLUMNS: &[Column] = &[
    Column { name: "code", aliases: &["kode", "area_code"], required: true },
    ignored("name"),
    ignored("kind"),
    ignored("parent_code"),
    ignored("bps_code"),
];

/// Works out what a collection of shapes changes.
pub fn plan(table: &Table, register: &Register, faults: &mut Faults) -> Plan {
    let mut plan = Plan::default();
    if table.records.iter().all(|r| r.shape.is_none()) {
        faults.add(Fault::file(no("boundary-format")));
        return plan;
    }
    let named = table.named(COLUMNS, faults);
    if faults.count() > 0 {
        return plan;
    }
    let mut seen = BTreeMap::new();
    for cells in named.rows() {
        let code = AreaCode::parse(cells.text("code")).ok();
        let Some(area) = code.as_ref().and_then(|c| register.areas.get(c)) else {
            faults.add(cells.fault("code", no("boundary-area")));
            continue;
        };
        if let Some(row) = seen.insert(area.code.clone(), cells.record.row) {
            faults.add(cells.fault("code", no("code-twice").with("row", row)));
            continue;
        }
        let Some(shape) = &cells.record.shape else {
            faults.add(cells.fault("code", no("boundary-missing")));
            continue;
        };
        if area.kind == AreaKind::Village && !shape.holds(area.centre) {
            faults.add(cells.fault("code", no("centre-outside").with("name", &area.name)));
            continue;
        }
        let write = |shape: &kulkul_model::geometry::Shape| Write::Boundary {
            area: area.code.clone(),
            shape: shape.clone(),
        };
        plan.put(write(shape), register.shapes.get(&area.code).map(write));
    }
    plan
}
