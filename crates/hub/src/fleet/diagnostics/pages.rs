//! `/console/gateways/{id}/diagnostics`: asking a box from afar, and what it answered.

use super::{ask, whose};
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::staff::{Signed, Staff};
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use kulkul_model::Moment;
use kulkul_model::diagnostic::DiagnosticKind;
use kulkul_store::diagnostic::{self, Diagnostic};
use serde::Deserialize;

/// Asks on the page.
const SHOWN: u32 = 20;

/// The console page about diagnostics.
pub fn routes() -> Router<Hub> {
    Router::new().route("/console/gateways/{id}/diagnostics", get(show).post(put_question))
}

#[derive(Template)]
#[template(path = "fleet/diagnostics.html")]
struct DiagnosticsPage {
    page: Page,
    w: W,
    me: Frame,
    id: String,
    code: String,
    title: String,
    may: bool,
    rows: Vec<Diagnostic>,
    kinds: Vec<Choice>,
    target: String,
    fault: Option<String>,
}

impl DiagnosticsPage {
    /// `staff:budi` is Budi to colleagues.
    fn who(&self, d: &Diagnostic) -> String {
        d.asked_by.strip_prefix("staff:").unwrap_or(&d.asked_by).to_owned()
    }

    /// How far an ask without an answer is.
    fn waits(&self, d: &Diagnostic) -> &str {
        self.w.t(if d.until > self.page.now { "diagnostics-waiting" } else { "diagnostics-silent" })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Form {
    kind: String,
    target: String,
}

async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Path(id): Path<String>,
    on: Page,
) -> Result<Response, Problem> {
    diagnostics_page(&hub, &staff, on, &id, Form::default(), None).await
}

async fn diagnostics_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    id: &str,
    form: Form,
    fault: Option<String>,
) -> Result<Response, Problem> {
    let (row, site) = whose(hub, id).await?;
    let may = staff.actor.may_operate(&site.area).is_ok();
    let before = (Moment::from_ms(i64::MAX), "");
    // What a log says is for those who look after the place.
    let rows = if may {
        diagnostic::list(&mut hub.store().reader().await?, &row.id, before, SHOWN).await?
    } else {
        Vec::new()
    };
    let kinds = DiagnosticKind::ALL.map(|k| (k.as_str().to_owned(), on.w.of("diagnostics-kind", k.as_str())));
    page(&DiagnosticsPage {
        me: staff.into(),
        id: row.id.to_string(),
        code: site.code.to_string(),
        title: site.name,
        may: may && row.revoked_at.is_none(),
        rows,
        kinds: Choice::among(kinds, &form.kind),
        target: form.target,
        fault,
        w: on.w.clone(),
        page: on,
    })
}

async fn put_question(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    match ask(&hub, &staff.actor, &id, (&form.kind, &form.target)).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/gateways/{id}/diagnostics")).into_response()),
        Err(problem) if matches!(problem.http_status().as_u16(), 409 | 422 | 429) => {
            let said = problem.detail(&hub.words(), on.w.lang());
            let mut response = diagnostics_page(&hub, &staff, on, &id, form, Some(said)).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}
