//! `/metrics`, `/healthz` and `/readyz`, on an address of their own.

use crate::Hub;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use kulkul_store::{StoreError, setting};

/// What `admin_listen` serves.
pub fn router(hub: Hub) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(hub)
}

async fn metrics(State(hub): State<Hub>) -> ([(http::HeaderName, &'static str); 1], String) {
    hub.watch().metrics().writer(hub.store());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], hub.metrics().text())
}

/// 200 when pages can be answered; else 503 and what is missing, one a line.
async fn ready(State(hub): State<Hub>) -> (StatusCode, String) {
    let mut missing = Vec::new();
    if hub.board().version == 0 {
        missing.push("the board is not built yet");
    }
    if let Err(error) = answers(&hub).await {
        tracing::warn!(%error, "the store does not answer");
        missing.push("the store does not answer");
    }
    if hub.stop().is_cancelled() {
        missing.push("stopping");
    }
    if missing.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}

async fn answers(hub: &Hub) -> Result<(), StoreError> {
    let mut tx = hub.store().reader().await?;
    setting::find(&mut tx, "ready").await.map(drop)
}
