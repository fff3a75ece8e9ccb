//! The front: what happens to every request and every answer, whatever the room.
//!
//! Chooses the language, names and counts the request, renders problems for their
//! reader, and sets the headers that keep browsers safe.

use super::language::{COOKIE_NAME, Lang};
use super::layout::Page;
use super::problem::Problem;
use crate::Hub;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// The outermost layer.
pub async fn front(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let id = hub.next_request_id();
    let (mut parts, body) = request.into_parts();
    let lang = Lang::choose(parts.uri.query(), &parts.headers);
    parts.extensions.insert(lang);
    let asked = Lang::asked(parts.uri.query());
    let as_json = wants_json(parts.uri.path(), &parts.headers);
    let page = Page::of(&hub, &parts);
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let began = hub.clock().now();

    let mut response = next.run(Request::from_parts(parts, body)).await;

    let status = response.status();
    if let Some(problem) = problem_of(&mut response) {
        let mut rendered = if as_json { problem.json(&hub.words(), lang) } else { problem.html(page) };
        // A refusal may carry cookies (a rotated token, an emptied session).
        for cookie in response.headers().get_all(SET_COOKIE) {
            rendered.headers_mut().append(SET_COOKIE, cookie.clone());
        }
        response = rendered;
    }
    let took_ms = hub.clock().now().since_ms(began);
    hub.metrics().request(status, took_ms);
    tracing::debug!(%id, %method, path, status = status.as_u16(), took_ms, "request");
    dress(&hub, response.headers_mut(), &method, &path, &id);
    if let Some(choice) = asked {
        let secure = if hub.config().is_https() { "; Secure" } else { "" };
        let cookie = format!(
            "{COOKIE_NAME}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}",
            choice.tag()
        );
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

/// Turns a caught panic into a response; the layer that catches it logs nothing of its own.
pub fn panicked(what: Box<dyn std::any::Any + Send>) -> Response {
    let text = what
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| what.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned());
    Problem::fault(&Panicked(text)).into_response()
}

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked: {0}")]
struct Panicked(String);

/// The problem that a response carries, or stands for: bare errors of the router and of limits.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let bare = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_none_or(|v| v.starts_with("text/plain"));
    bare.then(|| Problem::status(status))
}

fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    if path.starts_with("/api/") || path.starts_with("/link/") {
        return true;
    }
    let accept = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("*/*");
    accept.contains("json") && !accept.contains("text/html")
}

fn dress(hub: &Hub, headers: &mut HeaderMap, method: &Method, path: &str, id: &str) {
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "strict-origin-when-cross-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("permissions-policy", HeaderValue::from_static("camera=(), microphone=(), payment=()"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert(CONTENT_SECURITY_POLICY, hub.content_security_policy());
    if hub.config().is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if path.starts_with("/api/") && (method == Method::GET || method == Method::HEAD) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", value);
    }
}

/// The policy: everything from here, pictures also from the tile server.
#[must_use]
pub fn content_security_policy(tiles: &str) -> HeaderValue {
    let tiles = tiles.split('/').take(3).collect::<Vec<_>>().join("/").replace("{s}", "*");
    let text = format!(
        "default-src 'self'; img-src 'self' data: {tiles}; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
    .replace("data: ;", "data:;");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"))
}

/// Answers a request that no room knows.
pub async fn nobody() -> Problem {
    Problem::not_found()
}

/// Answers a request whose method no room knows.
pub async fn wrong_method() -> Problem {
    Problem::status(StatusCode::METHOD_NOT_ALLOWED)
}
