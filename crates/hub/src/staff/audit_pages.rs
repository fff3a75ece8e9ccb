//! `/console/audit`: who did what, newest first; everybody of the staff may read it.

use super::Staff;
use super::audit_lines::{Line, lines};
use crate::Hub;
use crate::console::Frame;
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kulkul_store::audit;
use serde::Deserialize;

/// Entries on one page.
const PER_PAGE: u32 = 50;

/// The page of the audit.
pub fn routes() -> Router<Hub> {
    Router::new().route("/console/audit", get(show))
}

#[derive(Template)]
#[template(path = "staff/audit.html")]
struct AuditPage {
    page: Page,
    w: W,
    me: Frame,
    lines: Vec<Line>,
    older: Option<i64>,
    newest: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    below: Option<i64>,
}

async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let below = asked.below.unwrap_or(i64::MAX);
    let mut entries = audit::list(&mut hub.store().reader().await?, below, PER_PAGE + 1).await?;
    let more = entries.len() > PER_PAGE as usize;
    entries.truncate(PER_PAGE as usize);
    let older = if more { entries.last().map(|(id, _)| *id) } else { None };
    page(&AuditPage {
        me: (&staff).into(),
        lines: lines(&on, entries),
        older,
        newest: asked.below.is_none(),
        w: on.w.clone(),
        page: on,
    })
}
