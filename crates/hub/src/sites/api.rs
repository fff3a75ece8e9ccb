//! `/api/v1/sites` and `/api/v1/sites/{code}`, as interfaces promise them.

use super::search::{Filter, split};
use crate::Hub;
use crate::watch::board::{Board, SiteNow};
use crate::web::list::Cursor;
use crate::web::{Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_model::Zone;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::{SiteCode, Stage};
use kulkul_model::state::Observed;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `sites`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one))
}

/// A site as the API shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SiteOut {
    /// The key, such as `BJ-001`.
    pub code: String,
    /// The key of its category.
    pub category: String,
    /// Its name.
    pub name: String,
    /// The code of the village that it lies in.
    pub area: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// `sourced`, `surveyed` or `approximate`.
    #[schema(value_type = String)]
    pub position_quality: &'static str,
    /// From `planned` to `retired`.
    #[schema(value_type = String)]
    pub stage: &'static str,
    /// `up`, `degraded`, `down` or `unknown`.
    #[schema(value_type = String)]
    pub observed: &'static str,
    /// `open`, `closed`, `maintenance` or `not_in_service`.
    #[schema(value_type = String)]
    pub expected: &'static str,
    /// Since when `observed` holds, RFC 3339; null when it was never observed.
    pub since: Option<String>,
    /// The last sign of life, RFC 3339.
    pub seen_at: Option<String>,
    /// People online; null for 0 to 4, for schools, and while not observed.
    pub people_online: Option<u32>,
    /// What the site is owed.
    pub profile: ProfileOut,
    /// What it hangs on; null when not known.
    pub upstream: Option<String>,
    /// The number of the decree or maintenance that excuses it now.
    pub excused_by: Option<String>,
    /// Its hours by weekday; null when it has none of its own.
    pub hours: Option<String>,
}

/// The capacity that a site is owed; null where nothing was set.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct ProfileOut {
    /// Down, kbit/s.
    pub down_kbps: Option<u32>,
    /// Up, kbit/s.
    pub up_kbps: Option<u32>,
}

impl ProfileOut {
    /// What a site is owed: its own figures, else its category's.
    #[must_use]
    pub fn of(board: &Board, now: &SiteNow) -> Self {
        let category = board.category(&now.site);
        ProfileOut {
            down_kbps: now.site.down_kbps.or_else(|| category?.down_kbps),
            up_kbps: now.site.up_kbps.or_else(|| category?.up_kbps),
        }
    }
}

impl SiteOut {
    /// Shows a site.
    #[must_use]
    pub fn of(board: &Board, zone: &Zone, now: &SiteNow) -> Self {
        let site = &now.site;
        SiteOut {
            code: site.code.to_string(),
            category: site.category.to_string(),
            name: site.name.clone(),
            area: site.area.to_string(),
            lat: site.position.lat,
            lon: site.position.lon,
            position_quality: site.position_quality.as_str(),
            stage: site.stage.as_str(),
            observed: now.observed.as_str(),
            expected: now.expected.as_str(),
            since: now.since.map(|at| zone.rfc3339(at)),
            seen_at: now.seen_at.map(|at| zone.rfc3339(at)),
            people_online: now.people_shown(board.category(site)),
            profile: ProfileOut::of(board, now),
            upstream: site.upstream.clone(),
            excused_by: None,
            hours: None,
        }
    }
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
    /// Only at this stage.
    #[param(value_type = Option<String>)]
    stage: Option<Stage>,
    /// Words of code, name, place, address or official code.
    q: Option<String>,
    /// At most this many, 1 to 1000; 100 unless given.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// The `next` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists sites by code.
#[utoipa::path(get, path = "/sites", params(Asked), responses((status = 200, body = List<SiteOut>)))]
async fn list(State(hub): State<Hub>, Strict(asked): Strict<Asked>) -> Json<List<SiteOut>> {
    let board = hub.board();
    let filter = Filter {
        category: asked.category,
        area: asked.area,
        observed: asked.state,
        stage: asked.stage,
        sign: None,
        words: split(asked.q.as_deref().unwrap_or("")),
    };
    let after = asked.cursor.map(|c| c.0);
    let items = filter
        .sites(&board)
        .into_iter()
        .filter(|s| after.as_deref().is_none_or(|a| s.site.code.as_str() > a))
        .take(usize::from(asked.limit.0) + 1)
        .map(|s| SiteOut::of(&board, hub.zone(), s))
        .collect();
    Json(List::of(items, asked.limit, |s| s.code.clone()))
}

/// Shows one site.
#[utoipa::path(get, path = "/sites/{code}", params(("code" = String, Path, description = "Such as BJ-001")),
    responses((status = 200, body = SiteOut), (status = 404)))]
async fn one(State(hub): State<Hub>, Path(code): Path<String>) -> Result<Json<SiteOut>, Problem> {
    let board = hub.board();
    let code = SiteCode::parse(&code).map_err(|_| Problem::not_found())?;
    let now = board.sites.get(&code).ok_or_else(Problem::not_found)?;
    Ok(Json(SiteOut::of(&board, hub.zone(), now)))
}
