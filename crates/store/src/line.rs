//! Lines: the ways out of a place that has two, and what each carried for it.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::site::SiteCode;

statements! {
    /// Keeps that a place went over, once.
    SWITCH = "INSERT INTO line_switch (site, at_ms, line, why, owner) VALUES ($1, $2, $3, $4, $5)
              ON CONFLICT (site, at_ms, line) DO NOTHING";
    /// The last times that a place went over, newest first.
    SWITCHES = "SELECT at_ms, line, why, owner FROM line_switch WHERE site = $1
                ORDER BY at_ms DESC, line LIMIT $2";
    /// Keeps what a line carried over a stretch, once.
    USE = "INSERT INTO line_use (site, at_ms, line, owner, length_ms, up_bytes, down_bytes)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site, at_ms, line) DO NOTHING";
    /// What each line carried in stretches that ended within a time.
    USED = "SELECT line, owner, CAST(SUM(up_bytes) AS BIGINT) AS up_bytes,
                CAST(SUM(down_bytes) AS BIGINT) AS down_bytes
            FROM line_use WHERE site = $1 AND at_ms >= $2 AND at_ms < $3
            GROUP BY line, owner ORDER BY line DESC, owner";
}

/// A place went over to another line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// When.
    pub at: Moment,
    /// To which: `uplink` or `backup`.
    pub line: String,
    /// Why, as the event names it.
    pub why: String,
    /// Whose it is; empty for the provider's.
    pub owner: String,
}

/// What a line carried over a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its end.
    pub at: Moment,
    /// How long it was, milliseconds.
    pub length_ms: u64,
    /// What was carried in it.
    pub carried: Carried,
}

/// What a line carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Which line.
    pub line: String,
    /// Whose it is; empty for the provider's.
    pub owner: String,
    /// From the place.
    pub up_bytes: u64,
    /// To the place.
    pub down_bytes: u64,
}

/// Keeps that a place went over; one that is kept already is left as it is.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put_switch(tx: &mut Tx, site: &SiteCode, s: &Switch) -> Result<(), StoreError> {
    tx.execute(SWITCH, args![site.as_str(), s.at, &s.line, &s.why, &s.owner]).await.map(drop)
}

/// The last times that a place went over, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn switches(tx: &mut Tx, site: &SiteCode, limit: u32) -> Result<Vec<Switch>, StoreError> {
    let rows = tx.fetch_all(SWITCHES, args![site.as_str(), limit]).await?;
    let read = |row: &Row| {
        Ok(Switch {
            at: row.get("at_ms")?,
            line: row.get("line")?,
            why: row.get("why")?,
            owner: row.get("owner")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Keeps what a line carried; a stretch that is kept already is left as it is.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put_use(tx: &mut Tx, site: &SiteCode, s: &Stretch) -> Result<(), StoreError> {
    let c = &s.carried;
    let values = args![site.as_str(), s.at, &c.line, &c.owner, s.length_ms, c.up_bytes, c.down_bytes];
    tx.execute(USE, values).await.map(drop)
}

/// What each line carried in stretches that ended from `from` (with) to `to` (without).
///
/// # Errors
/// `StoreError` of the database.
pub async fn used(
    tx: &mut Tx,
    site: &SiteCode,
    from: Moment,
    to: Moment,
) -> Result<Vec<Carried>, StoreError> {
    let rows = tx.fetch_all(USED, args![site.as_str(), from, to]).await?;
    let read = |row: &Row| {
        Ok(Carried {
            line: row.get("line")?,
            owner: row.get("owner")?,
            up_bytes: row.get("up_bytes")?,
            down_bytes: row.get("down_bytes")?,
        })
    };
    rows.iter().map(read).collect()
}
