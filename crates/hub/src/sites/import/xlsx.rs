//! XLSX (ECMA-376): the first sheet that has cells, as a table.
//!
//! Cells are read one by one and bounded: a sheet of two cells may claim to be
//! 16,384 columns wide and a million rows long.

use super::fault::Fault;
use super::table::{MOST_COLUMNS, MOST_ROWS, Record, Table, unguard};
use crate::sites::check::no;
use calamine::{DataRef, Reader as _, Xlsx};
use std::io::Cursor;

/// Bytes of the unpacked file at most, as its own directory states them.
const MOST_UNPACKED: u64 = 400 << 20;

/// Reads a table.
///
/// # Errors
/// One `Fault` when the file cannot be read as a table at all.
pub fn decode(bytes: &[u8]) -> Result<Table, Fault> {
    let broken = |detail: String| Fault::file(no("xlsx-broken").with("detail", detail));
    if unpacked(bytes) > MOST_UNPACKED {
        return Err(Fault::file(no("xlsx-bomb")));
    }
    let mut book: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|e: calamine::XlsxError| broken(e.to_string()))?;
    for sheet in book.sheet_names() {
        let mut table = Table::default();
        let mut row = (0, Vec::new());
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(|e| broken(e.to_string()))?;
        while let Some(cell) = cells.next_cell().map_err(|e| broken(e.to_string()))? {
            let (at, column) = cell.get_position();
            let number = u64::from(at) + 1;
            let mut text = shown(cell.get_value());
            unguard(&mut text);
            if text.is_empty() {
                continue;
            }
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if column >= MOST_COLUMNS {
                let said = no("row-too-wide").with("n", column).with("most", MOST_COLUMNS);
                return Err(Fault::row(number, number, said));
            }
            if number != row.0 {
                end(&mut table, std::mem::replace(&mut row, (number, Vec::new())))?;
            }
            if row.1.len() <= column {
                row.1.resize(column + 1, String::new());
            }
            if let Some(place) = row.1.get_mut(column) {
                *place = text;
            }
        }
        end(&mut table, row)?;
        if !table.columns.is_empty() {
            return Ok(table);
        }
    }
    Err(Fault::file(no("file-empty")))
}

fn end(table: &mut Table, (row, mut cells): (u64, Vec<String>)) -> Result<(), Fault> {
    if cells.is_empty() {
        return Ok(());
    }
    if table.columns.is_empty() {
        (table.columns, table.header) = (cells, row);
        return Ok(());
    }
    if table.records.len() == MOST_ROWS {
        return Err(Fault::file(no("file-too-long").with("most", MOST_ROWS)));
    }
    // A sheet has no cells where nothing was typed, so a short row is not ragged here.
    if cells.len() < table.columns.len() {
        cells.resize(table.columns.len(), String::new());
    }
    table.records.push(Record { row, line: row, cells, shape: None });
    Ok(())
}

/// The cell as a person sees it; numbers without an exponent.
fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(s) => s.trim().to_owned(),
        DataRef::SharedString(s) => s.trim().to_owned(),
        DataRef::Bool(b) => b.to_string(),
        DataRef::Int(n) => n.to_string(),
        // Rust writes 15000.0 as "15000" and never with an exponent.
        DataRef::Float(n) => n.to_string(),
        DataRef::DateTimeIso(s) | DataRef::DurationIso(s) => s.trim().to_owned(),
        DataRef::DateTime(d) => d.as_f64().to_string(),
        DataRef::Error(e) => format!("{e:?}"),
    }
}

/// Sum of the unpacked sizes in the archive's directory (APPNOTE 4.3.12); 0 when there is none.
fn unpacked(bytes: &[u8]) -> u64 {
    let mut sum = 0;
    for (at, _) in bytes.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x01\x02") {
        let size = bytes.get(at + 24..at + 28).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
        sum += u64::from(size);
    }
    sum
}
