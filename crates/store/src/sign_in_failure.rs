//! Failed sign-ins, counted per name and per address.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// The count for a subject.
    FIND = "SELECT failures, last_at_ms FROM sign_in_failure WHERE subject = $1";
    /// Sets the count.
    PUT = "INSERT INTO sign_in_failure (subject, failures, last_at_ms) VALUES ($1, $2, $3)
           ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at_ms = excluded.last_at_ms";
    /// Forgets a subject.
    DELETE = "DELETE FROM sign_in_failure WHERE subject = $1";
    /// Forgets subjects that have been quiet.
    PURGE = "DELETE FROM sign_in_failure WHERE subject IN
             (SELECT subject FROM sign_in_failure WHERE last_at_ms < $1 ORDER BY last_at_ms LIMIT 500)";
}

/// How many failures a subject has and when the last was, if any are counted.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, subject: &str) -> Result<Option<(u32, Moment)>, StoreError> {
    let row = tx.fetch_optional(FIND, args![subject]).await?;
    row.map(|row| Ok((row.get("failures")?, row.get("last_at_ms")?))).transpose()
}

/// Sets a subject's failures, and forgets subjects whose last was before `quiet_before`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(
    tx: &mut Tx,
    subject: &str,
    failures: u32,
    now: Moment,
    quiet_before: Moment,
) -> Result<(), StoreError> {
    tx.execute(PURGE, args![quiet_before]).await?;
    tx.execute(PUT, args![subject, failures, now]).await.map(drop)
}

/// Forgets a subject's failures.
///
/// # Errors
/// `StoreError` of the database.
pub async fn delete(tx: &mut Tx, subject: &str) -> Result<(), StoreError> {
    tx.execute(DELETE, args![subject]).await.map(drop)
}
