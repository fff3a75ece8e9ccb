//! `/console/staff`: the people, for administrators.

use super::people::{self, NewPerson};
use super::sign_in_pages::Nothing;
use super::{Signed, Staff};
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::Refusal;
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;
use serde::Deserialize;

/// Pages about people.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/staff", get(show).post(add))
        .route("/console/staff/{name}/disable", post(disable))
        .route("/console/staff/{name}/enable", post(enable))
        .route("/console/staff/{name}/reset-password", get(back).post(reset))
}

#[derive(Template)]
#[template(path = "staff/people.html")]
struct PeoplePage {
    page: Page,
    w: W,
    me: Frame,
    people: Vec<people::Shown>,
    roles: Vec<Choice>,
    areas: Vec<Choice>,
    form: PersonForm,
    /// Name and one-time password of a person who just got one.
    handed_out: Option<(String, String)>,
    fault: Option<String>,
}

impl PeoplePage {
    fn area(&self, code: &Option<AreaCode>) -> String {
        area_name(&self.page, code)
    }
}

/// The name of an area, or the word for everywhere.
pub(super) fn area_name(on: &Page, code: &Option<AreaCode>) -> String {
    match code {
        None => on.w.t("staff-everywhere").to_owned(),
        Some(code) => on.hub().board().areas.get(code).map_or_else(|| code.to_string(), |a| a.name.clone()),
    }
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct PersonForm {
    name: String,
    full_name: String,
    role: String,
    area: String,
}

/// Reads role and area of a form; an empty area is everywhere.
pub(super) fn role_and_area(role: &str, area: &str) -> Result<(Role, Option<AreaCode>), Refusal> {
    let role = Role::parse(role).ok_or_else(|| Refusal::new(422, "role-unknown").with("role", role))?;
    let area = if area.is_empty() {
        None
    } else {
        Some(AreaCode::parse(area).map_err(|_| Refusal::new(422, "area-unknown").with("area", area))?)
    };
    Ok((role, area))
}

async fn people_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    form: PersonForm,
    handed_out: Option<(String, String)>,
    fault: Option<String>,
) -> Result<Response, Problem> {
    staff.actor.may_administer()?;
    page(&PeoplePage {
        me: staff.into(),
        people: people::list(hub).await?,
        roles: Choice::roles(&on.w, &form.role),
        areas: Choice::areas(&hub.board(), &form.area, false),
        form,
        handed_out,
        fault,
        w: on.w.clone(),
        page: on,
    })
}

async fn show(State(hub): State<Hub>, staff: Staff, on: Page) -> Result<Response, Problem> {
    let form = PersonForm { role: Role::Operator.as_str().to_owned(), ..PersonForm::default() };
    people_page(&hub, &staff, on, form, None, None).await
}

async fn add(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<PersonForm>,
) -> Result<Response, Problem> {
    staff.actor.may_administer()?;
    let added = async {
        let (role, area) = role_and_area(&form.role, &form.area)?;
        let new = NewPerson { name: form.name.clone(), full_name: form.full_name.clone(), role, area };
        people::add(&hub, &staff.actor, new).await
    };
    match added.await {
        Ok(password) => {
            let handed_out = Some((form.name.trim().to_lowercase(), password));
            people_page(&hub, &staff, on, PersonForm::default(), handed_out, None).await
        }
        Err(problem) if problem.http_status().is_client_error() => {
            let fault = problem.detail(&hub.words(), on.w.lang());
            let mut response = people_page(&hub, &staff, on, form, None, Some(fault)).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

async fn disable(
    State(hub): State<Hub>,
    Path(name): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    people::set_disabled(&hub, &staff.actor, &name, true).await?;
    Ok(Redirect::to("/console/staff").into_response())
}

async fn enable(
    State(hub): State<Hub>,
    Path(name): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    people::set_disabled(&hub, &staff.actor, &name, false).await?;
    Ok(Redirect::to("/console/staff").into_response())
}

/// The address of a step that is over, opened again: by the language link, or from the history.
async fn back() -> Redirect {
    Redirect::to("/console/staff")
}

async fn reset(
    State(hub): State<Hub>,
    Path(name): Path<String>,
    on: Page,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    let password = people::reset_password(&hub, &staff.actor, &name).await?;
    people_page(&hub, &staff, on, PersonForm::default(), Some((name, password)), None).await
}
