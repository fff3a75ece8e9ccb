//! Packs: hour blocks as gateways packed and signed them.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_wire::minutes::{Head, Kind};

statements! {
    /// Keeps a block unless that hour of that gateway is there.
    PUT = "INSERT INTO pack (site, hour_ms, kind, gateway, codec, n, crc, block)
           VALUES ($1, $2, $3, $4, 1, $5, $6, $7) ON CONFLICT (site, hour_ms, kind, gateway) DO NOTHING";
    /// The blocks of an hour.
    OF_HOUR = "SELECT block FROM pack WHERE site = $1 AND hour_ms = $2 AND kind = $3 ORDER BY gateway";
    /// Drops some blocks that are older than is kept.
    RETIRE = "DELETE FROM pack WHERE (site, hour_ms, kind, gateway) IN
              (SELECT site, hour_ms, kind, gateway FROM pack WHERE hour_ms < $1 ORDER BY hour_ms LIMIT $2)";
}

/// Keeps a block; false when that hour of that gateway was kept before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(
    tx: &mut Tx,
    site: &SiteCode,
    gateway: &GatewayId,
    head: &Head,
    block: &[u8],
) -> Result<bool, StoreError> {
    let values =
        args![site.as_str(), head.hour, head.kind.as_str(), gateway.as_str(), head.n, head.crc, block];
    Ok(tx.execute(PUT, values).await? > 0)
}

/// The blocks of one hour: one, or two where a box was replaced.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_hour(
    tx: &mut Tx,
    site: &SiteCode,
    hour: Moment,
    kind: Kind,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = tx.fetch_all(OF_HOUR, args![site.as_str(), hour, kind.as_str()]).await?;
    rows.iter().map(|row| row.get("block")).collect()
}

/// Drops at most `limit` blocks of hours before `before`; gives how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn retire(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(RETIRE, args![before, limit]).await
}
