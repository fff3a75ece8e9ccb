//! `Idempotency-Key`: a write that is sent twice is done once.
//!
//! The first answer is kept for 24 hours under the token and the key, and given
//! again. An answer that holds a secret is never kept: the second request is told
//! that the work was done. A key with another request is refused.

use super::problem::Problem;
use crate::Hub;
use crate::staff::bearer;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use kulkul_model::Refusal;
use kulkul_store::idempotency::{self, Kept};
use kulkul_store::{Lane, StoreError};
use sha2::{Digest as _, Sha256};

const KEPT_MS: i64 = 24 * 3_600_000;
const LONGEST_KEY: usize = 128;

/// Marks a response whose body holds a secret.
#[derive(Clone, Copy, Debug)]
pub struct Secret;

/// The layer around the API.
///
/// # Errors
/// `idempotency-key` (400), `idempotency-other` (422), `idempotency-at-work` (409), `idempotency-done` (409).
pub async fn once(State(hub): State<Hub>, request: Request, next: Next) -> Result<Response, Problem> {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let Some(key) = request.headers().get("idempotency-key").filter(|_| writes) else {
        return Ok(next.run(request).await);
    };
    let key = key
        .to_str()
        .ok()
        .filter(|k| (1..=LONGEST_KEY).contains(&k.len()))
        .ok_or_else(|| Refusal::new(400, "idempotency-key"))?
        .to_owned();
    // Strangers cannot fill the table: the token is looked at before a key is taken.
    let Some(actor) = bearer::find(&hub, request.headers()).await? else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, hub.config().limits.body_bytes)
        .await
        .map_err(|_| Problem::status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(&body);
    let digest: [u8; 32] = hash.finalize().into();
    let now = hub.clock().now();
    let (who, taken_key) = (actor.who.clone(), key.clone());
    let kept = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                idempotency::take(tx, (&who, &taken_key), &digest, now, now.plus_ms(-KEPT_MS)).await
            })
        })
        .await
        .map_err(|e: StoreError| Problem::from(e))?;
    if let Some(kept) = kept {
        return again(kept, &digest);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(&hub, actor.who, key, digest, response).await
}

/// The answer for a key that was used before.
fn again(kept: Kept, digest: &[u8; 32]) -> Result<Response, Problem> {
    if kept.request != *digest {
        return Err(Refusal::new(422, "idempotency-other").into());
    }
    let status = kept.status.ok_or_else(|| Refusal::new(409, "idempotency-at-work"))?;
    let body = kept.body.ok_or_else(|| Refusal::new(409, "idempotency-done"))?;
    let mut response = (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body).into_response();
    let headers = response.headers_mut();
    if let Some(kind) = kept.content_type.and_then(|k| HeaderValue::from_str(&k).ok()) {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps the answer of the first request; refusals and faults let the key go, for a better try.
async fn keep(
    hub: &Hub,
    who: String,
    key: String,
    request: [u8; 32],
    response: Response,
) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|e| Problem::fault(&e))?;
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let kept = parts.status.is_success().then(|| Kept {
        request,
        status: Some(parts.status.as_u16()),
        content_type: kind,
        body: parts.extensions.get::<Secret>().is_none().then(|| body.to_vec()),
    });
    hub.store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                match kept {
                    Some(kept) => idempotency::keep(tx, (&who, &key), &kept).await,
                    None => idempotency::release(tx, (&who, &key)).await,
                }
            })
        })
        .await
        .map_err(|e: StoreError| Problem::from(e))?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
