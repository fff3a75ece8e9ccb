//! Certificates of portals: what a box asked for last, and what was issued for it.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;

statements! {
    /// A gateway's.
    FIND = "SELECT gateway, host, csr, asked_at_ms, chain, issued_at_ms, until_ms, authority, due_at_ms,
                advice_at_ms, tries, trouble_kind, trouble, troubled_at_ms
            FROM certificate WHERE gateway = $1";
    /// Keeps a request; the same one again changes nothing.
    ASK = "INSERT INTO certificate (gateway, host, csr, asked_at_ms, due_at_ms, tries)
           VALUES ($1, $2, $3, $4, $4, 0)
           ON CONFLICT (gateway) DO UPDATE SET host = excluded.host, csr = excluded.csr,
               asked_at_ms = excluded.asked_at_ms, due_at_ms = excluded.due_at_ms, tries = 0,
               chain = NULL, issued_at_ms = NULL, until_ms = NULL, authority = NULL, advice_at_ms = NULL,
               trouble_kind = NULL, trouble = NULL, troubled_at_ms = NULL
           WHERE certificate.csr <> excluded.csr OR certificate.host <> excluded.host";
    /// What is due at a moment, the longest due first; boxes that are in use only.
    DUE = "SELECT c.gateway, c.host, c.csr, c.asked_at_ms, c.chain, c.issued_at_ms, c.until_ms, c.authority,
               c.due_at_ms, c.advice_at_ms, c.tries, c.trouble_kind, c.trouble, c.troubled_at_ms
           FROM certificate c JOIN gateway g ON g.id = c.gateway
           WHERE c.due_at_ms <= $1 AND g.revoked_at_ms IS NULL ORDER BY c.due_at_ms, c.gateway LIMIT $2";
    /// Takes one that is due, so that nobody else does.
    TAKE = "UPDATE certificate SET due_at_ms = $4 WHERE gateway = $1 AND csr = $2 AND due_at_ms = $3";
    /// Makes due what another authority has issued.
    MOVE = "UPDATE certificate SET due_at_ms = $2
            WHERE chain IS NOT NULL AND COALESCE(authority, '') <> $1 AND due_at_ms > $2";
    /// Keeps what was issued for a request that is still the last.
    ISSUED = "UPDATE certificate SET chain = $3, issued_at_ms = $4, until_ms = $5, due_at_ms = $6,
                  authority = $7, advice_at_ms = $8, tries = 0, trouble_kind = NULL, trouble = NULL,
                  troubled_at_ms = NULL
              WHERE gateway = $1 AND csr = $2";
    /// Notes that issuing failed.
    FAILED = "UPDATE certificate SET tries = tries + 1, trouble_kind = $3, trouble = $4, due_at_ms = $5,
                  troubled_at_ms = COALESCE(troubled_at_ms, $6)
              WHERE gateway = $1 AND csr = $2";
    /// Makes one wait, without a failure.
    WAIT = "UPDATE certificate SET due_at_ms = $3 WHERE gateway = $1 AND csr = $2";
    /// Makes one due, for a box that has not asked anew since.
    AGAIN = "UPDATE certificate SET due_at_ms = $2 WHERE gateway = $1 AND due_at_ms > $2";
    /// Whose authority is to be asked when to renew; boxes that are in use only.
    ADVICE = "SELECT c.gateway, c.host, c.csr, c.asked_at_ms, c.chain, c.issued_at_ms, c.until_ms, c.authority,
                  c.due_at_ms, c.advice_at_ms, c.tries, c.trouble_kind, c.trouble, c.troubled_at_ms
              FROM certificate c JOIN gateway g ON g.id = c.gateway
              WHERE c.advice_at_ms <= $1 AND c.due_at_ms > $1 AND g.revoked_at_ms IS NULL
              ORDER BY c.advice_at_ms, c.gateway LIMIT $2";
    /// Keeps when to renew and when to ask again.
    ADVISED = "UPDATE certificate SET due_at_ms = $3, advice_at_ms = $4 WHERE gateway = $1 AND csr = $2";
    /// All of boxes that are in use, trouble first, then what ends first.
    ALL = "SELECT c.gateway, g.site, c.host, c.csr, c.asked_at_ms, c.chain, c.issued_at_ms, c.until_ms,
               c.authority, c.due_at_ms, c.advice_at_ms, c.tries, c.trouble_kind, c.trouble, c.troubled_at_ms
           FROM certificate c JOIN gateway g ON g.id = c.gateway WHERE g.revoked_at_ms IS NULL
           ORDER BY CASE WHEN c.troubled_at_ms IS NULL THEN 1 ELSE 0 END,
               c.troubled_at_ms, c.until_ms, c.gateway LIMIT $1";
    /// How many of them have trouble.
    TROUBLED = "SELECT COUNT(*) AS n FROM certificate c JOIN gateway g ON g.id = c.gateway
                WHERE g.revoked_at_ms IS NULL AND c.troubled_at_ms IS NOT NULL";
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
    /// Who issued it: the address of an authority's directory; none for the hub's own.
    pub authority: Option<String>,
    /// When issuing is tried next.
    pub due_at: Moment,
    /// When the authority is asked next when to renew.
    pub advice_at: Option<Moment>,
    /// Failures since the last success.
    pub tries: u32,
    /// Why the last try failed; none while all is well.
    pub trouble: Option<Trouble>,
}

/// Why there is no certificate, or no newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind it is; words in both languages have it as a key.
    pub kind: String,
    /// What was said, in English.
    pub detail: String,
    /// Since when it fails.
    pub since: Moment,
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
    /// Who issued it: the address of an authority's directory; none for the hub's own.
    pub authority: Option<String>,
    /// When the authority is asked when to renew; none where it gives no advice.
    pub advice_at: Option<Moment>,
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
    let (authority, advice) = (issued.authority.as_deref(), issued.advice_at);
    let values = args![
        gateway.as_str(),
        csr,
        &issued.chain,
        issued.at,
        issued.until,
        issued.renew_at,
        authority,
        advice
    ];
    Ok(tx.execute(ISSUED, values).await? > 0)
}

/// Takes one that is due until `lease`; false when somebody else did, or the box asked anew.
///
/// # Errors
/// `StoreError` of the database.
pub async fn take(tx: &mut Tx, due: &Certificate, lease: Moment) -> Result<bool, StoreError> {
    let values = args![due.gateway.as_str(), &due.csr[..], due.due_at, lease];
    Ok(tx.execute(TAKE, values).await? > 0)
}

/// Makes due at `now` what another authority than `authority` has issued; empty is the hub's own.
///
/// # Errors
/// `StoreError` of the database.
pub async fn move_to(tx: &mut Tx, authority: &str, now: Moment) -> Result<u64, StoreError> {
    tx.execute(MOVE, args![authority, now]).await
}

/// Notes that issuing failed and when it is tried again.
///
/// # Errors
/// `StoreError` of the database.
pub async fn failed(
    tx: &mut Tx,
    gateway: &GatewayId,
    csr: &[u8],
    trouble: &Trouble,
    again_at: Moment,
) -> Result<(), StoreError> {
    let values = args![gateway.as_str(), csr, &trouble.kind, &trouble.detail, again_at, trouble.since];
    tx.execute(FAILED, values).await.map(drop)
}

/// Makes a request wait until `at`; no failure is noted.
///
/// # Errors
/// `StoreError` of the database.
pub async fn wait(tx: &mut Tx, gateway: &GatewayId, csr: &[u8], at: Moment) -> Result<(), StoreError> {
    tx.execute(WAIT, args![gateway.as_str(), csr, at]).await.map(drop)
}

/// Makes a gateway's due at `now`; false when it is due already, or there is none.
///
/// # Errors
/// `StoreError` of the database.
pub async fn again(tx: &mut Tx, gateway: &GatewayId, now: Moment) -> Result<bool, StoreError> {
    Ok(tx.execute(AGAIN, args![gateway.as_str(), now]).await? > 0)
}

/// Up to `limit` whose authority is to be asked at `now` when to renew.
///
/// # Errors
/// `StoreError` of the database.
pub async fn advice(tx: &mut Tx, now: Moment, limit: u32) -> Result<Vec<Certificate>, StoreError> {
    tx.fetch_all(ADVICE, args![now, limit]).await?.iter().map(read).collect()
}

/// Keeps when to renew, and when the authority is asked again.
///
/// # Errors
/// `StoreError` of the database.
pub async fn advised(
    tx: &mut Tx,
    of: &Certificate,
    due_at: Moment,
    advice_at: Moment,
) -> Result<(), StoreError> {
    tx.execute(ADVISED, args![of.gateway.as_str(), &of.csr[..], due_at, advice_at]).await.map(drop)
}

/// Up to `limit` of boxes that are in use with their sites: trouble first, then what ends first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn all(tx: &mut Tx, limit: u32) -> Result<Vec<(SiteCode, Certificate)>, StoreError> {
    let rows = tx.fetch_all(ALL, args![limit]).await?;
    rows.iter().map(|row| Ok((row.read("site", SiteCode::parse)?, read(row)?))).collect()
}

/// How many boxes that are in use have trouble with theirs.
///
/// # Errors
/// `StoreError` of the database.
pub async fn troubled(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.fetch_one(TROUBLED, args![]).await?.get("n")
}

fn read(row: &Row) -> Result<Certificate, StoreError> {
    let since: Option<Moment> = row.get("troubled_at_ms")?;
    let trouble = match (since, row.get::<Option<String>>("trouble")?) {
        // Before this column was, trouble had no beginning of its own.
        (since, Some(detail)) => Some(Trouble {
            kind: row.get::<Option<String>>("trouble_kind")?.unwrap_or_default(),
            detail,
            since: since.map_or_else(|| row.get("asked_at_ms"), Ok)?,
        }),
        (_, None) => None,
    };
    Ok(Certificate {
        gateway: row.read("gateway", GatewayId::parse)?,
        host: row.get("host")?,
        csr: row.get("csr")?,
        asked_at: row.get("asked_at_ms")?,
        chain: row.get("chain")?,
        issued_at: row.get("issued_at_ms")?,
        until: row.get("until_ms")?,
        authority: row.get("authority")?,
        due_at: row.get("due_at_ms")?,
        advice_at: row.get("advice_at_ms")?,
        tries: row.get("tries")?,
        trouble,
    })
}
