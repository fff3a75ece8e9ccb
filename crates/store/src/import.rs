//! Imports on their way into the register: staged, marked, applied, gone.
//!
//! A run is added with its rows while nobody sees them. Marking it as applying
//! is the one step that decides; from there its rows are taken in order, a batch
//! in each transaction together with what the batch writes, so that a run goes on
//! where it was after a restart.

use crate::{Json, Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// Adds a run.
    ADD = "INSERT INTO import_run (id, at_ms, who, file_name, applying, summary)
           VALUES ($1, $2, $3, $4, $5, $6)";
    /// Adds a row to a run.
    ADD_ROW = "INSERT INTO import_row (import_id, seq, noun, body, body_before)
               VALUES ($1, $2, $3, $4, $5)";
    /// Marks a run as applying.
    MARK = "UPDATE import_run SET applying = $2 WHERE id = $1";
    /// All runs: one or two.
    ALL = "SELECT id, at_ms, who, file_name, applying, summary FROM import_run ORDER BY at_ms, id";
    /// Whether a run is applying.
    APPLYING = "SELECT COUNT(*) AS n FROM import_run WHERE applying = $1";
    /// The next rows of a run.
    NEXT = "SELECT seq, noun, body, body_before FROM import_row WHERE import_id = $1
            ORDER BY seq LIMIT $2";
    /// Removes rows of a run up to one.
    DROP_ROWS = "DELETE FROM import_row WHERE import_id = $1 AND seq <= $2";
    /// Removes a run that has no rows left.
    DROP = "DELETE FROM import_run WHERE id = $1";
}

/// One import.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its key, given by the application.
    pub id: String,
    /// When it was asked for.
    pub at: Moment,
    /// Who asked.
    pub who: String,
    /// The file's name.
    pub file_name: String,
    /// Whether it is decided and on its way.
    pub applying: bool,
    /// JSON of what it does, for the audit.
    pub summary: String,
}

/// One row that an import writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Staged {
    /// Its place in the run.
    pub seq: i64,
    /// `area`, `boundary`, `category` or `site`.
    pub noun: String,
    /// JSON of the row as it shall be.
    pub body: String,
    /// JSON of the row as it is; none when it is new.
    pub before: Option<String>,
}

/// Adds a run without rows.
///
/// # Errors
/// `StoreError` of the database.
pub async fn add(tx: &mut Tx, run: &Run) -> Result<(), StoreError> {
    let values = args![
        run.id.as_str(),
        run.at,
        run.who.as_str(),
        run.file_name.as_str(),
        run.applying,
        Json(run.summary.clone()),
    ];
    tx.execute(ADD, values).await.map(drop)
}

/// Adds rows to a run.
///
/// # Errors
/// `StoreError` of the database.
pub async fn add_rows(tx: &mut Tx, id: &str, rows: &[Staged]) -> Result<(), StoreError> {
    for row in rows {
        let before = row.before.clone().map(Json);
        tx.execute(ADD_ROW, args![id, row.seq, row.noun.as_str(), Json(row.body.clone()), before]).await?;
    }
    Ok(())
}

/// Decides for a run: from here on it is applied, whatever happens.
///
/// # Errors
/// `StoreError` of the database.
pub async fn mark(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    tx.execute(MARK, args![id, true]).await.map(drop)
}

/// All runs, oldest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn all(tx: &mut Tx) -> Result<Vec<Run>, StoreError> {
    tx.fetch_all(ALL, args![]).await?.iter().map(read).collect()
}

/// Whether a run is being applied: the register must not be edited meanwhile.
///
/// # Errors
/// `StoreError` of the database.
pub async fn applying(tx: &mut Tx) -> Result<bool, StoreError> {
    let n: i64 = tx.fetch_one(APPLYING, args![true]).await?.get("n")?;
    Ok(n > 0)
}

/// The next rows of a run; none when it is through.
///
/// # Errors
/// `StoreError` of the database.
pub async fn next(tx: &mut Tx, id: &str, limit: u32) -> Result<Vec<Staged>, StoreError> {
    let rows = tx.fetch_all(NEXT, args![id, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Staged {
                seq: row.get("seq")?,
                noun: row.get("noun")?,
                body: row.get::<Json>("body")?.0,
                before: row.get::<Option<Json>>("body_before")?.map(|j| j.0),
            })
        })
        .collect()
}

/// Removes rows of a run up to `seq`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn drop_rows(tx: &mut Tx, id: &str, seq: i64) -> Result<(), StoreError> {
    tx.execute(DROP_ROWS, args![id, seq]).await.map(drop)
}

/// Removes a run without rows.
///
/// # Errors
/// `is_broken_reference` when rows are left.
pub async fn drop_run(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    tx.execute(DROP, args![id]).await.map(drop)
}

fn read(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: row.get("id")?,
        at: row.get("at_ms")?,
        who: row.get("who")?,
        file_name: row.get("file_name")?,
        applying: row.get("applying")?,
        summary: row.get::<Json>("summary")?.0,
    })
}
