//! Sessions: one device online at one site, merged from start, interim and stop.
//!
//! Each report may come again, late or alone: counters take the larger value, what is
//! known stays, and nothing depends on the order.

use crate::{Row, StoreError, Tx, args, journal, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::session::{SessionId, StopReason, Usage, WayIn};
use kulkul_model::site::SiteCode;
use kulkul_wire::link::Stamp;

/// The columns of a session that are read, in a statement.
macro_rules! columns {
    () => {
        "id, site, gateway, device, way_in, terms, language, began_at_ms, lasted_ms, ended_reason, up_bytes, down_bytes,
         up_packets, down_packets, limit_ms"
    };
}

statements! {
    /// Merges a report.
    MERGE = "INSERT INTO session (id, site, gateway, device, way_in, terms, language, began_at_ms, lasted_ms,
                 ended_reason, up_bytes, down_bytes, up_packets, down_packets, boot, began_mono_ms, limit_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             ON CONFLICT (id) DO UPDATE SET
                 device = COALESCE(session.device, excluded.device),
                 way_in = COALESCE(session.way_in, excluded.way_in),
                 terms = COALESCE(session.terms, excluded.terms),
                 language = COALESCE(session.language, excluded.language),
                 limit_ms = COALESCE(session.limit_ms, excluded.limit_ms),
                 began_at_ms = COALESCE(session.began_at_ms, excluded.began_at_ms),
                 lasted_ms = CASE WHEN excluded.lasted_ms > session.lasted_ms
                     THEN excluded.lasted_ms ELSE session.lasted_ms END,
                 ended_reason = COALESCE(session.ended_reason, excluded.ended_reason),
                 up_bytes = CASE WHEN excluded.up_bytes > session.up_bytes
                     THEN excluded.up_bytes ELSE session.up_bytes END,
                 down_bytes = CASE WHEN excluded.down_bytes > session.down_bytes
                     THEN excluded.down_bytes ELSE session.down_bytes END,
                 up_packets = CASE WHEN excluded.up_packets > session.up_packets
                     THEN excluded.up_packets ELSE session.up_packets END,
                 down_packets = CASE WHEN excluded.down_packets > session.down_packets
                     THEN excluded.down_packets ELSE session.down_packets END
             WHERE session.gateway = excluded.gateway";
    /// Dates the undated sessions of one run.
    ANCHOR = "UPDATE session SET began_at_ms = $3 + began_mono_ms
              WHERE gateway = $1 AND boot = $2 AND began_at_ms IS NULL";
    /// Sessions before a beginning and id, newest first; $4 other than 0 leaves out those not heard of since.
    LIST = concat!("SELECT ", columns!(), " FROM session WHERE (began_at_ms < $1 OR (began_at_ms = $1 AND id < $2))
            AND ($4 = 0 OR (ended_reason IS NULL AND began_at_ms + lasted_ms > $4))
            ORDER BY began_at_ms DESC, id DESC LIMIT $3");
    /// The same for one site.
    LIST_SITE = concat!("SELECT ", columns!(), " FROM session
                 WHERE site = $5 AND (began_at_ms < $1 OR (began_at_ms = $1 AND id < $2))
                     AND ($4 = 0 OR (ended_reason IS NULL AND began_at_ms + lasted_ms > $4))
                 ORDER BY began_at_ms DESC, id DESC LIMIT $3");
    /// One session.
    FIND = concat!("SELECT ", columns!(), " FROM session WHERE id = $1");
    /// Sessions of a device that go on and were heard of since, newest first.
    OF_DEVICE = concat!("SELECT ", columns!(), " FROM session
                 WHERE device = $1 AND ended_reason IS NULL AND began_at_ms + lasted_ms > $2
                 ORDER BY began_at_ms DESC, id DESC LIMIT 20");
    /// Forgets some that began and ended long ago.
    FORGET = "DELETE FROM session WHERE id IN (SELECT id FROM session
              WHERE began_at_ms < $1 AND began_at_ms + lasted_ms < $1 ORDER BY began_at_ms, id LIMIT $2)";
}

/// What one journal entry says of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The session.
    pub id: SessionId,
    /// Where.
    pub site: SiteCode,
    /// Which box says so.
    pub gateway: GatewayId,
    /// The entry's time.
    pub stamp: Stamp,
    /// A keyed digest of the device; from the start only.
    pub device: Option<String>,
    /// How it was let in; from the start only.
    pub way_in: Option<WayIn>,
    /// Accepted terms; from the start only.
    pub terms: Option<u32>,
    /// Language of the portal; from the start only.
    pub language: Option<String>,
    /// The longest that it may last, milliseconds; from the start only.
    pub limit_ms: Option<u64>,
    /// How long it has lasted, milliseconds.
    pub lasted_ms: u64,
    /// What it has used.
    pub usage: Usage,
    /// Why it ended; from the stop only.
    pub ended: Option<StopReason>,
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Where.
    pub site: SiteCode,
    /// Which box.
    pub gateway: GatewayId,
    /// A keyed digest of the device.
    pub device: Option<String>,
    /// How it was let in.
    pub way_in: Option<WayIn>,
    /// Accepted terms.
    pub terms: Option<u32>,
    /// Language of the portal.
    pub language: Option<String>,
    /// The longest that it may last, milliseconds.
    pub limit_ms: Option<u64>,
    /// When it began; none while the box has not told the time.
    pub began_at: Option<Moment>,
    /// How long it lasted as far as reported, milliseconds.
    pub lasted_ms: u64,
    /// Why it ended; none while it goes on.
    pub ended: Option<StopReason>,
    /// What it has used.
    pub usage: Usage,
}

/// Merges what an entry says of a session.
///
/// # Errors
/// `StoreError` of the database.
pub async fn merge(tx: &mut Tx, r: &Report) -> Result<(), StoreError> {
    let age = i64::try_from(r.lasted_ms).unwrap_or(i64::MAX);
    let mono = i64::try_from(r.stamp.mono_ms).unwrap_or(i64::MAX);
    let values = args![
        r.id.to_string(),
        r.site.as_str(),
        r.gateway.as_str(),
        r.device.as_deref(),
        r.way_in.map(WayIn::as_str),
        r.terms,
        r.language.as_deref(),
        r.stamp.wall.map(|w| w.plus_ms(age.saturating_neg())),
        r.lasted_ms,
        r.ended.map(StopReason::as_str),
        r.usage.up_bytes,
        r.usage.down_bytes,
        r.usage.up_packets,
        r.usage.down_packets,
        &r.stamp.boot.0,
        mono.saturating_sub(age),
        r.limit_ms,
    ];
    tx.execute(MERGE, values).await.map(drop)
}

/// Dates the undated sessions of one run by its anchor.
///
/// # Errors
/// `StoreError` of the database.
pub async fn anchor(tx: &mut Tx, gateway: &GatewayId, at: &Stamp) -> Result<u64, StoreError> {
    tx.execute(ANCHOR, args![gateway.as_str(), &at.boot.0, journal::run_began(at)]).await
}

/// Where a list of sessions goes on: the beginning and id of the last one shown.
pub type Cursor = (Moment, String);

/// The cursor before the newest session.
#[must_use]
pub fn newest() -> Cursor {
    (Moment::from_ms(i64::MAX), String::new())
}

/// Which sessions a list holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only of this site.
    pub site: Option<SiteCode>,
    /// Only those that go on and were heard of since then.
    pub online_since: Option<Moment>,
}

/// Up to `limit` dated sessions before `before`, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(
    tx: &mut Tx,
    filter: &Filter,
    before: &Cursor,
    limit: u32,
) -> Result<Vec<Session>, StoreError> {
    let since = filter.online_since.map_or(0, Moment::ms);
    let rows = match &filter.site {
        Some(site) => {
            tx.fetch_all(LIST_SITE, args![before.0, &before.1, limit, since, site.as_str()]).await?
        }
        None => tx.fetch_all(LIST, args![before.0, &before.1, limit, since]).await?,
    };
    rows.iter().map(read).collect()
}

/// The session with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: SessionId) -> Result<Option<Session>, StoreError> {
    tx.fetch_optional(FIND, args![id.to_string()]).await?.as_ref().map(read).transpose()
}

/// Sessions of a device that go on and were heard of since then, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_device(tx: &mut Tx, device: &str, since: Moment) -> Result<Vec<Session>, StoreError> {
    tx.fetch_all(OF_DEVICE, args![device, since]).await?.iter().map(read).collect()
}

/// Forgets up to `limit` sessions that began and ended before `before`; how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn forget(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(FORGET, args![before, limit]).await
}

fn read(row: &Row) -> Result<Session, StoreError> {
    let optional = |at: &'static str| row.get::<Option<String>>(at);
    Ok(Session {
        id: row.named("id", SessionId::parse)?,
        site: row.read("site", SiteCode::parse)?,
        gateway: row.read("gateway", GatewayId::parse)?,
        device: optional("device")?,
        way_in: optional("way_in")?.as_deref().and_then(WayIn::parse),
        terms: row.get("terms")?,
        language: optional("language")?,
        limit_ms: row.get("limit_ms")?,
        began_at: row.get("began_at_ms")?,
        lasted_ms: row.get("lasted_ms")?,
        ended: optional("ended_reason")?.as_deref().and_then(StopReason::parse),
        usage: Usage {
            up_bytes: row.get("up_bytes")?,
            down_bytes: row.get("down_bytes")?,
            up_packets: row.get("up_packets")?,
            down_packets: row.get("down_packets")?,
        },
    })
}
