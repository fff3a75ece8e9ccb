//! Certificates of portals: what a box asked for last, and what was issued for it.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;

statements! {
    /// A gateway's.
    FIND = "SELECT gateway, host, csr, asked_at_ms, chain, issued_at_ms, until_ms, due_at_ms, tries, trouble
            FROM certificate WHERE gateway = $1";
    /// Keeps a request; the same one again changes nothing.
    ASK = "INSERT INTO certificate (gateway, host, csr, asked_at_ms, due_at_ms, tries)
           VALUES ($1, $2, $3, $4, $4, 0)
           ON CONFLICT (gateway) DO UPDATE SET host = excluded.host, csr = excluded.csr,
               asked_at_ms = excluded.asked_at_ms, due_at_ms = excluded.due_at_ms, tries = 0,
               chain = NULL, issued_at_ms = NULL, until_ms = NULL, trouble = NULL
           WHERE certificate.csr <> excluded.csr OR certificate.host <> excluded.host";
    /// What is due at a moment, the longest due first; boxes that are in use only.
    DUE = "SELECT c.gateway, c.host, c.csr, c.asked_at_ms, c.chain, c.issued_at_ms, c.until_ms, c.due_at_ms,
               c.tries, c.trouble
           FROM certificate c JOIN gateway g ON g.id = c.gateway
           WHERE c.due_at_ms <= $1 AND g.revoked_at_ms IS NULL ORDER BY c.due_at_ms, c.gateway LIMIT $2";
    /// Keeps what was issued for a request that is still the last.
    ISSUED = "UPDATE certificate SET chain = $3, issued_at_ms = $4, until_ms = $5, due_at_ms = $6, tries = 0,
                  trouble = NULL
              WHERE gateway = $1 AND csr = $2";
    /// Notes that issuing failed.
    FAILED = "UPDATE certificate SET tries = tries + 1, trouble = $3, due_at_ms = $4
              WHERE gateway = $1 AND csr = $2";
}

/// What a box asked for, and what was issued for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is.
    pub gateway: GatewayId,
    /// The name that it is for.
    pub host: String,
    /// The request, DER.
    pub csr: Vec<u8>,
    /// When the request came.
    pub asked_at: Moment,
    /// The chain, PEM; none until one was issued.
    pub chain: Option<String>,
    /// When it was issued.
    pub issued_at: Option<Moment>,
    /// The last moment at which it is valid.
    pub until: Option<Moment>,
    /// When issuing is tried next.
    pub due_at: Moment,
    /// Failures since the last success.
    pub tries: u32,
    /// Why the last try failed.
    pub trouble: Option<String>,
}

/// What was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The chain, PEM, the box's own first.
    pub chain: String,
    /// When.
    pub at: Moment,
    /// The last moment at which it is valid.
    pub until: Moment,
    /// When a new one is due.
    pub renew_at: Moment,
}

/// A gateway's certificate or request.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, gateway: &GatewayId) -> Result<Option<Certificate>, StoreError> {
    tx.fetch_optional(FIND, args![gateway.as_str()]).await?.as_ref().map(read).transpose()
}

/// Keeps a request; another one than before is due at once. Tells whether it was another.
///
/// # Errors
/// `StoreError` of the database.
pub async fn ask(
    tx: &mut Tx,
    gateway: &GatewayId,
    host: &str,
    csr: &[u8],
    now: Moment,
) -> Result<bool, StoreError> {
    Ok(tx.execute(ASK, args![gateway.as_str(), host, csr, now]).await? > 0)
}

/// Up to `limit` that are due at `now`, the longest due first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn due(tx: &mut Tx, now: Moment, limit: u32) -> Result<Vec<Certificate>, StoreError> {
    tx.fetch_all(DUE, args![now, limit]).await?.iter().map(read).collect()
}

/// Keeps what was issued; false when the box has asked anew since.
///
/// # Errors
/// `StoreError` of the database.
pub async fn issued(
    tx: &mut Tx,
    gateway: &GatewayId,
    csr: &[u8],
    issued: &Issued,
) -> Result<bool, StoreError> {
    let values = args![gateway.as_str(), csr, &issued.chain, issued.at, issued.until, issued.renew_at];
    Ok(tx.execute(ISSUED, values).await? > 0)
}

/// Notes that issuing failed and when it is tried again.
///
/// # Errors
/// `StoreError` of the database.
pub async fn failed(
    tx: &mut Tx,
    gateway: &GatewayId,
    csr: &[u8],
    why: &str,
    again_at: Moment,
) -> Result<(), StoreError> {
    tx.execute(FAILED, args![gateway.as_str(), csr, why, again_at]).await.map(drop)
}

fn read(row: &Row) -> Result<Certificate, StoreError> {
    Ok(Certificate {
        gateway: row.read("gateway", GatewayId::parse)?,
        host: row.get("host")?,
        csr: row.get("csr")?,
        asked_at: row.get("asked_at_ms")?,
        chain: row.get("chain")?,
        issued_at: row.get("issued_at_ms")?,
        until: row.get("until_ms")?,
        due_at: row.get("due_at_ms")?,
        tries: row.get("tries")?,
        trouble: row.get("trouble")?,
    })
}
