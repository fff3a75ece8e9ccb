//! A table with named columns, whatever file it came from.

use super::fault::{Fault, Faults};
use crate::sites::check::{nearest, no};
use kulkul_model::geometry::Shape;

/// Rows of a file at most.
pub const MOST_ROWS: usize = 200_000;
/// Columns of a file at most.
pub const MOST_COLUMNS: usize = 64;

/// One row with its place in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The row as a spreadsheet numbers it, or the number of a GeoJSON feature; from 1.
    pub row: u64,
    /// The line of a text file, where rows span lines; else the row.
    pub line: u64,
    /// The cells, trimmed, as many as the table has columns.
    pub cells: Vec<String>,
    /// The shape of a GeoJSON feature that has one.
    pub shape: Option<Shape>,
}

/// What a decoder makes of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Column names as the file has them, trimmed.
    pub columns: Vec<String>,
    /// The row that the names stand in; 0 where names are not in a row.
    pub header: u64,
    /// The rows below the header.
    pub records: Vec<Record>,
    /// Codes of notes about how the file was read, for the summary.
    pub notes: Vec<&'static str>,
}

/// A column that an import knows.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in messages and exports.
    pub name: &'static str,
    /// Other names that people write.
    pub aliases: &'static [&'static str],
    /// Whether the file must have it.
    pub required: bool,
}

/// A table whose columns are known.
pub struct Named<'a> {
    table: &'a Table,
    places: Vec<(&'static str, usize)>,
}

/// Column names compare without case, spaces, hyphens and underscores.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Table {
    /// Finds the known columns; a missing, unknown or doubled one is a fault.
    pub fn named(&self, known: &[Column], faults: &mut Faults) -> Named<'_> {
        let mut places: Vec<(&'static str, usize)> = Vec::new();
        for (at, name) in self.columns.iter().enumerate() {
            let wanted = folded(name);
            let column = known
                .iter()
                .find(|c| folded(c.name) == wanted || c.aliases.iter().any(|a| folded(a) == wanted));
            match column {
                Some(c) if places.iter().any(|(n, _)| *n == c.name) => {
                    faults.add(Fault::header(self.header, name, no("column-twice").with("column", c.name)));
                }
                Some(c) => places.push((c.name, at)),
                // A nameless column without cells is how spreadsheets end a table.
                None if name.is_empty()
                    && self.records.iter().all(|r| r.cells.get(at).is_none_or(String::is_empty)) => {}
                None => faults.add(Fault::header(
                    self.header,
                    name,
                    match nearest(name, known.iter().map(|c| c.name)) {
                        Some(near) => no("column-unknown-near").with("near", near),
                        None => no("column-unknown")
                            .with("known", known.iter().map(|c| c.name).collect::<Vec<_>>().join(", ")),
                    },
                )),
            }
        }
        for record in &self.records {
            let (wide, n) = (self.columns.len(), record.cells.len());
            // Cells beyond the header matter only when something stands in them.
            if n < wide || record.cells.iter().skip(wide).any(|c| !c.is_empty()) {
                let said = no("row-ragged").with("n", n).with("columns", wide);
                faults.add(Fault::row(record.row, record.line, said));
            }
        }
        for column in known.iter().filter(|c| c.required) {
            if !places.iter().any(|(n, _)| *n == column.name) {
                faults.add(Fault::header(self.header, column.name, no("column-missing")));
            }
        }
        Named { table: self, places }
    }
}

impl<'a> Named<'a> {
    /// Whether the file has the column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.places.iter().any(|(n, _)| *n == column)
    }

    /// The rows, with a way to ask for a cell by its column's name.
    pub fn rows(&self) -> impl Iterator<Item = Cells<'_, 'a>> {
        self.table.records.iter().map(|record| Cells { named: self, record })
    }
}

/// One row whose cells have names.
#[derive(Clone, Copy)]
pub struct Cells<'n, 'a> {
    named: &'n Named<'a>,
    /// The row.
    pub record: &'a Record,
}

impl<'a> Cells<'_, 'a> {
    /// The cell's text; empty where the file has no such column.
    #[must_use]
    pub fn text(&self, column: &str) -> &'a str {
        let place = self.named.places.iter().find(|(n, _)| *n == column).map(|(_, at)| *at);
        place.and_then(|at| self.record.cells.get(at)).map_or("", String::as_str)
    }

    /// The cell's text, or none where it is empty.
    #[must_use]
    pub fn optional(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|t| !t.is_empty()).map(str::to_owned)
    }

    /// A fault of this row.
    #[must_use]
    pub fn fault(&self, column: &'static str, why: kulkul_model::Refusal) -> Fault {
        Fault {
            row: self.record.row,
            line: self.record.line,
            column: column.to_owned(),
            value: self.text(column).to_owned(),
            why,
        }
    }

    /// A number in degrees; a decimal comma is understood.
    pub fn degrees(&self, column: &'static str, faults: &mut Faults) -> Option<f64> {
        let text = self.text(column);
        if text.is_empty() {
            faults.add(self.fault(column, no("cell-empty")));
            return None;
        }
        let comma = text.matches(',').count() == 1 && !text.contains('.');
        let number = if comma { text.replace(',', ".") } else { text.to_owned() };
        // `parse` also takes "inf", "nan" and "1e5", which no coordinate is written as.
        let plain = number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
        match number.parse::<f64>().ok().filter(|n| plain && n.is_finite()) {
            Some(n) => Some(n),
            None => {
                faults.add(self.fault(column, no("number-wrong")));
                None
            }
        }
    }

    /// A whole number; none where the cell is empty.
    pub fn whole(&self, column: &'static str, faults: &mut Faults) -> Option<u32> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse::<u32>().ok();
        if number.is_none() {
            faults.add(self.fault(column, no("whole-wrong")));
        }
        number
    }
}

/// A text that a spreadsheet would run as a formula gets an apostrophe before it.
#[must_use]
pub fn guard(text: &str) -> String {
    if formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// Takes away the apostrophe of `guard`.
pub(super) fn unguard(text: &mut String) {
    if text.starts_with('\'') && formula(text.trim_start_matches('\'')) {
        text.remove(0);
    }
}

/// Whether a spreadsheet runs the text; a plain number is only a number.
fn formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err()
}
