//! `/console/accounts`: who is let in by a name and a secret.

use super::accounts::{self, Change, NewAccount};
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
use kulkul_store::account::{self, Account};
use serde::Deserialize;

const PER_PAGE: u32 = 50;

/// Console pages about accounts.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/accounts", get(list).post(add))
        .route("/console/accounts/{name}/disable", post(disable))
        .route("/console/accounts/{name}/enable", post(enable))
        .route("/console/accounts/{name}/reset", post(reset))
}

#[derive(Template)]
#[template(path = "access/accounts.html")]
struct AccountsPage {
    page: Page,
    w: W,
    me: Frame,
    q: String,
    rows: Vec<Account>,
    may: bool,
    form: Form,
    made: Option<(String, String)>,
    fault: Option<String>,
    next: Option<String>,
    first: bool,
}

impl AccountsPage {
    fn is_over(&self, a: &Account) -> bool {
        a.expires_at.is_some_and(|at| at <= self.page.now)
    }
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Form {
    name: String,
    label: String,
    devices: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    q: String,
    after: String,
}

/// What a page shows beside the list.
#[derive(Default)]
struct Besides {
    form: Form,
    made: Option<(String, String)>,
    fault: Option<String>,
}

async fn list_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    asked: Asked,
    besides: Besides,
) -> Result<Response, Problem> {
    let q = asked.q.trim().to_ascii_lowercase();
    let mut tx = hub.store().reader().await?;
    let mut rows = account::list(&mut tx, &asked.after, &q, PER_PAGE + 1).await?;
    drop(tx);
    let more = rows.len() > PER_PAGE as usize;
    rows.truncate(PER_PAGE as usize);
    let next = rows.last().filter(|_| more).map(|a| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &q).append_pair("after", a.name.as_str());
        format!("/console/accounts?{}", query.finish())
    });
    page(&AccountsPage {
        me: staff.into(),
        q,
        rows,
        may: super::may(hub, &staff.actor, None).await.is_ok(),
        form: besides.form,
        made: besides.made,
        fault: besides.fault,
        next,
        first: !asked.after.is_empty(),
        w: on.w.clone(),
        page: on,
    })
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let besides = Besides { form: Form { devices: Some(1), ..Form::default() }, ..Besides::default() };
    list_page(&hub, &staff, on, asked, besides).await
}

async fn add(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    let new = NewAccount {
        name: form.name.clone(),
        label: form.label.clone(),
        devices: form.devices,
        ..NewAccount::default()
    };
    match accounts::add(&hub, &staff.actor, new).await {
        Ok((account, secret)) => {
            let made = secret.map(|s| (account.name.to_string(), s));
            let besides = Besides { made, form: Form { devices: Some(1), ..Form::default() }, fault: None };
            list_page(&hub, &staff, on, Asked::default(), besides).await
        }
        Err(problem) if problem.http_status().is_client_error() => {
            let fault = Some(problem.detail(&hub.words(), on.w.lang()));
            let besides = Besides { form, made: None, fault };
            let mut response = list_page(&hub, &staff, on, Asked::default(), besides).await?;
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
    accounts::change(&hub, &staff.actor, &name, Change::Disable).await?;
    Ok(Redirect::to("/console/accounts").into_response())
}

async fn enable(
    State(hub): State<Hub>,
    Path(name): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    accounts::change(&hub, &staff.actor, &name, Change::Enable).await?;
    Ok(Redirect::to("/console/accounts").into_response())
}

async fn reset(
    State(hub): State<Hub>,
    on: Page,
    Path(name): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    let secret = accounts::change(&hub, &staff.actor, &name, Change::Secret(None)).await?;
    let besides = Besides { made: secret.map(|s| (name, s)), ..Besides::default() };
    list_page(&hub, &staff, on, Asked::default(), besides).await
}
