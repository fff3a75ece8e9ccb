//! Claims: one row for each code that lets one box enrol at one site.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::claim::{Standing, standing};
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;

statements! {
    /// Issues a claim.
    INSERT = "INSERT INTO claim (id, hash, site, issued_at_ms, issued_by, expires_at_ms)
              VALUES ($1, $2, $3, $4, $5, $6)";
    /// The claim with this hash.
    FIND = "SELECT id, site, issued_at_ms, issued_by, expires_at_ms, used_at_ms, used_by, withdrawn_at_ms
            FROM claim WHERE hash = $1";
    /// The claims of a site, newest first.
    LIST = "SELECT id, site, issued_at_ms, issued_by, expires_at_ms, used_at_ms, used_by, withdrawn_at_ms
            FROM claim WHERE site = $1 ORDER BY issued_at_ms DESC, id LIMIT 100";
    /// Marks a claim as used, once.
    USE = "UPDATE claim SET used_at_ms = $2, used_by = $3
           WHERE id = $1 AND used_at_ms IS NULL AND withdrawn_at_ms IS NULL";
    /// Takes back an unused claim.
    WITHDRAW = "UPDATE claim SET withdrawn_at_ms = $2
                WHERE id = $1 AND used_at_ms IS NULL AND withdrawn_at_ms IS NULL";
    /// Takes back what is open at a site.
    WITHDRAW_OPEN = "UPDATE claim SET withdrawn_at_ms = $2
                     WHERE site = $1 AND used_at_ms IS NULL AND withdrawn_at_ms IS NULL";
}

/// A claim as it is stored; the code itself is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// 16 hexadecimal digits.
    pub id: String,
    /// Where its box belongs.
    pub site: SiteCode,
    /// When it was issued.
    pub issued_at: Moment,
    /// By whom.
    pub issued_by: String,
    /// When it ends.
    pub expires_at: Moment,
    /// When a box used it.
    pub used_at: Option<Moment>,
    /// Which box.
    pub used_by: Option<GatewayId>,
    /// When an operator took it back.
    pub withdrawn_at: Option<Moment>,
}

impl Claim {
    /// Where it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: Moment) -> Standing {
        standing(self.expires_at, self.used_at, self.withdrawn_at, now)
    }
}

/// Issues a claim; `hash` is the keyed digest of its code.
///
/// # Errors
/// `StoreError` of the database; a broken reference when there is no such site.
pub async fn insert(tx: &mut Tx, claim: &Claim, hash: &[u8; 32]) -> Result<(), StoreError> {
    let values =
        args![&claim.id, hash, claim.site.as_str(), claim.issued_at, &claim.issued_by, claim.expires_at];
    tx.execute(INSERT, values).await.map(drop)
}

/// The claim whose code has this keyed digest.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, hash: &[u8; 32]) -> Result<Option<Claim>, StoreError> {
    tx.fetch_optional(FIND, args![hash]).await?.as_ref().map(read).transpose()
}

/// The claims of a site, newest first, at most 100.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, site: &SiteCode) -> Result<Vec<Claim>, StoreError> {
    tx.fetch_all(LIST, args![site.as_str()]).await?.iter().map(read).collect()
}

/// Marks a claim as used; false when it was used or withdrawn before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn mark_used(tx: &mut Tx, id: &str, at: Moment, by: &GatewayId) -> Result<bool, StoreError> {
    Ok(tx.execute(USE, args![id, at, by.as_str()]).await? == 1)
}

/// Takes a claim back; false when it was used or withdrawn before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn withdraw(tx: &mut Tx, id: &str, at: Moment) -> Result<bool, StoreError> {
    Ok(tx.execute(WITHDRAW, args![id, at]).await? == 1)
}

/// Takes back every open claim of a site and tells how many they were.
///
/// # Errors
/// `StoreError` of the database.
pub async fn withdraw_open(tx: &mut Tx, site: &SiteCode, at: Moment) -> Result<u64, StoreError> {
    tx.execute(WITHDRAW_OPEN, args![site.as_str(), at]).await
}

fn read(row: &Row) -> Result<Claim, StoreError> {
    Ok(Claim {
        id: row.get("id")?,
        site: row.read("site", SiteCode::parse)?,
        issued_at: row.get("issued_at_ms")?,
        issued_by: row.get("issued_by")?,
        expires_at: row.get("expires_at_ms")?,
        used_at: row.get("used_at_ms")?,
        used_by: row.read_optional("used_by", GatewayId::parse)?,
        withdrawn_at: row.get("withdrawn_at_ms")?,
    })
}
