//! All that differs between SQLite and PostgreSQL.
//!
//! Migrations are one text. Types are written as PostgreSQL has them (`BIGINT`,
//! `DOUBLE PRECISION`, `TEXT`), and tokens stand for what has no common name:
//! `{bytes}`, `{bool}`, `{json}` and, after a table's closing bracket, `{strict}`.
//! SQLite tables are STRICT, because a BIGINT column took 'abc' without it, and
//! STRICT knows only INTEGER and REAL. PostgreSQL compares text by bytes
//! (COLLATE "C"), as SQLite does, so that both sort and page alike.

use sqlx::AssertSqlSafe;

pub(crate) const SAVEPOINT: &str = "SAVEPOINT item";
pub(crate) const RELEASE: &str = "RELEASE SAVEPOINT item";
pub(crate) const ROLLBACK_TO: &str = "ROLLBACK TO SAVEPOINT item";

/// An advisory lock that ends with the transaction; the number is "kulkul" in ASCII.
pub(crate) const POSTGRES_MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(118143445366124)";

/// Begins a writing transaction on SQLite, which takes the one write lock at once.
pub(crate) const SQLITE_BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
/// Begins a writing transaction on PostgreSQL.
pub(crate) const POSTGRES_BEGIN_WRITE: &str = "BEGIN";
/// Begins a reading transaction on SQLite, which sees one state of the database.
pub(crate) const SQLITE_BEGIN_READ: &str = "BEGIN DEFERRED";
/// Begins a reading transaction on PostgreSQL, which sees one state of the database.
pub(crate) const POSTGRES_BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const SQLITE: [(&str, &str); 6] = [
    ("{bytes}", "BLOB"),
    ("{bool}", "INTEGER"),
    ("{json}", "TEXT"),
    ("{strict}", "STRICT"),
    ("BIGINT", "INTEGER"),
    ("DOUBLE PRECISION", "REAL"),
];

const POSTGRES: [(&str, &str); 5] = [
    ("{bytes}", "BYTEA"),
    ("{bool}", "BOOLEAN"),
    ("{json}", "JSONB"),
    ("{strict}", ""),
    ("TEXT", "TEXT COLLATE \"C\""),
];

fn translate(text: &str, table: &[(&str, &str)]) -> AssertSqlSafe<String> {
    // Migrations are constants of this program: no value from outside is ever put into them.
    AssertSqlSafe(table.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
}

pub(crate) fn for_sqlite(migration: &str) -> AssertSqlSafe<String> {
    translate(migration, &SQLITE)
}

pub(crate) fn for_postgres(migration: &str) -> AssertSqlSafe<String> {
    translate(migration, &POSTGRES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_serves_both() {
        let text =
            "CREATE TABLE t (a BIGINT, b TEXT, c {bytes}, d {bool}, e {json}, f DOUBLE PRECISION) {strict};";
        assert_eq!(
            for_sqlite(text).0,
            "CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d INTEGER, e TEXT, f REAL) STRICT;"
        );
        assert_eq!(
            for_postgres(text).0,
            "CREATE TABLE t (a BIGINT, b TEXT COLLATE \"C\", c BYTEA, d BOOLEAN, e JSONB, f DOUBLE PRECISION) ;"
        );
    }
}
