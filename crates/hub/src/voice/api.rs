//! `/api/v1/reports`: what people said at the places, for staff.

use super::reports;
use crate::Hub;
use crate::staff::Bearer;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::report::ReportStatus;
use kulkul_model::site::SiteCode;
use kulkul_store::report::{self, Filter, Report};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `reports`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(change))
}

/// A report as the API shows it to staff.
#[derive(Serialize, utoipa::ToSchema)]
struct ReportOut {
    id: String,
    site: String,
    /// The box that took it.
    gateway: String,
    /// The number that the person was told; counts from one at each box.
    local_number: u64,
    /// `no_internet`, `slow`, `cannot_log_in`, `equipment_damaged` or `other`.
    kind: &'static str,
    /// The person's words: plain text of at most 1,000 characters, never markup.
    text: String,
    language: String,
    /// When it was sent; null while the box has not told the time.
    at: Option<String>,
    received_at: String,
    /// `new`, `seen` or `done`.
    status: &'static str,
    status_at: Option<String>,
    status_by: Option<String>,
}

impl ReportOut {
    fn of(hub: &Hub, r: Report) -> Self {
        let time = |at| hub.zone().rfc3339(at);
        ReportOut {
            id: r.id,
            site: r.site.to_string(),
            gateway: r.gateway.to_string(),
            local_number: r.local_number,
            kind: r.kind.as_str(),
            text: r.text,
            language: r.language,
            at: r.at.map(time),
            received_at: time(r.received_at),
            status: r.status.as_str(),
            status_at: r.status_at.map(time),
            status_by: r.status_by,
        }
    }
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteCode>,
    /// Only of this area and all below it.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// `new`, `seen` or `done`.
    #[param(value_type = Option<String>)]
    status: Option<ReportStatus>,
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Where the list goes on after a report.
fn cursor_of(received_at: Moment, id: &str) -> String {
    format!("{} {id}", received_at.ms())
}

fn after(cursor: Option<Cursor>) -> report::Cursor {
    let read = |c: Cursor| {
        let (ms, id) = c.0.split_once(' ')?;
        Some((Moment::from_ms(ms.parse().ok()?), id.to_owned()))
    };
    cursor.and_then(read).unwrap_or_else(report::newest)
}

/// Lists reports, the newest first.
#[utoipa::path(get, path = "/reports", params(Asked),
    responses((status = 200, body = List<ReportOut>), (status = 400), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<ReportOut>>, Problem> {
    let filter = Filter { site: asked.site, area: asked.area, status: asked.status };
    let mut tx = hub.store().reader().await?;
    let found = report::list(&mut tx, &filter, &after(asked.cursor), u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |r| cursor_of(r.received_at, &r.id));
    let items = page.items.into_iter().map(|r| ReportOut::of(&hub, r)).collect();
    Ok(Json(List { items, next: page.next }))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// `new`, `seen` or `done`.
    #[schema(value_type = String)]
    status: ReportStatus,
}

/// Says how far a report is.
#[utoipa::path(patch, path = "/reports/{id}", request_body = Mark, params(("id" = String, Path)),
    responses((status = 200, body = ReportOut), (status = 403), (status = 404)))]
async fn change(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(id): Path<String>,
    Body(asked): Body<Mark>,
) -> Result<Json<ReportOut>, Problem> {
    let report = reports::mark(&hub, &actor, &id, asked.status).await?;
    Ok(Json(ReportOut::of(&hub, report)))
}
