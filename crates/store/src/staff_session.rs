//! Staff sessions: browsers in which a person of the staff is signed in.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// The session with this token's digest.
    FIND = "SELECT staff, csrf, began_at_ms, seen_at_ms, ends_at_ms FROM staff_session WHERE digest = $1";
    /// Begins a session.
    INSERT = "INSERT INTO staff_session (digest, staff, csrf, began_at_ms, seen_at_ms, ends_at_ms)
              VALUES ($1, $2, $3, $4, $5, $6)";
    /// Notes that it was used.
    SEEN = "UPDATE staff_session SET seen_at_ms = $2 WHERE digest = $1";
    /// Ends one session.
    DELETE = "DELETE FROM staff_session WHERE digest = $1";
    /// Ends all sessions of a person but one.
    DELETE_OTHERS = "DELETE FROM staff_session WHERE staff = $1 AND digest <> $2";
    /// Forgets sessions that are over.
    PURGE = "DELETE FROM staff_session WHERE digest IN
             (SELECT digest FROM staff_session WHERE ends_at_ms < $1 ORDER BY ends_at_ms LIMIT 500)";
}

/// SHA-256 of the token that the browser holds.
pub type Digest = [u8; 32];

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffSession {
    /// SHA-256 of its token.
    pub digest: Digest,
    /// The person's sign-in name.
    pub staff: String,
    /// What forms must send back.
    pub csrf: [u8; 32],
    /// When it began.
    pub began_at: Moment,
    /// When it was last used, to the minute.
    pub seen_at: Moment,
    /// When it ends in any case.
    pub ends_at: Moment,
}

/// The session with this digest, over or not.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, digest: &Digest) -> Result<Option<StaffSession>, StoreError> {
    let Some(row) = tx.fetch_optional(FIND, args![digest]).await? else { return Ok(None) };
    Ok(Some(StaffSession {
        digest: *digest,
        staff: row.get("staff")?,
        csrf: row.get("csrf")?,
        began_at: row.get("began_at_ms")?,
        seen_at: row.get("seen_at_ms")?,
        ends_at: row.get("ends_at_ms")?,
    }))
}

/// Begins a session, and forgets some that are over.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, s: &StaffSession) -> Result<(), StoreError> {
    tx.execute(PURGE, args![s.began_at]).await?;
    tx.execute(INSERT, args![&s.digest, &s.staff, &s.csrf, s.began_at, s.seen_at, s.ends_at]).await.map(drop)
}

/// Notes that a session was used at `now`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn seen(tx: &mut Tx, digest: &Digest, now: Moment) -> Result<(), StoreError> {
    tx.execute(SEEN, args![digest, now]).await.map(drop)
}

/// Ends a session.
///
/// # Errors
/// `StoreError` of the database.
pub async fn delete(tx: &mut Tx, digest: &Digest) -> Result<(), StoreError> {
    tx.execute(DELETE, args![digest]).await.map(drop)
}

/// Ends all sessions of a person, but the one with digest `except`; gives how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn delete_others(tx: &mut Tx, staff: &str, except: &Digest) -> Result<u64, StoreError> {
    tx.execute(DELETE_OTHERS, args![staff, except]).await
}
