//! A transaction on either database, and the four things that are asked of it.

use crate::args::{self, Value};
use crate::row::Row;
use crate::{StoreError, dialect};
use sqlx::{Executor as _, Postgres, Sqlite, Transaction};

/// An open transaction; dropped without a commit it is rolled back.
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs a statement and gives the number of rows it changed.
    ///
    /// # Errors
    /// `Arguments` when the count of values is wrong, `Statement` when the database refuses.
    pub async fn execute(&mut self, statement: &'static str, values: Vec<Value>) -> Result<u64, StoreError> {
        match self {
            Tx::Sqlite(t) => sqlx::query_with(statement, args::for_sqlite(statement, values)?)
                .execute(&mut **t)
                .await
                .map(|r| r.rows_affected()),
            Tx::Postgres(t) => sqlx::query_with(statement, args::for_postgres(statement, values)?)
                .execute(&mut **t)
                .await
                .map(|r| r.rows_affected()),
        }
        .map_err(|e| StoreError::statement(statement, e))
    }

    /// All rows of an answer; the statement bounds them by LIMIT or by what the table holds.
    ///
    /// # Errors
    /// As `execute`.
    pub async fn fetch_all(
        &mut self,
        statement: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Tx::Sqlite(t) => sqlx::query_with(statement, args::for_sqlite(statement, values)?)
                .fetch_all(&mut **t)
                .await
                .map(|rows| rows.into_iter().map(Row::Sqlite).collect()),
            Tx::Postgres(t) => sqlx::query_with(statement, args::for_postgres(statement, values)?)
                .fetch_all(&mut **t)
                .await
                .map(|rows| rows.into_iter().map(Row::Postgres).collect()),
        }
        .map_err(|e| StoreError::statement(statement, e))
    }

    /// The first row of an answer, if it has one.
    ///
    /// # Errors
    /// As `execute`.
    pub async fn fetch_optional(
        &mut self,
        statement: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        match self {
            Tx::Sqlite(t) => sqlx::query_with(statement, args::for_sqlite(statement, values)?)
                .fetch_optional(&mut **t)
                .await
                .map(|row| row.map(Row::Sqlite)),
            Tx::Postgres(t) => sqlx::query_with(statement, args::for_postgres(statement, values)?)
                .fetch_optional(&mut **t)
                .await
                .map(|row| row.map(Row::Postgres)),
        }
        .map_err(|e| StoreError::statement(statement, e))
    }

    /// The one row of an answer that always has one, such as a count.
    ///
    /// # Errors
    /// As `execute`, and `NoRow`.
    pub async fn fetch_one(
        &mut self,
        statement: &'static str,
        values: Vec<Value>,
    ) -> Result<Row, StoreError> {
        self.fetch_optional(statement, values).await?.ok_or(StoreError::NoRow { statement })
    }

    /// Lets the database read a statement without running it.
    ///
    /// # Errors
    /// `Statement` when the database cannot understand it.
    pub async fn prepare(&mut self, statement: &'static str) -> Result<(), StoreError> {
        use sqlx::SqlSafeStr as _;
        match self {
            Tx::Sqlite(t) => (**t).prepare(statement.into_sql_str()).await.map(drop),
            Tx::Postgres(t) => (**t).prepare(statement.into_sql_str()).await.map(drop),
        }
        .map_err(|e| StoreError::statement(statement, e))
    }

    /// Runs a migration's text, translated for this database.
    pub(crate) async fn define(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        let wrong = |e: sqlx::Error| StoreError::Migration { name: name.to_owned(), reason: e.to_string() };
        match self {
            Tx::Sqlite(t) => {
                sqlx::raw_sql(dialect::for_sqlite(text)).execute(&mut **t).await.map(drop).map_err(wrong)
            }
            Tx::Postgres(t) => {
                sqlx::raw_sql(dialect::for_postgres(text)).execute(&mut **t).await.map(drop).map_err(wrong)
            }
        }
    }

    /// Keeps other processes from migrating at the same time; SQLite has its lock file for that.
    pub(crate) async fn migrate_alone(&mut self) -> Result<(), StoreError> {
        if matches!(self, Tx::Postgres(_)) {
            self.fetch_all(dialect::POSTGRES_MIGRATION_LOCK, Vec::new()).await?;
        }
        Ok(())
    }

    pub(crate) async fn mark(&mut self) -> Result<(), StoreError> {
        self.plain(dialect::SAVEPOINT).await
    }

    pub(crate) async fn keep(&mut self) -> Result<(), StoreError> {
        self.plain(dialect::RELEASE).await
    }

    pub(crate) async fn undo(&mut self) -> Result<(), StoreError> {
        self.plain(dialect::ROLLBACK_TO).await?;
        self.plain(dialect::RELEASE).await
    }

    async fn plain(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.execute(statement, Vec::new()).await.map(drop)
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Tx::Sqlite(t) => t.commit().await,
            Tx::Postgres(t) => t.commit().await,
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Tx::Sqlite(t) => t.rollback().await,
            Tx::Postgres(t) => t.rollback().await,
        }
    }

    /// Whether a connection that broke while committing may have committed.
    pub(crate) fn may_have_committed(&self) -> bool {
        matches!(self, Tx::Postgres(_))
    }
}
