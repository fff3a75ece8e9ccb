//! `/api/v1/sessions`: who is online, for staff, and ending it.

use super::sessions::{self, cursor_of, is_online, read_cursor};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_model::session::{LEASE_MS, SessionId};
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_store::session::{self, Filter, Session};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `sessions`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(disconnect))
}

/// A session; the device is a keyed digest, which tells nothing but that it is the same.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionOut {
    id: String,
    site: String,
    gateway: String,
    device: Option<String>,
    /// `click_through`, `voucher`, `account` or `allow_list`.
    way_in: Option<&'static str>,
    began_at: Option<String>,
    /// As far as it is reported.
    seconds: u64,
    /// Whether it goes on as far as the hub knows.
    online: bool,
    /// Why it ended; null while it goes on.
    ended: Option<&'static str>,
    up_bytes: u64,
    down_bytes: u64,
}

impl SessionOut {
    fn of(hub: &Hub, s: Session, now: Moment) -> Self {
        SessionOut {
            online: is_online(&s, now),
            id: s.id.to_string(),
            site: s.site.to_string(),
            gateway: s.gateway.to_string(),
            device: s.device,
            way_in: s.way_in.map(|w| w.as_str()),
            began_at: s.began_at.map(|at| hub.zone().rfc3339(at)),
            seconds: s.lasted_ms / 1_000,
            ended: s.ended.map(|r| r.as_str()),
            up_bytes: s.usage.up_bytes,
            down_bytes: s.usage.down_bytes,
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
    /// `true` lists only those that go on.
    online: bool,
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists sessions, the newest first; devices are keyed digests.
#[utoipa::path(get, path = "/sessions", params(Asked),
    responses((status = 200, body = List<SessionOut>), (status = 400), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<SessionOut>>, Problem> {
    let now = hub.clock().now();
    let filter = Filter { site: asked.site, online_since: asked.online.then(|| now.plus_ms(-LEASE_MS)) };
    let before = asked.cursor.and_then(|c| read_cursor(&c.0)).unwrap_or_else(session::newest);
    let mut tx = hub.store().reader().await?;
    let found = session::list(&mut tx, &filter, &before, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, cursor_of);
    let items = page.items.into_iter().map(|s| SessionOut::of(&hub, s, now)).collect();
    Ok(Json(List { items, next: page.next }))
}

#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Disconnect {
    /// How long the device stays out, 1 to 1440; 10 unless said otherwise.
    minutes: Option<u32>,
}

/// Until when a device stays out.
#[derive(Serialize, utoipa::ToSchema)]
struct Disconnected {
    until: String,
}

/// Ends a session within two seconds and keeps its device out for a while.
#[utoipa::path(post, path = "/sessions/{id}/disconnect", request_body = Disconnect,
    params(("id" = String, Path)),
    responses((status = 200, body = Disconnected), (status = 403), (status = 404), (status = 409), (status = 422)))]
async fn disconnect(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
    Body(asked): Body<Disconnect>,
) -> Result<Json<Disconnected>, Problem> {
    let id = SessionId::parse(&id).ok_or_else(|| Refusal::new(404, "session-unknown"))?;
    let until = sessions::disconnect(&hub, &by, id, asked.minutes).await?;
    Ok(Json(Disconnected { until: hub.zone().rfc3339(until) }))
}
