//! `/api/v1/releases` and `/api/v1/rollouts`: what boxes may run, and which are told to.

use super::progress::{Counts, boxes_of, now_of};
use super::releases;
use super::rollouts::{self, NewRollout, Steer};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kulkul_model::rollout::BoxNow;
use kulkul_model::{Moment, Refusal};
use kulkul_store::release::{self, Taken};
use kulkul_store::rollout::{self as store, Rollout, Told};
use kulkul_wire::link::Digest;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resources `releases` and `rollouts`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list_releases))
        .routes(routes!(drop_release))
        .routes(routes!(list, begin))
        .routes(routes!(show))
        .routes(routes!(boxes))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(stop))
}

/// A program for boxes, as it was signed.
#[derive(Serialize, utoipa::ToSchema)]
struct ReleaseOut {
    version: String,
    /// Which machines run it, for example `x86_64-linux-gnu`.
    target: String,
    /// Digest of the program.
    sha256: String,
    bytes: u64,
    signed_at: String,
    /// Which key signed it, by its id.
    key: String,
    taken_at: String,
    taken_by: String,
}

impl ReleaseOut {
    fn of(hub: &Hub, t: Taken) -> Self {
        ReleaseOut {
            version: t.release.version,
            target: t.release.target,
            sha256: t.release.sha256.to_string(),
            bytes: t.release.bytes,
            signed_at: hub.zone().rfc3339(t.release.signed_at),
            key: t.key_id,
            taken_at: hub.zone().rfc3339(t.taken_at),
            taken_by: t.taken_by,
        }
    }
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists the releases that this hub has, the one signed last first.
#[utoipa::path(get, path = "/releases", params(Asked),
    responses((status = 200, body = List<ReleaseOut>), (status = 400), (status = 401)))]
async fn list_releases(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<ReleaseOut>>, Problem> {
    let cursor = asked.cursor.and_then(|c| {
        let (ms, sha256) = c.0.split_once(' ')?;
        Some((Moment::from_ms(ms.parse().ok()?), Digest::parse(sha256)?))
    });
    let before = cursor.unwrap_or_else(release::first);
    let mut tx = hub.store().reader().await?;
    let found = release::list(&mut tx, &before, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |t| format!("{} {}", t.release.signed_at.ms(), t.release.sha256));
    let items = page.items.into_iter().map(|t| ReleaseOut::of(&hub, t)).collect();
    Ok(Json(List { items, next: page.next }))
}

/// Forgets a release that no box was told of and none runs, with its file.
#[utoipa::path(delete, path = "/releases/{sha256}", params(("sha256" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn drop_release(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(sha256): Path<String>,
) -> Result<StatusCode, Problem> {
    releases::drop_one(&hub, &by, &sha256).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One stage of a rollout, with how many of its boxes stand how.
#[derive(Serialize, utoipa::ToSchema)]
struct StageOut {
    scopes: Vec<String>,
    /// Whether it has begun.
    begun: bool,
    /// Boxes that were told; those of stages that have not begun are not among them.
    told: u32,
    proven: u32,
    waiting: u32,
    /// On their way and not heard for a day: nobody waits for them.
    silent: u32,
    undone: u32,
    /// Failed, and staff went on without them.
    aside: u32,
}

/// A rollout.
#[derive(Serialize, utoipa::ToSchema)]
struct RolloutOut {
    number: u64,
    version: String,
    /// `running`, `paused`, `done` or `stopped`.
    state: &'static str,
    /// `undone` when it paused by itself, `replaced` when a newer one stopped it; else null.
    why: Option<String>,
    changed_at: String,
    changed_by: String,
    begun_at: String,
    begun_by: String,
    /// The stage that began last, from 1.
    stage: u32,
    stage_begun_at: String,
    stages: Vec<StageOut>,
    at_once: bool,
    /// The hours in which boxes begin unless `at_once`.
    quiet: String,
    wait_hours: i64,
    most_undone: u32,
}

/// `HH:MM-HH:MM` of two minutes of the day.
pub(super) fn hours(from: u16, until: u16) -> String {
    let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
    format!("{}-{}", clock(from), clock(until))
}

impl RolloutOut {
    fn of(hub: &Hub, r: Rollout, boxes: &[(Told, BoxNow)]) -> Self {
        let (now, since) = (hub.clock().now(), hub.fleet().since);
        let stages = (1..).zip(&r.stages).map(|(n, scopes)| {
            let c = Counts::of(boxes, n, now, since);
            StageOut {
                scopes: scopes.clone(),
                begun: n <= r.stage,
                told: c.told,
                proven: c.proven,
                waiting: c.waiting,
                silent: c.silent,
                undone: c.undone,
                aside: c.aside,
            }
        });
        let time = |at| hub.zone().rfc3339(at);
        RolloutOut {
            stages: stages.collect(),
            number: r.number,
            version: r.version,
            state: r.state.as_str(),
            why: Some(r.why).filter(|w| !w.is_empty()),
            changed_at: time(r.changed_at),
            changed_by: r.changed_by,
            begun_at: time(r.begun_at),
            begun_by: r.begun_by,
            stage: r.stage,
            stage_begun_at: time(r.stage_begun_at),
            at_once: r.at_once,
            quiet: hours(r.quiet_from, r.quiet_until),
            wait_hours: r.wait_ms / 3_600_000,
            most_undone: r.most_undone,
        }
    }

    async fn whole(hub: &Hub, r: Rollout) -> Result<Json<Self>, Problem> {
        let boxes = boxes_of(hub, r.number).await?;
        Ok(Json(RolloutOut::of(hub, r, &boxes)))
    }
}

/// Lists rollouts, the newest first.
#[utoipa::path(get, path = "/rollouts", params(Asked),
    responses((status = 200, body = List<RolloutOut>), (status = 400), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<RolloutOut>>, Problem> {
    let before = asked.cursor.and_then(|c| c.0.parse().ok()).unwrap_or(u64::MAX);
    let mut tx = hub.store().reader().await?;
    let found = store::list(&mut tx, before, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |r| r.number.to_string());
    let mut items = Vec::new();
    for r in page.items {
        let boxes = boxes_of(&hub, r.number).await?;
        items.push(RolloutOut::of(&hub, r, &boxes));
    }
    Ok(Json(List { items, next: page.next }))
}

/// Begins a rollout; one that runs or pauses is stopped by it.
#[utoipa::path(post, path = "/rollouts", request_body = NewRollout,
    responses((status = 201, body = RolloutOut), (status = 401), (status = 403), (status = 422)))]
async fn begin(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Body(new): Body<NewRollout>,
) -> Result<(StatusCode, Json<RolloutOut>), Problem> {
    let begun = rollouts::begin(&hub, &by, new).await?;
    Ok((StatusCode::CREATED, RolloutOut::whole(&hub, begun).await?))
}

async fn found(hub: &Hub, number: &str) -> Result<Rollout, Problem> {
    let unknown = || Problem::from(Refusal::new(404, "rollout-unknown").with("number", number));
    let number: u64 = number.parse().map_err(|_| unknown())?;
    store::find(&mut hub.store().reader().await?, number).await?.ok_or_else(unknown)
}

/// One rollout.
#[utoipa::path(get, path = "/rollouts/{number}", params(("number" = u64, Path)),
    responses((status = 200, body = RolloutOut), (status = 401), (status = 404)))]
async fn show(
    State(hub): State<Hub>,
    _reader: Bearer,
    Path(number): Path<String>,
) -> Result<Json<RolloutOut>, Problem> {
    RolloutOut::whole(&hub, found(&hub, &number).await?).await
}

/// A box that was told.
#[derive(Serialize, utoipa::ToSchema)]
struct BoxOut {
    gateway: String,
    site: String,
    /// From 1.
    stage: u32,
    /// Digest of the program that it was told of.
    program: String,
    /// `proven`, `waiting`, `silent`, `undone` or `aside`.
    standing: &'static str,
    /// `ready`, `begun`, `proven`, `refused` or `undone`; null until the box has said something.
    step: Option<&'static str>,
    /// Why it was refused or undone, as the box says, in English.
    reason: Option<String>,
    told_at: String,
    /// Since when it is as far.
    at: String,
}

/// Lists the boxes in use that a rollout has told, by gateway.
#[utoipa::path(get, path = "/rollouts/{number}/boxes", params(("number" = u64, Path), Asked),
    responses((status = 200, body = List<BoxOut>), (status = 400), (status = 401), (status = 404)))]
async fn boxes(
    State(hub): State<Hub>,
    _reader: Bearer,
    Path(number): Path<String>,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<BoxOut>>, Problem> {
    let number = found(&hub, &number).await?.number;
    let after = asked.cursor.map(|c| c.0).unwrap_or_default();
    let mut tx = hub.store().reader().await?;
    let rows = store::boxes(&mut tx, number, &after, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let (now, since) = (hub.clock().now(), hub.fleet().since);
    let items = rows.into_iter().map(|b| {
        let (told, stands) = now_of(&hub, b);
        BoxOut {
            gateway: told.gateway.to_string(),
            site: told.site.to_string(),
            stage: told.stage,
            program: told.program.to_string(),
            standing: stands.standing(now, since).as_str(),
            step: told.step.map(|s| s.as_str()),
            reason: Some(told.reason).filter(|r| !r.is_empty()),
            told_at: hub.zone().rfc3339(told.told_at),
            at: hub.zone().rfc3339(told.at),
        }
    });
    Ok(Json(List::of(items.collect(), asked.limit, |b| b.gateway.clone())))
}

async fn steered(
    hub: &Hub,
    by: &crate::staff::Actor,
    number: &str,
    act: Steer,
) -> Result<Json<RolloutOut>, Problem> {
    let number = found(hub, number).await?.number;
    RolloutOut::whole(hub, rollouts::steer(hub, by, number, act).await?).await
}

/// Pauses a rollout: nobody new begins.
#[utoipa::path(post, path = "/rollouts/{number}/pause", params(("number" = u64, Path)),
    responses((status = 200, body = RolloutOut), (status = 403), (status = 404), (status = 409)))]
async fn pause(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(number): Path<String>,
) -> Result<Json<RolloutOut>, Problem> {
    steered(&hub, &by, &number, Steer::Pause).await
}

/// Goes on with a rollout that paused; the boxes that failed are left aside.
#[utoipa::path(post, path = "/rollouts/{number}/resume", params(("number" = u64, Path)),
    responses((status = 200, body = RolloutOut), (status = 403), (status = 404), (status = 409)))]
async fn resume(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(number): Path<String>,
) -> Result<Json<RolloutOut>, Problem> {
    steered(&hub, &by, &number, Steer::Resume).await
}

/// Stops a rollout for good; no program is taken back.
#[utoipa::path(post, path = "/rollouts/{number}/stop", params(("number" = u64, Path)),
    responses((status = 200, body = RolloutOut), (status = 403), (status = 404), (status = 409)))]
async fn stop(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(number): Path<String>,
) -> Result<Json<RolloutOut>, Problem> {
    steered(&hub, &by, &number, Steer::Stop).await
}
