//! `/api/v1/sites`.

use crate::Hub;
use crate::web::list::Cursor;
use crate::web::{Limit, List, Strict};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::ops::Bound;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `sites`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A site as the API shows it.
#[derive(Serialize, utoipa::ToSchema)]
struct SiteOut {
    code: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Lists sites by code.
#[utoipa::path(get, path = "/sites", responses((status = 200, body = List<SiteOut>)))]
async fn list(State(hub): State<Hub>, Strict(asked): Strict<Asked>) -> Json<List<SiteOut>> {
    let board = hub.board();
    let after = asked.cursor.map(|c| c.0).unwrap_or_default();
    let from = kulkul_model::site::SiteCode::parse(&after).map_or(Bound::Unbounded, Bound::Excluded);
    let items = board
        .sites
        .range((from, Bound::Unbounded))
        .take(usize::from(asked.limit.0) + 1)
        .map(|(code, now)| SiteOut { code: code.to_string(), name: now.site.name.clone() })
        .collect();
    Json(List::of(items, asked.limit, |s| s.code.clone()))
}
