//! `/api/v1/sites.csv`, `.xlsx` and `.geojson`: the sites of a filter as one file, with their states.
//!
//! For people with a spreadsheet or a map program. An import reads such a file back: what
//! the register does not keep (the state) is passed over.

use super::export::{self, Format};
use super::search::{Filter, split};
use crate::Hub;
use crate::web::{Problem, Strict};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::Stage;
use kulkul_model::state::{Observed, Sign};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The files of the resource `sites`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(csv)).routes(routes!(xlsx)).routes(routes!(geojson))
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only this category.
    #[param(value_type = Option<String>)]
    category: Option<CategoryKey>,
    /// Only in this area or below it.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Only in this observed state.
    #[param(value_type = Option<String>)]
    state: Option<Observed>,
    /// Only with this sign of the map.
    #[param(value_type = Option<String>)]
    sign: Option<Sign>,
    /// Only at this stage.
    #[param(value_type = Option<String>)]
    stage: Option<Stage>,
    /// Words of code, name, place, address or official code.
    q: Option<String>,
}

/// The sites as a table of text, UTF-8 (RFC 4180).
#[utoipa::path(get, path = "/sites.csv", params(Asked), responses((status = 200, content_type = "text/csv")))]
async fn csv(State(hub): State<Hub>, Strict(asked): Strict<Asked>) -> Result<Response, Problem> {
    answer(hub, asked, Format::Csv, "csv").await
}

/// The sites as a spreadsheet.
#[utoipa::path(get, path = "/sites.xlsx", params(Asked), responses((status = 200,
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn xlsx(State(hub): State<Hub>, Strict(asked): Strict<Asked>) -> Result<Response, Problem> {
    answer(hub, asked, Format::Xlsx, "xlsx").await
}

/// The sites as points (RFC 7946).
#[utoipa::path(get, path = "/sites.geojson", params(Asked),
    responses((status = 200, content_type = "application/geo+json")))]
async fn geojson(State(hub): State<Hub>, Strict(asked): Strict<Asked>) -> Result<Response, Problem> {
    answer(hub, asked, Format::GeoJson, "geojson").await
}

async fn answer(hub: Hub, asked: Asked, format: Format, ending: &str) -> Result<Response, Problem> {
    let board = hub.board();
    let filter = Filter {
        category: asked.category,
        area: asked.area,
        sign: asked.sign,
        observed: asked.state,
        stage: asked.stage,
        words: split(asked.q.as_deref().unwrap_or("")),
    };
    // A spreadsheet of twenty thousand rows is a tenth of a second of pure work.
    let made = tokio::task::spawn_blocking(move || {
        export::with_states(&filter.sites(&board), hub.zone(), format).map_err(|e| Problem::fault(&e))
    });
    let bytes = made.await.map_err(|e| Problem::fault(&e))??;
    let name = format!("attachment; filename=\"sites.{ending}\"");
    Ok(([(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}
