//! `/api/v1/accounts`: who is let in by a name and a secret.

use super::accounts::{self, Change, NewAccount};
use super::shown::AccountOut;
use crate::Hub;
use crate::staff::Bearer;
use crate::web::idempotency::Secret;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use kulkul_store::account;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `accounts`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(reset))
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// What names begin with.
    q: String,
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists accounts by name.
#[utoipa::path(get, path = "/accounts", params(Asked),
    responses((status = 200, body = List<AccountOut>), (status = 400), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<AccountOut>>, Problem> {
    let after = asked.cursor.map(|c| c.0).unwrap_or_default();
    let mut tx = hub.store().reader().await?;
    let begins = asked.q.trim().to_ascii_lowercase();
    let found = account::list(&mut tx, &after, &begins, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |a| a.name.to_string());
    let items = page.items.into_iter().map(|a| AccountOut::of(&hub, a)).collect();
    Ok(Json(List { items, next: page.next }))
}

/// An account with the secret that was drawn for it.
#[derive(Serialize, utoipa::ToSchema)]
struct MadeOut {
    account: AccountOut,
    /// Shown now and never again; null where the person chose one.
    secret: Option<String>,
}

fn once(status: StatusCode, out: MadeOut) -> Response {
    let mut response = (status, [(CACHE_CONTROL, "no-store")], Json(out)).into_response();
    response.extensions_mut().insert(Secret);
    response
}

/// Makes an account; a secret that was drawn is in the answer, once.
#[utoipa::path(post, path = "/accounts", request_body = NewAccount,
    responses((status = 201, body = MadeOut), (status = 401), (status = 403), (status = 409), (status = 422)))]
async fn add(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Body(new): Body<NewAccount>,
) -> Result<Response, Problem> {
    let (account, secret) = accounts::add(&hub, &by, new).await?;
    Ok(once(StatusCode::CREATED, MadeOut { account: AccountOut::of(&hub, account), secret }))
}

/// Disables an account; who is online by it is disconnected.
#[utoipa::path(post, path = "/accounts/{name}/disable", params(("name" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
async fn disable(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    accounts::change(&hub, &by, &name, Change::Disable).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enables an account again.
#[utoipa::path(post, path = "/accounts/{name}/enable", params(("name" = String, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
async fn enable(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    accounts::change(&hub, &by, &name, Change::Enable).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Reset {
    /// The new secret; null draws one.
    secret: Option<String>,
}

/// Gives an account another secret; one that was drawn is in the answer, once.
#[utoipa::path(post, path = "/accounts/{name}/reset", request_body = Reset, params(("name" = String, Path)),
    responses((status = 200, body = MadeOut), (status = 403), (status = 404), (status = 422)))]
async fn reset(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(name): Path<String>,
    Body(new): Body<Reset>,
) -> Result<Response, Problem> {
    let secret = accounts::change(&hub, &by, &name, Change::Secret(new.secret)).await?;
    let account = AccountOut::of(&hub, accounts::find(&hub, &name).await?);
    Ok(once(StatusCode::OK, MadeOut { account, secret }))
}
