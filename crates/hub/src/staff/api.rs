//! `/api/v1/audit`, `/api/v1/staff` and `/api/v1/tokens`.

use super::Bearer;
use super::people::{self, NewPerson};
use super::tokens::{self, NewToken};
use crate::Hub;
use crate::web::idempotency::Secret;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use kulkul_store::audit;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resources about staff.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list_audit))
        .routes(routes!(list_people, add_person))
        .routes(routes!(disable))
        .routes(routes!(reset_password))
        .routes(routes!(list_tokens, add_token))
        .routes(routes!(revoke_token))
}

/// One entry of the audit.
#[derive(Serialize, utoipa::ToSchema)]
struct AuditOut {
    id: i64,
    /// When.
    at: String,
    /// Who: `staff:name`, `token:id`, `cli`, `gateway:id`.
    who: String,
    /// What was done.
    act: String,
    /// To what kind of thing.
    noun: String,
    /// Which one.
    object: String,
    /// What it was before.
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// What it is now.
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AuditAsked {
    noun: Option<String>,
    object: Option<String>,
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Lists what was done, newest first; about one thing when `noun` and `object` are given.
#[utoipa::path(get, path = "/audit", responses((status = 200, body = List<AuditOut>), (status = 401)))]
async fn list_audit(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<AuditAsked>,
) -> Result<Json<List<AuditOut>>, Problem> {
    let below = asked.cursor.and_then(|c| c.0.parse().ok()).unwrap_or(i64::MAX);
    let most = u32::from(asked.limit.0) + 1;
    let mut tx = hub.store().reader().await?;
    let entries = match (&asked.noun, &asked.object) {
        (Some(noun), Some(object)) => audit::list_object(&mut tx, noun, object, below, most).await?,
        _ => audit::list(&mut tx, below, most).await?,
    };
    let json = |text: Option<String>| text.and_then(|t| serde_json::from_str(&t).ok());
    let items = entries.into_iter().map(|(id, e)| AuditOut {
        id,
        at: hub.zone().rfc3339(e.at),
        who: e.who,
        act: e.act,
        noun: e.noun,
        object: e.object,
        before: json(e.before),
        after: json(e.after),
    });
    Ok(Json(List::of(items.collect(), asked.limit, |e| e.id.to_string())))
}

/// Lists the people of the staff.
#[utoipa::path(get, path = "/staff", responses((status = 200), (status = 403)))]
async fn list_people(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
) -> Result<Json<List<people::Shown>>, Problem> {
    by.may_administer()?;
    Ok(Json(List { items: people::list(&hub).await?, next: None }))
}

/// An answer that is shown once.
fn secret(body: serde_json::Value) -> Response {
    let mut response = (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
    response.extensions_mut().insert(Secret);
    response
}

/// Adds a person; the answer holds the one-time password.
#[utoipa::path(post, path = "/staff", responses((status = 201), (status = 403), (status = 409), (status = 422)))]
async fn add_person(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Body(new): Body<NewPerson>,
) -> Result<Response, Problem> {
    let name = new.name.clone();
    let password = people::add(&hub, &by, new).await?;
    Ok(secret(serde_json::json!({ "name": name, "one_time_password": password })))
}

/// Disables a person.
#[utoipa::path(post, path = "/staff/{name}/disable", params(("name" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn disable(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    people::set_disabled(&hub, &by, &name, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hands out a new one-time password.
#[utoipa::path(post, path = "/staff/{name}/reset-password", params(("name" = String, Path)),
    responses((status = 201), (status = 403), (status = 404)))]
async fn reset_password(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let password = people::reset_password(&hub, &by, &name).await?;
    Ok(secret(serde_json::json!({ "name": name, "one_time_password": password })))
}

/// Lists API tokens; the tokens themselves are not kept.
#[utoipa::path(get, path = "/tokens", responses((status = 200), (status = 403)))]
async fn list_tokens(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
) -> Result<Json<List<tokens::Shown>>, Problem> {
    by.may_administer()?;
    Ok(Json(List { items: tokens::list(&hub).await?, next: None }))
}

/// Makes an API token; the answer holds it.
#[utoipa::path(post, path = "/tokens", responses((status = 201), (status = 403), (status = 422)))]
async fn add_token(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Body(new): Body<NewToken>,
) -> Result<Response, Problem> {
    let made = tokens::add(&hub, &by, new).await?;
    Ok(secret(serde_json::json!(made)))
}

/// Takes an API token back.
#[utoipa::path(post, path = "/tokens/{id}/revoke", params(("id" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
async fn revoke_token(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    tokens::revoke(&hub, &by, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
