//! Reports: what people say is wrong at a place, and how far each is.
//!
//! A report that comes again changes nothing, however far it is by then.

use crate::{Row, StoreError, Tx, args, journal, statements};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::gateway::GatewayId;
use kulkul_model::report::{ReportKind, ReportStatus};
use kulkul_model::site::SiteCode;
use kulkul_wire::link::Stamp;

/// The columns of a report that are read, in a statement.
macro_rules! columns {
    () => {
        "id, site, gateway, local_number, kind, body, language, at_ms, received_at_ms, status, status_at_ms, status_by"
    };
}

/// After a key, newest first; an empty text filters nothing.
macro_rules! page {
    () => {
        " AND ($3 = '' OR status = $3)
          AND (received_at_ms < $1 OR (received_at_ms = $1 AND id < $2))
          ORDER BY received_at_ms DESC, id DESC LIMIT $5"
    };
}

statements! {
    /// Keeps a report that is not there yet.
    TAKE = "INSERT INTO report (id, site, gateway, local_number, kind, body, language, at_ms, boot, mono_ms,
                received_at_ms, status)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'new')
            ON CONFLICT (id) DO NOTHING";
    /// Dates the undated reports of one run.
    ANCHOR = "UPDATE report SET at_ms = $3 + mono_ms WHERE gateway = $1 AND boot = $2 AND at_ms IS NULL";
    /// One report.
    FIND = concat!("SELECT ", columns!(), " FROM report WHERE id = $1");
    /// Reports of an area and all below it.
    LIST = concat!("SELECT ", columns!(), " FROM report
        WHERE ($4 = '' OR site IN (
            SELECT site.code FROM site WHERE site.area IN (
                WITH RECURSIVE below (code) AS (
                    SELECT area.code FROM area WHERE area.code = $4
                    UNION
                    SELECT area.code FROM area JOIN below ON area.parent = below.code
                )
                SELECT below.code FROM below)))", page!());
    /// Reports of one site.
    LIST_SITE = concat!("SELECT ", columns!(), " FROM report WHERE site = $4", page!());
    /// How many are as far as that.
    COUNT = "SELECT COUNT(*) AS n FROM report WHERE status = $1";
    /// Says how far a report is, unless it is there already.
    MARK = "UPDATE report SET status = $2, status_at_ms = $3, status_by = $4 WHERE id = $1 AND status <> $2";
    /// Forgets some that came in long ago.
    FORGET = "DELETE FROM report WHERE id IN (SELECT id FROM report
              WHERE received_at_ms < $1 ORDER BY received_at_ms, id LIMIT $2)";
}

/// A report as a box's journal brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<'a> {
    /// Where.
    pub site: &'a SiteCode,
    /// Which box.
    pub gateway: &'a GatewayId,
    /// The number of its journal entry.
    pub seq: u64,
    /// The number that the person was told.
    pub local_number: u64,
    /// What kind of trouble.
    pub kind: ReportKind,
    /// Their words, plain and bounded.
    pub text: &'a str,
    /// The language of the page.
    pub language: &'a str,
    /// The entry's time.
    pub stamp: Stamp,
}

/// A report as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its key.
    pub id: String,
    /// Where.
    pub site: SiteCode,
    /// Which box took it.
    pub gateway: GatewayId,
    /// The number that the person was told; counts from one at each box.
    pub local_number: u64,
    /// What kind of trouble.
    pub kind: ReportKind,
    /// The person's words: data, never markup.
    pub text: String,
    /// The language of the page.
    pub language: String,
    /// When it was sent; none while the box has not told the time.
    pub at: Option<Moment>,
    /// When the hub got it.
    pub received_at: Moment,
    /// How far it is.
    pub status: ReportStatus,
    /// Since when.
    pub status_at: Option<Moment>,
    /// Who said so.
    pub status_by: Option<String>,
}

/// Which reports a list holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only of this site.
    pub site: Option<SiteCode>,
    /// Only of this area and all below it; ignored where a site is given.
    pub area: Option<AreaCode>,
    /// Only those that are as far as this.
    pub status: Option<ReportStatus>,
}

/// Where a list goes on: when the last one shown was received, and its id.
pub type Cursor = (Moment, String);

/// The cursor before the newest report.
#[must_use]
pub fn newest() -> Cursor {
    (Moment::from_ms(i64::MAX), String::new())
}

/// Keeps a report; says whether it is new here.
///
/// # Errors
/// `StoreError` of the database.
pub async fn take(tx: &mut Tx, r: &Taken<'_>, now: Moment) -> Result<bool, StoreError> {
    let values = args![
        format!("{}.{}", r.gateway, r.seq),
        r.site.as_str(),
        r.gateway.as_str(),
        r.local_number,
        r.kind.as_str(),
        r.text,
        r.language,
        r.stamp.wall,
        &r.stamp.boot.0,
        r.stamp.mono_ms,
        now,
    ];
    Ok(tx.execute(TAKE, values).await? > 0)
}

/// Dates the undated reports of one run by its anchor.
///
/// # Errors
/// `StoreError` of the database.
pub async fn anchor(tx: &mut Tx, gateway: &GatewayId, at: &Stamp) -> Result<u64, StoreError> {
    tx.execute(ANCHOR, args![gateway.as_str(), &at.boot.0, journal::run_began(at)]).await
}

/// The report with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: &str) -> Result<Option<Report>, StoreError> {
    tx.fetch_optional(FIND, args![id]).await?.as_ref().map(read).transpose()
}

/// Up to `limit` reports before `before`, the newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(
    tx: &mut Tx,
    filter: &Filter,
    before: &Cursor,
    limit: u32,
) -> Result<Vec<Report>, StoreError> {
    let status = filter.status.map_or("", ReportStatus::as_str);
    let rows = match &filter.site {
        Some(site) => {
            tx.fetch_all(LIST_SITE, args![before.0, &before.1, status, site.as_str(), limit]).await?
        }
        None => {
            let area = filter.area.as_ref().map_or("", |a| a.as_str());
            tx.fetch_all(LIST, args![before.0, &before.1, status, area, limit]).await?
        }
    };
    rows.iter().map(read).collect()
}

/// How many reports are as far as that.
///
/// # Errors
/// `StoreError` of the database.
pub async fn count(tx: &mut Tx, status: ReportStatus) -> Result<u64, StoreError> {
    tx.fetch_one(COUNT, args![status.as_str()]).await?.get("n")
}

/// Says how far a report is; false when it is there already, or unknown.
///
/// # Errors
/// `StoreError` of the database.
pub async fn mark(
    tx: &mut Tx,
    id: &str,
    status: ReportStatus,
    now: Moment,
    by: &str,
) -> Result<bool, StoreError> {
    Ok(tx.execute(MARK, args![id, status.as_str(), now, by]).await? > 0)
}

/// Forgets up to `limit` reports that came in before `before`; how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn forget(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(FORGET, args![before, limit]).await
}

fn read(row: &Row) -> Result<Report, StoreError> {
    Ok(Report {
        id: row.get("id")?,
        site: row.read("site", SiteCode::parse)?,
        gateway: row.read("gateway", GatewayId::parse)?,
        local_number: row.get("local_number")?,
        kind: row.named("kind", ReportKind::parse)?,
        text: row.get("body")?,
        language: row.get("language")?,
        at: row.get("at_ms")?,
        received_at: row.get("received_at_ms")?,
        status: row.named("status", ReportStatus::parse)?,
        status_at: row.get("status_at_ms")?,
        status_by: row.get("status_by")?,
    })
}
