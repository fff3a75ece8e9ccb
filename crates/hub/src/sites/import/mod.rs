//! Importing areas, boundaries, categories and sites from CSV, XLSX and GeoJSON.
//!
//! All or nothing: every bad row is named with row, column, value and mend, and a
//! file with one bad row changes nothing. `csv`, `xlsx` and `geojson` turn bytes
//! into a `table`; `areas`, `boundaries`, `categories` and `sites` turn that into a
//! `plan` against the register as it stands; `apply` writes it.

mod apply;
mod areas;
mod boundaries;
mod categories;
mod csv;
mod fault;
mod geojson;
mod plan;
mod report;
mod sites;
mod table;
mod xlsx;

#[cfg(test)]
mod tests;

use super::check::no;
use super::register::{self, Register};
use apply::Decision;
pub use apply::{move_now, resume};
pub use fault::{Fault, Faults, sentence};
use kulkul_model::Moment;
use kulkul_store::{Store, StoreError};
use plan::Plan;
pub use report::Report;
pub use table::{Column, Table, guard};

/// Bytes of a file at most.
pub const MOST_BYTES: usize = 50 << 20;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Areas, with their place in the tree.
    Areas,
    /// Shapes of areas; GeoJSON only.
    Boundaries,
    /// Categories, whole or some of their columns.
    Categories,
    /// Sites.
    Sites,
}

impl Kind {
    /// All kinds, in the order in which a register is built up.
    pub const ALL: [Kind; 4] = [Kind::Areas, Kind::Boundaries, Kind::Categories, Kind::Sites];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Areas => "areas",
            Kind::Boundaries => "boundaries",
            Kind::Categories => "categories",
            Kind::Sites => "sites",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Check and report only.
    pub dry_run: bool,
    /// Who asks, for the audit: `cli:USER`, `staff:NAME`.
    pub who: String,
}

/// An import that did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file has faults; the report names them.
    #[error("{0}")]
    Faults(Box<Report>),
    /// Another import is being written.
    #[error("another import is being written; try again when it is done")]
    Busy,
    /// Others kept changing the register while the file was checked.
    #[error("the register was changed three times while the file was checked; try again")]
    Moved,
    /// The database failed.
    #[error("importing: {0}")]
    Store(#[from] StoreError),
}

/// Imports a file, or only checks it.
///
/// The format is seen from the bytes, not from the name. A report comes back when
/// the file is sound, whether or not it changed anything.
///
/// # Errors
/// `Faults` with everything that is wrong with the file; `Busy`, `Moved`, `Store`.
pub async fn run(
    store: &Store,
    kind: Kind,
    bytes: Vec<u8>,
    file_name: &str,
    options: &ImportOptions,
    now: Moment,
) -> Result<Report, ImportError> {
    // Reading and checking 50 MB takes seconds of pure work, which must not hold up the runtime.
    let table = blocking(move || decode(&bytes)).await?;
    let table = std::sync::Arc::new(table);
    for _ in 0..3 {
        let mut tx = store.reader().await?;
        let register = register::load(&mut tx).await?;
        drop(tx);
        let version = register.version;
        let (table, name) = (std::sync::Arc::clone(&table), file_name.to_owned());
        let (plan, report) = blocking(move || check(kind, &table, &register, &name)).await?;
        let report = Report { dry_run: options.dry_run, ..report };
        if report.faults.count() > 0 {
            return Err(ImportError::Faults(Box::new(report)));
        }
        if options.dry_run || plan.rows.is_empty() {
            return Ok(report);
        }
        match apply::apply(store, &plan, &report, &options.who, version, now).await? {
            Decision::Done => return Ok(report),
            Decision::Moved => {}
        }
    }
    Err(ImportError::Moved)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Panicked)
}

/// Checks a decoded file against a register: what it would write, and what to say about it.
fn check(kind: Kind, table: &Result<Table, Fault>, register: &Register, name: &str) -> (Plan, Report) {
    let mut faults = Faults::default();
    let (mut plan, rows) = match table {
        Err(fault) => {
            faults.add(fault.clone());
            (Plan::default(), 0)
        }
        Ok(table) => {
            let plan = match kind {
                Kind::Areas => areas::plan(table, register, &mut faults),
                Kind::Boundaries => boundaries::plan(table, register, &mut faults),
                Kind::Categories => categories::plan(table, register, &mut faults),
                Kind::Sites => sites::plan(table, register, name, &mut faults),
            };
            (plan, table.records.len())
        }
    };
    faults.sort();
    if let Ok(table) = table {
        plan.notes.extend(table.notes.iter().map(|code| no(code)));
    }
    let report = Report {
        kind: kind.as_str(),
        file_name: name.to_owned(),
        dry_run: false,
        rows,
        added: plan.added(),
        changed: plan.changed(),
        unchanged: plan.unchanged,
        notes: plan.notes.clone(),
        faults,
    };
    (plan, report)
}

/// Reads a file of any of the formats as a table.
///
/// # Errors
/// One `Fault` when it cannot be read as a table at all.
pub fn decode(bytes: &[u8]) -> Result<Table, Fault> {
    if bytes.len() > MOST_BYTES {
        return Err(Fault::file(no("file-too-big").with("mb", MOST_BYTES >> 20)));
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if bytes.starts_with(b"PK\x03\x04") {
        xlsx::decode(bytes)
    } else if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        Err(Fault::file(no("file-old-excel")))
    } else if bytes.starts_with(b"%PDF") {
        Err(Fault::file(no("file-not-text")))
    } else if start.starts_with(b"{") || start.starts_with(b"[") {
        geojson::decode(bytes)
    } else {
        csv::decode(bytes)
    }
}
