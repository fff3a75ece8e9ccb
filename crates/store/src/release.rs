//! Releases: programs for boxes, as the holder of an update key signed them.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_wire::link::{Digest, Release};

/// The columns of a release, in a statement.
macro_rules! columns {
    () => {
        "sha256, version, target, bytes, signed_at_ms, key_id, statement, taken_at_ms, taken_by"
    };
}

statements! {
    /// Keeps a release, or the newer statement of one that is there.
    PUT = "INSERT INTO release (sha256, version, target, bytes, signed_at_ms, key_id, statement, taken_at_ms, taken_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (sha256) DO UPDATE SET signed_at_ms = excluded.signed_at_ms, key_id = excluded.key_id,
               statement = excluded.statement, taken_at_ms = excluded.taken_at_ms, taken_by = excluded.taken_by";
    /// One release.
    FIND = concat!("SELECT ", columns!(), " FROM release WHERE sha256 = $1");
    /// The newest of a version for a target.
    NEWEST = concat!("SELECT ", columns!(), " FROM release WHERE version = $1 AND target = $2
              ORDER BY signed_at_ms DESC, sha256 DESC LIMIT 1");
    /// Whether there is a version.
    OF_VERSION = concat!("SELECT ", columns!(), " FROM release WHERE version = $1 ORDER BY target LIMIT 1");
    /// Releases before a key, the newest first.
    LIST = concat!("SELECT ", columns!(), " FROM release
            WHERE signed_at_ms < $1 OR (signed_at_ms = $1 AND sha256 < $2)
            ORDER BY signed_at_ms DESC, sha256 DESC LIMIT $3");
    /// Forgets one.
    REMOVE = "DELETE FROM release WHERE sha256 = $1";
    /// Boxes that were told of a program or run it.
    NAMED = "SELECT (SELECT COUNT(*) FROM rollout_box WHERE program = $1)
             + (SELECT COUNT(*) FROM gateway_run WHERE program = $1 OR trying = $1) AS n";
}

/// A release as it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the statement says.
    pub release: Release,
    /// Which key signed it, by its id.
    pub key_id: String,
    /// The statement as it was signed.
    pub statement: Vec<u8>,
    /// When it was taken.
    pub taken_at: Moment,
    /// By whom.
    pub taken_by: String,
}

fn read(row: &Row) -> Result<Taken, StoreError> {
    Ok(Taken {
        release: Release {
            version: row.get("version")?,
            target: row.get("target")?,
            sha256: Digest(row.get("sha256")?),
            bytes: row.get("bytes")?,
            signed_at: row.get("signed_at_ms")?,
        },
        key_id: row.get("key_id")?,
        statement: row.get("statement")?,
        taken_at: row.get("taken_at_ms")?,
        taken_by: row.get("taken_by")?,
    })
}

/// Keeps a release; one that is there gets this statement.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, t: &Taken) -> Result<(), StoreError> {
    let r = &t.release;
    let values = args![
        &r.sha256.0,
        &r.version,
        &r.target,
        r.bytes,
        r.signed_at,
        &t.key_id,
        &t.statement,
        t.taken_at,
        &t.taken_by
    ];
    tx.execute(PUT, values).await.map(drop)
}

/// The release of this program.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, sha256: &Digest) -> Result<Option<Taken>, StoreError> {
    tx.fetch_optional(FIND, args![&sha256.0]).await?.as_ref().map(read).transpose()
}

/// The release of a version for a target that was signed last.
///
/// # Errors
/// `StoreError` of the database.
pub async fn newest(tx: &mut Tx, version: &str, target: &str) -> Result<Option<Taken>, StoreError> {
    tx.fetch_optional(NEWEST, args![version, target]).await?.as_ref().map(read).transpose()
}

/// Whether any release has this version.
///
/// # Errors
/// `StoreError` of the database.
pub async fn is_version(tx: &mut Tx, version: &str) -> Result<bool, StoreError> {
    Ok(tx.fetch_optional(OF_VERSION, args![version]).await?.is_some())
}

/// Where a list goes on: when the last one shown was signed, and its digest.
pub type Cursor = (Moment, Digest);

/// The cursor before the newest release.
#[must_use]
pub fn first() -> Cursor {
    (Moment::from_ms(i64::MAX), Digest::default())
}

/// Up to `limit` releases before `before`, the newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, before: &Cursor, limit: u32) -> Result<Vec<Taken>, StoreError> {
    tx.fetch_all(LIST, args![before.0, &before.1.0, limit]).await?.iter().map(read).collect()
}

/// Whether a box was told of this program, tries it or runs it.
///
/// # Errors
/// `StoreError` of the database.
pub async fn is_named(tx: &mut Tx, sha256: &Digest) -> Result<bool, StoreError> {
    let n: i64 = tx.fetch_one(NAMED, args![&sha256.0]).await?.get("n")?;
    Ok(n > 0)
}

/// Forgets a release; tells whether it was there.
///
/// # Errors
/// `StoreError` of the database.
pub async fn remove(tx: &mut Tx, sha256: &Digest) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE, args![&sha256.0]).await? == 1)
}
