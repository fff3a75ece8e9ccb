//! `/api/v1/sites/{code}/availability` and `/api/v1/outages`, as interfaces promise them.

use super::availability::{self, Bucket, Step};
use crate::Hub;
use crate::web::list::Cursor;
use crate::web::problem::Fault;
use crate::web::{Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kulkul_model::area::AreaCode;
use kulkul_model::availability::Seconds;
use kulkul_model::outage::Outage;
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Zone};
use kulkul_store::{StoreError, outage};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const DAY_MS: i64 = 86_400_000;
/// Fewer people than these are never told of.
const PEOPLE_SHOWN: u32 = 5;

/// The API's resources of watch.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(availability_of)).routes(routes!(outages))
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Range {
    /// From when, RFC 3339; a day before `to` unless given.
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Until when, RFC 3339; now unless given.
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
    /// `hour` (at most 31 days), `day` (at most 400) or `month` (at most 800).
    #[param(value_type = Option<String>)]
    step: Step,
}

/// One step of a site's time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StepOut {
    /// Its beginning, RFC 3339.
    from: String,
    /// Its end, RFC 3339.
    to: String,
    /// Seconds by what they count as; together the part of the step that has passed.
    seconds: SecondsOut,
    /// Round trip to the anchors, milliseconds; null when none was measured.
    rtt_ms: Option<RttOut>,
    /// Share of packets to the anchors that were lost, 0 to 1; null when none was sent.
    loss: Option<f64>,
    /// The most people online at once; null for 0 to 4 and for schools.
    people: Option<u32>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SecondsOut {
    up: i64,
    degraded: i64,
    down: i64,
    unknown: i64,
    excused: i64,
    closed: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RttOut {
    min: f64,
    avg: f64,
    /// Null until the hour's block has come.
    p95: Option<f64>,
}

impl StepOut {
    fn of(zone: &Zone, hides: bool, b: &Bucket) -> Self {
        let ms = |us: u32| f64::from(us) / 1000.0;
        let Seconds { up, degraded, down, unknown, excused, closed } = b.seconds;
        let s = &b.service;
        StepOut {
            from: zone.rfc3339(b.from),
            to: zone.rfc3339(b.to),
            seconds: SecondsOut { up, degraded, down, unknown, excused, closed },
            rtt_ms: s.rtt_mean_us().map(|mean| RttOut {
                min: ms(s.rtt_min_us),
                avg: ms(mean),
                p95: (s.rtt_p95_us > 0).then(|| ms(s.rtt_p95_us)),
            }),
            loss: (s.sent > 0).then(|| f64::from(s.lost) / f64::from(s.sent)),
            people: Some(b.usage.people_max).filter(|n| !hides && *n >= PEOPLE_SHOWN),
        }
    }
}

/// What a site gave, step by step.
#[utoipa::path(get, path = "/sites/{code}/availability",
    params(("code" = String, Path, description = "The site's code"), Range),
    responses((status = 200, body = List<StepOut>)))]
async fn availability_of(
    State(hub): State<Hub>,
    Path(code): Path<String>,
    Strict(asked): Strict<Range>,
) -> Result<Json<List<StepOut>>, Problem> {
    let board = hub.board();
    let code = SiteCode::parse(&code).map_err(|_| Problem::not_found())?;
    let site = board.sites.get(&code).ok_or_else(Problem::not_found)?;
    let hides = board.category(&site.site).is_none_or(|c| c.hides_presence);
    let now = hub.clock().now();
    let to = asked.to.unwrap_or(now);
    let from = asked.from.unwrap_or(to.plus_ms(-DAY_MS));
    let most = match asked.step {
        Step::Hour => 31,
        Step::Day => 400,
        Step::Month => 800,
    };
    if to <= from || to.since_ms(from) > most * DAY_MS {
        let fault = Fault::new("from", "range-wrong").with("days", most);
        return Err(Problem::status(StatusCode::BAD_REQUEST).and(fault));
    }
    let mut tx = hub.store().reader().await.map_err(|e| broken(&e))?;
    let buckets = availability::buckets(&hub, &mut tx, &code, (from, to), asked.step, now);
    let buckets = buckets.await.map_err(|e| broken(&e))?;
    let items = buckets.iter().map(|b| StepOut::of(hub.zone(), hides, b)).collect();
    Ok(Json(List { items, next: None }))
}

fn broken(error: &StoreError) -> Problem {
    Problem::fault(error)
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteCode>,
    /// Only of sites in this area or below it.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Only those that go on (`true`) or have ended (`false`).
    open: Option<bool>,
    /// Only those that lasted beyond this, RFC 3339.
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Only those that began before this, RFC 3339.
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
    /// At most this many, 1 to 1000; 100 unless given.
    #[param(value_type = Option<u16>)]
    limit: Limit,
    /// The `next` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// An outage as the API shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OutageOut {
    /// Its number; the key.
    number: i64,
    /// The site's code.
    site: String,
    /// The first failed minute, RFC 3339.
    from: String,
    /// The first minute that worked; null while it lasts.
    to: Option<String>,
    /// `power`, `uplink`, `upstream`, `gateway`, `access_point` or `unknown`.
    #[schema(value_type = String)]
    cause: &'static str,
    /// What it hangs on, where that explains it.
    upstream: Option<String>,
    /// Seconds of down so far; minutes that nobody observed are not in it.
    seconds: i64,
    /// Those of them that are down only because nothing was heard.
    silent_seconds: i64,
    /// 1 when it was opened, one more with every correction.
    revision: i64,
    /// Its leaf in the evidence log; null until there is one.
    evidence: Option<i64>,
}

impl OutageOut {
    fn of(zone: &Zone, now: Moment, o: &Outage) -> Self {
        // The record of one that goes on is as old as its latest change.
        let lasting = match o.span.to {
            None => (now.minute().since_ms(o.span.from) / 1000 - o.span.seconds).max(0),
            Some(_) => 0,
        };
        OutageOut {
            number: o.number,
            site: o.site.to_string(),
            from: zone.rfc3339(o.span.from),
            to: o.span.to.map(|at| zone.rfc3339(at)),
            cause: o.cause.as_str(),
            upstream: o.upstream.clone(),
            seconds: o.span.seconds + lasting,
            silent_seconds: o.span.silent_seconds + lasting,
            revision: o.revision,
            evidence: o.evidence,
        }
    }
}

/// Lists outages, the newest first.
#[utoipa::path(get, path = "/outages", params(Asked), responses((status = 200, body = List<OutageOut>)))]
async fn outages(
    State(hub): State<Hub>,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<OutageOut>>, Problem> {
    let all = outage::Filter::default();
    let filter = outage::Filter {
        site: asked.site,
        area: asked.area,
        open: asked.open,
        from: asked.from.unwrap_or(all.from),
        to: asked.to.unwrap_or(all.to),
    };
    let wrong = || Problem::status(StatusCode::BAD_REQUEST).and(Fault::new("cursor", "cursor-wrong"));
    let below = match asked.cursor {
        Some(Cursor(text)) => Some(text.parse::<i64>().map_err(|_| wrong())?),
        None => None,
    };
    let mut tx = hub.store().reader().await.map_err(|e| broken(&e))?;
    let found = outage::page(&mut tx, &filter, below, u32::from(asked.limit.0) + 1);
    let found = found.await.map_err(|e| broken(&e))?;
    let now = hub.clock().now();
    let items = found.iter().map(|o| OutageOut::of(hub.zone(), now, o)).collect();
    Ok(Json(List::of(items, asked.limit, |o: &OutageOut| o.number.to_string())))
}
