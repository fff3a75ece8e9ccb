//! `/console/reports`: what people said at the places, for staff to look at and to mark.

use super::reports;
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::report::ReportStatus;
use kulkul_model::site::SiteCode;
use kulkul_store::report::{self, Filter, Report};
use serde::Deserialize;

/// Reports on one page.
const PER_PAGE: u32 = 50;

/// Console pages about reports.
pub fn routes() -> Router<Hub> {
    Router::new().route("/console/reports", get(list)).route("/console/reports/{id}/mark", post(mark))
}

#[derive(Template)]
#[template(path = "voice/reports.html")]
struct ReportsPage {
    page: Page,
    w: W,
    me: Frame,
    site: String,
    areas: Vec<Choice>,
    statuses: Vec<Choice>,
    waiting: i64,
    rows: Vec<Row>,
    /// Where a form of this page leads back to.
    back: String,
    next: Option<String>,
    first: Option<String>,
    narrowed: bool,
}

struct Row {
    report: Report,
    site_name: String,
    kind: String,
    status: String,
    /// What may follow, with its words.
    steps: Vec<(&'static str, String)>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Asked {
    site: String,
    area: String,
    status: String,
    before: String,
}

impl Asked {
    /// The list with the same choices, before a report.
    fn address(&self, before: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let all = [
            ("site", self.site.as_str()),
            ("area", &self.area),
            ("status", &self.status),
            ("before", before),
        ];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/console/reports?{}", query.finish())
    }

    fn cursor(&self) -> report::Cursor {
        let read = |(ms, id): (&str, &str)| Some((Moment::from_ms(ms.parse().ok()?), id.to_owned()));
        self.before.split_once(' ').and_then(read).unwrap_or_else(report::newest)
    }
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(mut asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let board = hub.board();
    let w = on.w.clone();
    asked.site = asked.site.trim().to_ascii_uppercase();
    let filter = Filter {
        site: SiteCode::parse(&asked.site).ok(),
        area: AreaCode::parse(&asked.area).ok(),
        status: ReportStatus::parse(&asked.status),
    };
    let mut tx = hub.store().reader().await?;
    // A code that is none finds nothing, rather than everything.
    let mut found = match asked.site.is_empty() || filter.site.is_some() {
        true => report::list(&mut tx, &filter, &asked.cursor(), PER_PAGE + 1).await?,
        false => Vec::new(),
    };
    let waiting = report::count(&mut tx, ReportStatus::New).await?;
    drop(tx);
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next =
        found.last().filter(|_| more).map(|r| asked.address(&format!("{} {}", r.received_at.ms(), r.id)));
    let rows = found.into_iter().map(|report| {
        let site = board.sites.get(&report.site).map(|s| &s.site);
        let may = site.is_some_and(|s| staff.actor.may_operate(&s.area).is_ok());
        let others = ReportStatus::ALL.into_iter().filter(|s| may && *s != report.status);
        Row {
            site_name: site.map_or_else(|| report.site.to_string(), |s| s.name.clone()),
            kind: w.of("report-kind", report.kind.as_str()),
            status: w.of("report-status", report.status.as_str()),
            steps: others.map(|s| (s.as_str(), w.of("report-mark", s.as_str()))).collect(),
            report,
        }
    });
    let statuses = ReportStatus::ALL.map(|s| (s.as_str().to_owned(), w.of("report-status", s.as_str())));
    page(&ReportsPage {
        me: (&staff).into(),
        areas: Choice::areas(&board, &asked.area, false),
        statuses: Choice::among(statuses, &asked.status),
        waiting: i64::try_from(waiting).unwrap_or(i64::MAX),
        rows: rows.collect(),
        back: asked.address(&asked.before),
        next,
        first: (!asked.before.is_empty()).then(|| asked.address("")),
        narrowed: !asked.address("").ends_with('?'),
        site: asked.site,
        w: w.clone(),
        page: on,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MarkForm {
    status: String,
    back: String,
}

async fn mark(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, form): Signed<MarkForm>,
) -> Result<Response, Problem> {
    let status = ReportStatus::parse(&form.status)
        .ok_or_else(|| kulkul_model::Refusal::new(422, "report-status-unknown"))?;
    reports::mark(&hub, &staff.actor, &id, status).await?;
    let back = if form.back.starts_with("/console/reports?") { &form.back } else { "/console/reports" };
    Ok(Redirect::to(back).into_response())
}
