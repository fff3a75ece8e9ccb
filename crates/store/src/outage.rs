//! Outages and all their revisions.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::outage::{Cause, Outage, Span};
use kulkul_model::site::SiteCode;

statements! {
    /// The number for a new outage.
    NEXT = "SELECT COALESCE(MAX(number), 0) + 1 AS number FROM outage";
    /// Writes an outage.
    PUT = "INSERT INTO outage (number, site, from_ms, to_ms, seconds, silent_seconds, cause, parent,
           upstream, revision, evidence, withdrawn)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           ON CONFLICT (number) DO UPDATE SET from_ms = excluded.from_ms, to_ms = excluded.to_ms,
           seconds = excluded.seconds, silent_seconds = excluded.silent_seconds, cause = excluded.cause,
           parent = excluded.parent, upstream = excluded.upstream, revision = excluded.revision,
           evidence = excluded.evidence, withdrawn = excluded.withdrawn";
    /// Writes down the state that an outage is in.
    NOTE = "INSERT INTO outage_revision (number, revision, at_ms, from_ms, to_ms, seconds, silent_seconds,
            cause, withdrawn) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// Outages of a site that touch a stretch of time.
    TOUCHING = "SELECT * FROM outage WHERE site = $1 AND from_ms <= $3 AND (to_ms IS NULL OR to_ms >= $2)
                AND NOT withdrawn ORDER BY from_ms LIMIT 10000";
    /// Outages that go on.
    OPEN = "SELECT * FROM outage WHERE to_ms IS NULL AND NOT withdrawn ORDER BY site LIMIT 1000000";
    /// One outage.
    FIND = "SELECT * FROM outage WHERE number = $1";
    /// A page of outages, newest number first.
    PAGE = "SELECT o.* FROM outage o JOIN site s ON s.code = o.site
            WHERE o.number < $1 AND NOT o.withdrawn
            AND (CAST($2 AS TEXT) IS NULL OR o.site = CAST($2 AS TEXT))
            AND (CAST($3 AS TEXT) IS NULL OR s.area = CAST($3 AS TEXT)
                 OR s.area LIKE CAST($3 AS TEXT) || '.%')
            AND (CAST($4 AS BIGINT) < 0 OR (CAST($4 AS BIGINT) = 1 AND o.to_ms IS NULL)
                 OR (CAST($4 AS BIGINT) = 0 AND o.to_ms IS NOT NULL))
            AND o.from_ms < $6 AND (o.to_ms IS NULL OR o.to_ms > $5)
            ORDER BY o.number DESC LIMIT $7";
    /// The states that an outage was in.
    REVISIONS = "SELECT * FROM outage_revision WHERE number = $1 ORDER BY revision LIMIT 1000";
}

/// Which outages are asked for; the default is all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Of one site.
    pub site: Option<SiteCode>,
    /// Of sites in this area and below it.
    pub area: Option<AreaCode>,
    /// Only those that go on, or only those that ended.
    pub open: Option<bool>,
    /// That went on after this moment.
    pub from: Moment,
    /// That began before this moment.
    pub to: Moment,
}

impl Default for Filter {
    fn default() -> Self {
        let (from, to) = (Moment::from_ms(i64::MIN), Moment::from_ms(i64::MAX));
        Filter { site: None, area: None, open: None, from, to }
    }
}

/// One state that an outage was in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// 1 for the first.
    pub revision: i64,
    /// When it was written.
    pub at: Moment,
    /// What it said.
    pub span: Span,
    /// The cause that it gave.
    pub cause: Cause,
    /// Whether it took the outage back.
    pub withdrawn: bool,
}

/// Puts a new outage on record as revision 1; gives its number.
///
/// # Errors
/// `StoreError` of the database.
pub async fn open(
    tx: &mut Tx,
    site: &SiteCode,
    span: Span,
    cause: Cause,
    now: Moment,
) -> Result<i64, StoreError> {
    let number: i64 = tx.fetch_one(NEXT, args![]).await?.get("number")?;
    let outage = Outage {
        number,
        site: site.clone(),
        span,
        cause,
        parent: None,
        upstream: None,
        revision: 1,
        evidence: None,
        withdrawn: false,
    };
    write(tx, &outage, now).await?;
    Ok(number)
}

/// Writes an outage that was changed as its next revision.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revise(tx: &mut Tx, changed: &Outage, now: Moment) -> Result<(), StoreError> {
    let next = Outage { revision: changed.revision + 1, ..changed.clone() };
    write(tx, &next, now).await
}

async fn write(tx: &mut Tx, o: &Outage, now: Moment) -> Result<(), StoreError> {
    let (s, cause) = (&o.span, o.cause.as_str());
    let values = args![
        o.number,
        o.site.as_str(),
        s.from,
        s.to,
        s.seconds,
        s.silent_seconds,
        cause,
        o.parent,
        o.upstream.as_deref(),
        o.revision,
        o.evidence,
        o.withdrawn
    ];
    tx.execute(PUT, values).await?;
    let values =
        args![o.number, o.revision, now, s.from, s.to, s.seconds, s.silent_seconds, cause, o.withdrawn];
    tx.execute(NOTE, values).await.map(drop)
}

/// A site's outages that overlap or touch `from..to`, in order of time.
///
/// # Errors
/// `StoreError` of the database.
pub async fn touching(
    tx: &mut Tx,
    site: &SiteCode,
    from: Moment,
    to: Moment,
) -> Result<Vec<Outage>, StoreError> {
    tx.fetch_all(TOUCHING, args![site.as_str(), from, to]).await?.iter().map(read).collect()
}

/// All outages that go on, by site.
///
/// # Errors
/// `StoreError` of the database.
pub async fn going_on(tx: &mut Tx) -> Result<Vec<Outage>, StoreError> {
    tx.fetch_all(OPEN, args![]).await?.iter().map(read).collect()
}

/// One outage by its number, withdrawn ones too.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, number: i64) -> Result<Option<Outage>, StoreError> {
    tx.fetch_optional(FIND, args![number]).await?.as_ref().map(read).transpose()
}

/// A page of outages with numbers below `below`, newest number first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn page(
    tx: &mut Tx,
    filter: &Filter,
    below: Option<i64>,
    limit: u32,
) -> Result<Vec<Outage>, StoreError> {
    let open = filter.open.map_or(-1i64, i64::from);
    let values = args![
        below.unwrap_or(i64::MAX),
        filter.site.as_ref().map(SiteCode::as_str),
        filter.area.as_ref().map(AreaCode::as_str),
        open,
        filter.from,
        filter.to,
        limit
    ];
    tx.fetch_all(PAGE, values).await?.iter().map(read).collect()
}

/// The states that an outage was in, first to last.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revisions(tx: &mut Tx, number: i64) -> Result<Vec<Revision>, StoreError> {
    let rows = tx.fetch_all(REVISIONS, args![number]).await?;
    let read = |row: &Row| {
        Ok(Revision {
            revision: row.get("revision")?,
            at: row.get("at_ms")?,
            span: span(row)?,
            cause: row.named("cause", Cause::parse)?,
            withdrawn: row.get("withdrawn")?,
        })
    };
    rows.iter().map(read).collect()
}

fn span(row: &Row) -> Result<Span, StoreError> {
    Ok(Span {
        from: row.get("from_ms")?,
        to: row.get("to_ms")?,
        seconds: row.get("seconds")?,
        silent_seconds: row.get("silent_seconds")?,
    })
}

fn read(row: &Row) -> Result<Outage, StoreError> {
    Ok(Outage {
        number: row.get("number")?,
        site: row.read("site", SiteCode::parse)?,
        span: span(row)?,
        cause: row.named("cause", Cause::parse)?,
        parent: row.get("parent")?,
        upstream: row.get("upstream")?,
        revision: row.get("revision")?,
        evidence: row.get("evidence")?,
        withdrawn: row.get("withdrawn")?,
    })
}
