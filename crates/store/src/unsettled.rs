//! Unsettled: stretches of a site's time whose outages must be found anew.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::site::SiteCode;

statements! {
    /// Adds a stretch to what is unsettled of a site.
    PUT = "INSERT INTO unsettled (site, from_ms, to_ms) VALUES ($1, $2, $3)
           ON CONFLICT (site) DO UPDATE SET
           from_ms = CASE WHEN excluded.from_ms < unsettled.from_ms
                     THEN excluded.from_ms ELSE unsettled.from_ms END,
           to_ms = CASE WHEN excluded.to_ms > unsettled.to_ms
                   THEN excluded.to_ms ELSE unsettled.to_ms END";
    /// Sites after a key.
    AFTER = "SELECT site FROM unsettled WHERE site > $1 ORDER BY site LIMIT $2";
    /// Takes a site's stretch away to settle it.
    TAKE = "DELETE FROM unsettled WHERE site = $1 RETURNING from_ms, to_ms";
}

/// Adds `from..to` to what is unsettled of a site.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, site: &SiteCode, from: Moment, to: Moment) -> Result<(), StoreError> {
    tx.execute(PUT, args![site.as_str(), from, to]).await.map(drop)
}

/// At most `limit` sites after `after` that have something unsettled.
///
/// # Errors
/// `StoreError` of the database.
pub async fn after(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<SiteCode>, StoreError> {
    let rows = tx.fetch_all(AFTER, args![after, limit]).await?;
    rows.iter().map(|row| row.read("site", SiteCode::parse)).collect()
}

/// Takes a site's stretch away, so that the same transaction settles it.
///
/// # Errors
/// `StoreError` of the database.
pub async fn take(tx: &mut Tx, site: &SiteCode) -> Result<Option<(Moment, Moment)>, StoreError> {
    let row = tx.fetch_optional(TAKE, args![site.as_str()]).await?;
    row.map(|row| Ok((row.get("from_ms")?, row.get("to_ms")?))).transpose()
}
