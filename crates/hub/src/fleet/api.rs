//! `/api/v1/gateways`: the boxes, for staff.

use super::console::take_out;
use crate::Hub;
use crate::staff::Bearer;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use kulkul_model::Refusal;
use kulkul_model::gateway::GatewayId;
use kulkul_store::desired;
use kulkul_store::gateway::{self, Gateway};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `gateways`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(wanted)).routes(routes!(revoke))
}

/// A gateway as the API shows it.
#[derive(Serialize, utoipa::ToSchema)]
struct GatewayOut {
    id: String,
    site: String,
    version: String,
    hardware: String,
    /// The kernel's release; empty while it is not known.
    kernel: String,
    /// What the kernel has, by feature, as the box found at its last start; null while it is not known.
    features: Option<BTreeMap<&'static str, bool>>,
    enrolled_at: String,
    revoked_at: Option<String>,
    revoked_why: Option<String>,
    /// The last beat since this hub started.
    seen_at: Option<String>,
    people_online: Option<u32>,
    journal_head: Option<u64>,
}

impl GatewayOut {
    fn of(hub: &Hub, row: Gateway) -> Self {
        let beat = hub.fleet().known(&row.id).and_then(|k| k.last_beat());
        let time = |at| hub.zone().rfc3339(at);
        let has = &row.capabilities;
        GatewayOut {
            id: row.id.to_string(),
            site: row.site.to_string(),
            features: has.probed.then(|| has.features().into()),
            kernel: has.kernel.clone(),
            version: row.capabilities.version,
            hardware: row.hardware,
            enrolled_at: time(row.enrolled_at),
            revoked_at: row.revoked_at.map(time),
            revoked_why: row.revoked_why,
            seen_at: beat.map(|b| time(b.at)),
            people_online: beat.map(|b| b.people),
            journal_head: beat.map(|b| b.journal_head),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Lists gateways by id.
#[utoipa::path(get, path = "/gateways", responses((status = 200, body = List<GatewayOut>), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<GatewayOut>>, Problem> {
    let after = asked.cursor.map(|c| c.0).unwrap_or_default();
    let mut tx = hub.store().reader().await?;
    let rows = gateway::list(&mut tx, &after, u32::from(asked.limit.0) + 1).await?;
    let items = rows.into_iter().map(|row| GatewayOut::of(&hub, row)).collect();
    Ok(Json(List::of(items, asked.limit, |g| g.id.clone())))
}

fn id_of(text: &str) -> Result<GatewayId, Problem> {
    GatewayId::parse(text).map_err(|_| Refusal::new(404, "gateway-unknown").into())
}

/// The newest manifest of a gateway, as it was signed (COSE, CBOR).
#[utoipa::path(get, path = "/gateways/{id}/desired", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/cose"), (status = 401), (status = 404)))]
async fn wanted(
    State(hub): State<Hub>,
    _reader: Bearer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let kept = desired::find(&mut hub.store().reader().await?, &id).await?;
    let kept = kept.ok_or_else(|| Refusal::new(404, "gateway-unknown"))?;
    Ok(([(CONTENT_TYPE, "application/cose")], kept.manifest).into_response())
}

#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Why {
    /// The reason, for the audit.
    why: String,
}

/// Revokes a gateway: it may not speak to the hub any more.
#[utoipa::path(post, path = "/gateways/{id}/revoke", request_body = Why, params(("id" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn revoke(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(id): Path<String>,
    Body(asked): Body<Why>,
) -> Result<StatusCode, Problem> {
    take_out(&hub, &actor, &id, asked.why).await?;
    Ok(StatusCode::NO_CONTENT)
}
