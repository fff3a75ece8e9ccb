//! What was let in by vouchers and accounts, and what of it did not fit.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::admission::{FindingKind, Token16};
use kulkul_model::gateway::GatewayId;
use kulkul_model::session::{SessionId, WayIn};
use kulkul_model::site::SiteCode;

/// The columns of a use that are read, with how its session went.
macro_rules! columns {
    () => {
        "access_use.id AS id, access_use.way_in AS way_in, voucher, account, access_use.session AS session,
         access_use.device AS device, access_use.site AS site, access_use.gateway AS gateway, at_ms, offline,
         session.began_at_ms AS began_at_ms, session.lasted_ms AS lasted_ms, session.ended_reason AS ended_reason"
    };
}

/// Where they are read from.
macro_rules! source {
    () => {
        " FROM access_use LEFT JOIN session ON session.id = access_use.session "
    };
}

statements! {
    /// Notes a use.
    INSERT = "INSERT INTO access_use (id, way_in, voucher, account, session, device, site, gateway, at_ms, offline)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
    /// Notes which session used a grant; the box's time counts from then on.
    JOIN = "UPDATE access_use SET session = $2, at_ms = $3 WHERE id = $1 AND gateway = $4 AND session IS NULL";
    /// One use.
    FIND = concat!("SELECT ", columns!(), source!(), "WHERE access_use.id = $1");
    /// The use of a session.
    OF_SESSION = concat!("SELECT ", columns!(), source!(),
        "WHERE access_use.session = $1 ORDER BY access_use.id LIMIT 1");
    /// Uses of a voucher since a moment, oldest first.
    OF_VOUCHER = concat!("SELECT ", columns!(), source!(),
        "WHERE voucher = $1 AND at_ms >= $2 ORDER BY at_ms, access_use.id LIMIT 1000");
    /// Uses of an account since a moment, oldest first.
    OF_ACCOUNT = concat!("SELECT ", columns!(), source!(),
        "WHERE account = $1 AND at_ms >= $2 ORDER BY at_ms, access_use.id LIMIT 1000");
    /// Uses that were not compared yet, oldest first.
    UNSETTLED = concat!("SELECT ", columns!(), source!(),
        "WHERE settled_at_ms IS NULL AND access_use.session IS NOT NULL ORDER BY at_ms, access_use.id LIMIT $1");
    /// Notes that a use was compared.
    SETTLE = "UPDATE access_use SET settled_at_ms = $2 WHERE id = $1";
    /// Notes that a session's use is to be compared again.
    UNSETTLE = "UPDATE access_use SET settled_at_ms = NULL WHERE session = $1";
    /// Forgets old uses, and grants that nobody used.
    FORGET = "DELETE FROM access_use WHERE id IN (SELECT id FROM access_use
              WHERE at_ms < $1 OR (session IS NULL AND at_ms < $2) ORDER BY at_ms, id LIMIT $3)";
    /// Keeps a finding that is not there yet.
    PUT_FINDING = "INSERT INTO access_finding (id, kind, voucher, account, session, other_session, other_site, site,
                       at_ms, found_at_ms, detail)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING";
    /// Findings before one, newest first; those that were seen only where they are wanted.
    FINDINGS = "SELECT id, kind, voucher, account, session, other_session, other_site, site, at_ms, found_at_ms,
                    detail, seen_at_ms, seen_by
                FROM access_finding
                WHERE ($3 = 1 OR seen_at_ms IS NULL) AND (found_at_ms < $1 OR (found_at_ms = $1 AND id < $2))
                ORDER BY found_at_ms DESC, id DESC LIMIT $4";
    /// One finding.
    FIND_FINDING = "SELECT id, kind, voucher, account, session, other_session, other_site, site, at_ms, found_at_ms,
                        detail, seen_at_ms, seen_by
                    FROM access_finding WHERE id = $1";
    /// How many findings nobody has seen.
    COUNT_FINDINGS = "SELECT COUNT(*) AS n FROM access_finding WHERE seen_at_ms IS NULL";
    /// Notes that somebody saw a finding.
    SEE = "UPDATE access_finding SET seen_at_ms = $2, seen_by = $3 WHERE id = $1 AND seen_at_ms IS NULL";
    /// Forgets old findings.
    FORGET_FINDINGS = "DELETE FROM access_finding WHERE id IN (SELECT id FROM access_finding
                       WHERE found_at_ms < $1 ORDER BY found_at_ms, id LIMIT $2)";
}

/// Whose a use is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A voucher's.
    Voucher(Token16),
    /// An account's.
    Account(Token16),
}

/// A use of a voucher or an account, or a grant to somebody who roams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The grant's number, or the session's where a box let in by itself.
    pub id: Token16,
    /// How.
    pub way_in: WayIn,
    /// By what; none for a click that roams.
    pub holder: Option<Holder>,
    /// The session, once it is known.
    pub session: Option<SessionId>,
    /// A keyed digest of the device.
    pub device: String,
    /// Where.
    pub site: SiteCode,
    /// Which box.
    pub gateway: GatewayId,
    /// When.
    pub at: Moment,
    /// Whether the box let in by itself.
    pub offline: bool,
    /// When the session began, as far as it is dated.
    pub began_at: Option<Moment>,
    /// How long it lasted as far as reported, milliseconds.
    pub lasted_ms: u64,
    /// Whether it has ended.
    pub ended: bool,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `<kind>.<use>`.
    pub id: String,
    /// What.
    pub kind: FindingKind,
    /// Whose.
    pub holder: Option<Holder>,
    /// The session that is too many or too late.
    pub session: Option<SessionId>,
    /// The session that was there before, for a double use.
    pub other_session: Option<SessionId>,
    /// Where that was.
    pub other_site: Option<SiteCode>,
    /// Where.
    pub site: SiteCode,
    /// When.
    pub at: Moment,
    /// When the hub found it.
    pub found_at: Moment,
    /// More about it.
    pub detail: String,
    /// When somebody marked it as seen.
    pub seen_at: Option<Moment>,
    /// Who.
    pub seen_by: Option<String>,
}

fn split(holder: Option<Holder>) -> (Option<String>, Option<String>) {
    match holder {
        Some(Holder::Voucher(id)) => (Some(id.to_string()), None),
        Some(Holder::Account(id)) => (None, Some(id.to_string())),
        None => (None, None),
    }
}

/// Notes a use; one that comes again is the same.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, u: &Use) -> Result<(), StoreError> {
    let (voucher, account) = split(u.holder);
    let values = args![
        u.id.to_string(),
        u.way_in.as_str(),
        voucher,
        account,
        u.session.map(|s| s.to_string()),
        &u.device,
        u.site.as_str(),
        u.gateway.as_str(),
        u.at,
        u.offline,
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// Notes which session used a grant of this gateway; false when there is no such grant or it was used.
///
/// # Errors
/// `StoreError` of the database.
pub async fn join(
    tx: &mut Tx,
    grant: Token16,
    session: SessionId,
    at: Moment,
    gateway: &GatewayId,
) -> Result<bool, StoreError> {
    let values = args![grant.to_string(), session.to_string(), at, gateway.as_str()];
    Ok(tx.execute(JOIN, values).await? > 0)
}

/// The use with this number.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: Token16) -> Result<Option<Use>, StoreError> {
    tx.fetch_optional(FIND, args![id.to_string()]).await?.as_ref().map(read).transpose()
}

/// The use of a session.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_session(tx: &mut Tx, session: SessionId) -> Result<Option<Use>, StoreError> {
    tx.fetch_optional(OF_SESSION, args![session.to_string()]).await?.as_ref().map(read).transpose()
}

/// Uses of a voucher or an account since a moment, oldest first, at most 1,000.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_holder(tx: &mut Tx, holder: Holder, since: Moment) -> Result<Vec<Use>, StoreError> {
    let rows = match holder {
        Holder::Voucher(id) => tx.fetch_all(OF_VOUCHER, args![id.to_string(), since]).await?,
        Holder::Account(id) => tx.fetch_all(OF_ACCOUNT, args![id.to_string(), since]).await?,
    };
    rows.iter().map(read).collect()
}

/// Up to `limit` uses with a session that were not compared with the others yet.
///
/// # Errors
/// `StoreError` of the database.
pub async fn unsettled(tx: &mut Tx, limit: u32) -> Result<Vec<Use>, StoreError> {
    tx.fetch_all(UNSETTLED, args![limit]).await?.iter().map(read).collect()
}

/// Notes that a use was compared with the others.
///
/// # Errors
/// `StoreError` of the database.
pub async fn settle(tx: &mut Tx, id: Token16, now: Moment) -> Result<(), StoreError> {
    tx.execute(SETTLE, args![id.to_string(), now]).await.map(drop)
}

/// Notes that the use of a session is to be compared again; most sessions have none.
///
/// # Errors
/// `StoreError` of the database.
pub async fn unsettle(tx: &mut Tx, session: SessionId) -> Result<(), StoreError> {
    tx.execute(UNSETTLE, args![session.to_string()]).await.map(drop)
}

/// Forgets up to `limit` uses before `before`, and grants before `unused` that nobody used; how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn forget(tx: &mut Tx, before: Moment, unused: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(FORGET, args![before, unused, limit]).await
}

/// Keeps a finding; false when it was found before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put_finding(tx: &mut Tx, f: &Finding) -> Result<bool, StoreError> {
    let (voucher, account) = split(f.holder);
    let values = args![
        &f.id,
        f.kind.as_str(),
        voucher,
        account,
        f.session.map(|s| s.to_string()),
        f.other_session.map(|s| s.to_string()),
        f.other_site.as_ref().map(SiteCode::as_str),
        f.site.as_str(),
        f.at,
        f.found_at,
        &f.detail,
    ];
    Ok(tx.execute(PUT_FINDING, values).await? > 0)
}

/// Where a list of findings goes on: when the last one shown was found, and its id.
pub type Cursor = (Moment, String);

/// The cursor before the newest finding.
#[must_use]
pub fn newest() -> Cursor {
    (Moment::from_ms(i64::MAX), String::new())
}

/// Up to `limit` findings before `before`, newest first; `all` takes those that were seen too.
///
/// # Errors
/// `StoreError` of the database.
pub async fn findings(
    tx: &mut Tx,
    before: &Cursor,
    all: bool,
    limit: u32,
) -> Result<Vec<Finding>, StoreError> {
    let rows = tx.fetch_all(FINDINGS, args![before.0, &before.1, i64::from(all), limit]).await?;
    rows.iter().map(read_finding).collect()
}

/// The finding with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn finding(tx: &mut Tx, id: &str) -> Result<Option<Finding>, StoreError> {
    tx.fetch_optional(FIND_FINDING, args![id]).await?.as_ref().map(read_finding).transpose()
}

/// How many findings nobody has seen.
///
/// # Errors
/// `StoreError` of the database.
pub async fn unseen(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.fetch_one(COUNT_FINDINGS, args![]).await?.get("n")
}

/// Notes that somebody saw a finding; false when it was seen before, or is none.
///
/// # Errors
/// `StoreError` of the database.
pub async fn see(tx: &mut Tx, id: &str, now: Moment, by: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(SEE, args![id, now, by]).await? > 0)
}

/// Forgets up to `limit` findings before `before`; how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn forget_findings(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(FORGET_FINDINGS, args![before, limit]).await
}

fn holder(row: &Row) -> Result<Option<Holder>, StoreError> {
    let voucher = row.read_optional("voucher", Token16::parse)?.map(Holder::Voucher);
    let account = row.read_optional("account", Token16::parse)?.map(Holder::Account);
    Ok(voucher.or(account))
}

fn session(row: &Row, at: &'static str) -> Result<Option<SessionId>, StoreError> {
    row.read_optional(at, |text| SessionId::parse(text).ok_or("not a session's id"))
}

fn read(row: &Row) -> Result<Use, StoreError> {
    Ok(Use {
        id: row.read("id", Token16::parse)?,
        way_in: row.named("way_in", WayIn::parse)?,
        holder: holder(row)?,
        session: session(row, "session")?,
        device: row.get("device")?,
        site: row.read("site", SiteCode::parse)?,
        gateway: row.read("gateway", GatewayId::parse)?,
        at: row.get("at_ms")?,
        offline: row.get("offline")?,
        began_at: row.get("began_at_ms")?,
        lasted_ms: row.get::<Option<u64>>("lasted_ms")?.unwrap_or(0),
        ended: row.get::<Option<String>>("ended_reason")?.is_some(),
    })
}

fn read_finding(row: &Row) -> Result<Finding, StoreError> {
    Ok(Finding {
        id: row.get("id")?,
        kind: row.named("kind", FindingKind::parse)?,
        holder: holder(row)?,
        session: session(row, "session")?,
        other_session: session(row, "other_session")?,
        other_site: row.read_optional("other_site", SiteCode::parse)?,
        site: row.read("site", SiteCode::parse)?,
        at: row.get("at_ms")?,
        found_at: row.get("found_at_ms")?,
        detail: row.get("detail")?,
        seen_at: row.get("seen_at_ms")?,
        seen_by: row.get("seen_by")?,
    })
}
