//! Answers to writes, kept for a day so that a write sent twice is done once.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// What is kept under a key.
    FIND = "SELECT request, status, content_type, body FROM idempotency WHERE who = $1 AND key = $2";
    /// Takes a key; changes no row when it is taken.
    TAKE = "INSERT INTO idempotency (who, key, request, at_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT (who, key) DO NOTHING";
    /// Keeps the answer.
    KEEP = "UPDATE idempotency SET status = $3, content_type = $4, body = $5 WHERE who = $1 AND key = $2";
    /// Lets a key go.
    RELEASE = "DELETE FROM idempotency WHERE who = $1 AND key = $2";
    /// Forgets old answers.
    PURGE = "DELETE FROM idempotency WHERE (who, key) IN
             (SELECT who, key FROM idempotency WHERE at_ms < $1 ORDER BY at_ms LIMIT 100)";
}

/// What is kept under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of method, target and body of the first request.
    pub request: [u8; 32],
    /// The answer's status; none while the first request is at work.
    pub status: Option<u16>,
    /// The answer's media type.
    pub content_type: Option<String>,
    /// The answer's body; none when it held a secret.
    pub body: Option<Vec<u8>>,
}

/// Takes a key for a request at `now`, or gives what is kept under it.
///
/// Answers from before `forget_before` are forgotten first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn take(
    tx: &mut Tx,
    (who, key): (&str, &str),
    request: &[u8; 32],
    now: Moment,
    forget_before: Moment,
) -> Result<Option<Kept>, StoreError> {
    tx.execute(PURGE, args![forget_before]).await?;
    if tx.execute(TAKE, args![who, key, request, now]).await? == 1 {
        return Ok(None);
    }
    let row = tx.fetch_one(FIND, args![who, key]).await?;
    Ok(Some(Kept {
        request: row.get("request")?,
        status: row.get("status")?,
        content_type: row.get("content_type")?,
        body: row.get("body")?,
    }))
}

/// Keeps the answer under a key that was taken.
///
/// # Errors
/// `StoreError` of the database.
pub async fn keep(tx: &mut Tx, (who, key): (&str, &str), kept: &Kept) -> Result<(), StoreError> {
    let values = args![who, key, kept.status, kept.content_type.as_deref(), kept.body.as_deref()];
    tx.execute(KEEP, values).await.map(drop)
}

/// Lets a key go, so that the request may be sent again.
///
/// # Errors
/// `StoreError` of the database.
pub async fn release(tx: &mut Tx, (who, key): (&str, &str)) -> Result<(), StoreError> {
    tx.execute(RELEASE, args![who, key]).await.map(drop)
}
