//! `/metrics`, `/healthz` and `/readyz`, on an address of their own.

use crate::Hub;
use crate::clock::within;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use kulkul_store::{StoreError, certificate, setting};
use std::time::Duration;

/// What is told beside `ok` may take this long.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// What `admin_listen` serves.
pub fn router(hub: Hub) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(hub)
}

async fn metrics(State(hub): State<Hub>) -> ([(http::HeaderName, &'static str); 1], String) {
    hub.watch().metrics().writer(hub.store());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], hub.metrics().text())
}

/// `ok` as long as the program answers, and lines about what somebody has to mend.
async fn alive(State(hub): State<Hub>) -> String {
    let mut lines = "ok\n".to_owned();
    if let Some((own, trouble)) = hub.own_certificate().and_then(|own| Some((own, own.kept().trouble()?))) {
        let (since, detail) = (trouble.since, trouble.detail.replace('\n', " "));
        lines.push_str(&format!("tls: {} gets no certificate, since {since}: {detail}\n", own.host));
    }
    // It tells that the program lives: a store that hangs must not hold it up.
    if let Some(Ok(Some(said))) = within(LOOK_WITHIN, certificates(&hub)).await {
        lines.push_str(&said);
    }
    lines
}

/// What hinders certificates of portals; none where nothing does.
async fn certificates(hub: &Hub) -> Result<Option<String>, StoreError> {
    let mut tx = hub.store().reader().await?;
    let troubled = certificate::troubled(&mut tx).await?;
    if troubled == 0 {
        return Ok(None);
    }
    let first = certificate::all(&mut tx, 1).await?.into_iter().next();
    Ok(first.and_then(|(site, held)| {
        let trouble = held.trouble?;
        Some(format!(
            "certificates: {troubled} portals get none or no newer one; the first is {site}, since {}: {}; what to do: {}/console/certificates\n",
            trouble.since,
            trouble.detail.replace('\n', " "),
            hub.config().public_url
        ))
    }))
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
