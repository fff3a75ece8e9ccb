//! `/console/tokens`: API tokens, for administrators.

use super::people_pages::{area_name, role_and_area};
use super::sign_in_pages::Nothing;
use super::tokens::{self, Made, NewToken};
use super::{Signed, Staff};
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;
use serde::Deserialize;

/// Pages about tokens.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/tokens", get(show).post(add))
        .route("/console/tokens/{id}/revoke", post(revoke))
}

#[derive(Template)]
#[template(path = "staff/tokens.html")]
struct TokensPage {
    page: Page,
    w: W,
    me: Frame,
    tokens: Vec<tokens::Shown>,
    roles: Vec<Choice>,
    areas: Vec<Choice>,
    form: TokenForm,
    made: Option<Made>,
    fault: Option<String>,
}

impl TokensPage {
    fn area(&self, code: &Option<AreaCode>) -> String {
        area_name(&self.page, code)
    }

    fn is_over(&self, token: &tokens::Shown) -> bool {
        token.revoked_at.is_some() || token.expires_at.is_some_and(|end| self.page.now >= end)
    }
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct TokenForm {
    name: String,
    role: String,
    area: String,
    days: Option<u32>,
}

async fn tokens_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    form: TokenForm,
    made: Option<Made>,
    fault: Option<String>,
) -> Result<Response, Problem> {
    staff.actor.may_administer()?;
    page(&TokensPage {
        me: staff.into(),
        tokens: tokens::list(hub).await?,
        roles: Choice::roles(&on.w, &form.role),
        areas: Choice::areas(&hub.board(), &form.area, false),
        form,
        made,
        fault,
        w: on.w.clone(),
        page: on,
    })
}

fn empty_form() -> TokenForm {
    TokenForm { role: Role::Auditor.as_str().to_owned(), days: Some(365), ..TokenForm::default() }
}

async fn show(State(hub): State<Hub>, staff: Staff, on: Page) -> Result<Response, Problem> {
    tokens_page(&hub, &staff, on, empty_form(), None, None).await
}

async fn add(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<TokenForm>,
) -> Result<Response, Problem> {
    staff.actor.may_administer()?;
    let added = async {
        let (role, area) = role_and_area(&form.role, &form.area)?;
        let new = NewToken { name: form.name.clone(), role, area, days: form.days };
        tokens::add(&hub, &staff.actor, new).await
    };
    match added.await {
        Ok(made) => tokens_page(&hub, &staff, on, empty_form(), Some(made), None).await,
        Err(problem) if problem.http_status().is_client_error() => {
            let fault = problem.detail(&hub.words(), on.w.lang());
            let mut response = tokens_page(&hub, &staff, on, form, None, Some(fault)).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

async fn revoke(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    tokens::revoke(&hub, &staff.actor, &id).await?;
    Ok(Redirect::to("/console/tokens").into_response())
}
