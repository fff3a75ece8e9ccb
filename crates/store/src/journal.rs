//! Journals: the entries of every gateway as they came, and where each chain stands.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_wire::link::{Digest, Header, PublicKey, Stamp};

statements! {
    /// Begins a chain.
    BEGIN = "INSERT INTO chain (gateway, seq, hash, signer) VALUES ($1, 0, $2, $3)";
    /// Where a chain stands.
    HEAD = "SELECT seq, hash, signer FROM chain WHERE gateway = $1";
    /// Moves a chain on from where it stood.
    ADVANCE = "UPDATE chain SET seq = $3, hash = $4, signer = $5 WHERE gateway = $1 AND seq = $2";
    /// Keeps an entry.
    INSERT = "INSERT INTO journal_entry (gateway, seq, kind, boot, mono_ms, wall_ms, received_at_ms, sealed)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (gateway, seq) DO NOTHING";
    /// Entries from a number on.
    LIST = "SELECT seq, wall_ms, sealed FROM journal_entry WHERE gateway = $1 AND seq >= $2
            ORDER BY seq LIMIT $3";
    /// Dates the entries of one run.
    ANCHOR = "UPDATE journal_entry SET wall_ms = $3 + mono_ms
              WHERE gateway = $1 AND boot = $2 AND wall_ms IS NULL";
    /// Keeps aside what does not fit.
    ASIDE = "INSERT INTO journal_aside (gateway, digest, at_ms, why, sealed) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (gateway, digest) DO NOTHING";
    /// How much is kept aside of one gateway.
    ASIDE_COUNT = "SELECT COUNT(*) AS n FROM journal_aside WHERE gateway = $1";
    /// What is kept aside of one gateway, newest first.
    ASIDE_LIST = "SELECT at_ms, why, sealed FROM journal_aside WHERE gateway = $1
                  ORDER BY at_ms DESC, digest LIMIT 100";
    /// Entries of one kind in the order in which they came.
    ARRIVED = "SELECT gateway, seq, received_at_ms, sealed FROM journal_entry
               WHERE kind = $1 AND received_at_ms < $2 AND (received_at_ms > $3 OR (received_at_ms = $3
                   AND (gateway > $4 OR (gateway = $4 AND seq > $5))))
               ORDER BY received_at_ms, gateway, seq LIMIT $6";
    /// Gateways whose oldest entry arrived long ago.
    OVERDUE = "SELECT c.gateway FROM chain c JOIN journal_entry e ON e.gateway = c.gateway
                   AND e.seq = (SELECT MIN(o.seq) FROM journal_entry o WHERE o.gateway = c.gateway)
               WHERE c.gateway > $1 AND e.received_at_ms < $2 ORDER BY c.gateway LIMIT $3";
    /// The beginning of what is held of a chain.
    OLDEST = "SELECT seq, received_at_ms FROM journal_entry WHERE gateway = $1 ORDER BY seq LIMIT $2";
    /// Drops entries up to a number.
    RETIRE = "DELETE FROM journal_entry WHERE gateway = $1 AND seq <= $2";
    /// Drops some of what was kept aside long ago.
    RETIRE_ASIDE = "DELETE FROM journal_aside WHERE (gateway, digest) IN
                    (SELECT gateway, digest FROM journal_aside WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)";
    /// Puts a barer spelling of an entry in the place of the one that is held.
    BARE = "UPDATE journal_entry SET sealed = $3 WHERE gateway = $1 AND seq = $2";
}

/// Where a gateway's chain stands at the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Number of the last entry that is held.
    pub seq: u64,
    /// What the next entry must name as its `prev`.
    pub hash: Digest,
    /// The key that signs it.
    pub signer: PublicKey,
}

/// Begins the chain of a gateway that just enrolled.
///
/// # Errors
/// `StoreError` of the database.
pub async fn begin(tx: &mut Tx, gateway: &GatewayId, signer: &PublicKey) -> Result<(), StoreError> {
    tx.execute(BEGIN, args![gateway.as_str(), [0u8; 32], &signer.0]).await.map(drop)
}

/// Where a gateway's chain stands.
///
/// # Errors
/// `StoreError` of the database.
pub async fn head(tx: &mut Tx, gateway: &GatewayId) -> Result<Option<Standing>, StoreError> {
    let Some(row) = tx.fetch_optional(HEAD, args![gateway.as_str()]).await? else { return Ok(None) };
    Ok(Some(Standing {
        seq: row.get("seq")?,
        hash: Digest(row.get("hash")?),
        signer: PublicKey(row.get("signer")?),
    }))
}

/// Moves a chain on from number `from`; false when it does not stand there any more.
///
/// # Errors
/// `StoreError` of the database.
pub async fn advance(tx: &mut Tx, gateway: &GatewayId, from: u64, to: &Standing) -> Result<bool, StoreError> {
    let values = args![gateway.as_str(), from, to.seq, &to.hash.0, &to.signer.0];
    Ok(tx.execute(ADVANCE, values).await? == 1)
}

/// Keeps an entry as it came; one that is held already is left as it is.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(
    tx: &mut Tx,
    gateway: &GatewayId,
    header: &Header,
    sealed: &[u8],
    now: Moment,
) -> Result<(), StoreError> {
    let Stamp { boot, mono_ms, wall } = header.stamp;
    let values = args![gateway.as_str(), header.seq, header.kind.code(), &boot.0, mono_ms, wall, now, sealed];
    tx.execute(INSERT, values).await.map(drop)
}

/// Entries from number `from` on: number, date if known, bytes as they came.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(
    tx: &mut Tx,
    gateway: &GatewayId,
    from: u64,
    limit: u32,
) -> Result<Vec<(u64, Option<Moment>, Vec<u8>)>, StoreError> {
    let rows = tx.fetch_all(LIST, args![gateway.as_str(), from, limit]).await?;
    rows.iter().map(|r| Ok((r.get("seq")?, r.get("wall_ms")?, r.get("sealed")?))).collect()
}

/// An entry as it lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Whose.
    pub gateway: GatewayId,
    /// Its number.
    pub seq: u64,
    /// When the hub received it.
    pub received_at: Moment,
    /// Header, signature and what is left of its parts.
    pub sealed: Vec<u8>,
}

/// Up to `limit` entries of one kind that arrived before `before`, oldest first.
///
/// `after` is the arrival, gateway and number of the last one seen.
///
/// # Errors
/// `StoreError` of the database.
pub async fn arrived(
    tx: &mut Tx,
    kind: u16,
    before: Moment,
    after: (Moment, &str, u64),
    limit: u32,
) -> Result<Vec<Held>, StoreError> {
    let rows = tx.fetch_all(ARRIVED, args![kind, before, after.0, after.1, after.2, limit]).await?;
    let read = |row: &crate::Row| {
        Ok(Held {
            gateway: row.read("gateway", GatewayId::parse)?,
            seq: row.get("seq")?,
            received_at: row.get("received_at_ms")?,
            sealed: row.get("sealed")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Replaces an entry's bytes by a spelling without its parts; the chain is untouched.
///
/// # Errors
/// `StoreError` of the database.
pub async fn bare(tx: &mut Tx, held: &Held, sealed: &[u8]) -> Result<(), StoreError> {
    tx.execute(BARE, args![held.gateway.as_str(), held.seq, sealed]).await.map(drop)
}

/// Up to `limit` gateways after `after` whose oldest entry arrived before `before`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn overdue(
    tx: &mut Tx,
    after: &str,
    before: Moment,
    limit: u32,
) -> Result<Vec<GatewayId>, StoreError> {
    let rows = tx.fetch_all(OVERDUE, args![after, before, limit]).await?;
    rows.iter().map(|row| row.read("gateway", GatewayId::parse)).collect()
}

/// Drops at most `limit` entries from a chain's beginning that arrived before `before`.
///
/// The first entry that arrived later, and all that follow it, stay, so that the chain
/// has no hole. Gives how many went.
///
/// # Errors
/// `StoreError` of the database.
pub async fn retire(tx: &mut Tx, gateway: &GatewayId, before: Moment, limit: u32) -> Result<u64, StoreError> {
    let rows = tx.fetch_all(OLDEST, args![gateway.as_str(), limit]).await?;
    let mut last: Option<u64> = None;
    for row in &rows {
        if row.get::<Moment>("received_at_ms")? >= before {
            break;
        }
        last = Some(row.get("seq")?);
    }
    let Some(last) = last else { return Ok(0) };
    tx.execute(RETIRE, args![gateway.as_str(), last]).await
}

/// Drops at most `limit` things that were kept aside before `before`; how many went.
///
/// # Errors
/// `StoreError` of the database.
pub async fn retire_aside(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(RETIRE_ASIDE, args![before, limit]).await
}

/// Dates the undated entries of one run by its anchor.
///
/// # Errors
/// `StoreError` of the database.
pub async fn anchor(tx: &mut Tx, gateway: &GatewayId, at: &Stamp) -> Result<u64, StoreError> {
    tx.execute(ANCHOR, args![gateway.as_str(), &at.boot.0, run_began(at)]).await
}

/// The wall-clock time at which a run's monotonic clock was at 0.
pub(crate) fn run_began(at: &Stamp) -> i64 {
    let mono = i64::try_from(at.mono_ms).unwrap_or(i64::MAX);
    at.wall.unwrap_or_default().ms().saturating_sub(mono)
}

/// A gateway has at most this many things kept aside; more are counted in the log only.
pub const ASIDE_LIMIT: u64 = 1_000;

/// Keeps aside what came in a gateway's name and does not fit; false when it is there already, or too much is.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_aside(
    tx: &mut Tx,
    gateway: &GatewayId,
    sealed: &[u8],
    why: &str,
    now: Moment,
) -> Result<bool, StoreError> {
    let held: u64 = tx.fetch_one(ASIDE_COUNT, args![gateway.as_str()]).await?.get("n")?;
    if held >= ASIDE_LIMIT {
        return Ok(false);
    }
    let values = args![gateway.as_str(), &Digest::of(sealed).0, now, why, sealed];
    Ok(tx.execute(ASIDE, values).await? == 1)
}

/// What is kept aside of a gateway, newest first, at most 100: when, why, the bytes.
///
/// # Errors
/// `StoreError` of the database.
pub async fn aside(tx: &mut Tx, gateway: &GatewayId) -> Result<Vec<(Moment, String, Vec<u8>)>, StoreError> {
    let rows = tx.fetch_all(ASIDE_LIST, args![gateway.as_str()]).await?;
    rows.iter().map(|r| Ok((r.get("at_ms")?, r.get("why")?, r.get("sealed")?))).collect()
}
