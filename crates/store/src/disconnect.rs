//! Disconnects: sessions that are to end now, and until when their devices stay out.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::session::SessionId;
use kulkul_model::site::SiteCode;

statements! {
    /// Orders one; a later end counts.
    PUT = "INSERT INTO disconnect (session, site, at_ms, by_whom, until_ms) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (session) DO UPDATE SET until_ms = CASE WHEN excluded.until_ms > disconnect.until_ms
               THEN excluded.until_ms ELSE disconnect.until_ms END";
    /// Those of a place that are not over, newest first.
    OF_SITE = "SELECT session, until_ms FROM disconnect WHERE site = $1 AND until_ms > $2
               ORDER BY at_ms DESC, session LIMIT $3";
    /// Forgets those that are over.
    FORGET = "DELETE FROM disconnect WHERE session IN (SELECT session FROM disconnect
              WHERE until_ms < $1 ORDER BY until_ms, session LIMIT $2)";
}

/// Orders that a session ends and its device stays out until then.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(
    tx: &mut Tx,
    session: SessionId,
    site: &SiteCode,
    (now, until): (Moment, Moment),
    by: &str,
) -> Result<(), StoreError> {
    tx.execute(PUT, args![session.to_string(), site.as_str(), now, by, until]).await.map(drop)
}

/// Up to `limit` disconnects of a place that are not over, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_site(
    tx: &mut Tx,
    site: &SiteCode,
    now: Moment,
    limit: u32,
) -> Result<Vec<(SessionId, Moment)>, StoreError> {
    let rows = tx.fetch_all(OF_SITE, args![site.as_str(), now, limit]).await?;
    rows.iter().map(|r| Ok((r.named("session", SessionId::parse)?, r.get("until_ms")?))).collect()
}

/// Forgets up to `limit` disconnects that were over before `before`; how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn forget(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(FORGET, args![before, limit]).await
}
