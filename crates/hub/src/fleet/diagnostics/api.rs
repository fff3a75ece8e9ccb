//! `/api/v1/gateways/{id}/diagnostics`: asking a box, and what it answered.

use super::{ask, whose};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kulkul_model::Moment;
use kulkul_store::diagnostic::{self, Diagnostic};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `diagnostics`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, put_question))
}

/// What was asked of a box, with its answer.
#[derive(Serialize, utoipa::ToSchema)]
struct DiagnosticOut {
    id: String,
    gateway: String,
    site: String,
    /// `ping`, `trace`, `names`, `log` or `doctor`.
    kind: &'static str,
    target: Option<String>,
    asked_at: String,
    asked_by: String,
    /// Not begun after this.
    until: String,
    /// Null until the box has answered.
    answered_at: Option<String>,
    /// `done`, `refused` or `failed`; null until the box has answered.
    outcome: Option<&'static str>,
    took_ms: Option<u64>,
    /// Plain lines in English; null until the box has answered.
    answer: Option<String>,
}

impl DiagnosticOut {
    fn of(hub: &Hub, d: Diagnostic) -> Self {
        let time = |at| hub.zone().rfc3339(at);
        DiagnosticOut {
            id: d.id.to_string(),
            gateway: d.gateway.to_string(),
            site: d.site.to_string(),
            kind: d.kind.as_str(),
            target: d.target,
            asked_at: time(d.asked_at),
            asked_by: d.asked_by,
            until: time(d.until),
            answered_at: d.answer.as_ref().map(|a| time(a.at)),
            outcome: d.answer.as_ref().map(|a| a.outcome.as_str()),
            took_ms: d.answer.as_ref().map(|a| a.took_ms),
            answer: d.answer.map(|a| a.text),
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

/// Lists what was asked of a box, the newest first.
#[utoipa::path(get, path = "/gateways/{id}/diagnostics", params(("id" = String, Path), Asked),
    responses((status = 200, body = List<DiagnosticOut>), (status = 401), (status = 403), (status = 404)))]
async fn list(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<DiagnosticOut>>, Problem> {
    let (row, site) = whose(&hub, &id).await?;
    by.may_operate(&site.area)?;
    let cursor = asked.cursor.as_ref().and_then(|c| {
        let (ms, id) = c.0.split_once(' ')?;
        Some((Moment::from_ms(ms.parse().ok()?), id))
    });
    let before = cursor.unwrap_or((Moment::from_ms(i64::MAX), ""));
    let mut tx = hub.store().reader().await?;
    let found = diagnostic::list(&mut tx, &row.id, before, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |d| format!("{} {}", d.asked_at.ms(), d.id));
    let items = page.items.into_iter().map(|d| DiagnosticOut::of(&hub, d)).collect();
    Ok(Json(List { items, next: page.next }))
}

/// What to ask.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// `ping`, `trace`, `names`, `log` or `doctor`.
    kind: String,
    /// An address or a name, for `ping`, `trace` and `names`.
    #[serde(default)]
    target: Option<String>,
}

/// Asks a box; it answers within seconds while it is connected, or not at all after `until`.
#[utoipa::path(post, path = "/gateways/{id}/diagnostics", request_body = Question, params(("id" = String, Path)),
    responses((status = 202, body = DiagnosticOut), (status = 403), (status = 404), (status = 409), (status = 422),
        (status = 429)))]
async fn put_question(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
    Body(question): Body<Question>,
) -> Result<(StatusCode, Json<DiagnosticOut>), Problem> {
    let target = question.target.unwrap_or_default();
    let asked = ask(&hub, &by, &id, (&question.kind, &target)).await?;
    Ok((StatusCode::ACCEPTED, Json(DiagnosticOut::of(&hub, asked))))
}
