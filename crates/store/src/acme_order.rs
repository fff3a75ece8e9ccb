//! Orders at public certificate authorities: what was ordered when, and what is still open.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// The newest that is open for a name and a request.
    OPEN = "SELECT url, authority, host, csr, renewal, made_at_ms FROM acme_order
            WHERE host = $1 AND authority = $2 AND csr = $3 AND ended_at_ms IS NULL
            ORDER BY made_at_ms DESC LIMIT 1";
    /// Keeps an order.
    ADD = "INSERT INTO acme_order (url, authority, host, csr, renewal, made_at_ms)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (url) DO UPDATE SET csr = excluded.csr, ended_at_ms = NULL";
    /// Notes that one is over.
    END = "UPDATE acme_order SET ended_at_ms = $2 WHERE url = $1 AND ended_at_ms IS NULL";
    /// When orders were made after a moment, oldest first.
    SINCE = "SELECT made_at_ms FROM acme_order WHERE authority = $1 AND made_at_ms > $2
             ORDER BY made_at_ms LIMIT 10000";
    /// When orders for names that had none were made after a moment, oldest first.
    FIRST_SINCE = "SELECT made_at_ms FROM acme_order
                   WHERE authority = $1 AND made_at_ms > $2 AND renewal = $3
                   ORDER BY made_at_ms LIMIT 10000";
    /// Forgets what counts for no limit any more.
    PRUNE = "DELETE FROM acme_order WHERE made_at_ms < $1";
}

/// An order at an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeOrder {
    /// Its address at the authority.
    pub url: String,
    /// The address of the authority's directory.
    pub authority: String,
    /// The name that it is for.
    pub host: String,
    /// SHA-256 of the request, hexadecimal.
    pub csr: String,
    /// Whether the name had a certificate of this authority before.
    pub renewal: bool,
    /// When it was made.
    pub made_at: Moment,
}

/// The newest order that is open for a name and a request.
///
/// # Errors
/// `StoreError` of the database.
pub async fn open(
    tx: &mut Tx,
    authority: &str,
    host: &str,
    csr: &str,
) -> Result<Option<AcmeOrder>, StoreError> {
    let read = |row: &Row| {
        Ok(AcmeOrder {
            url: row.get("url")?,
            authority: row.get("authority")?,
            host: row.get("host")?,
            csr: row.get("csr")?,
            renewal: row.get("renewal")?,
            made_at: row.get("made_at_ms")?,
        })
    };
    tx.fetch_optional(OPEN, args![host, authority, csr]).await?.as_ref().map(read).transpose()
}

/// Keeps an order; one that the authority gives again is open again.
///
/// # Errors
/// `StoreError` of the database.
pub async fn add(tx: &mut Tx, order: &AcmeOrder) -> Result<(), StoreError> {
    let values = args![&order.url, &order.authority, &order.host, &order.csr, order.renewal, order.made_at];
    tx.execute(ADD, values).await.map(drop)
}

/// Notes that an order is over.
///
/// # Errors
/// `StoreError` of the database.
pub async fn end(tx: &mut Tx, url: &str, now: Moment) -> Result<(), StoreError> {
    tx.execute(END, args![url, now]).await.map(drop)
}

/// When orders were made after `since`, oldest first; with `first`, for names that had none.
///
/// # Errors
/// `StoreError` of the database.
pub async fn made_since(
    tx: &mut Tx,
    authority: &str,
    since: Moment,
    first: bool,
) -> Result<Vec<Moment>, StoreError> {
    let rows = if first {
        tx.fetch_all(FIRST_SINCE, args![authority, since, false]).await?
    } else {
        tx.fetch_all(SINCE, args![authority, since]).await?
    };
    rows.iter().map(|row| row.get("made_at_ms")).collect()
}

/// Forgets orders from before a moment.
///
/// # Errors
/// `StoreError` of the database.
pub async fn prune(tx: &mut Tx, before: Moment) -> Result<u64, StoreError> {
    tx.execute(PRUNE, args![before]).await
}
