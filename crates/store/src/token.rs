//! API tokens: what programs show instead of a person signing in.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;

statements! {
    /// The token with this digest.
    BY_DIGEST = "SELECT id, name, role, area, created_by, created_at_ms, expires_at_ms, revoked_at_ms, used_at_ms
                 FROM token WHERE digest = $1";
    /// The token with this id.
    FIND = "SELECT id, name, role, area, created_by, created_at_ms, expires_at_ms, revoked_at_ms, used_at_ms
            FROM token WHERE id = $1";
    /// All tokens, newest first.
    LIST = "SELECT id, name, role, area, created_by, created_at_ms, expires_at_ms, revoked_at_ms, used_at_ms
            FROM token ORDER BY created_at_ms DESC, id LIMIT 1000";
    /// Adds a token.
    INSERT = "INSERT INTO token (id, digest, name, role, area, created_by, created_at_ms, expires_at_ms)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Revokes a token once.
    REVOKE = "UPDATE token SET revoked_at_ms = $2 WHERE id = $1 AND revoked_at_ms IS NULL";
    /// Notes that it was used.
    USED = "UPDATE token SET used_at_ms = $2 WHERE id = $1";
}

/// One API token; the token itself is known to its holder alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Eight hexadecimal digits, for lists and for revoking.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where; none is everywhere.
    pub area: Option<AreaCode>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends by itself.
    pub expires_at: Option<Moment>,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
    /// When it was last used, to the minute.
    pub used_at: Option<Moment>,
}

impl Token {
    /// Whether it opens anything at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The token with this digest, valid or not.
///
/// # Errors
/// `StoreError` of the database.
pub async fn by_digest(tx: &mut Tx, digest: &[u8; 32]) -> Result<Option<Token>, StoreError> {
    tx.fetch_optional(BY_DIGEST, args![digest]).await?.as_ref().map(read).transpose()
}

/// The token with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: &str) -> Result<Option<Token>, StoreError> {
    tx.fetch_optional(FIND, args![id]).await?.as_ref().map(read).transpose()
}

/// All tokens, newest first; at most 1000.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx) -> Result<Vec<Token>, StoreError> {
    tx.fetch_all(LIST, args![]).await?.iter().map(read).collect()
}

/// Adds a token by its digest.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, token: &Token, digest: &[u8; 32]) -> Result<(), StoreError> {
    let values = args![
        &token.id,
        digest,
        &token.name,
        token.role.as_str(),
        token.area.as_ref().map(AreaCode::as_str),
        &token.created_by,
        token.created_at,
        token.expires_at,
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// Revokes a token; false when it is unknown or was revoked before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revoke(tx: &mut Tx, id: &str, now: Moment) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, args![id, now]).await? == 1)
}

/// Notes that a token was used at `now`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn used(tx: &mut Tx, id: &str, now: Moment) -> Result<(), StoreError> {
    tx.execute(USED, args![id, now]).await.map(drop)
}

fn read(row: &Row) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.get("id")?,
        name: row.get("name")?,
        role: row.named("role", Role::parse)?,
        area: row.read_optional("area", AreaCode::parse)?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at_ms")?,
        expires_at: row.get("expires_at_ms")?,
        revoked_at: row.get("revoked_at_ms")?,
        used_at: row.get("used_at_ms")?,
    })
}
