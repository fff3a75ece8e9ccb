//! Signed requests: who asks, proven by RFC 9421 before anything is done.

use super::known::{self, Known};
use crate::Hub;
use crate::web::problem::Problem;
use axum::extract::Request;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use kulkul_model::gateway::GatewayId;
use kulkul_model::{Moment, Refusal};
use kulkul_proof::request::WINDOW_S;
use kulkul_proof::{Incoming, Refused, Verifier};
use kulkul_store::StoreError;
use kulkul_wire::link::request::Input;
use std::sync::{Arc, PoisonError};

/// A request whose signature holds, of a gateway in use.
pub struct Signed {
    /// The gateway.
    pub gateway: Arc<Known>,
    /// The head.
    pub parts: Parts,
    /// The body, as it was signed.
    pub body: Bytes,
}

/// The database's word as a problem; busy is 503.
pub fn store_problem(error: &StoreError) -> Problem {
    if error.is_passing() {
        Problem::fault_with(StatusCode::SERVICE_UNAVAILABLE, error).retry_after(5)
    } else {
        Problem::fault(error)
    }
}

impl Signed {
    /// Reads and proves a request with a body of at most `limit` bytes.
    ///
    /// # Errors
    /// 401 when the signature does not hold (with the hub's time), 403 when the
    /// gateway was revoked, 413 when the body is too long.
    pub async fn read(hub: &Hub, request: Request, limit: usize) -> Result<Self, Problem> {
        let (parts, body) = read(request, limit).await?;
        let now = hub.clock().now();
        let input = input(&parts.headers).map_err(|e| not_signed(&e, now))?;
        let unknown = || Problem::from(Refusal::new(401, "gateway-unknown"));
        let id = GatewayId::parse(&input.keyid).map_err(|_| unknown())?;
        let gateway = known::find(hub, &id).await.map_err(|e| store_problem(&e))?.ok_or_else(unknown)?;
        let key = gateway.key().ok_or_else(revoked)?;
        prove(hub, &parts, &body, &input, &key, now)?;
        let mut nonces = gateway.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if !nonces.take(input.created, &input.nonce, now.seconds(), WINDOW_S) {
            return Err(Refusal::new(401, "request-replayed").into());
        }
        drop(nonces);
        Ok(Signed { gateway, parts, body })
    }
}

/// The answer to a gateway that was revoked.
pub fn revoked() -> Problem {
    Refusal::new(403, "gateway-revoked").into()
}

/// Reads head and body.
///
/// # Errors
/// 413 when the body is over `limit` bytes.
pub async fn read(request: Request, limit: usize) -> Result<(Parts, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let too_long = |_| Problem::status(StatusCode::PAYLOAD_TOO_LARGE);
    let body = axum::body::to_bytes(body, limit).await.map_err(too_long)?;
    Ok((parts, body))
}

/// The one value of a field; two of them are as good as none.
fn field<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn incoming<'r>(
    headers: &'r HeaderMap,
    method: &'r str,
    target_uri: &'r str,
    body: &'r [u8],
) -> Incoming<'r> {
    Incoming {
        method,
        target_uri,
        content_digest: field(headers, "content-digest"),
        signature_input: field(headers, "signature-input"),
        signature: field(headers, "signature"),
        body,
    }
}

/// What `Signature-Input` says.
///
/// # Errors
/// `Refused::Fields`.
pub fn input(headers: &HeaderMap) -> Result<Input, Refused> {
    incoming(headers, "", "", b"").input()
}

/// Checks date, body and signature with this key.
///
/// # Errors
/// 401 with the hub's time.
pub fn prove(
    hub: &Hub,
    parts: &Parts,
    body: &[u8],
    input: &Input,
    key: &Verifier,
    now: Moment,
) -> Result<(), Problem> {
    // The target is what the box believes the hub to be called, not what a proxy makes of it.
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let config = hub.config();
    let by_name = |name: &str| {
        let target = format!("{name}{path}");
        incoming(&parts.headers, parts.method.as_str(), &target, body).verify(input, key, now)
    };
    let proven = match by_name(&config.public_url) {
        Err(Refused::Signature(_)) if !config.link.url.is_empty() => by_name(&config.link.url),
        proven => proven,
    };
    proven.map_err(|e| not_signed(&e, now))
}

/// 401 that tells the hub's time, so that a box with a wrong clock can find out.
pub fn not_signed(why: &Refused, now: Moment) -> Problem {
    let code = match why {
        Refused::Stale { .. } => "request-stale",
        _ => "request-not-signed",
    };
    tracing::debug!(%why, "a request on the link is refused");
    Problem::from(Refusal::new(401, code)).member("now", now.to_string())
}
