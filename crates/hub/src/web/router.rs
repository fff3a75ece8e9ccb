//! The router: every room's routes, and the layers around them.
//!
//! Public pages and the API go through the page cache; the console never does. The
//! link and live events have their own bounds.

use super::{assets, cache, front, idempotency};
use crate::{Hub, access, areas, console, fleet, home, sites, staff, voice, watch};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
// The live events have bounds of their own and so are not among the API's other routes.
#[openapi(
    paths(watch::events::follow),
    info(
        title = "kulkul",
        description = "A regency's public internet: places, states, and what staff may do about them.",
        license(name = "MIT OR Apache-2.0")
    )
)]
struct Api;

/// Every room's part of `/api/v1`.
fn api() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .merge(sites::api::routes())
        .merge(sites::files::routes())
        .merge(sites::staff_api::routes())
        .merge(sites::lines::routes())
        .merge(areas::api::routes())
        .merge(fleet::api::routes())
        .merge(fleet::access_points::api::routes())
        .merge(fleet::diagnostics::api::routes())
        .merge(fleet::local_code::routes())
        .merge(fleet::orders::api::routes())
        .merge(fleet::updates::api::routes())
        .merge(fleet::tunnel::api::routes())
        .merge(staff::api::routes())
        .merge(voice::api::routes())
        .merge(access::api::routes())
        .merge(access::account_api::routes())
        .merge(access::session_api::routes())
        .merge(watch::api::routes())
}

/// The public pages.
fn pages() -> Router<Hub> {
    Router::new().merge(home::pages::routes()).merge(sites::pages::routes()).merge(areas::pages::routes())
}

/// All that `listen` serves.
pub fn router(hub: Hub) -> Router {
    let limits = hub.config().limits.clone();
    let (api, document) =
        OpenApiRouter::with_openapi(Api::openapi()).nest("/api/v1", api()).split_for_parts();
    let document = bytes::Bytes::from(document.to_pretty_json().unwrap_or_default());
    let describe = get(move || async move { ([(CONTENT_TYPE, "application/json")], document) });
    let public = pages()
        .merge(api.layer(from_fn_with_state(hub.clone(), idempotency::once)))
        .route("/api/openapi.json", describe)
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(hub.clone(), cache::through));
    let console = console::routes()
        .layer(CompressionLayer::new())
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let bounded = public
        .merge(console)
        .merge(assets::routes())
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(RequestBodyLimitLayer::new(limits.body_bytes));
    bounded
        .merge(fleet::link::routes())
        .merge(watch::events::routes())
        .fallback(front::nobody)
        .method_not_allowed_fallback(front::wrong_method)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(limits.request_seconds),
        ))
        .layer(CatchPanicLayer::custom(front::panicked))
        .layer(from_fn_with_state(hub.clone(), front::front))
        .with_state(hub)
}
