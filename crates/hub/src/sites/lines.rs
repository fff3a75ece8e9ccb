//! `/api/v1/sites/{code}/lines`: the ways out of a place that has two, for staff.
//!
//! What the community's own line carried for the place stands apart from the provider's.

use crate::Hub;
use crate::staff::Bearer;
use crate::web::{Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_store::line::{self, Carried, Switch};
use kulkul_store::{StoreError, site};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How many of the last switches are shown.
const SWITCHES: u32 = 20;
/// What is summed where nobody asks otherwise.
const SPAN_MS: i64 = 30 * 24 * 3_600_000;

/// The API's part of the resource `sites`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(lines))
}

/// The ways out of a place over a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Lines {
    /// The last times that it went over, newest first.
    pub switches: Vec<Switch>,
    /// What each line carried.
    pub carried: Vec<Carried>,
}

impl Lines {
    /// Reads those of a place from `from` (with) to `to` (without).
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn read(hub: &Hub, site: &SiteCode, from: Moment, to: Moment) -> Result<Self, StoreError> {
        let mut tx = hub.store().reader().await?;
        let switches = line::switches(&mut tx, site, SWITCHES).await?;
        Ok(Lines { switches, carried: line::used(&mut tx, site, from, to).await? })
    }

    /// Those of the last thirty days.
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn lately(hub: &Hub, site: &SiteCode, now: Moment) -> Result<Self, StoreError> {
        Self::read(hub, site, now.plus_ms(-SPAN_MS), now.plus_ms(1)).await
    }

    /// Whether there is anything to show: places with one way out have nothing.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.switches.is_empty() && self.carried.is_empty()
    }
}

#[derive(Serialize, utoipa::ToSchema)]
struct LinesOut {
    /// What the sums below begin with, RFC 3339.
    from: String,
    /// What they end before.
    until: String,
    /// The line that the place went over to last; null where it never did.
    in_use: Option<SwitchOut>,
    /// The last times that it went over, newest first.
    switches: Vec<SwitchOut>,
    /// What each line carried.
    carried: Vec<CarriedOut>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct SwitchOut {
    at: String,
    /// `uplink` is the provider's, `backup` the community's.
    line: String,
    /// `no_carrier`, `silent`, `back` or `backup_lost`.
    why: String,
    /// Whose it is; empty for the provider's.
    owner: String,
}

#[derive(Serialize, utoipa::ToSchema)]
struct CarriedOut {
    line: String,
    owner: String,
    up_bytes: u64,
    down_bytes: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    from: Option<String>,
    until: Option<String>,
}

fn moment(name: &str, text: Option<&str>, otherwise: Moment) -> Result<Moment, Problem> {
    let Some(text) = text else { return Ok(otherwise) };
    let bad = |_| Refusal::new(400, "lines-moment").with("name", name).with("value", text);
    Moment::parse(text).map_err(bad).map_err(Problem::from)
}

/// When a place with two ways out went over, and what each carried; the last 30 days by default.
#[utoipa::path(get, path = "/sites/{code}/lines",
    params(("code" = String, Path), ("from" = Option<String>, Query), ("until" = Option<String>, Query)),
    responses((status = 200, body = LinesOut), (status = 400), (status = 401), (status = 404)))]
async fn lines(
    State(hub): State<Hub>,
    _reader: Bearer,
    Path(code): Path<String>,
    Strict(asked): Strict<Asked>,
) -> Result<Json<LinesOut>, Problem> {
    let unknown = || Refusal::new(404, "site-unknown").with("site", &code);
    let code = SiteCode::parse(&code).map_err(|_| unknown())?;
    let until = moment("until", asked.until.as_deref(), hub.clock().now().plus_ms(1))?;
    let from = moment("from", asked.from.as_deref(), until.plus_ms(-SPAN_MS))?;
    site::find(&mut hub.store().reader().await?, &code)
        .await?
        .ok_or_else(|| Refusal::new(404, "site-unknown").with("site", &code))?;
    let read = Lines::read(&hub, &code, from, until).await?;
    let time = |at| hub.zone().rfc3339(at);
    let switch = |s: &Switch| SwitchOut {
        at: time(s.at),
        line: s.line.clone(),
        why: s.why.clone(),
        owner: s.owner.clone(),
    };
    Ok(Json(LinesOut {
        from: time(from),
        until: time(until),
        in_use: read.switches.first().map(switch),
        switches: read.switches.iter().map(switch).collect(),
        carried: read
            .carried
            .into_iter()
            .map(|c| CarriedOut {
                line: c.line,
                owner: c.owner,
                up_bytes: c.up_bytes,
                down_bytes: c.down_bytes,
            })
            .collect(),
    }))
}
