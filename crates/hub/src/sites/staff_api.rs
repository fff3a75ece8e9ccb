//! What staff do with sites by API: add, change, issue a claim.

use super::change::{self, Change, NewSite, Outcome};
use crate::Hub;
use crate::fleet::claims;
use crate::staff::Bearer;
use crate::web::idempotency::Secret;
use crate::web::{Body, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use kulkul_model::Refusal;
use kulkul_model::site::{Site, SiteCode};
use kulkul_store::site;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The writing part of the API's resource `sites`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(edit)).routes(routes!(issue))
}

/// A site as those who edit it see it.
#[derive(Serialize, utoipa::ToSchema)]
struct Edited {
    code: String,
    category: String,
    name: String,
    area: String,
    lat: f64,
    lon: f64,
    #[schema(value_type = String)]
    position_quality: &'static str,
    position_basis: Option<String>,
    #[schema(value_type = String)]
    stage: &'static str,
    address: Option<String>,
    official_id: Option<String>,
    down_kbps: Option<u32>,
    up_kbps: Option<u32>,
    upstream: Option<String>,
    /// What the next change must name.
    revision: i64,
}

impl From<Site> for Edited {
    fn from(s: Site) -> Self {
        Edited {
            code: s.code.to_string(),
            category: s.category.to_string(),
            name: s.name,
            area: s.area.to_string(),
            lat: s.position.lat,
            lon: s.position.lon,
            position_quality: s.position_quality.as_str(),
            position_basis: s.position_basis,
            stage: s.stage.as_str(),
            address: s.address,
            official_id: s.official_id,
            down_kbps: s.down_kbps,
            up_kbps: s.up_kbps,
            upstream: s.upstream,
            revision: s.revision,
        }
    }
}

fn code_of(text: &str) -> Result<SiteCode, Problem> {
    SiteCode::parse(text).map_err(|_| Refusal::new(404, "site-unknown").with("site", text).into())
}

/// Adds a site.
#[utoipa::path(post, path = "/sites", request_body = NewSite,
    responses((status = 201, body = Edited), (status = 403), (status = 409), (status = 422)))]
async fn add(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Body(new): Body<NewSite>,
) -> Result<Response, Problem> {
    let site = change::add(&hub, &actor, new).await?;
    let location = format!("/api/v1/sites/{}", site.code);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(Edited::from(site))).into_response())
}

/// Changes a site; the body names the revision that was seen.
#[utoipa::path(patch, path = "/sites/{code}", request_body = Change, params(("code" = String, Path)),
    responses((status = 200, body = Edited), (status = 403), (status = 404), (status = 409), (status = 422)))]
async fn edit(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(code): Path<String>,
    Body(asked): Body<Change>,
) -> Result<Response, Problem> {
    let code = code_of(&code)?;
    match change::change(&hub, &actor, &code, &asked).await? {
        Outcome::Saved(site) => Ok(Json(Edited::from(*site)).into_response()),
        Outcome::Conflict(site) => {
            let refusal = Refusal::new(409, "revision-other").with("revision", site.revision);
            let current = serde_json::to_value(Edited::from(*site)).unwrap_or_default();
            Err(Problem::from(refusal).member("current", current))
        }
    }
}

#[derive(Deserialize, Default, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    /// How long the code may be used, hours: 1 to 336; 24 unless given.
    hours: Option<u32>,
}

/// A claim code; shown in this answer and never again.
#[derive(Serialize, utoipa::ToSchema)]
struct Claimed {
    code: String,
    site: String,
    expires_at: String,
    hub: String,
    hub_root: String,
}

/// Issues a claim code for the gateway of a site.
#[utoipa::path(post, path = "/sites/{code}/claim", request_body = Asked, params(("code" = String, Path)),
    responses((status = 201, body = Claimed), (status = 403), (status = 404), (status = 422)))]
async fn issue(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(code): Path<String>,
    Body(asked): Body<Asked>,
) -> Result<Response, Problem> {
    let code = code_of(&code)?;
    let unknown = || Refusal::new(404, "site-unknown").with("site", &code);
    let site = site::find(&mut hub.store().reader().await?, &code).await?.ok_or_else(unknown)?;
    actor.may_operate(&site.area)?;
    let life_ms = asked.hours.map(|h| i64::from(h) * 3_600_000);
    let issued = claims::issue(&hub, code.clone(), actor.who, life_ms).await?;
    let claimed = Claimed {
        code: issued.code.shown(),
        site: code.to_string(),
        expires_at: hub.zone().rfc3339(issued.claim.expires_at),
        hub: hub.config().public_url.clone(),
        hub_root: issued.hub_root,
    };
    let mut response = (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(claimed)).into_response();
    response.extensions_mut().insert(Secret);
    Ok(response)
}
