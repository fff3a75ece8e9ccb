//! `/console/orders`: rates, rations, opening hours and a notice of one scope, as a form.
//!
//! The form covers what an office changes from day to day; other fields that an order
//! has stay as they are. A field that is left empty says nothing: the wider scope does.

mod form;

use super::{Order, Scope, list, remove, set};
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::staff::sign_in_pages::Nothing;
use crate::staff::{Signed, Staff};
use crate::watch::board::Board;
use crate::web::{Lang, Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use form::Form;
use kulkul_model::Refusal;
use kulkul_model::hours::words::DAYS;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Pages about orders.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/orders", get(show).post(save))
        .route("/console/orders/{section}/remove", post(forget))
}

/// An order as the list shows it.
struct Line {
    key: String,
    section: String,
    scope: String,
    place: String,
    fields: Vec<String>,
    /// Whether the form can change it.
    has_form: bool,
}

#[derive(Template)]
#[template(path = "fleet/orders.html")]
struct OrdersPage {
    page: Page,
    w: W,
    me: Frame,
    lines: Vec<Line>,
    scopes: Vec<Choice>,
    site: String,
    scope: String,
    place: String,
    form: Form,
    fault: Option<String>,
    saved: bool,
}

impl OrdersPage {
    /// What may be kept of connections.
    fn logs(&self) -> Vec<Choice> {
        let one = |log: &str| (log.to_owned(), self.w.of("orders-log", log));
        let empty = (String::new(), self.w.t("orders-log-empty").to_owned());
        let known = ["off", "lease", "flow"].map(one);
        Choice::among([empty].into_iter().chain(known), &self.form.log)
    }

    /// Name, word and hours of each day.
    fn days(&self) -> Vec<(&'static str, String, &str)> {
        let days = DAYS.into_iter().zip(self.form.days());
        days.map(|(day, hours)| (day, self.w.of("orders-day", day), hours)).collect()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    scope: String,
    site: String,
    saved: Option<String>,
}

impl Asked {
    /// A place's code wins over the choice.
    fn scope(&self) -> Result<Scope, Refusal> {
        match self.site.trim() {
            "" if self.scope.is_empty() => Ok(Scope::Regency),
            "" => Scope::parse(&self.scope),
            code => Scope::parse(&format!("site:{}", code.to_uppercase())),
        }
    }
}

/// What a scope is called by people.
pub(in crate::fleet) fn called(board: &Board, w: &W, scope: &str) -> String {
    match scope.split_once(':') {
        Some(("category", key)) => {
            let category = board.categories.iter().find(|c| c.key.as_str() == key);
            let name = category.map(|c| if w.lang() == Lang::Id { &c.name_id } else { &c.name_en });
            w.a("orders-category", "name", name.map_or(key, String::as_str))
        }
        Some(("area", code)) => {
            let area = board.areas.values().find(|a| a.code.as_str() == code);
            area.map_or_else(|| code.to_owned(), |a| a.name.clone())
        }
        Some(("site", code)) => w.a("orders-site", "code", code),
        _ => w.t("orders-everywhere").to_owned(),
    }
}

fn scopes(board: &Board, w: &W, chosen: &str) -> Vec<Choice> {
    let wide = ["regency".to_owned()].into_iter();
    let wide = wide.chain(board.categories.iter().map(|c| format!("category:{}", c.key)));
    let wide: Vec<_> = wide.map(|scope| (scope.clone(), called(board, w, &scope))).collect();
    let areas = Choice::areas(board, "", false).into_iter().map(|c| (format!("area:{}", c.value), c.text));
    Choice::among(wide.into_iter().chain(areas), chosen)
}

/// The page for one scope; `draft` is what was typed and why it was not taken.
async fn orders_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    scope: &Scope,
    draft: Option<(Form, String)>,
    saved: bool,
) -> Result<Response, Problem> {
    let orders = list(hub).await?;
    let board = hub.board();
    let scope = scope.to_string();
    let line = |o: &Order| Line {
        key: o.section.clone(),
        place: called(&board, &on.w, &o.scope),
        has_form: form::SECTIONS.contains(&o.section.as_str()),
        fields: form::told(&on.w, o),
        section: on.w.of("orders-section", &o.section),
        scope: o.scope.clone(),
    };
    let (form, fault) = match draft {
        Some((form, fault)) => (form, Some(fault)),
        None => (Form::of(&orders, &scope), None),
    };
    page(&OrdersPage {
        me: staff.into(),
        lines: orders.iter().map(line).collect(),
        scopes: scopes(&board, &on.w, &scope),
        site: scope.strip_prefix("site:").unwrap_or_default().to_owned(),
        place: called(&board, &on.w, &scope),
        scope,
        form,
        fault,
        saved,
        w: on.w.clone(),
        page: on,
    })
}

async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    on: Page,
    Lenient(asked): Lenient<Asked>,
) -> Result<Response, Problem> {
    orders_page(&hub, &staff, on, &asked.scope()?, None, asked.saved.is_some()).await
}

/// Puts the form's fields over those that each section's order has; an order that says nothing goes away.
async fn put(hub: &Hub, staff: &Staff, scope: &Scope, form: &Form) -> Result<(), Problem> {
    let orders = list(hub).await?;
    let mut wanted: Vec<(&'static str, Map<String, Value>)> = Vec::new();
    for (section, typed) in form.sections()? {
        let held = orders.iter().find(|o| o.section == section && o.scope == scope.to_string());
        let mut fields = held.map(|o| o.fields.clone()).unwrap_or_default();
        for (field, value) in typed {
            if value.is_null() {
                fields.remove(&field);
            } else {
                fields.insert(field, value);
            }
        }
        // All are checked before any is written.
        super::Section::named(section)?.check(&fields)?;
        wanted.push((section, fields));
    }
    for (section, fields) in wanted {
        if fields.is_empty() {
            remove(hub, &staff.actor, section, scope).await?;
        } else {
            set(hub, &staff.actor, section, scope, fields).await?;
        }
    }
    Ok(())
}

async fn save(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    let scope = Scope::parse(&form.scope)?;
    match put(&hub, &staff, &scope, &form).await {
        Ok(()) => Ok(Redirect::to(&format!("/console/orders?saved=1&scope={scope}")).into_response()),
        Err(problem) if problem.http_status().is_client_error() => {
            let words = hub.words();
            let faults: Vec<String> = problem.wrong().iter().map(|f| f.said(&words, on.w.lang())).collect();
            let said = if faults.is_empty() { problem.detail(&words, on.w.lang()) } else { faults.join(" ") };
            let mut response = orders_page(&hub, &staff, on, &scope, Some((form, said)), false).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Which {
    scope: String,
}

async fn forget(
    State(hub): State<Hub>,
    Path(section): Path<String>,
    Lenient(which): Lenient<Which>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    remove(&hub, &staff.actor, &section, &Scope::parse(&which.scope)?).await?;
    Ok(Redirect::to("/console/orders?saved=1").into_response())
}
