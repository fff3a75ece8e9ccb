//! Hot minutes: the latest hours as beats told them. Volatile by nature.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::facts::Facts;
use kulkul_model::site::SiteCode;

statements! {
    /// Writes what is known of a minute by now.
    PUT = "INSERT INTO hot (at_ms, site, facts, seen_ms, people, rtt_us, sent, lost)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (at_ms, site) DO UPDATE SET facts = excluded.facts, seen_ms = excluded.seen_ms,
           people = excluded.people, rtt_us = COALESCE(excluded.rtt_us, hot.rtt_us),
           sent = CASE WHEN excluded.sent > 0 THEN excluded.sent ELSE hot.sent END,
           lost = CASE WHEN excluded.sent > 0 THEN excluded.lost ELSE hot.lost END";
    /// A page of minutes after a key.
    PAGE = "SELECT at_ms, site, facts, seen_ms, people, rtt_us, sent, lost FROM hot
            WHERE at_ms > $1 OR (at_ms = $1 AND site > $2) ORDER BY at_ms, site LIMIT $3";
    /// The oldest minute.
    OLDEST = "SELECT at_ms FROM hot ORDER BY at_ms LIMIT 1";
    /// Drops some sites of one minute.
    DROP_SOME = "DELETE FROM hot WHERE at_ms = $1 AND site IN
            (SELECT site FROM hot WHERE at_ms = $1 ORDER BY site LIMIT $2)";
}

/// One minute of one site as beats told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotMinute {
    /// The beginning of the minute.
    pub at: Moment,
    /// Where.
    pub site: SiteCode,
    /// What is known.
    pub facts: Facts,
    /// The latest beat.
    pub seen_at: Moment,
    /// Devices online.
    pub people: u32,
    /// Mean round trip to the anchors, microseconds.
    pub rtt_us: Option<u32>,
    /// Packets sent to the anchors.
    pub sent: u32,
    /// Those that were lost.
    pub lost: u32,
}

/// Writes what is known of a minute by now.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, m: &HotMinute) -> Result<(), StoreError> {
    let values = args![m.at, m.site.as_str(), m.facts.bits(), m.seen_at, m.people, m.rtt_us, m.sent, m.lost];
    tx.execute(PUT, values).await.map(drop)
}

/// At most `limit` minutes after the key (minute, site), in the order of the key.
///
/// # Errors
/// `StoreError` of the database.
pub async fn page(tx: &mut Tx, after: (Moment, &str), limit: u32) -> Result<Vec<HotMinute>, StoreError> {
    tx.fetch_all(PAGE, args![after.0, after.1, limit]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<HotMinute, StoreError> {
    Ok(HotMinute {
        at: row.get("at_ms")?,
        site: row.read("site", SiteCode::parse)?,
        facts: Facts::from_bits(row.get("facts")?),
        seen_at: row.get("seen_ms")?,
        people: row.get("people")?,
        rtt_us: row.get("rtt_us")?,
        sent: row.get("sent")?,
        lost: row.get("lost")?,
    })
}

/// Drops at most `limit` rows of the oldest minute before `before`; gives how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn retire(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    let Some(row) = tx.fetch_optional(OLDEST, args![]).await? else { return Ok(0) };
    let oldest: Moment = row.get("at_ms")?;
    if oldest >= before {
        return Ok(0);
    }
    tx.execute(DROP_SOME, args![oldest, limit]).await
}
