//! One place, for staff: its facts in a form, its claims, and what somebody else changed meanwhile.

use super::form::{SiteForm, Wrong};
use super::{find, stages};
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::fleet::claims;
use crate::sites::change::{self, Outcome};
use crate::sites::lines::Lines;
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use kulkul_model::Moment;
use kulkul_model::claim::Standing;
use kulkul_model::site::{PositionQuality, Site};
use kulkul_store::claim::Claim;
use serde::Deserialize;

/// The lives that a claim can be given, hours.
const LIVES_H: [u32; 4] = [24, 72, 168, 336];

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
    wrong: Wrong,
    lines: Lines,
}

struct ClaimRow {
    id: String,
    standing: &'static str,
    open: bool,
    claim: Claim,
}

/// A claim that was just issued, for the person who will stand at the box.
pub(super) struct Shown {
    pub(super) code: String,
    pub(super) hub: String,
    pub(super) hub_root: String,
    pub(super) until: Moment,
    pub(super) qr: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Arrived {
    saved: String,
}

pub(super) async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Path(code): Path<String>,
    Lenient(after): Lenient<Arrived>,
    on: Page,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    let form = SiteForm::of(&site);
    edit_page(&hub, &staff, on, &site, form, None, !after.saved.is_empty(), Wrong::default()).await
}

#[expect(clippy::too_many_arguments, reason = "one page with four ways to get there")]
pub(super) async fn edit_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    site: &Site,
    form: SiteForm,
    issued: Option<Shown>,
    saved: bool,
    wrong: Wrong,
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
    let lines = Lines::lately(hub, &site.code, on.now).await?;
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
        wrong,
        lines,
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

pub(super) async fn save(
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
            let wrong = Wrong::of(&problem, &form, &on.w, &hub.words(), on.w.lang());
            let mut response = edit_page(&hub, &staff, on, &site, form, None, false, wrong).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}
