//! Watching: the stretches of time in which the hub could see.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// Begins a stretch, or makes it longer.
    PUT = "INSERT INTO watching (from_ms, to_ms) VALUES ($1, $2)
           ON CONFLICT (from_ms) DO UPDATE SET to_ms = excluded.to_ms";
    /// Stretches that touch a stretch of time.
    TOUCHING = "SELECT from_ms, to_ms FROM watching WHERE from_ms <= $2 AND to_ms >= $1
                ORDER BY from_ms LIMIT 10000";
}

/// Writes down that the hub has been watching from `from` until `to` so far.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, from: Moment, to: Moment) -> Result<(), StoreError> {
    tx.execute(PUT, args![from, to]).await.map(drop)
}

/// The stretches of watching that touch `from..to`, in order of time.
///
/// # Errors
/// `StoreError` of the database.
pub async fn touching(tx: &mut Tx, from: Moment, to: Moment) -> Result<Vec<(Moment, Moment)>, StoreError> {
    let rows = tx.fetch_all(TOUCHING, args![from, to]).await?;
    rows.iter().map(|row| Ok((row.get("from_ms")?, row.get("to_ms")?))).collect()
}
