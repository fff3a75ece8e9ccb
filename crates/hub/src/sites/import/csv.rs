//! CSV as spreadsheets write it (RFC 4180 and its habits): bytes to a table.
//!
//! Understands a byte order mark, UTF-16, Windows-1252, semicolons and tabs, the
//! line `sep=;`, quoted line breaks. Its rows are numbered as a spreadsheet
//! numbers them. It never guesses a closing quote that is not there: one lost
//! quote would swallow the rest of the file in silence.

use super::fault::Fault;
use super::table::{MOST_COLUMNS, MOST_ROWS, Record, Table, unguard};
use crate::sites::check::no;

/// Reads a table.
///
/// # Errors
/// One `Fault` when the file cannot be read as a table at all.
pub fn decode(bytes: &[u8]) -> Result<Table, Fault> {
    let mut notes = Vec::new();
    let text = text(bytes, &mut notes)?;
    let (separator, text, skipped) = separator(&text);
    let mut rows = Rows { rest: text.chars().peekable(), separator, line: skipped, row: skipped };
    let mut table = Table { notes, ..Table::default() };
    while let Some((place, cells)) = rows.next()? {
        if cells.iter().all(String::is_empty) {
            continue;
        }
        if cells.len() > MOST_COLUMNS {
            let said = no("row-too-wide").with("n", cells.len()).with("most", MOST_COLUMNS);
            return Err(Fault::row(place.0, place.1, said));
        }
        if table.columns.is_empty() {
            (table.columns, table.header) = (cells, place.0);
            continue;
        }
        if table.records.len() == MOST_ROWS {
            return Err(Fault::file(no("file-too-long").with("most", MOST_ROWS)));
        }
        table.records.push(Record { row: place.0, line: place.1, cells, shape: None });
    }
    if table.columns.is_empty() { Err(Fault::file(no("file-empty"))) } else { Ok(table) }
}

/// The bytes as text, whichever encoding an office program used.
fn text(bytes: &[u8], notes: &mut Vec<&'static str>) -> Result<String, Fault> {
    let wide = |swap: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).skip(1).filter_map(|c| c.try_into().ok()).map(swap);
        char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| Fault::file(no("file-not-text")))
    };
    match bytes {
        [0xff, 0xfe, ..] => return wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => return wide(u16::from_be_bytes),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(Fault::file(no("file-not-text")));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    notes.push("note-cp1252");
    Ok(bytes.iter().map(|b| cp1252(*b)).collect())
}

/// Windows-1252; its five unused bytes read as U+FFFD.
fn cp1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
        '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// The separator, the text after a line `sep=`, and how many rows that line is.
fn separator(text: &str) -> (char, &str, u64) {
    let first = text.lines().next().unwrap_or_default();
    if let Some(sign) = first.strip_prefix("sep=").and_then(|s| s.chars().next()) {
        let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
        return (sign, rest, 1);
    }
    let mut quoted = false;
    let mut counts = [(',', 0), (';', 0), ('\t', 0)];
    // The first line that is not blank is the header.
    let header = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    for c in header.chars() {
        quoted ^= c == '"';
        for (sign, n) in &mut counts {
            *n += u32::from(!quoted && c == *sign);
        }
    }
    let best = counts.iter().fold((',', 0), |best, c| if c.1 > best.1 { *c } else { best });
    (best.0, text, 0)
}

/// A row's number and line number, and its cells.
type Line = ((u64, u64), Vec<String>);

struct Rows<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    separator: char,
    line: u64,
    row: u64,
}

impl Rows<'_> {
    /// The next row with its row and line numbers; none at the end.
    fn next(&mut self) -> Result<Option<Line>, Fault> {
        if self.rest.peek().is_none() {
            return Ok(None);
        }
        self.row += 1;
        self.line += 1;
        let place = (self.row, self.line);
        let (mut cells, mut cell) = (Vec::new(), String::new());
        loop {
            match self.rest.next() {
                None => break,
                Some('\r') if self.rest.peek() == Some(&'\n') => {}
                Some('\n' | '\r') => break,
                Some(c) if c == self.separator => cells.push(cut(&mut cell)),
                // A quote opens only at the beginning of a cell; elsewhere it is a character (5" pipe).
                Some('"') if cell.trim().is_empty() => {
                    cell.clear();
                    self.quoted(&mut cell, place)?;
                }
                Some(c) => cell.push(c),
            }
        }
        cells.push(cut(&mut cell));
        Ok(Some((place, cells)))
    }

    fn quoted(&mut self, cell: &mut String, place: (u64, u64)) -> Result<(), Fault> {
        loop {
            match self.rest.next() {
                None => return Err(Fault::row(place.0, place.1, no("quote-open"))),
                Some('"') if self.rest.peek() == Some(&'"') => {
                    self.rest.next();
                    cell.push('"');
                }
                Some('"') => return Ok(()),
                Some(c) => {
                    self.line += u64::from(c == '\n');
                    cell.push(c);
                }
            }
        }
    }
}

fn cut(cell: &mut String) -> String {
    // Excel writes a non-breaking space where someone pasted from a web page.
    let mut out = cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
    cell.clear();
    unguard(&mut out);
    out
}
