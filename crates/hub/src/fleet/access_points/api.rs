//! `/api/v1/sites/{code}/access-points`: the radios of a place, for staff.

use super::{Change, Given, change, list, place};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::{Body, Problem};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_store::access_point::AccessPoint;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `access-points`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(replace))
}

/// An access point as the API shows it.
#[derive(Serialize, utoipa::ToSchema)]
struct AccessPointOut {
    mac: String,
    name: String,
    /// Its fixed address; null where the box learns it.
    address: Option<String>,
    added_at: String,
    /// Since when the box does not get an answer from it; null while it does, or nothing was said.
    lost_at: Option<String>,
}

/// All of a place.
#[derive(Serialize, utoipa::ToSchema)]
struct AccessPoints {
    items: Vec<AccessPointOut>,
}

fn shown(hub: &Hub, all: Vec<AccessPoint>) -> Json<AccessPoints> {
    let one = |a: AccessPoint| AccessPointOut {
        mac: a.mac.to_string(),
        name: a.name,
        address: a.address.map(|ip| ip.to_string()),
        added_at: hub.zone().rfc3339(a.added_at),
        lost_at: a.lost_at.map(|at| hub.zone().rfc3339(at)),
    };
    Json(AccessPoints { items: all.into_iter().map(one).collect() })
}

/// Lists the access points of a place by hardware address.
#[utoipa::path(get, path = "/sites/{code}/access-points", params(("code" = String, Path)),
    responses((status = 200, body = AccessPoints), (status = 401), (status = 404)))]
async fn read(
    State(hub): State<Hub>,
    _reader: Bearer,
    Path(code): Path<String>,
) -> Result<Json<AccessPoints>, Problem> {
    let site = place(&hub, &code).await?;
    let all = list(&hub, &site.code).await?;
    Ok(shown(&hub, all))
}

/// A place's whole list.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// At most 64.
    items: Vec<Given>,
}

/// Replaces the list of a place's access points.
#[utoipa::path(put, path = "/sites/{code}/access-points", request_body = Wanted, params(("code" = String, Path)),
    responses((status = 200, body = AccessPoints), (status = 403), (status = 404), (status = 409), (status = 422)))]
async fn replace(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(code): Path<String>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<AccessPoints>, Problem> {
    let all = change(&hub, &actor, &code, Change::All(wanted.items)).await?;
    Ok(shown(&hub, all))
}
