//! `/api/v1/orders`: how places should be run, for staff.

use super::{Order, Scope, list as all, remove, set};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kulkul_model::Refusal;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `orders`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, delete))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    limit: Limit,
    cursor: Option<Cursor>,
    scope: Option<String>,
    section: Option<String>,
}

fn key(order: &Order) -> String {
    format!("{}@{}", order.section, order.scope)
}

/// Lists orders by section and scope.
#[utoipa::path(get, path = "/orders",
    params(("scope" = Option<String>, Query), ("section" = Option<String>, Query)),
    responses((status = 200, body = List<Order>), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<Order>>, Problem> {
    let after = asked.cursor.map(|c| c.0).unwrap_or_default();
    let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    let mut items: Vec<Order> = all(&hub).await?;
    items.sort_by_key(key);
    items.retain(|o| key(o) > after && fits(&asked.scope, &o.scope) && fits(&asked.section, &o.section));
    items.truncate(usize::from(asked.limit.0) + 1);
    Ok(Json(List::of(items, asked.limit, key)))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Where {
    scope: Option<String>,
}

impl Where {
    fn scope(&self) -> Result<Scope, Refusal> {
        Scope::parse(self.scope.as_deref().unwrap_or("regency"))
    }
}

/// Sets the fields of one section in one scope; what was set there before is replaced.
#[utoipa::path(put, path = "/orders/{section}", request_body = Object,
    params(("section" = String, Path), ("scope" = Option<String>, Query)),
    responses((status = 204), (status = 403), (status = 404), (status = 422)))]
async fn put(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(section): Path<String>,
    Strict(place): Strict<Where>,
    Body(fields): Body<Map<String, Value>>,
) -> Result<StatusCode, Problem> {
    set(&hub, &actor, &section, &place.scope()?, fields).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets what one scope says of a section.
#[utoipa::path(delete, path = "/orders/{section}",
    params(("section" = String, Path), ("scope" = Option<String>, Query)),
    responses((status = 204), (status = 403), (status = 404)))]
async fn delete(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(section): Path<String>,
    Strict(place): Strict<Where>,
) -> Result<StatusCode, Problem> {
    let scope = place.scope()?;
    if !remove(&hub, &actor, &section, &scope).await? {
        return Err(Refusal::new(404, "orders-none").with("scope", scope).into());
    }
    Ok(StatusCode::NO_CONTENT)
}
