//! The routes of `/link/v1`, with bounds of their own.

use super::signed::{Signed, revoked, store_problem};
use super::updates::releases;
use super::{beat, blobs, desired, enrol, journal, lists};
use crate::Hub;
use crate::access::admit;
use crate::web::Peer;
use crate::web::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use http::{HeaderMap, StatusCode};
use kulkul_model::Refusal;
use kulkul_model::gateway::GatewayId;
use kulkul_proof::manifest;
use kulkul_wire::link::desired::Version;
use kulkul_wire::link::{
    Admit, BATCH_LIMIT, BODY_LIMIT, Beat, BeatAnswer, Digest, Enrol, Enrolled, Grant, HubKeys, JournalAnswer,
    LocalKey, MANIFEST_TYPE, SECTION_LIMIT, TimeAnswer, WAIT_LIMIT_S,
};
use serde::Deserialize;
use std::io::SeekFrom;
use tokio::fs::File;
use tokio::io::AsyncSeekExt as _;
use tokio_util::io::ReaderStream;

/// The link's routes.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/link/v1/enrol", post(post_enrol))
        .route("/link/v1/time", get(get_time))
        .route("/link/v1/keys", get(get_keys))
        .route("/link/v1/local-key", get(get_local_key))
        .route("/link/v1/beat", post(post_beat))
        .route("/link/v1/desired", get(get_desired))
        .route("/link/v1/journal", post(post_journal))
        .route("/link/v1/admit", post(post_admit))
        .route("/link/v1/blobs/{sha256}", get(get_blob).put(put_blob))
}

fn not_json(_: serde_json::Error) -> Problem {
    Refusal::new(400, "body-unreadable").into()
}

async fn post_enrol(State(hub): State<Hub>, peer: Peer, request: Request) -> Result<Json<Enrolled>, Problem> {
    let (parts, body) = super::signed::read(request, BODY_LIMIT).await?;
    let ask: Enrol = serde_json::from_slice(&body).map_err(not_json)?;
    enrol::prove(&hub, &parts, &body, &ask)?;
    enrol::enrol(&hub, &peer.bucket().to_string(), ask).await.map(Json)
}

#[derive(Deserialize)]
struct TimeQuery {
    nonce: String,
}

async fn get_time(
    State(hub): State<Hub>,
    Query(query): Query<TimeQuery>,
) -> Result<Json<TimeAnswer>, Problem> {
    let sound =
        (16..=64).contains(&query.nonce.len()) && query.nonce.bytes().all(|b| b.is_ascii_alphanumeric());
    if !sound {
        return Err(Refusal::new(400, "nonce-unreadable").into());
    }
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?;
    let (signer, certificate) = keys.time();
    Ok(Json(manifest::sign_time(signer, certificate, hub.clock().now(), &query.nonce)))
}

/// The roots, what they certify and what they took back: public, and signed piece by piece.
async fn get_keys(State(hub): State<Hub>) -> Result<Json<HubKeys>, Problem> {
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?;
    Ok(Json(keys.hub_keys().clone()))
}

/// The key of a box's local settings; it is kept on the box and lies in no database.
async fn get_local_key(State(hub): State<Hub>, request: Request) -> Result<Json<LocalKey>, Problem> {
    let signed = Signed::read(&hub, request, 0).await?;
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?;
    Ok(Json(LocalKey { key: hex::encode(*keys.local_key(&signed.gateway.id)) }))
}

async fn post_beat(State(hub): State<Hub>, request: Request) -> Result<Json<BeatAnswer>, Problem> {
    let signed = Signed::read(&hub, request, BODY_LIMIT).await?;
    let beat: Beat = serde_json::from_slice(&signed.body).map_err(not_json)?;
    Ok(Json(beat::arrived(&hub, &signed.gateway, &beat)?))
}

#[derive(Deserialize)]
struct DesiredQuery {
    #[serde(default)]
    have: String,
    #[serde(default)]
    wait: u32,
}

async fn get_desired(
    State(hub): State<Hub>,
    Query(query): Query<DesiredQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let signed = Signed::read(&hub, request, 0).await?;
    let have = Version::parse(&query.have);
    let wait_ms = i64::from(query.wait.min(WAIT_LIMIT_S)) * 1_000;
    desired::wait_newer(&hub, &signed.gateway, have, wait_ms).await;
    if signed.gateway.is_revoked() {
        return Err(revoked());
    }
    if signed.gateway.newest().is_none_or(|newest| Some(newest) == have) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let kept = hub
        .store()
        .read(|tx| {
            let id = signed.gateway.id.clone();
            Box::pin(async move { kulkul_store::desired::find(tx, &id).await })
        })
        .await
        .map_err(|e| store_problem(&e))?
        .ok_or_else(Problem::not_found)?;
    let etag = format!("\"{}\"", kept.version);
    Ok(([(CONTENT_TYPE, MANIFEST_TYPE.to_owned()), (ETAG, etag)], kept.manifest).into_response())
}

#[derive(Deserialize)]
struct JournalQuery {
    gateway: String,
}

/// Carries no signature of its own: every entry has one.
async fn post_journal(
    State(hub): State<Hub>,
    Query(query): Query<JournalQuery>,
    request: Request,
) -> Result<Json<JournalAnswer>, Problem> {
    let unknown = || Problem::from(Refusal::new(401, "gateway-unknown"));
    let id = GatewayId::parse(&query.gateway).map_err(|_| unknown())?;
    let gateway = super::known::find(&hub, &id).await.map_err(|e| store_problem(&e))?.ok_or_else(unknown)?;
    if gateway.is_revoked() {
        return Err(revoked());
    }
    let (_, body) = super::signed::read(request, BATCH_LIMIT).await?;
    journal::take(&hub, &gateway, &body).await.map(Json)
}

async fn post_admit(State(hub): State<Hub>, request: Request) -> Result<Json<Grant>, Problem> {
    let signed = Signed::read(&hub, request, BODY_LIMIT).await?;
    let ask: Admit = serde_json::from_slice(&signed.body).map_err(not_json)?;
    admit::admit(&hub, &signed.gateway, ask).await.map(Json).map_err(Problem::naming)
}

fn digest(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).ok_or_else(Problem::not_found)
}

async fn get_blob(
    State(hub): State<Hub>,
    Path(sha256): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let digest = digest(&sha256)?;
    let signed = Signed::read(&hub, request, 0).await?;
    let data = &hub.config().data;
    let file = match lists::find(data, digest).await {
        Some(list) => Some(list),
        None => releases::find(data, digest).await,
    };
    if let Some(file) = file {
        return pieces(file, range_from(&signed.parts.headers)).await;
    }
    let bytes = blobs::find(&hub, digest).await?;
    let head = [(CONTENT_TYPE, "application/octet-stream"), (ACCEPT_RANGES, "bytes")];
    let Some(from) = range_from(&signed.parts.headers) else { return Ok((head, bytes).into_response()) };
    let total = bytes.len();
    match bytes.get(from..).filter(|rest| !rest.is_empty()) {
        Some(rest) => {
            let range = format!("bytes {from}-{}/{total}", total - 1);
            Ok((StatusCode::PARTIAL_CONTENT, head, [(CONTENT_RANGE, range)], rest.to_vec()).into_response())
        }
        None => {
            let range = format!("bytes */{total}");
            Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, range)]).into_response())
        }
    }
}

/// A file from a place on, read as it is sent.
async fn pieces((mut file, total): (File, u64), from: Option<usize>) -> Result<Response, Problem> {
    let from = from.map(|f| f as u64);
    if from.is_some_and(|f| f >= total) {
        let range = format!("bytes */{total}");
        return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, range)]).into_response());
    }
    let start = from.unwrap_or(0);
    file.seek(SeekFrom::Start(start)).await.map_err(|e| Problem::fault(&e))?;
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024));
    let head = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (CONTENT_LENGTH, (total - start).to_string()),
    ];
    Ok(match from {
        None => (head, body).into_response(),
        Some(_) => {
            let range = format!("bytes {start}-{}/{total}", total - 1);
            (StatusCode::PARTIAL_CONTENT, head, [(CONTENT_RANGE, range)], body).into_response()
        }
    })
}

/// The start of `Range: bytes=N-`, the one form that resuming needs; others get the whole.
fn range_from(headers: &HeaderMap) -> Option<usize> {
    headers.get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

async fn put_blob(
    State(hub): State<Hub>,
    Path(sha256): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let digest = digest(&sha256)?;
    let signed = Signed::read(&hub, request, SECTION_LIMIT).await?;
    if Digest::of(&signed.body) != digest {
        return Err(Refusal::new(422, "blob-other-digest").into());
    }
    blobs::put(&hub, &signed.gateway, signed.body.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT)
}
