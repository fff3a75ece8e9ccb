//! `/api/v1/tunnel`: the boxes' ends of the tunnel, and the settings of the data centre's end.

use super::{Told, ends, export};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `tunnel`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(peers))
}

/// A box's end of the tunnel.
#[derive(Serialize, utoipa::ToSchema)]
struct TunnelEndOut {
    gateway: String,
    site: String,
    /// As `wg` writes it; the private one never leaves the box.
    public_key: String,
    /// Its own addresses; empty where it has none yet.
    addresses: Vec<String>,
    /// What the data centre's end may allow it.
    allowed: Vec<String>,
    /// Networks behind it that are left out of `allowed`.
    left_out: Vec<LeftOut>,
    told_at: String,
    /// What the box's journal said last; null before.
    up: Option<bool>,
    changed_at: Option<String>,
    /// Why it is down, in English.
    why: Option<String>,
}

/// A network that is left out.
#[derive(Serialize, utoipa::ToSchema)]
struct LeftOut {
    network: String,
    /// `staff`, `wide`, `outside`, `reserved` or `twice`.
    why: &'static str,
}

/// The ends of all boxes in use.
#[derive(Serialize, utoipa::ToSchema)]
struct TunnelEnds {
    items: Vec<TunnelEndOut>,
}

impl TunnelEndOut {
    fn of(hub: &Hub, told: &Told) -> Self {
        let time = |at| hub.zone().rfc3339(at);
        let left = |(net, left): &(ipnet::IpNet, Option<super::Left>)| {
            Some(LeftOut { network: net.to_string(), why: left.as_ref()?.key() })
        };
        TunnelEndOut {
            gateway: told.end.gateway.to_string(),
            site: told.end.site.to_string(),
            public_key: told.key(),
            addresses: told.end.addresses.iter().map(ToString::to_string).collect(),
            allowed: told.allowed().iter().map(ToString::to_string).collect(),
            left_out: told.networks.iter().filter_map(left).collect(),
            told_at: time(told.end.told_at),
            up: told.end.is_up,
            changed_at: told.end.changed_at.map(time),
            why: told.end.why.clone(),
        }
    }
}

/// Lists the ends of all boxes in use, by place.
#[utoipa::path(get, path = "/tunnel", responses((status = 200, body = TunnelEnds), (status = 401)))]
async fn list(State(hub): State<Hub>, _reader: Bearer) -> Result<Json<TunnelEnds>, Problem> {
    let all = ends(&hub).await?;
    Ok(Json(TunnelEnds { items: all.iter().map(|t| TunnelEndOut::of(&hub, t)).collect() }))
}

/// The settings of the data centre's end: every box as a peer, as wg reads them.
#[utoipa::path(get, path = "/tunnel/peers",
    responses((status = 200, content_type = "text/plain", body = String), (status = 401)))]
async fn peers(State(hub): State<Hub>, _reader: Bearer) -> Result<Response, Problem> {
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], export(&hub).await?).into_response())
}
