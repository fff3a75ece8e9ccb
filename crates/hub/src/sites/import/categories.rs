//! Rows of a table as categories. A file may hold only some columns: the rest stays.

use super::fault::Faults;
use super::plan::{Plan, Write};
use super::table::{Cells, Column, Table};
use crate::sites::Register;
use crate::sites::check::no;
use kulkul_model::category::{Category, CategoryKey};
use std::collections::BTreeMap;

/// The columns; a new category needs prefix and names.
pub const COLUMNS: &[Column] = &[
    Column { name: "category", aliases: &["kategori", "key"], required: true },
    Column { name: "prefix", aliases: &["awalan"], required: false },
    Column { name: "name_id", aliases: &["nama"], required: false },
    Column { name: "name_en", aliases: &[], required: false },
    Column { name: "within", aliases: &["di_dalam"], required: false },
    Column { name: "down_kbps", aliases: &[], required: false },
    Column { name: "up_kbps", aliases: &[], required: false },
    Column { name: "hides_presence", aliases: &[], required: false },
    Column { name: "seed_count", aliases: &["jumlah"], required: false },
];

/// Works out what a table of categories changes.
pub fn plan(table: &Table, register: &Register, faults: &mut Faults) -> Plan {
    let mut plan = Plan::default();
    let named = table.named(COLUMNS, faults);
    if faults.count() > 0 {
        return plan;
    }
    let mut seen: BTreeMap<CategoryKey, u64> = BTreeMap::new();
    let mut prefixes: BTreeMap<String, CategoryKey> =
        register.categories.values().map(|c| (c.prefix.clone(), c.key.clone())).collect();
    let mut rank = register.categories.values().map(|c| c.rank + 1).max().unwrap_or(0);
    for cells in named.rows() {
        let Ok(key) = CategoryKey::parse(cells.text("category")) else {
            faults.add(cells.fault("category", no("category-key-wrong")));
            continue;
        };
        if let Some(row) = seen.insert(key.clone(), cells.record.row) {
            faults.add(cells.fault("category", no("code-twice").with("row", row)));
            continue;
        }
        let old = register.categories.get(&key);
        let mut new = old.cloned().unwrap_or_else(|| Category {
            key: key.clone(),
            prefix: String::new(),
            name_id: String::new(),
            name_en: String::new(),
            rank,
            within: None,
            down_kbps: None,
            up_kbps: None,
            hides_presence: false,
        });
        rank += u32::from(old.is_none());
        fill(&mut new, cells, |column| named.has(column), faults);
        match prefixes.get(&new.prefix) {
            Some(other) if *other != key => {
                faults.add(cells.fault("prefix", no("prefix-taken").with("category", other)));
            }
            _ => {
                prefixes.insert(new.prefix.clone(), key.clone());
            }
        }
        if let Some(expected) = cells.whole("seed_count", faults) {
            let found = register.sites.values().filter(|s| s.category == key).count();
            if found > 0 && u32::try_from(found) != Ok(expected) {
                let said = no("note-count").with("category", &key).with("expected", expected);
                plan.notes.push(said.with("found", found));
            }
        }
        plan.put(Write::Category(new), old.cloned().map(Write::Category));
    }
    plan
}

fn fill(new: &mut Category, cells: Cells<'_, '_>, has: impl Fn(&str) -> bool, faults: &mut Faults) {
    for (column, place) in
        [("prefix", &mut new.prefix), ("name_id", &mut new.name_id), ("name_en", &mut new.name_en)]
    {
        if has(column) {
            cells.text(column).clone_into(place);
        }
        if place.is_empty() {
            faults.add(cells.fault(column, no("cell-empty")));
        } else if column == "prefix"
            && !(place.len() <= 3 && place.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
        {
            faults.add(cells.fault(column, no("prefix-form")));
        }
    }
    if has("within") {
        new.within = cells.optional("within").map(|w| w.to_lowercase());
        if new.within.as_deref().is_some_and(|w| w != "desa" && w != "kelurahan") {
            faults.add(cells.fault("within", no("within-unknown")));
        }
    }
    if has("down_kbps") {
        new.down_kbps = cells.whole("down_kbps", faults);
    }
    if has("up_kbps") {
        new.up_kbps = cells.whole("up_kbps", faults);
    }
    if has("hides_presence") {
        match cells.text("hides_presence").to_lowercase().as_str() {
            "yes" | "true" | "1" | "ya" => new.hides_presence = true,
            "no" | "false" | "0" | "tidak" | "" => new.hides_presence = false,
            _ => faults.add(cells.fault("hides_presence", no("yes-or-no"))),
        }
    }
}
