//! `Authorization: Bearer TOKEN`: the API's only way in; cookies are never looked at.

use super::{Actor, secret};
use crate::Hub;
use crate::web::Problem;
use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use kulkul_model::Refusal;
use kulkul_store::{Lane, StoreError, token};

/// A program that showed a valid token.
#[derive(Clone, Debug)]
pub struct Bearer(pub Actor);

impl FromRequestParts<Hub> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Problem> {
        find(hub, &parts.headers).await?.map(Bearer).ok_or_else(|| Refusal::new(401, "token-needed").into())
    }
}

/// The actor behind the request's token; none when it brings none.
///
/// # Errors
/// `token-wrong` (401) when it is unknown, expired or revoked, alike.
pub async fn find(hub: &Hub, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let wrong = || Problem::from(Refusal::new(401, "token-wrong"));
    let text = value.to_str().map_err(|_| wrong())?;
    let (scheme, shown) = text.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(wrong());
    }
    let now = hub.clock().now();
    let found = token::by_digest(&mut hub.store().reader().await?, &secret::digest(shown.trim())).await?;
    let token = found.filter(|t| t.is_valid(now)).ok_or_else(wrong)?;
    if token.used_at.is_none_or(|at| now.since_ms(at) >= 60_000) {
        let id = token.id.clone();
        hub.store()
            .write(Lane::Page, move |tx| Box::pin(async move { token::used(tx, &id, now).await }))
            .await
            .map_err(|e: StoreError| Problem::from(e))?;
    }
    Ok(Some(Actor { who: format!("token:{}", token.id), role: token.role, area: token.area }))
}
