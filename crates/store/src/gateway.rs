//! Gateways: the boxes that have enrolled, those in use and those revoked.

use crate::{Json, Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_model::site::SiteCode;

statements! {
    /// Enrols a box.
    INSERT = "INSERT INTO gateway
                  (id, site, public_key, hardware, capabilities, enrolled_at_ms, revoked_at_ms, revoked_why)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// One box.
    FIND = "SELECT id, site, public_key, hardware, capabilities, enrolled_at_ms, revoked_at_ms, revoked_why
            FROM gateway WHERE id = $1";
    /// Boxes after an id.
    LIST = "SELECT id, site, public_key, hardware, capabilities, enrolled_at_ms, revoked_at_ms, revoked_why
            FROM gateway WHERE id > $1 ORDER BY id LIMIT $2";
    /// Boxes after an id that were not revoked.
    LIST_IN_USE = "SELECT id, site, public_key, hardware, capabilities, enrolled_at_ms, revoked_at_ms, revoked_why
            FROM gateway WHERE id > $1 AND revoked_at_ms IS NULL ORDER BY id LIMIT $2";
    /// The boxes of a site, newest first.
    OF_SITE = "SELECT id, site, public_key, hardware, capabilities, enrolled_at_ms, revoked_at_ms, revoked_why
               FROM gateway WHERE site = $1 ORDER BY enrolled_at_ms DESC, id LIMIT 100";
    /// Revokes a box.
    REVOKE = "UPDATE gateway SET revoked_at_ms = $2, revoked_why = $3
              WHERE id = $1 AND revoked_at_ms IS NULL";
    /// Gives a box another key.
    REKEY = "UPDATE gateway SET public_key = $2 WHERE id = $1";
    /// What a box can do, as it last said.
    SET_CAPABILITIES = "UPDATE gateway SET capabilities = $2 WHERE id = $1";
    /// A site that comes into service with its first box.
    BRING_INTO_SERVICE = "UPDATE site SET stage = 'in_service', revision = revision + 1
        WHERE code = $1
          AND stage IN ('planned', 'surveyed', 'delivered', 'installed', 'tested', 'accepted')";
    /// The stage of a site.
    STAGE = "SELECT stage FROM site WHERE code = $1";
}

/// A box that has enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its id.
    pub id: GatewayId,
    /// Where it stands.
    pub site: SiteCode,
    /// The key that signs its requests.
    pub public_key: [u8; 32],
    /// Maker, model and serial number, as it said.
    pub hardware: String,
    /// What it can do, as it said.
    pub capabilities: Capabilities,
    /// When it enrolled.
    pub enrolled_at: Moment,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
    /// Why.
    pub revoked_why: Option<String>,
}

/// Enrols a box.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, g: &Gateway) -> Result<(), StoreError> {
    let capabilities = json(&g.capabilities);
    let (id, site, why) = (g.id.as_str(), g.site.as_str(), g.revoked_why.as_deref());
    let values = args![id, site, &g.public_key, &g.hardware, capabilities, g.enrolled_at, g.revoked_at, why];
    tx.execute(INSERT, values).await.map(drop)
}

/// One box.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: &GatewayId) -> Result<Option<Gateway>, StoreError> {
    tx.fetch_optional(FIND, args![id.as_str()]).await?.as_ref().map(read).transpose()
}

/// Up to `limit` boxes whose id comes after `after` (empty for the first).
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Gateway>, StoreError> {
    tx.fetch_all(LIST, args![after, limit]).await?.iter().map(read).collect()
}

/// Up to `limit` boxes in use whose id comes after `after` (empty for the first).
///
/// # Errors
/// `StoreError` of the database.
pub async fn list_in_use(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Gateway>, StoreError> {
    tx.fetch_all(LIST_IN_USE, args![after, limit]).await?.iter().map(read).collect()
}

/// The boxes of a site, newest first, at most 100.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_site(tx: &mut Tx, site: &SiteCode) -> Result<Vec<Gateway>, StoreError> {
    tx.fetch_all(OF_SITE, args![site.as_str()]).await?.iter().map(read).collect()
}

/// Revokes a box; false when it was before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revoke(tx: &mut Tx, id: &GatewayId, at: Moment, why: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, args![id.as_str(), at, why]).await? == 1)
}

/// Gives a box another key for its requests.
///
/// # Errors
/// `StoreError` of the database.
pub async fn rekey(tx: &mut Tx, id: &GatewayId, key: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute(REKEY, args![id.as_str(), key]).await.map(drop)
}

/// Keeps what a box can do, as it said at its last start.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_capabilities(tx: &mut Tx, id: &GatewayId, has: &Capabilities) -> Result<(), StoreError> {
    tx.execute(SET_CAPABILITIES, args![id.as_str(), json(has)]).await.map(drop)
}

fn json(has: &Capabilities) -> Json {
    // Texts and truths always have a JSON form.
    Json(serde_json::to_string(has).unwrap_or_else(|_| "{}".to_owned()))
}

/// Brings a site that waited for its box into service; gives the stage it had, if it changed.
///
/// # Errors
/// `StoreError` of the database.
pub async fn bring_into_service(tx: &mut Tx, site: &SiteCode) -> Result<Option<String>, StoreError> {
    let before = tx.fetch_optional(STAGE, args![site.as_str()]).await?;
    let changed = tx.execute(BRING_INTO_SERVICE, args![site.as_str()]).await? == 1;
    before.filter(|_| changed).map(|row| row.get("stage")).transpose()
}

fn read(row: &Row) -> Result<Gateway, StoreError> {
    let capabilities: Json = row.get("capabilities")?;
    Ok(Gateway {
        id: row.read("id", GatewayId::parse)?,
        site: row.read("site", SiteCode::parse)?,
        public_key: row.get("public_key")?,
        hardware: row.get("hardware")?,
        capabilities: serde_json::from_str(&capabilities.0)
            .map_err(|e| StoreError::Value { column: "capabilities".to_owned(), reason: e.to_string() })?,
        enrolled_at: row.get("enrolled_at_ms")?,
        revoked_at: row.get("revoked_at_ms")?,
        revoked_why: row.get("revoked_why")?,
    })
}
