//! `/console/updates`: the rollout that holds, what boxes run, releases, and a new rollout.
//!
//! Everybody of the staff sees it; who may operate the whole regency begins and steers.

use super::progress::{Counts, boxes_of, runs, scopes_of};
use super::rollouts::{NewRollout, QUIET, Steer, WAIT_HOURS, begin, steer};
use super::told::stage_of;
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::fleet::orders::pages::called;
use crate::fleet::orders::{Scope, ground};
use crate::staff::sign_in_pages::Nothing;
use crate::staff::{Signed, Staff};
use crate::watch::board::Board;
use crate::web::problem::Fault;
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::rollout::{BoxNow, RolloutState, Standing};
use kulkul_model::{Moment, Refusal};
use kulkul_store::StoreError;
use kulkul_store::release::{self, Taken};
use kulkul_store::rollout::{self, Rollout, Told};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Releases on the page.
const RELEASES: u32 = 50;
/// Rollouts on the page.
const ROLLOUTS: u32 = 21;
/// Boxes of one kind that are named.
const NAMED: usize = 30;

/// The console page about updates.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/updates", get(show).post(put))
        .route("/console/updates/{number}/{act}", post(act))
}

#[derive(Template)]
#[template(path = "fleet/updates.html")]
struct UpdatesPage {
    page: Page,
    w: W,
    me: Frame,
    may: bool,
    held: Option<Shown>,
    past: Vec<Rollout>,
    runs: Vec<(String, String, i64)>,
    releases: Vec<Taken>,
    versions: Vec<Choice>,
    codes: Vec<(String, String)>,
    form: Form,
    wrong: Wrong,
}

impl UpdatesPage {
    /// `staff:budi` is Budi to colleagues.
    fn who<'a>(&self, who: &'a str) -> &'a str {
        who.strip_prefix("staff:").unwrap_or(who)
    }

    /// What became of a rollout, and why.
    fn state(&self, r: &Rollout) -> String {
        let state = self.w.of("rollout-state", r.state.as_str());
        if r.why.is_empty() { state } else { format!("{state}: {}", self.w.of("rollout-why", &r.why)) }
    }

    /// What a rollout is called.
    fn called(&self, r: &Rollout) -> String {
        self.w.with("updates-rollout", &[("number", &r.number.to_string()), ("version", &r.version)])
    }

    /// How far a rollout came.
    fn reached(&self, r: &Rollout) -> String {
        let (stage, all) = (r.stage.to_string(), r.stages.len().to_string());
        self.w.with("updates-stage-of", &[("stage", &stage), ("all", &all)])
    }

    /// The first digits of a program's digest.
    fn short(&self, t: &Taken) -> String {
        t.release.sha256.to_string().chars().take(12).collect()
    }

    /// When boxes of a rollout begin.
    fn when(&self, r: &Rollout) -> String {
        if r.at_once {
            return self.w.t("updates-at-once").to_owned();
        }
        self.w.a("updates-in-hours", "hours", super::api::hours(r.quiet_from, r.quiet_until))
    }
}

/// The rollout that holds, with its boxes.
struct Shown {
    rollout: Rollout,
    stages: Vec<Stage>,
    failed: Vec<Named>,
    silent: Vec<Named>,
    acts: Vec<&'static str>,
}

struct Stage {
    number: u32,
    places: Vec<String>,
    state: &'static str,
    /// Boxes that will be told when it begins.
    expected: i64,
    /// Boxes of a stage that has begun for whose machine there is no program.
    lacking: i64,
    counts: Counts,
}

struct Named {
    site: String,
    name: String,
    word: String,
    reason: String,
    at: Moment,
}

/// What was typed.
#[derive(Clone, Deserialize)]
#[serde(default)]
struct Form {
    version: String,
    stages: String,
    at_once: String,
    quiet: String,
    wait_hours: String,
    most_undone: String,
}

impl Default for Form {
    fn default() -> Self {
        Form {
            version: String::new(),
            stages: String::new(),
            at_once: String::new(),
            quiet: QUIET.to_owned(),
            wait_hours: WAIT_HOURS.to_string(),
            most_undone: "1".to_owned(),
        }
    }
}

impl Form {
    /// A stage a line, its scopes after commas or spaces.
    fn stages(&self) -> Vec<Vec<String>> {
        let scope = |s: &str| (!s.is_empty()).then(|| s.to_owned());
        let line = |l: &str| l.split([',', ';', ' ', '\t']).filter_map(scope).collect::<Vec<_>>();
        self.stages.lines().map(str::trim).filter(|l| !l.is_empty()).map(line).collect()
    }

    fn read(&self) -> Result<NewRollout, Problem> {
        let mut faults = Vec::new();
        let mut number = |text: &str, field: &str| {
            let read = text.trim().parse().ok();
            if read.is_none() {
                faults.push(Fault::new(format!("/{field}"), "form-number").with("value", text));
            }
            read
        };
        let wait_hours = number(&self.wait_hours, "wait_hours");
        let most_undone = number(&self.most_undone, "most_undone");
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        Ok(NewRollout {
            version: self.version.clone(),
            stages: self.stages(),
            at_once: !self.at_once.is_empty(),
            quiet: Some(self.quiet.clone()),
            wait_hours,
            most_undone,
        })
    }
}

/// What is wrong with what was sent: at its field, or with all of it.
#[derive(Default)]
struct Wrong {
    whole: Option<String>,
    at: BTreeMap<String, String>,
}

impl Wrong {
    fn of(problem: &Problem, on: &Page) -> Self {
        let (words, lang) = (on.hub().words(), on.w.lang());
        let mut at: BTreeMap<String, String> = BTreeMap::new();
        for fault in problem.wrong() {
            let field = fault.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            let said = at.entry(field.to_owned()).or_default();
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(&fault.said(&words, lang));
        }
        let whole = at.is_empty().then(|| problem.detail(&words, lang));
        Wrong { whole: whole.or_else(|| Some(on.w.t("updates-not-begun").to_owned())), at }
    }

    fn at(&self, field: &str) -> Option<&str> {
        self.at.get(field).map(String::as_str)
    }
}

async fn show(State(hub): State<Hub>, staff: Staff, on: Page) -> Result<Response, Problem> {
    updates_page(&hub, &staff, on, Form::default(), Wrong::default()).await
}

async fn updates_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    mut form: Form,
    wrong: Wrong,
) -> Result<Response, Problem> {
    let board = hub.board();
    let may = match ground(hub, &Scope::Regency).await {
        Ok(area) => staff.actor.may_operate(&area).is_ok(),
        Err(_) => false,
    };
    let mut tx = hub.store().reader().await?;
    let releases = release::list(&mut tx, &release::first(), RELEASES).await?;
    let mut past = rollout::list(&mut tx, u64::MAX, ROLLOUTS).await?;
    drop(tx);
    let held = if past.is_empty() { None } else { Some(past.remove(0)) };
    let held = match held {
        Some(r) => Some(shown(hub, &on, &board, may, r).await?),
        None => None,
    };
    let mut versions: Vec<(String, String)> = Vec::new();
    for taken in &releases {
        let v = taken.release.version.clone();
        if !versions.iter().any(|(known, _)| *known == v) {
            versions.push((v.clone(), v));
        }
    }
    if form.stages.is_empty() && wrong.at.is_empty() {
        "regency".clone_into(&mut form.stages);
    }
    page(&UpdatesPage {
        me: staff.into(),
        may,
        held,
        past,
        runs: runs(hub).await?,
        releases,
        versions: Choice::among(versions, &form.version),
        codes: codes(&board, &on.w),
        form,
        wrong,
        w: on.w.clone(),
        page: on,
    })
}

/// The scopes of categories and areas, with what people call them.
fn codes(board: &Board, w: &W) -> Vec<(String, String)> {
    let categories = board.categories.iter().map(|c| format!("category:{}", c.key));
    let areas = Choice::areas(board, "", false).into_iter().map(|c| (format!("area:{}", c.value), c.text));
    let wide = ["regency".to_owned()].into_iter().chain(categories);
    wide.map(|scope| (scope.clone(), called(board, w, &scope))).chain(areas).collect()
}

async fn shown(hub: &Hub, on: &Page, board: &Board, may: bool, r: Rollout) -> Result<Shown, StoreError> {
    let boxes = boxes_of(hub, r.number).await?;
    let (now, since) = (hub.clock().now(), hub.fleet().since);
    let mut expected: BTreeMap<u32, i64> = BTreeMap::new();
    for known in hub.fleet().gateways.all().iter().filter(|g| !g.is_revoked()) {
        let site = board.sites.get(&known.site);
        if let Some(stage) = site.and_then(|s| stage_of(&r.stages, &scopes_of(board, &s.site))) {
            *expected.entry(stage).or_default() += 1;
        }
    }
    let lacking = |number: u32, told: u32| {
        let all = expected.get(&number).copied().unwrap_or(0);
        let asked = r.state.tells() && (number < r.stage || (number == r.stage && r.told_at.is_some()));
        if asked { (all - i64::from(told)).max(0) } else { 0 }
    };
    let stages = (1..).zip(&r.stages).map(|(number, scopes)| Stage {
        number,
        places: scopes.iter().map(|s| called(board, &on.w, s)).collect(),
        state: match (number, r.state) {
            (n, _) if n > r.stage => "updates-stage-waits",
            (n, RolloutState::Running) if n == r.stage => "updates-stage-runs",
            (n, RolloutState::Paused) if n == r.stage => "updates-stage-paused",
            (n, RolloutState::Stopped) if n == r.stage => "updates-stage-stopped",
            _ => "updates-stage-over",
        },
        expected: expected.get(&number).copied().unwrap_or(0),
        lacking: lacking(number, Counts::of(&boxes, number, now, since).told),
        counts: Counts::of(&boxes, number, now, since),
    });
    let named = |(told, one): &(Told, BoxNow)| {
        let site = board.sites.get(&told.site);
        Named {
            site: told.site.to_string(),
            name: site.map_or_else(|| told.site.to_string(), |s| s.site.name.clone()),
            word: match (one.standing(now, since), told.step) {
                (Standing::Silent, _) | (_, None) => on.w.of("standing", one.standing(now, since).as_str()),
                (_, Some(step)) => on.w.of("update-step", step.as_str()),
            },
            reason: told.reason.clone(),
            at: if one.standing(now, since) == Standing::Silent { one.heard_at } else { told.at },
        }
    };
    let of = |wanted: &[Standing]| {
        boxes
            .iter()
            .filter(|(_, b)| wanted.contains(&b.standing(now, since)))
            .take(NAMED)
            .map(named)
            .collect()
    };
    let acts = [Steer::Pause, Steer::Resume, Steer::Stop];
    Ok(Shown {
        stages: stages.collect(),
        failed: of(&[Standing::Undone, Standing::Aside]),
        silent: of(&[Standing::Silent]),
        acts: acts.into_iter().filter(|a| may && a.leads(r.state).is_some()).map(Steer::as_str).collect(),
        rollout: r,
    })
}

async fn put(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    let begun = async { begin(&hub, &staff.actor, form.read()?).await };
    match begun.await {
        Ok(_) => Ok(Redirect::to("/console/updates").into_response()),
        Err(problem) if problem.http_status().as_u16() == 422 => {
            let wrong = Wrong::of(&problem, &on);
            let mut response = updates_page(&hub, &staff, on, form, wrong).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

async fn act(
    State(hub): State<Hub>,
    Path((number, act)): Path<(String, String)>,
    on: Page,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    let act = Steer::parse(&act).ok_or_else(Problem::not_found)?;
    let unknown = || Refusal::new(404, "rollout-unknown").with("number", &number);
    let number: u64 = number.parse().map_err(|_| unknown())?;
    match steer(&hub, &staff.actor, number, act).await {
        Ok(_) => Ok(Redirect::to("/console/updates").into_response()),
        Err(problem) if problem.http_status().as_u16() == 409 => {
            let wrong = Wrong::of(&problem, &on);
            let mut response = updates_page(&hub, &staff, on, Form::default(), wrong).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_stage_and_numbers_are_read_or_named() {
        let form = Form {
            stages: "area:51.03.03, site:BJ-001\n\n  category:sd;category:smp  \nregency\n".to_owned(),
            ..Form::default()
        };
        let new = form.read().unwrap();
        let wanted: [&[&str]; 3] =
            [&["area:51.03.03", "site:BJ-001"], &["category:sd", "category:smp"], &["regency"]];
        assert_eq!(new.stages, wanted);
        assert_eq!((new.at_once, new.wait_hours, new.most_undone), (false, Some(24), Some(1)));
        let odd = Form { wait_hours: "a day".to_owned(), at_once: "yes".to_owned(), ..form };
        let faults = odd.read().unwrap_err();
        assert_eq!(faults.wrong().len(), 1);
        assert_eq!(
            (faults.wrong()[0].pointer.as_str(), faults.wrong()[0].code),
            ("/wait_hours", "form-number")
        );
    }
}
