//! Imports on their way into the register: staged, decided, moved, gone.
//!
//! A run is added with its rows while nobody sees them. Marking it as applying is
//! the one row that decides: from then on every reader of areas, boundaries,
//! categories and sites sees all of its rows, laid over the tables (`over`), and
//! none before. Moving the rows into their tables, a batch in each transaction,
//! changes nothing that is seen, and goes on where it was after a restart.

use crate::{Json, Row, StoreError, Tx, area, args, boundary, category, site, statements};
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::category::Category;
use kulkul_model::geometry::Shape;
use kulkul_model::site::Site;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

statements! {
    /// Adds a run.
    ADD = "INSERT INTO import_run (id, at_ms, who, file_name, applying, summary)
           VALUES ($1, $2, $3, $4, $5, $6)";
    /// Adds a row to a run.
    ADD_ROW = "INSERT INTO import_row (import_id, seq, noun, object, body, body_before)
               VALUES ($1, $2, $3, $4, $5, $6)";
    /// Marks a run as applying.
    MARK = "UPDATE import_run SET applying = $2 WHERE id = $1";
    /// All runs: one or two.
    ALL = "SELECT id, at_ms, who, file_name, applying, summary FROM import_run ORDER BY at_ms, id";
    /// The run that is applying.
    APPLYING = "SELECT id FROM import_run WHERE applying = $1 ORDER BY id LIMIT 1";
    /// The next rows of a run.
    NEXT = "SELECT seq, noun, object, body, body_before FROM import_row WHERE import_id = $1
            ORDER BY seq LIMIT $2";
    /// Rows of a noun that wait, by key, after a key.
    WAITING = "SELECT body FROM import_row WHERE import_id = $1 AND noun = $2 AND object > $3
               ORDER BY object LIMIT $4";
    /// The row of one key that waits.
    WAITING_ONE = "SELECT seq, noun, object, body, body_before FROM import_row
                   WHERE import_id = $1 AND noun = $2 AND object = $3";
    /// Removes one row of a run.
    DROP_ROW = "DELETE FROM import_row WHERE import_id = $1 AND seq = $2";
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
    /// The row's key.
    pub object: String,
    /// JSON of the row as it shall be.
    pub body: String,
    /// JSON of the row as it is; none when it is new.
    pub before: Option<String>,
}

/// One row to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "noun", rename_all = "snake_case")]
pub enum Write {
    /// An area; after its parent.
    Area(Area),
    /// A shape; after its area.
    Boundary {
        /// The area's code.
        area: AreaCode,
        /// Its shape.
        shape: Shape,
    },
    /// A category.
    Category(Category),
    /// A site; after its area and category.
    Site(Site),
}

impl Write {
    /// The table that the row is of.
    #[must_use]
    pub const fn noun(&self) -> &'static str {
        match self {
            Write::Area(_) => "area",
            Write::Boundary { .. } => "boundary",
            Write::Category(_) => "category",
            Write::Site(_) => "site",
        }
    }

    /// The row's key.
    #[must_use]
    pub fn object(&self) -> &str {
        match self {
            Write::Area(a) => a.code.as_str(),
            Write::Boundary { area, .. } => area.as_str(),
            Write::Category(c) => c.key.as_str(),
            Write::Site(s) => s.code.as_str(),
        }
    }

    /// The row as it is staged.
    ///
    /// # Errors
    /// `Value` when it has no JSON, which a number that is not finite would cause.
    pub fn staged(&self, seq: i64, before: Option<&Write>) -> Result<Staged, StoreError> {
        let before = before.map(json).transpose()?;
        let (noun, object) = (self.noun().to_owned(), self.object().to_owned());
        Ok(Staged { seq, noun, object, body: json(self)?, before })
    }

    /// Reads a staged row.
    ///
    /// # Errors
    /// `Value` when it is not one that `staged` wrote.
    pub fn read(staged: &str) -> Result<Self, StoreError> {
        serde_json::from_str(staged).map_err(unreadable)
    }

    /// Writes the row.
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn apply(&self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Write::Area(row) => area::put(tx, row).await,
            Write::Boundary { area, shape } => boundary::put(tx, area, shape).await,
            Write::Category(row) => category::put(tx, row).await,
            Write::Site(row) => site::put(tx, row).await,
        }
    }
}

fn json(write: &Write) -> Result<String, StoreError> {
    serde_json::to_string(write).map_err(unreadable)
}

fn unreadable(e: serde_json::Error) -> StoreError {
    StoreError::Value { column: "body".to_owned(), reason: e.to_string() }
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
        let values =
            args![id, row.seq, row.noun.as_str(), row.object.as_str(), Json(row.body.clone()), before];
        tx.execute(ADD_ROW, values).await?;
    }
    Ok(())
}

/// Decides for a run: from here on readers see all of its rows, and it is finished, whatever happens.
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

/// The decided run whose rows are being moved, if there is one: the register must not be edited meanwhile.
///
/// # Errors
/// `StoreError` of the database.
pub async fn applying(tx: &mut Tx) -> Result<Option<String>, StoreError> {
    tx.fetch_optional(APPLYING, args![true]).await?.map(|row| row.get("id")).transpose()
}

/// Lays the decided rows of one noun over the `limit` stored ones after a key, in the order of their keys.
pub(crate) async fn over<T>(
    tx: &mut Tx,
    noun: &'static str,
    (after, limit): (&str, u32),
    stored: Vec<T>,
    key: impl Fn(&T) -> String,
    pick: impl Fn(Write) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let Some(run) = applying(tx).await? else { return Ok(stored) };
    let rows = tx.fetch_all(WAITING, args![run, noun, after, limit]).await?;
    let mut all: BTreeMap<String, T> = stored.into_iter().map(|row| (key(&row), row)).collect();
    for row in rows {
        if let Some(row) = pick(Write::read(&row.get::<Json>("body")?.0)?) {
            all.insert(key(&row), row);
        }
    }
    // The first of both together are among the first of each.
    Ok(all.into_values().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}

/// The decided row of one key that is not yet in its table, with its run.
///
/// # Errors
/// `StoreError` of the database.
pub async fn waiting(
    tx: &mut Tx,
    noun: &'static str,
    object: &str,
) -> Result<Option<(String, Staged)>, StoreError> {
    let Some(run) = applying(tx).await? else { return Ok(None) };
    let row = tx.fetch_optional(WAITING_ONE, args![run.as_str(), noun, object]).await?;
    row.as_ref().map(staged).transpose().map(|row| row.map(|row| (run, row)))
}

/// What a decided import says of one key before the row is in its table.
pub(crate) async fn told(tx: &mut Tx, noun: &'static str, object: &str) -> Result<Option<Write>, StoreError> {
    waiting(tx, noun, object).await?.map(|(_, row)| Write::read(&row.body)).transpose()
}

/// Removes one row of a run.
///
/// # Errors
/// `StoreError` of the database.
pub async fn drop_row(tx: &mut Tx, id: &str, seq: i64) -> Result<(), StoreError> {
    tx.execute(DROP_ROW, args![id, seq]).await.map(drop)
}

/// The next rows of a run; none when it is through.
///
/// # Errors
/// `StoreError` of the database.
pub async fn next(tx: &mut Tx, id: &str, limit: u32) -> Result<Vec<Staged>, StoreError> {
    let rows = tx.fetch_all(NEXT, args![id, limit]).await?;
    rows.iter().map(staged).collect()
}

fn staged(row: &Row) -> Result<Staged, StoreError> {
    Ok(Staged {
        seq: row.get("seq")?,
        noun: row.get("noun")?,
        object: row.get("object")?,
        body: row.get::<Json>("body")?.0,
        before: row.get::<Option<Json>>("body_before")?.map(|j| j.0),
    })
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
