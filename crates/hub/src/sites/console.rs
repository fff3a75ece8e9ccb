//! `/console/sites`: finding a place, changing it, and letting a box enrol there.

use super::change::{self, Change, Outcome};
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::fleet::claims::{self, Issued};
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use kulkul_model::Refusal;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::claim::Standing;
use kulkul_model::site::{PositionQuality, Site, SiteCode, Stage};
use kulkul_store::claim::Claim;
use kulkul_store::site::{self, After, Filter};
use serde::Deserialize;

/// Sites on one page.
const PER_PAGE: u32 = 50;
/// The lives that a claim can be given, hours.
const LIVES_H: [u32; 4] = [24, 72, 168, 336];

/// Console pages about sites.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/sites", get(list))
        .route("/console/sites/{code}", get(edit).post(save))
        .route("/console/sites/{code}/claim", post(issue))
        .route("/console/sites/{code}/claim/{id}/withdraw", post(withdraw))
}

#[derive(Template)]
#[template(path = "sites/console_list.html")]
struct ListPage {
    page: Page,
    w: W,
    me: Frame,
    q: String,
    categories: Vec<Choice>,
    areas: Vec<Choice>,
    stages: Vec<Choice>,
    count: u64,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    code: String,
    name: String,
    village: String,
    stage: String,
    sign: &'static str,
    word: String,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Asked {
    q: String,
    category: String,
    area: String,
    stage: String,
    after: String,
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let board = hub.board();
    let w = on.w.clone();
    let filter = Filter {
        category: CategoryKey::parse(&asked.category).ok(),
        area: AreaCode::parse(&asked.area).ok(),
        stage: Stage::parse(&asked.stage),
        text: Some(asked.q.clone()).filter(|q| !q.trim().is_empty()),
    };
    let mut tx = hub.store().reader().await?;
    let count = site::count(&mut tx, &filter).await?;
    let mut found = site::search(&mut tx, &filter, &After::Code(asked.after.clone()), PER_PAGE + 1).await?;
    drop(tx);
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (k, v) in
            [("q", &asked.q), ("category", &asked.category), ("area", &asked.area), ("stage", &asked.stage)]
        {
            if !v.is_empty() {
                query.append_pair(k, v);
            }
        }
        format!("/console/sites?{}", query.append_pair("after", last.code.as_str()).finish())
    });
    let rows = found.iter().map(|s| {
        let now = board.sites.get(&s.code);
        Row {
            code: s.code.to_string(),
            name: s.name.clone(),
            village: board.areas.get(&s.area).map_or_else(|| s.area.to_string(), |a| a.name.clone()),
            stage: w.of("stage", s.stage.as_str()),
            sign: now.map_or("unknown", |n| n.sign.as_str()),
            word: now.map(|n| w.of("sign", n.sign.as_str())).unwrap_or_default(),
        }
    });
    let category_names =
        board.categories.iter().map(|c| (c.key.to_string(), super::shown::category_name(&on, c).to_owned()));
    page(&ListPage {
        me: (&staff).into(),
        categories: Choice::among(category_names, &asked.category),
        areas: Choice::areas(&board, &asked.area, false),
        stages: stages(&w, &asked.stage),
        count,
        rows: rows.collect(),
        next,
        first: asked.after.is_empty(),
        q: asked.q,
        w: w.clone(),
        page: on,
    })
}

fn stages(w: &W, chosen: &str) -> Vec<Choice> {
    Choice::among(Stage::ALL.iter().map(|s| (s.as_str().to_owned(), w.of("stage", s.as_str()))), chosen)
}

/// What the form of a site holds, as typed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct SiteForm {
    revision: i64,
    name: String,
    address: String,
    area: String,
    lat: String,
    lon: String,
    position_quality: String,
    position_basis: String,
    stage: String,
    down_kbps: String,
    up_kbps: String,
    upstream: String,
    official_id: String,
}

impl SiteForm {
    fn of(site: &Site) -> Self {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let rate = |r: Option<u32>| r.map(|r| r.to_string()).unwrap_or_default();
        SiteForm {
            revision: site.revision,
            name: site.name.clone(),
            address: text(&site.address),
            area: site.area.to_string(),
            lat: site.position.lat.to_string(),
            lon: site.position.lon.to_string(),
            position_quality: site.position_quality.as_str().to_owned(),
            position_basis: text(&site.position_basis),
            stage: site.stage.as_str().to_owned(),
            down_kbps: rate(site.down_kbps),
            up_kbps: rate(site.up_kbps),
            upstream: text(&site.upstream),
            official_id: text(&site.official_id),
        }
    }

    /// The fields by name, for showing two versions side by side and for sending them again.
    fn fields(&self) -> [(&'static str, &str); 12] {
        [
            ("name", &self.name),
            ("address", &self.address),
            ("area", &self.area),
            ("lat", &self.lat),
            ("lon", &self.lon),
            ("position_quality", &self.position_quality),
            ("position_basis", &self.position_basis),
            ("stage", &self.stage),
            ("down_kbps", &self.down_kbps),
            ("up_kbps", &self.up_kbps),
            ("upstream", &self.upstream),
            ("official_id", &self.official_id),
        ]
    }

    fn change(&self) -> Result<Change, Refusal> {
        // People of this country write a comma where the machine writes a point.
        let degrees = |text: &str, field: &'static str| {
            text.trim()
                .replace(',', ".")
                .parse::<f64>()
                .map_err(|_| Refusal::new(422, "form-number").with("field", field).with("value", text))
        };
        let rate = |text: &str, field: &'static str| {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            text.parse::<u32>()
                .map(Some)
                .map_err(|_| Refusal::new(422, "form-number").with("field", field).with("value", text))
        };
        Ok(Change {
            revision: Some(self.revision),
            name: Some(self.name.clone()),
            area: Some(
                AreaCode::parse(&self.area)
                    .map_err(|_| Refusal::new(422, "area-unknown").with("area", &self.area))?,
            ),
            lat: Some(degrees(&self.lat, "lat")?),
            lon: Some(degrees(&self.lon, "lon")?),
            position_quality: PositionQuality::parse(&self.position_quality),
            stage: Stage::parse(&self.stage),
            position_basis: Some(Some(self.position_basis.clone())),
            address: Some(Some(self.address.clone())),
            official_id: Some(Some(self.official_id.clone())),
            upstream: Some(Some(self.upstream.clone())),
            down_kbps: Some(rate(&self.down_kbps, "down_kbps")?),
            up_kbps: Some(rate(&self.up_kbps, "up_kbps")?),
        })
    }
}

#[derive(Template)]
#[template(path = "sites/console_edit.html")]
struct EditPage {
    page: Page,
    w: W,
    me: Frame,
    code: String,
    title: String,
    may: bool,
    form: SiteForm,
    areas: Vec<Choice>,
    qualities: Vec<Choice>,
    stages: Vec<Choice>,
    source: String,
    claims: Vec<ClaimRow>,
    lives: Vec<Choice>,
    issued: Option<Shown>,
    saved: bool,
    faults: Vec<String>,
}

struct ClaimRow {
    id: String,
    standing: &'static str,
    open: bool,
    claim: Claim,
}

/// A claim that was just issued, for the person who will stand at the box.
struct Shown {
    code: String,
    hub: String,
    hub_root: String,
    until: kulkul_model::Moment,
    qr: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Arrived {
    saved: String,
}

async fn find(hub: &Hub, code: &str) -> Result<Site, Problem> {
    let unknown = || Problem::from(Refusal::new(404, "site-unknown").with("site", code));
    let code = SiteCode::parse(code).map_err(|_| unknown())?;
    site::find(&mut hub.store().reader().await?, &code).await?.ok_or_else(unknown)
}

async fn edit(
    State(hub): State<Hub>,
    staff: Staff,
    Path(code): Path<String>,
    Lenient(after): Lenient<Arrived>,
    on: Page,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    let form = SiteForm::of(&site);
    edit_page(&hub, &staff, on, &site, form, None, !after.saved.is_empty(), Vec::new()).await
}

#[expect(clippy::too_many_arguments, reason = "one page with four ways to get there")]
async fn edit_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    site: &Site,
    form: SiteForm,
    issued: Option<Shown>,
    saved: bool,
    faults: Vec<String>,
) -> Result<Response, Problem> {
    let w = on.w.clone();
    let qualities = [PositionQuality::Surveyed, PositionQuality::Sourced, PositionQuality::Approximate]
        .map(|q| (q.as_str().to_owned(), w.of("position-quality", q.as_str())));
    let claims = claims::list(hub, &site.code).await?.into_iter().map(|claim| {
        let (standing, open) = match claim.standing(on.now) {
            Standing::Open => ("claim-standing-open", true),
            Standing::Used => ("claim-standing-used", false),
            Standing::Expired => ("claim-standing-expired", false),
            Standing::Withdrawn => ("claim-standing-withdrawn", false),
        };
        ClaimRow { id: claim.id.clone(), standing, open, claim }
    });
    let lives = LIVES_H.iter().map(|h| (h.to_string(), w.n("claim-hours", i64::from(*h))));
    page(&EditPage {
        me: staff.into(),
        code: site.code.to_string(),
        title: site.name.clone(),
        may: staff.actor.may_operate(&site.area).is_ok(),
        areas: Choice::areas(&hub.board(), &form.area, true),
        qualities: Choice::among(qualities, &form.position_quality),
        stages: stages(&w, &form.stage),
        source: site.source.clone(),
        claims: claims.collect(),
        lives: Choice::among(lives, "24"),
        form,
        issued,
        saved,
        faults,
        w: w.clone(),
        page: on,
    })
}

#[derive(Template)]
#[template(path = "sites/console_conflict.html")]
struct ConflictPage {
    page: Page,
    w: W,
    me: Frame,
    code: String,
    title: String,
    revision: i64,
    rows: Vec<(String, String, String, bool)>,
    mine: SiteForm,
}

async fn save(
    State(hub): State<Hub>,
    Path(code): Path<String>,
    on: Page,
    Signed(staff, form): Signed<SiteForm>,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    let outcome = async { change::change(&hub, &staff.actor, &site.code, &form.change()?).await };
    match outcome.await {
        Ok(Outcome::Saved(_)) => {
            Ok(Redirect::to(&format!("/console/sites/{}?saved=1", site.code)).into_response())
        }
        Ok(Outcome::Conflict(stored)) => {
            let theirs = SiteForm::of(&stored);
            let rows = theirs.fields().into_iter().zip(form.fields());
            let rows = rows.map(|((name, theirs), (_, mine))| {
                let label = on.w.of("field", name);
                (label, theirs.to_owned(), mine.to_owned(), theirs != mine)
            });
            let mut response = page(&ConflictPage {
                me: (&staff).into(),
                code: stored.code.to_string(),
                title: stored.name.clone(),
                revision: stored.revision,
                rows: rows.collect(),
                mine: form,
                w: on.w.clone(),
                page: on,
            })?;
            *response.status_mut() = StatusCode::CONFLICT;
            Ok(response)
        }
        Err(problem) if problem.http_status() == StatusCode::UNPROCESSABLE_ENTITY => {
            let (words, lang) = (hub.words(), on.w.lang());
            let mut faults: Vec<String> = problem.wrong().iter().map(|f| f.said(&words, lang)).collect();
            if faults.is_empty() {
                faults.push(problem.detail(&words, lang));
            }
            let mut response = edit_page(&hub, &staff, on, &site, form, None, false, faults).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ClaimForm {
    hours: Option<u32>,
}

async fn issue(
    State(hub): State<Hub>,
    Path(code): Path<String>,
    on: Page,
    Signed(staff, form): Signed<ClaimForm>,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    staff.actor.may_operate(&site.area)?;
    let life_ms = form.hours.map(|h| i64::from(h) * 3_600_000);
    let Issued { code, claim, hub_root } =
        claims::issue(&hub, site.code.clone(), staff.actor.who.clone(), life_ms).await?;
    let hub_url = hub.config().public_url.clone();
    let shown = Shown {
        qr: crate::web::qr::svg(&format!(
            "kulkul:enrol?hub={hub_url}&claim={}&root={hub_root}",
            code.shown()
        )),
        code: code.shown(),
        hub: hub_url,
        hub_root,
        until: claim.expires_at,
    };
    let form = SiteForm::of(&site);
    edit_page(&hub, &staff, on, &site, form, Some(shown), false, Vec::new()).await
}

async fn withdraw(
    State(hub): State<Hub>,
    Path((code, id)): Path<(String, String)>,
    Signed(staff, _): Signed<ClaimForm>,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    staff.actor.may_operate(&site.area)?;
    claims::withdraw(&hub, site.code.clone(), id, staff.actor.who.clone()).await?;
    Ok(Redirect::to(&format!("/console/sites/{}", site.code)).into_response())
}
