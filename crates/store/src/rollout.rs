//! Rollouts: a version for boxes in stages, and how far each box is that was told.
//!
//! The newest rollout is the one that holds. Changes of its state name the state that they
//! start from, so that two hubs over one database do nothing twice.

use crate::{Json, Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::{GatewayId, UpdateStep};
use kulkul_model::rollout::{BoxNow, RolloutState};
use kulkul_model::site::SiteCode;
use kulkul_wire::link::Digest;

/// The columns of a rollout, in a statement.
macro_rules! columns {
    () => {
        "number, version, stages, state, stage, stage_begun_at_ms, told_at_ms, begun_at_ms, begun_by,
         changed_at_ms, changed_by, why, at_once, quiet_from, quiet_until, wait_ms, most_undone"
    };
}

/// The columns of a box that was told, in a statement.
macro_rules! box_columns {
    () => {
        "b.rollout, b.gateway, b.site, b.stage, b.program, b.told_at_ms, b.step, b.reason, b.at_ms, b.aside"
    };
}

/// A box that was told, with what else its standing follows from.
macro_rules! boxes {
    () => {
        concat!(
            "SELECT ",
            box_columns!(),
            ", g.enrolled_at_ms, r.heard_at_ms FROM rollout_box b JOIN gateway g ON g.id = b.gateway
             LEFT JOIN gateway_run r ON r.gateway = b.gateway
             WHERE b.rollout = $1 AND g.revoked_at_ms IS NULL"
        )
    };
}

statements! {
    /// Begins a rollout.
    INSERT = "INSERT INTO rollout (number, version, stages, state, stage, stage_begun_at_ms, told_at_ms, begun_at_ms,
                  begun_by, changed_at_ms, changed_by, why, at_once, quiet_from, quiet_until, wait_ms, most_undone)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    /// One rollout.
    FIND = concat!("SELECT ", columns!(), " FROM rollout WHERE number = $1");
    /// Rollouts before a number, the newest first.
    LIST = concat!("SELECT ", columns!(), " FROM rollout WHERE number < $1 ORDER BY number DESC LIMIT $2");
    /// Changes the state; one that runs again looks anew for boxes to tell.
    SET_STATE = "UPDATE rollout SET state = $3, why = $4, changed_at_ms = $5, changed_by = $6,
                     told_at_ms = CASE WHEN $3 = 'running' THEN NULL ELSE told_at_ms END
                 WHERE number = $1 AND state = $2";
    /// The next stage begins.
    ADVANCE = "UPDATE rollout SET stage = stage + 1, stage_begun_at_ms = $3, told_at_ms = NULL
               WHERE number = $1 AND stage = $2 AND state = 'running'";
    /// Every box of a stage was told.
    TOLD = "UPDATE rollout SET told_at_ms = $3 WHERE number = $1 AND stage = $2 AND told_at_ms IS NULL";
    /// A box is told.
    TELL = "INSERT INTO rollout_box (rollout, gateway, site, stage, program, told_at_ms, step, reason, at_ms, aside)
            VALUES ($1, $2, $3, $4, $5, $6, $7, '', $6, $8) ON CONFLICT (rollout, gateway) DO NOTHING";
    /// One box of a rollout.
    BOX_OF = concat!("SELECT ", box_columns!(), " FROM rollout_box b WHERE b.rollout = $1 AND b.gateway = $2");
    /// What one box was told of a program, the newest first.
    OF_PROGRAM = concat!("SELECT ", box_columns!(), " FROM rollout_box b WHERE b.gateway = $1 AND b.program = $2
                  ORDER BY b.rollout DESC LIMIT 20");
    /// How far a box is.
    STEP = "UPDATE rollout_box SET step = $3, reason = $4, at_ms = $5, aside = $6
            WHERE rollout = $1 AND gateway = $2";
    /// Boxes that failed and that staff did not leave aside.
    UNDONE = "SELECT COUNT(*) AS n FROM rollout_box
              WHERE rollout = $1 AND step IN ('refused', 'undone') AND aside = $2";
    /// Those are left aside.
    SET_ASIDE = "UPDATE rollout_box SET aside = $2 WHERE rollout = $1 AND step IN ('refused', 'undone')";
    /// Boxes in use of one stage.
    OF_STAGE = concat!(boxes!(), " AND b.stage = $2 ORDER BY b.gateway");
    /// Boxes in use that were told, by gateway.
    BOXES = concat!(boxes!(), " AND b.gateway > $2 ORDER BY b.gateway LIMIT $3");
}

/// A rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Its number, from 1.
    pub number: u64,
    /// Which version.
    pub version: String,
    /// The scopes of each stage, as text.
    pub stages: Vec<Vec<String>>,
    /// How it stands.
    pub state: RolloutState,
    /// The stage that began last, from 1.
    pub stage: u32,
    /// When that one began.
    pub stage_begun_at: Moment,
    /// When all boxes of that stage had been told; none while they are not.
    pub told_at: Option<Moment>,
    /// When the rollout began.
    pub begun_at: Moment,
    /// By whom.
    pub begun_by: String,
    /// When it became what it is.
    pub changed_at: Moment,
    /// By whom.
    pub changed_by: String,
    /// Why: `undone`, `replaced`, or empty where staff decided.
    pub why: String,
    /// Boxes begin at any hour.
    pub at_once: bool,
    /// Else from this minute of the local day,
    pub quiet_from: u16,
    /// until before this one.
    pub quiet_until: u16,
    /// How long a stage is watched after its last proof, milliseconds.
    pub wait_ms: i64,
    /// So many failed boxes pause it.
    pub most_undone: u32,
}

/// A box that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Of which rollout.
    pub rollout: u64,
    /// The box.
    pub gateway: GatewayId,
    /// Where it stands.
    pub site: SiteCode,
    /// In which stage, from 1.
    pub stage: u32,
    /// The program that it was told of.
    pub program: Digest,
    /// When.
    pub told_at: Moment,
    /// How far it is; none until it has said something.
    pub step: Option<UpdateStep>,
    /// Why it was refused or undone, as the box says.
    pub reason: String,
    /// Since when it is as far.
    pub at: Moment,
    /// Whether staff went on without it after it failed.
    pub aside: bool,
}

fn read(row: &Row) -> Result<Rollout, StoreError> {
    let stages: Json = row.get("stages")?;
    Ok(Rollout {
        number: row.get("number")?,
        version: row.get("version")?,
        stages: serde_json::from_str(&stages.0)
            .map_err(|e| StoreError::Value { column: "stages".to_owned(), reason: e.to_string() })?,
        state: row.named("state", RolloutState::parse)?,
        stage: row.get("stage")?,
        stage_begun_at: row.get("stage_begun_at_ms")?,
        told_at: row.get("told_at_ms")?,
        begun_at: row.get("begun_at_ms")?,
        begun_by: row.get("begun_by")?,
        changed_at: row.get("changed_at_ms")?,
        changed_by: row.get("changed_by")?,
        why: row.get("why")?,
        at_once: row.get("at_once")?,
        quiet_from: row.get("quiet_from")?,
        quiet_until: row.get("quiet_until")?,
        wait_ms: row.get("wait_ms")?,
        most_undone: row.get("most_undone")?,
    })
}

fn read_told(row: &Row) -> Result<Told, StoreError> {
    let step = |text: &str| UpdateStep::parse(text).ok_or_else(|| format!("\"{text}\" is no step"));
    Ok(Told {
        rollout: row.get("rollout")?,
        gateway: row.read("gateway", GatewayId::parse)?,
        site: row.read("site", SiteCode::parse)?,
        stage: row.get("stage")?,
        program: Digest(row.get("program")?),
        told_at: row.get("told_at_ms")?,
        step: row.read_optional("step", step)?,
        reason: row.get("reason")?,
        at: row.get("at_ms")?,
        aside: row.get("aside")?,
    })
}

fn read_now(row: &Row) -> Result<(Told, BoxNow), StoreError> {
    let told = read_told(row)?;
    let enrolled: Moment = row.get("enrolled_at_ms")?;
    let heard: Option<Moment> = row.get("heard_at_ms")?;
    let heard_at = heard.unwrap_or(enrolled).max(enrolled);
    let now = BoxNow { step: told.step, at: told.at, heard_at, aside: told.aside };
    Ok((told, now))
}

/// Begins a rollout.
///
/// # Errors
/// `StoreError` of the database; `is_duplicate` when there is one of this number.
pub async fn insert(tx: &mut Tx, r: &Rollout) -> Result<(), StoreError> {
    let stages = Json(serde_json::to_string(&r.stages).unwrap_or_else(|_| "[]".to_owned()));
    let values = args![
        r.number,
        &r.version,
        stages,
        r.state.as_str(),
        r.stage,
        r.stage_begun_at,
        r.told_at,
        r.begun_at,
        &r.begun_by,
        r.changed_at,
        &r.changed_by,
        &r.why,
        r.at_once,
        r.quiet_from,
        r.quiet_until,
        r.wait_ms,
        r.most_undone
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// The rollout of this number.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, number: u64) -> Result<Option<Rollout>, StoreError> {
    tx.fetch_optional(FIND, args![number]).await?.as_ref().map(read).transpose()
}

/// Up to `limit` rollouts before a number, the newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, before: u64, limit: u32) -> Result<Vec<Rollout>, StoreError> {
    tx.fetch_all(LIST, args![before, limit]).await?.iter().map(read).collect()
}

/// The newest rollout: the one that holds.
///
/// # Errors
/// `StoreError` of the database.
pub async fn newest(tx: &mut Tx) -> Result<Option<Rollout>, StoreError> {
    Ok(list(tx, u64::MAX, 1).await?.pop())
}

/// Changes a rollout's state from the one that it has; false when that is another by now.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_state(
    tx: &mut Tx,
    (number, from): (u64, RolloutState),
    to: RolloutState,
    why: &str,
    (at, by): (Moment, &str),
) -> Result<bool, StoreError> {
    let values = args![number, from.as_str(), to.as_str(), why, at, by];
    Ok(tx.execute(SET_STATE, values).await? == 1)
}

/// Begins the stage after `stage`; false when it has begun already, or the rollout does not run.
///
/// # Errors
/// `StoreError` of the database.
pub async fn advance(tx: &mut Tx, number: u64, stage: u32, at: Moment) -> Result<bool, StoreError> {
    Ok(tx.execute(ADVANCE, args![number, stage, at]).await? == 1)
}

/// Keeps that every box of a stage was told.
///
/// # Errors
/// `StoreError` of the database.
pub async fn told(tx: &mut Tx, number: u64, stage: u32, at: Moment) -> Result<(), StoreError> {
    tx.execute(TOLD, args![number, stage, at]).await.map(drop)
}

/// Tells a box; what it was told before stays.
///
/// # Errors
/// `StoreError` of the database.
pub async fn tell(tx: &mut Tx, t: &Told) -> Result<(), StoreError> {
    let values = args![
        t.rollout,
        t.gateway.as_str(),
        t.site.as_str(),
        t.stage,
        &t.program.0,
        t.told_at,
        t.step.map(UpdateStep::as_str),
        t.aside
    ];
    tx.execute(TELL, values).await.map(drop)
}

/// What one box was told by a rollout.
///
/// # Errors
/// `StoreError` of the database.
pub async fn box_of(tx: &mut Tx, number: u64, gateway: &GatewayId) -> Result<Option<Told>, StoreError> {
    tx.fetch_optional(BOX_OF, args![number, gateway.as_str()]).await?.as_ref().map(read_told).transpose()
}

/// What one box was told of a program by its last twenty rollouts, the newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_program(tx: &mut Tx, gateway: &GatewayId, program: &Digest) -> Result<Vec<Told>, StoreError> {
    tx.fetch_all(OF_PROGRAM, args![gateway.as_str(), &program.0]).await?.iter().map(read_told).collect()
}

/// Keeps how far a box is.
///
/// # Errors
/// `StoreError` of the database.
pub async fn step(
    tx: &mut Tx,
    told: &Told,
    step: UpdateStep,
    reason: &str,
    at: Moment,
) -> Result<(), StoreError> {
    let aside = told.aside && matches!(step, UpdateStep::Refused | UpdateStep::Undone);
    let values = args![told.rollout, told.gateway.as_str(), step.as_str(), reason, at, aside];
    tx.execute(STEP, values).await.map(drop)
}

/// How many boxes failed that staff did not leave aside.
///
/// # Errors
/// `StoreError` of the database.
pub async fn undone(tx: &mut Tx, number: u64) -> Result<u32, StoreError> {
    tx.fetch_one(UNDONE, args![number, false]).await?.get("n")
}

/// Leaves the boxes aside that failed.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_aside(tx: &mut Tx, number: u64) -> Result<(), StoreError> {
    tx.execute(SET_ASIDE, args![number, true]).await.map(drop)
}

/// The boxes in use of a stage that were told.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_stage(tx: &mut Tx, number: u64, stage: u32) -> Result<Vec<(Told, BoxNow)>, StoreError> {
    tx.fetch_all(OF_STAGE, args![number, stage]).await?.iter().map(read_now).collect()
}

/// Up to `limit` boxes in use after a gateway that were told, by gateway.
///
/// # Errors
/// `StoreError` of the database.
pub async fn boxes(
    tx: &mut Tx,
    number: u64,
    after: &str,
    limit: u32,
) -> Result<Vec<(Told, BoxNow)>, StoreError> {
    tx.fetch_all(BOXES, args![number, after, limit]).await?.iter().map(read_now).collect()
}
