//! `/console/sites/{code}/access-points`: the radios of a place, for staff.

use super::{Change, Given, change, list, place};
use crate::Hub;
use crate::console::Frame;
use crate::staff::sign_in_pages::Nothing;
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_store::access_point::AccessPoint;
use serde::Deserialize;

/// Console pages about access points.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/sites/{code}/access-points", get(show).post(save))
        .route("/console/sites/{code}/access-points/{mac}/remove", post(remove))
}

#[derive(Template)]
#[template(path = "fleet/access_points.html")]
struct AccessPointsPage {
    page: Page,
    w: W,
    me: Frame,
    code: String,
    title: String,
    rows: Vec<AccessPoint>,
    may: bool,
    form: Form,
    fault: Option<String>,
    saved: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Form {
    mac: String,
    name: String,
    address: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    saved: Option<String>,
}

async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Path(code): Path<String>,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    radios_page(&hub, &staff, on, &code, Form::default(), None, asked.saved.is_some()).await
}

async fn radios_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    code: &str,
    form: Form,
    fault: Option<String>,
    saved: bool,
) -> Result<Response, Problem> {
    let site = place(hub, code).await?;
    page(&AccessPointsPage {
        me: staff.into(),
        rows: list(hub, &site.code).await?,
        may: staff.actor.may_operate(&site.area).is_ok(),
        code: site.code.to_string(),
        title: site.name,
        form,
        fault,
        saved,
        w: on.w.clone(),
        page: on,
    })
}

async fn save(
    State(hub): State<Hub>,
    Path(code): Path<String>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    let given = Given {
        mac: form.mac.clone(),
        name: form.name.clone(),
        address: Some(form.address.clone()).filter(|a| !a.trim().is_empty()),
    };
    match change(&hub, &staff.actor, &code, Change::Put(given)).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/sites/{code}/access-points?saved=1")).into_response()),
        Err(problem) if problem.http_status().is_client_error() => {
            let words = hub.words();
            let faults: Vec<String> = problem.wrong().iter().map(|f| f.said(&words, on.w.lang())).collect();
            let said = if faults.is_empty() { problem.detail(&words, on.w.lang()) } else { faults.join(" ") };
            let mut response = radios_page(&hub, &staff, on, &code, form, Some(said), false).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

async fn remove(
    State(hub): State<Hub>,
    Path((code, mac)): Path<(String, String)>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    change(&hub, &staff.actor, &code, Change::Remove(mac)).await?;
    Ok(Redirect::to(&format!("/console/sites/{code}/access-points?saved=1")).into_response())
}
