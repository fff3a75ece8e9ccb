//! Vouchers: batches with their terms, the codes' digests, and the salts of places.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::admission::Token16;
use kulkul_model::site::SiteCode;
use kulkul_model::voucher::Terms;

/// The columns of a batch that are read, in a statement.
macro_rules! batch_columns {
    () => {
        "voucher_batch.id AS batch_id, label, site, lasts_ms, begin_before_ms, devices, down_kbps, up_kbps, vouchers,
         made_at_ms, made_by"
    };
}

/// The columns of a voucher that are read, with those of its batch.
macro_rules! columns {
    () => {
        concat!(
            "voucher.id AS id, position, digest, offline_digest, first_used_at_ms, revoked_at_ms, revoked_by, ",
            batch_columns!()
        )
    };
}

statements! {
    /// Keeps a batch.
    INSERT_BATCH = "INSERT INTO voucher_batch (id, label, site, lasts_ms, begin_before_ms, devices, down_kbps,
                        up_kbps, vouchers, made_at_ms, made_by)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// Keeps a voucher.
    INSERT = "INSERT INTO voucher (id, batch, position, digest, offline_digest) VALUES ($1, $2, $3, $4, $5)";
    /// One batch.
    FIND_BATCH = concat!("SELECT ", batch_columns!(), " FROM voucher_batch WHERE id = $1");
    /// Batches made before a moment, newest first; an empty site filters nothing.
    LIST_BATCHES = concat!("SELECT ", batch_columns!(), " FROM voucher_batch
        WHERE ($3 = '' OR site = $3) AND (made_at_ms < $1 OR (made_at_ms = $1 AND id < $2))
        ORDER BY made_at_ms DESC, id DESC LIMIT $4");
    /// How far a batch is: used ones and revoked ones.
    COUNTS = "SELECT COUNT(first_used_at_ms) AS used, COUNT(revoked_at_ms) AS revoked FROM voucher WHERE batch = $1";
    /// Vouchers of a batch after a position.
    LIST = concat!("SELECT ", columns!(), " FROM voucher JOIN voucher_batch ON voucher_batch.id = voucher.batch
        WHERE voucher.batch = $1 AND position > $2 ORDER BY position LIMIT $3");
    /// All vouchers, by batch and position, after a key.
    LIST_ALL = concat!("SELECT ", columns!(), " FROM voucher JOIN voucher_batch ON voucher_batch.id = voucher.batch
        WHERE voucher.batch > $1 OR (voucher.batch = $1 AND position > $2)
        ORDER BY voucher.batch, position LIMIT $3");
    /// The voucher with this id.
    FIND = concat!("SELECT ", columns!(), " FROM voucher JOIN voucher_batch ON voucher_batch.id = voucher.batch
        WHERE voucher.id = $1");
    /// The voucher whose code has this keyed digest.
    FIND_DIGEST = concat!("SELECT ", columns!(), "
        FROM voucher JOIN voucher_batch ON voucher_batch.id = voucher.batch WHERE digest = $1");
    /// The voucher with this offline digest.
    FIND_OFFLINE = concat!("SELECT ", columns!(), "
        FROM voucher JOIN voucher_batch ON voucher_batch.id = voucher.batch
        WHERE offline_digest = $1 ORDER BY voucher.id LIMIT 1");
    /// Vouchers of a place that work offline and are not revoked, those begun long ago left out.
    OFFLINE = concat!("SELECT ", columns!(), " FROM voucher JOIN voucher_batch ON voucher_batch.id = voucher.batch
        WHERE site = $1 AND offline_digest IS NOT NULL AND revoked_at_ms IS NULL
            AND ((first_used_at_ms IS NULL AND begin_before_ms > $2) OR first_used_at_ms + lasts_ms > $2)
        ORDER BY made_at_ms DESC, batch_id, position LIMIT $3");
    /// When a voucher was first used: the earliest that anybody tells.
    BEGIN = "UPDATE voucher SET first_used_at_ms = $2
             WHERE id = $1 AND (first_used_at_ms IS NULL OR first_used_at_ms > $2)";
    /// Takes a voucher back.
    REVOKE = "UPDATE voucher SET revoked_at_ms = $2, revoked_by = $3 WHERE id = $1 AND revoked_at_ms IS NULL";
    /// Takes a whole batch back.
    REVOKE_BATCH = "UPDATE voucher SET revoked_at_ms = $2, revoked_by = $3
                    WHERE batch = $1 AND revoked_at_ms IS NULL";
    /// Takes back what works offline at a place and is not used up.
    VOID = "UPDATE voucher SET revoked_at_ms = $2, revoked_by = $3
            WHERE revoked_at_ms IS NULL AND offline_digest IS NOT NULL AND batch IN (
                SELECT voucher_batch.id FROM voucher_batch WHERE voucher_batch.site = $1
                    AND ((voucher.first_used_at_ms IS NULL AND voucher_batch.begin_before_ms > $2)
                        OR voucher.first_used_at_ms + voucher_batch.lasts_ms > $2))";
    /// The salt of a place.
    SALT = "SELECT salt FROM voucher_salt WHERE site = $1";
    /// Gives a place a salt.
    PUT_SALT = "INSERT INTO voucher_salt (site, salt, since_ms) VALUES ($1, $2, $3)
                ON CONFLICT (site) DO UPDATE SET salt = excluded.salt, since_ms = excluded.since_ms";
}

/// Vouchers with the same terms, made together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// What staff call it.
    pub label: String,
    /// The one place where they let in; none is everywhere.
    pub site: Option<SiteCode>,
    /// What each gives.
    pub terms: Terms,
    /// How many.
    pub vouchers: u32,
    /// When it was made.
    pub made_at: Moment,
    /// By whom.
    pub made_by: String,
}

/// A voucher as it is stored; its code is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Its id.
    pub id: Token16,
    /// Its batch.
    pub batch: Batch,
    /// Its place on the sheet, from 1.
    pub position: u32,
    /// The code's keyed digest.
    pub digest: [u8; 32],
    /// The code's slow hash under the place's salt.
    pub offline: Option<Token16>,
    /// When it was first used.
    pub begun: Option<Moment>,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
    /// By whom, or why.
    pub revoked_by: Option<String>,
}

/// A voucher that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Its id.
    pub id: Token16,
    /// The code's keyed digest.
    pub digest: [u8; 32],
    /// The code's slow hash.
    pub offline: Option<Token16>,
}

/// Keeps a batch; its vouchers follow by `insert`.
///
/// # Errors
/// `StoreError` of the database; a broken reference when there is no such site.
pub async fn insert_batch(tx: &mut Tx, b: &Batch) -> Result<(), StoreError> {
    let values = args![
        &b.id,
        &b.label,
        b.site.as_ref().map(SiteCode::as_str),
        b.terms.lasts_ms,
        b.terms.begin_before,
        b.terms.devices,
        b.terms.down_kbps,
        b.terms.up_kbps,
        b.vouchers,
        b.made_at,
        &b.made_by,
    ];
    tx.execute(INSERT_BATCH, values).await.map(drop)
}

/// Keeps vouchers of a batch, the first at place `from` of the sheet.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, batch: &str, from: u32, all: &[Fresh]) -> Result<(), StoreError> {
    for (position, one) in (from..).zip(all) {
        let offline = one.offline.map(|d| d.0.to_vec());
        tx.execute(INSERT, args![one.id.to_string(), batch, position, &one.digest, offline]).await?;
    }
    Ok(())
}

/// Where a list of batches goes on: when the last one shown was made, and its id.
pub type Cursor = (Moment, String);

/// The cursor before the newest batch.
#[must_use]
pub fn newest() -> Cursor {
    (Moment::from_ms(i64::MAX), String::new())
}

/// The batch with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find_batch(tx: &mut Tx, id: &str) -> Result<Option<Batch>, StoreError> {
    tx.fetch_optional(FIND_BATCH, args![id]).await?.as_ref().map(read_batch).transpose()
}

/// Up to `limit` batches before `before`, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list_batches(
    tx: &mut Tx,
    site: Option<&SiteCode>,
    before: &Cursor,
    limit: u32,
) -> Result<Vec<Batch>, StoreError> {
    let site = site.map_or("", SiteCode::as_str);
    let rows = tx.fetch_all(LIST_BATCHES, args![before.0, &before.1, site, limit]).await?;
    rows.iter().map(read_batch).collect()
}

/// How many of a batch were used, and how many taken back.
///
/// # Errors
/// `StoreError` of the database.
pub async fn counts(tx: &mut Tx, batch: &str) -> Result<(u32, u32), StoreError> {
    let row = tx.fetch_one(COUNTS, args![batch]).await?;
    Ok((row.get("used")?, row.get("revoked")?))
}

/// Up to `limit` vouchers of a batch after a place of its sheet.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, batch: &str, after: u32, limit: u32) -> Result<Vec<Voucher>, StoreError> {
    tx.fetch_all(LIST, args![batch, after, limit]).await?.iter().map(read).collect()
}

/// Up to `limit` vouchers of all batches after a batch and place, by batch and place.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list_all(tx: &mut Tx, after: (&str, u32), limit: u32) -> Result<Vec<Voucher>, StoreError> {
    tx.fetch_all(LIST_ALL, args![after.0, after.1, limit]).await?.iter().map(read).collect()
}

/// The voucher with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: Token16) -> Result<Option<Voucher>, StoreError> {
    tx.fetch_optional(FIND, args![id.to_string()]).await?.as_ref().map(read).transpose()
}

/// The voucher whose code has this keyed digest.
///
/// # Errors
/// `StoreError` of the database.
pub async fn by_digest(tx: &mut Tx, digest: &[u8; 32]) -> Result<Option<Voucher>, StoreError> {
    tx.fetch_optional(FIND_DIGEST, args![digest]).await?.as_ref().map(read).transpose()
}

/// The voucher with this offline digest.
///
/// # Errors
/// `StoreError` of the database.
pub async fn by_offline(tx: &mut Tx, digest: Token16) -> Result<Option<Voucher>, StoreError> {
    tx.fetch_optional(FIND_OFFLINE, args![&digest.0]).await?.as_ref().map(read).transpose()
}

/// Up to `limit` vouchers that let in at a place while its box is on its own, newest batch first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn offline(
    tx: &mut Tx,
    site: &SiteCode,
    now: Moment,
    limit: u32,
) -> Result<Vec<Voucher>, StoreError> {
    tx.fetch_all(OFFLINE, args![site.as_str(), now, limit]).await?.iter().map(read).collect()
}

/// Notes that a voucher was in use at `at`; the earliest moment is its first use.
///
/// # Errors
/// `StoreError` of the database.
pub async fn begin(tx: &mut Tx, id: Token16, at: Moment) -> Result<(), StoreError> {
    tx.execute(BEGIN, args![id.to_string(), at]).await.map(drop)
}

/// Takes a voucher back; false when it was before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revoke(tx: &mut Tx, id: Token16, at: Moment, by: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, args![id.to_string(), at, by]).await? > 0)
}

/// Takes a whole batch back; how many that were.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revoke_batch(tx: &mut Tx, batch: &str, at: Moment, by: &str) -> Result<u64, StoreError> {
    tx.execute(REVOKE_BATCH, args![batch, at, by]).await
}

/// Takes back what works offline at a place and is not over; how many that were.
///
/// # Errors
/// `StoreError` of the database.
pub async fn void(tx: &mut Tx, site: &SiteCode, at: Moment, why: &str) -> Result<u64, StoreError> {
    tx.execute(VOID, args![site.as_str(), at, why]).await
}

/// The salt of a place's offline digests, if it has one.
///
/// # Errors
/// `StoreError` of the database.
pub async fn salt(tx: &mut Tx, site: &SiteCode) -> Result<Option<Token16>, StoreError> {
    let row = tx.fetch_optional(SALT, args![site.as_str()]).await?;
    row.map(|r| r.get("salt").map(Token16)).transpose()
}

/// Gives a place another salt.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put_salt(tx: &mut Tx, site: &SiteCode, salt: Token16, now: Moment) -> Result<(), StoreError> {
    tx.execute(PUT_SALT, args![site.as_str(), &salt.0, now]).await.map(drop)
}

fn read_batch(row: &Row) -> Result<Batch, StoreError> {
    Ok(Batch {
        id: row.get("batch_id")?,
        label: row.get("label")?,
        site: row.read_optional("site", SiteCode::parse)?,
        terms: Terms {
            lasts_ms: row.get("lasts_ms")?,
            begin_before: row.get("begin_before_ms")?,
            devices: u16::try_from(row.get::<u32>("devices")?).unwrap_or(u16::MAX),
            down_kbps: row.get("down_kbps")?,
            up_kbps: row.get("up_kbps")?,
        },
        vouchers: row.get("vouchers")?,
        made_at: row.get("made_at_ms")?,
        made_by: row.get("made_by")?,
    })
}

fn read(row: &Row) -> Result<Voucher, StoreError> {
    let wrong = |reason: String| StoreError::Value { column: "offline_digest".to_owned(), reason };
    let offline = row.get::<Option<Vec<u8>>>("offline_digest")?;
    let offline = offline.map(|d| <[u8; 16]>::try_from(d).map(Token16));
    Ok(Voucher {
        id: row.read("id", Token16::parse)?,
        batch: read_batch(row)?,
        position: row.get("position")?,
        digest: row.get("digest")?,
        offline: offline.transpose().map_err(|d| wrong(format!("{} bytes where 16 belong", d.len())))?,
        begun: row.get("first_used_at_ms")?,
        revoked_at: row.get("revoked_at_ms")?,
        revoked_by: row.get("revoked_by")?,
    })
}
