//! `/api/v1/areas` and `/api/v1/areas/{code}`, as interfaces promise them.

use crate::Hub;
use crate::watch::board::Board;
use crate::web::list::Cursor;
use crate::web::{Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::state::Observed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `areas`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one))
}

/// An area as the API shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AreaOut {
    /// Kemendagri code, the key.
    pub code: String,
    /// Its name, without the kind.
    pub name: String,
    /// `regency`, `district`, `village`, `hamlet` or `island`.
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// The code of the area that holds it.
    pub parent: Option<String>,
    /// The statistics office's code.
    pub bps_code: Option<String>,
    /// Degrees north of a point near its middle.
    pub lat: f64,
    /// Degrees east of a point near its middle.
    pub lon: f64,
    /// The sites in it and below it.
    pub sites: CountsOut,
}

/// Sites counted.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct CountsOut {
    /// All of them.
    pub total: u32,
    /// By the key of their category.
    pub by_category: BTreeMap<String, u32>,
    /// By observed state: `up`, `degraded`, `down`, `unknown`.
    #[schema(value_type = BTreeMap<String, u32>)]
    pub by_state: BTreeMap<&'static str, u32>,
}

/// Counts the sites of every area, each with all that lies below it.
fn counts(board: &Board) -> BTreeMap<AreaCode, CountsOut> {
    let mut counts: BTreeMap<AreaCode, CountsOut> = BTreeMap::new();
    for now in board.sites.values() {
        for area in board.path(&now.site.area) {
            let c = counts.entry(area.code.clone()).or_default();
            c.total += 1;
            *c.by_category.entry(now.site.category.to_string()).or_default() += 1;
            *c.by_state.entry(now.observed.as_str()).or_default() += 1;
        }
    }
    counts
}

fn out(area: &Area, counts: &BTreeMap<AreaCode, CountsOut>) -> AreaOut {
    let mut sites = counts.get(&area.code).cloned().unwrap_or_default();
    for state in Observed::ALL {
        sites.by_state.entry(state.as_str()).or_default();
    }
    AreaOut {
        code: area.code.to_string(),
        name: area.name.clone(),
        kind: area.kind.as_str(),
        parent: area.parent.as_ref().map(ToString::to_string),
        bps_code: area.bps_code.clone(),
        lat: area.centre.lat,
        lon: area.centre.lon,
        sites,
    }
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// At most this many, 1 to 1000; 100 unless given.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// The `next` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists areas by code.
#[utoipa::path(get, path = "/areas", params(Asked), responses((status = 200, body = List<AreaOut>)))]
async fn list(State(hub): State<Hub>, Strict(asked): Strict<Asked>) -> Json<List<AreaOut>> {
    let board = hub.board();
    let counts = counts(&board);
    let after = asked.cursor.map(|c| c.0);
    let items = board
        .areas
        .values()
        .filter(|a| after.as_deref().is_none_or(|c| a.code.as_str() > c))
        .take(usize::from(asked.limit.0) + 1)
        .map(|a| out(a, &counts))
        .collect();
    Json(List::of(items, asked.limit, |a| a.code.clone()))
}

/// Shows one area.
#[utoipa::path(get, path = "/areas/{code}", params(("code" = String, Path, description = "Such as 51.03.04")),
    responses((status = 200, body = AreaOut), (status = 404)))]
async fn one(State(hub): State<Hub>, Path(code): Path<String>) -> Result<Json<AreaOut>, Problem> {
    let board = hub.board();
    let code = AreaCode::parse(&code).map_err(|_| Problem::not_found())?;
    let area = board.areas.get(&code).ok_or_else(Problem::not_found)?;
    Ok(Json(out(area, &counts(&board))))
}
