//! What can go wrong between a program and its database, said so that it can be mended.

use std::path::PathBuf;
use std::sync::Arc;

/// A database did not do what was asked.
///
/// Cheap to clone: one failed commit is told to everyone who took part in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is not one of a database that this program can use.
    #[error("\"{url}\" is not a database address: use sqlite:///path/to/kulkul.db or postgres://...")]
    Address {
        /// The address, without a password.
        url: String,
    },
    /// The database could not be opened.
    #[error("cannot open the database {url}: {source}")]
    Open {
        /// The address, without a password.
        url: String,
        /// The driver's word.
        source: Arc<sqlx::Error>,
    },
    /// The lock file could not be made.
    #[error("cannot make the lock file {}: {source}", path.display())]
    LockFile {
        /// The lock file.
        path: PathBuf,
        /// The system's word.
        source: Arc<std::io::Error>,
    },
    /// Another process already writes to this SQLite database.
    #[error(
        "another kulkul process already uses {} (it holds {}): stop it, or give this one another data directory",
        database.display(), lock.display()
    )]
    Locked {
        /// The database.
        database: PathBuf,
        /// The lock file that the other process holds.
        lock: PathBuf,
    },
    /// A statement failed.
    #[error("the database refused \"{}\": {source}", shorten(statement))]
    Statement {
        /// The statement's text.
        statement: &'static str,
        /// The driver's word.
        source: Arc<sqlx::Error>,
    },
    /// A statement was given more or fewer values than it has places for.
    #[error("\"{}\" takes {wanted} values and was given {given}", shorten(statement))]
    Arguments {
        /// The statement's text.
        statement: &'static str,
        /// Places in the text.
        wanted: usize,
        /// Values given.
        given: usize,
    },
    /// A column is missing or has another type than asked for.
    #[error("column \"{column}\" cannot be read: {source}")]
    Column {
        /// Name or index.
        column: String,
        /// The driver's word.
        source: Arc<sqlx::Error>,
    },
    /// A stored value is not one that the rules allow.
    #[error("column \"{column}\" holds a value that is not allowed: {reason}")]
    Value {
        /// Name or index.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row that must be there is not.
    #[error("\"{}\" found no row", shorten(statement))]
    NoRow {
        /// The statement's text.
        statement: &'static str,
    },
    /// A migration failed, or does not fit what was applied before.
    #[error("migration {name}: {reason}")]
    Migration {
        /// The migration's name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The database cannot be reached; nothing was stored.
    #[error("the database cannot be reached, nothing was stored: {source}")]
    Unavailable {
        /// The driver's word.
        source: Arc<sqlx::Error>,
    },
    /// The connection broke while committing: the change may or may not be stored.
    #[error("the database connection broke during the commit; the change may or may not be stored: {source}")]
    Uncertain {
        /// The driver's word.
        source: Arc<sqlx::Error>,
    },
    /// The store was opened for reading only.
    #[error("this store was opened for reading only")]
    ReadOnly,
    /// The store is stopping and takes no more work; nothing was stored.
    #[error("the store is stopping; nothing was stored")]
    Stopping,
    /// The work panicked; its changes were rolled back.
    #[error("the work handed to the writer panicked; its changes were rolled back")]
    Panicked,
}

impl StoreError {
    pub(crate) fn statement(statement: &'static str, source: sqlx::Error) -> Self {
        StoreError::Statement { statement, source: Arc::new(source) }
    }

    pub(crate) fn unavailable(source: sqlx::Error) -> Self {
        StoreError::Unavailable { source: Arc::new(source) }
    }

    /// Whether a row with the same key was already there.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, StoreError::Statement { source, .. }
            if source.as_database_error().is_some_and(|e| e.is_unique_violation()))
    }

    /// Whether a row pointed at one that is not there, or was pointed at.
    #[must_use]
    pub fn is_broken_reference(&self) -> bool {
        matches!(self, StoreError::Statement { source, .. }
            if source.as_database_error().is_some_and(|e| e.is_foreign_key_violation()))
    }

    /// Whether trying again later may work.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, StoreError::Unavailable { .. } | StoreError::Uncertain { .. } | StoreError::Stopping)
    }
}

/// The beginning of a statement on one line, for a message.
fn shorten(statement: &str) -> String {
    let mut line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > 80 {
        let cut = (0..=77).rev().find(|i| line.is_char_boundary(*i)).unwrap_or(0);
        line.truncate(cut);
        line.push_str("...");
    }
    line
}
