//! The screen: what commands print on stdout, and progress on a terminal.
//!
//! Only this file writes to stdout, so that a closed pipe is an error that ends
//! the command quietly and never a panic.

use std::io::{self, Write as _};

/// Writes one line to stdout.
///
/// # Errors
/// The error of the write, a closed pipe among them.
pub fn line(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref().as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes bytes to stdout as they are.
///
/// # Errors
/// The error of the write, a closed pipe among them.
#[cfg(feature = "hub")]
pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes rows as a table: columns padded to their widest cell, two spaces between.
///
/// # Errors
/// The error of the write, a closed pipe among them.
#[cfg(feature = "hub")]
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut widths: Vec<usize> = heads.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let put = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(padded.join("  ").trim_end())
    };
    put(&mut heads.iter().copied())?;
    for row in rows {
        put(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}
