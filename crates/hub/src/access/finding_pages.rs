//! `/console/vouchers/findings`: uses that do not fit, for staff to look at and to mark.

use super::api::{cursor_of, read_cursor};
use crate::Hub;
use crate::console::Frame;
use crate::staff::sign_in_pages::Nothing;
use crate::staff::{Actor, Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::Refusal;
use kulkul_model::admission::FindingKind;
use kulkul_store::access::{self, Finding, Holder};
use kulkul_store::{Lane, StoreError, account, audit, voucher};
use serde::Deserialize;

const PER_PAGE: u32 = 50;
const HERE: &str = "/console/vouchers/findings";

/// Console pages about findings.
pub fn routes() -> Router<Hub> {
    Router::new().route(HERE, get(list)).route("/console/vouchers/findings/{id}/see", post(see))
}

/// Marks a finding as seen.
///
/// # Errors
/// `finding-unknown`, `finding-seen`, `not-operator`, `not-your-area`.
pub async fn mark(hub: &Hub, by: &Actor, id: &str) -> Result<(), Problem> {
    let found = access::finding(&mut hub.store().reader().await?, id).await?;
    let found = found.ok_or_else(|| Refusal::new(404, "finding-unknown"))?;
    super::may(hub, by, Some(&found.site)).await?;
    let now = hub.clock().now();
    let (entry, who) = (by.did(now, "see", "access_finding", id), by.who.clone());
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let new = access::see(tx, &found.id, now, &who).await?;
            if new {
                audit::append(tx, &entry).await?;
            }
            Ok::<_, StoreError>(new)
        })
    });
    if write.await? { Ok(()) } else { Err(Refusal::new(409, "finding-seen").into()) }
}

#[derive(Template)]
#[template(path = "access/findings.html")]
struct FindingsPage {
    page: Page,
    w: W,
    me: Frame,
    all: bool,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    finding: Finding,
    what: String,
    who: String,
    may: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    all: String,
    before: String,
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let w = on.w.clone();
    let all = asked.all == "1";
    let before = read_cursor(&asked.before);
    let first = before.is_some();
    let mut tx = hub.store().reader().await?;
    let mut found =
        access::findings(&mut tx, &before.unwrap_or_else(access::newest), all, PER_PAGE + 1).await?;
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|f| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("before", &cursor_of(f.found_at, &f.id));
        if all {
            query.append_pair("all", "1");
        }
        format!("{HERE}?{}", query.finish())
    });
    let board = hub.board();
    let mut rows = Vec::new();
    for finding in found {
        let who = match finding.holder {
            Some(Holder::Voucher(id)) => voucher::find(&mut tx, id).await?.map(|v| {
                let number = v.position.to_string();
                w.with("voucher-of-batch", &[("number", &number), ("label", &v.batch.label)])
            }),
            Some(Holder::Account(id)) => account::find(&mut tx, id).await?.map(|a| a.name.to_string()),
            None => None,
        };
        let site = board.sites.get(&finding.site);
        let what = match finding.kind {
            FindingKind::Void => w.n("finding-voided", finding.detail.parse::<i64>().unwrap_or(0)),
            kind => w.of("finding", kind.as_str()),
        };
        let may =
            finding.seen_at.is_none() && site.is_some_and(|s| staff.actor.may_operate(&s.site.area).is_ok());
        rows.push(Row { who: who.unwrap_or_else(|| "–".to_owned()), what, may, finding });
    }
    drop(tx);
    page(&FindingsPage { me: (&staff).into(), all, rows, next, first, w, page: on })
}

async fn see(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    mark(&hub, &staff.actor, &id).await?;
    Ok(Redirect::to(HERE).into_response())
}
