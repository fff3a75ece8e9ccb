//! Diagnostics: what staff ask of boxes, and what these answer.
//!
//! An answer that comes again changes nothing, and one to what nobody asked is nobody's.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticKind, DiagnosticOutcome};
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;

/// The columns of an ask, in a statement.
macro_rules! columns {
    () => {
        "id, gateway, site, kind, target, asked_at_ms, asked_by, until_ms, answered_at_ms, outcome, took_ms, answer"
    };
}

statements! {
    /// Keeps an ask.
    PUT = "INSERT INTO diagnostic (id, gateway, site, kind, target, asked_at_ms, asked_by, until_ms)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// Keeps the first answer of the box that was asked.
    ANSWER = "UPDATE diagnostic SET answered_at_ms = $3, outcome = $4, took_ms = $5, answer = $6
              WHERE id = $1 AND gateway = $2 AND answered_at_ms IS NULL";
    /// One box's, newest first.
    LIST = concat!("SELECT ", columns!(), " FROM diagnostic WHERE gateway = $1
           AND (asked_at_ms < $2 OR (asked_at_ms = $2 AND id < $3))
           ORDER BY asked_at_ms DESC, id DESC LIMIT $4");
    /// One box's that may still be begun, oldest first.
    OPEN = concat!("SELECT ", columns!(), " FROM diagnostic WHERE gateway = $1 AND until_ms > $2
           ORDER BY asked_at_ms, id");
    /// Forgets some that were asked long ago.
    FORGET = "DELETE FROM diagnostic WHERE id IN (SELECT id FROM diagnostic
              WHERE asked_at_ms < $1 ORDER BY asked_at_ms, id LIMIT $2)";
}

/// One ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its id.
    pub id: DiagnosticId,
    /// The box that is asked.
    pub gateway: GatewayId,
    /// Where it stands.
    pub site: SiteCode,
    /// What is asked.
    pub kind: DiagnosticKind,
    /// The address or name that it is about.
    pub target: Option<String>,
    /// When.
    pub asked_at: Moment,
    /// By whom.
    pub asked_by: String,
    /// Not begun after this.
    pub until: Moment,
    /// The answer; none until there is one.
    pub answer: Option<Answer>,
}

/// What a box answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When.
    pub at: Moment,
    /// How it ended.
    pub outcome: DiagnosticOutcome,
    /// How long it took, milliseconds.
    pub took_ms: u64,
    /// What was found.
    pub text: String,
}

fn read(row: &Row) -> Result<Diagnostic, StoreError> {
    let answered: Option<Moment> = row.get("answered_at_ms")?;
    let answer = match answered {
        None => None,
        Some(at) => Some(Answer {
            at,
            outcome: DiagnosticOutcome::parse(&row.get::<String>("outcome")?),
            took_ms: row.get("took_ms")?,
            text: row.get("answer")?,
        }),
    };
    Ok(Diagnostic {
        id: row.named("id", DiagnosticId::parse)?,
        gateway: row.read("gateway", GatewayId::parse)?,
        site: row.read("site", SiteCode::parse)?,
        kind: row.named("kind", DiagnosticKind::parse)?,
        target: row.get("target")?,
        asked_at: row.get("asked_at_ms")?,
        asked_by: row.get("asked_by")?,
        until: row.get("until_ms")?,
        answer,
    })
}

/// Keeps an ask; whatever answer it names is left aside.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, asked: &Diagnostic) -> Result<(), StoreError> {
    let values = args![
        asked.id.to_string(),
        asked.gateway.as_str(),
        asked.site.as_str(),
        asked.kind.as_str(),
        asked.target.clone(),
        asked.asked_at,
        asked.asked_by.as_str(),
        asked.until
    ];
    tx.execute(PUT, values).await.map(drop)
}

/// Keeps a box's answer; false where it was not asked, or has answered before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn answer(
    tx: &mut Tx,
    id: DiagnosticId,
    gateway: &GatewayId,
    answer: &Answer,
) -> Result<bool, StoreError> {
    let values = args![
        id.to_string(),
        gateway.as_str(),
        answer.at,
        answer.outcome.as_str(),
        answer.took_ms,
        answer.text.as_str()
    ];
    Ok(tx.execute(ANSWER, values).await? == 1)
}

/// Up to `limit` of one box before a moment and id, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(
    tx: &mut Tx,
    gateway: &GatewayId,
    (at, id): (Moment, &str),
    limit: u32,
) -> Result<Vec<Diagnostic>, StoreError> {
    let rows = tx.fetch_all(LIST, args![gateway.as_str(), at, id, limit]).await?;
    rows.iter().map(read).collect()
}

/// Those of one box that are not over, oldest first, whether or not they were answered.
///
/// # Errors
/// `StoreError` of the database.
pub async fn open(tx: &mut Tx, gateway: &GatewayId, now: Moment) -> Result<Vec<Diagnostic>, StoreError> {
    let rows = tx.fetch_all(OPEN, args![gateway.as_str(), now]).await?;
    rows.iter().map(read).collect()
}

/// Forgets up to `limit` that were asked before `before`; how many.
///
/// # Errors
/// `StoreError` of the database.
pub async fn forget(tx: &mut Tx, before: Moment, limit: u32) -> Result<u64, StoreError> {
    tx.execute(FORGET, args![before, limit]).await
}
