//! Opening a box's local settings by telephone: the answer to the challenge that it shows.
//!
//! For whoever stands beside a box that has lost its way out, where the operator can only
//! talk. Who may operate the place may answer, and each answer is audited.

use crate::Hub;
use crate::staff::{Actor, Bearer};
use crate::web::{Body, Problem};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_model::Refusal;
use kulkul_model::claim::ClaimCode;
use kulkul_model::gateway::GatewayId;
use kulkul_proof::local_code;
use kulkul_store::{Lane, audit, gateway};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's part of `gateways` that opens local settings.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(answer_challenge))
}

/// The answer to a box's challenge, on behalf of staff who look after its place.
///
/// # Errors
/// `gateway-unknown`, `gateway-revoked`, `challenge-unreadable`, `not-operator`, `not-your-area`.
pub async fn answer(hub: &Hub, by: &Actor, id: &str, challenge: &str) -> Result<String, Problem> {
    let unknown = || Problem::from(Refusal::new(404, "gateway-unknown"));
    let id = GatewayId::parse(id).map_err(|_| unknown())?;
    let challenge = ClaimCode::parse(challenge).map_err(|_| Refusal::new(422, "challenge-unreadable"))?;
    let mut tx = hub.store().reader().await?;
    let row = gateway::find(&mut tx, &id).await?.ok_or_else(unknown)?;
    let site = kulkul_store::site::find(&mut tx, &row.site).await?.ok_or_else(unknown)?;
    drop(tx);
    by.may_operate(&site.area)?;
    if row.revoked_at.is_some() {
        return Err(Refusal::new(409, "gateway-revoked").into());
    }
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?;
    let code = local_code::answer(&keys.local_key(&id), &challenge).shown();
    let entry = by.did(hub.clock().now(), "open", "gateway", &id);
    hub.store()
        .write(Lane::Page, move |tx| Box::pin(async move { audit::append(tx, &entry).await.map(drop) }))
        .await?;
    Ok(code)
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Challenge {
    /// What the box's page shows, such as 7KQ4-M2XP.
    challenge: String,
}

#[derive(Serialize, utoipa::ToSchema)]
struct Answer {
    /// What opens its local settings, once.
    code: String,
}

/// Answers the challenge that a box's page of local settings shows; audited.
#[utoipa::path(post, path = "/gateways/{id}/local-code", request_body = Challenge, params(("id" = String, Path)),
    responses((status = 200, body = Answer), (status = 403), (status = 404), (status = 409), (status = 422)))]
async fn answer_challenge(
    State(hub): State<Hub>,
    Bearer(actor): Bearer,
    Path(id): Path<String>,
    Body(asked): Body<Challenge>,
) -> Result<Json<Answer>, Problem> {
    Ok(Json(Answer { code: answer(&hub, &actor, &id, &asked.challenge).await? }))
}
