//! Clues: what gateways wrote down that may explain an outage.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::outage::{Cause, Clue};
use kulkul_model::site::SiteCode;

statements! {
    /// Keeps a clue once.
    PUT = "INSERT INTO clue (site, from_ms, to_ms, cause) VALUES ($1, $2, $3, $4)
           ON CONFLICT (site, from_ms, to_ms, cause) DO NOTHING";
    /// Clues of a site that touch a stretch of time.
    TOUCHING = "SELECT from_ms, to_ms, cause FROM clue WHERE site = $1 AND from_ms <= $3 AND to_ms >= $2
                ORDER BY from_ms, to_ms, cause LIMIT 1000";
}

/// Keeps a clue; one without an end holds for its first moment.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, site: &SiteCode, clue: &Clue) -> Result<(), StoreError> {
    let to = clue.to.unwrap_or(clue.from);
    tx.execute(PUT, args![site.as_str(), clue.from, to, clue.cause.as_str()]).await.map(drop)
}

/// A site's clues that touch `from..to`, in order of time.
///
/// # Errors
/// `StoreError` of the database.
pub async fn touching(
    tx: &mut Tx,
    site: &SiteCode,
    from: Moment,
    to: Moment,
) -> Result<Vec<Clue>, StoreError> {
    let rows = tx.fetch_all(TOUCHING, args![site.as_str(), from, to]).await?;
    let read = |row: &Row| {
        Ok(Clue {
            cause: row.named("cause", Cause::parse)?,
            from: row.get("from_ms")?,
            to: row.get("to_ms")?,
        })
    };
    rows.iter().map(read).collect()
}
