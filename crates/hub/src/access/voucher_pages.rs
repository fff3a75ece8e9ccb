//! `/console/vouchers`: batches, making one with its sheet, one batch's vouchers.

use super::api::{BatchIn, cursor_of, read_cursor};
use super::vouchers::{self, MOST, Which};
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
use kulkul_model::Refusal;
use kulkul_model::admission::Token16;
use kulkul_model::site::SiteCode;
use kulkul_model::voucher::{VoucherCode, VoucherState};
use kulkul_store::access;
use kulkul_store::voucher::{self, Batch, Voucher};
use serde::Deserialize;

const PER_PAGE: u32 = 50;
const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// Console pages about vouchers.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/vouchers", get(list).post(make))
        .route("/console/vouchers/batches/{id}", get(batch))
        .route("/console/vouchers/batches/{id}/revoke", post(revoke_batch))
        .route("/console/vouchers/{id}/revoke", post(revoke))
}

/// How long vouchers last, in words.
fn lasts(w: &W, minutes: u64) -> String {
    let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match minutes {
        m if m % DAY == 0 => w.n("voucher-days", n(m / DAY)),
        m if m % HOUR == 0 => w.n("voucher-hours", n(m / HOUR)),
        m => w.n("voucher-minutes", n(m)),
    }
}

/// What a batch gives, in words.
fn gives(w: &W, b: &Batch) -> String {
    let lasts = lasts(w, b.terms.lasts_ms / 60_000);
    let devices = w.n("voucher-devices", i64::from(b.terms.devices));
    w.with("voucher-gives", &[("lasts", &lasts), ("devices", &devices)])
}

#[derive(Template)]
#[template(path = "access/vouchers.html")]
struct VouchersPage {
    page: Page,
    w: W,
    me: Frame,
    rows: Vec<Row>,
    unseen: i64,
    form: Form,
    most: u32,
    fault: Option<String>,
    next: Option<String>,
    first: bool,
}

struct Row {
    batch: Batch,
    gives: String,
    place: String,
    used: i64,
    revoked: i64,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Form {
    label: String,
    site: String,
    count: Option<u32>,
    hours: Option<u64>,
    days: Option<u32>,
    devices: Option<u16>,
    down_kbps: Option<u32>,
}

impl Form {
    fn empty() -> Self {
        Form { count: Some(20), hours: Some(24), days: Some(90), devices: Some(1), ..Form::default() }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    before: String,
}

async fn list_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    form: Form,
    (before, fault): (&str, Option<String>),
) -> Result<Response, Problem> {
    let w = on.w.clone();
    let board = hub.board();
    let before = read_cursor(before);
    let first = before.is_some();
    let mut tx = hub.store().reader().await?;
    let mut found =
        voucher::list_batches(&mut tx, None, &before.unwrap_or_else(voucher::newest), PER_PAGE + 1).await?;
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|b| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("before", &cursor_of(b.made_at, &b.id));
        format!("/console/vouchers?{}", query.finish())
    });
    let mut rows = Vec::new();
    for batch in found {
        let (used, revoked) = voucher::counts(&mut tx, &batch.id).await?;
        let place = match &batch.site {
            Some(site) => board.sites.get(site).map_or_else(|| site.to_string(), |s| s.site.name.clone()),
            None => w.t("voucher-everywhere").to_owned(),
        };
        let gives = gives(&w, &batch);
        rows.push(Row { gives, place, used: i64::from(used), revoked: i64::from(revoked), batch });
    }
    let unseen = i64::try_from(access::unseen(&mut tx).await?).unwrap_or(i64::MAX);
    drop(tx);
    page(&VouchersPage { me: staff.into(), rows, unseen, form, most: MOST, fault, next, first, w, page: on })
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    list_page(&hub, &staff, on, Form::empty(), (&asked.before, None)).await
}

#[derive(Template)]
#[template(path = "access/sheet.html")]
struct SheetPage {
    page: Page,
    w: W,
    me: Frame,
    batch: Batch,
    gives: String,
    place: String,
    begin_before: String,
    codes: Vec<(usize, String)>,
}

async fn make(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    let now = hub.clock().now();
    let made = async {
        let site = Some(form.site.trim().to_ascii_uppercase()).filter(|s| !s.is_empty());
        let parse =
            |s: String| SiteCode::parse(&s).map_err(|_| Refusal::new(404, "site-unknown").with("site", &s));
        let asked = BatchIn {
            label: form.label.clone(),
            site: site.map(parse).transpose()?,
            count: form.count.unwrap_or(0),
            minutes: form.hours.unwrap_or(0).saturating_mul(HOUR),
            begin_before: form.days.map(|d| now.plus_ms(i64::from(d.min(3_660)) * 86_400_000)),
            devices: form.devices,
            down_kbps: form.down_kbps,
            up_kbps: None,
        };
        vouchers::make(&hub, &staff.actor, asked.order(now)).await
    };
    match made.await {
        Ok(made) => {
            let w = on.w.clone();
            let place = match &made.batch.site {
                Some(site) => {
                    let name = hub.board().sites.get(site).map(|s| s.site.name.clone());
                    name.map_or_else(|| site.to_string(), |n| format!("{n} ({site})"))
                }
                None => w.t("voucher-everywhere").to_owned(),
            };
            page(&SheetPage {
                me: (&staff).into(),
                gives: gives(&w, &made.batch),
                place,
                begin_before: on.date_clock(&made.batch.terms.begin_before),
                codes: made
                    .codes
                    .iter()
                    .map(VoucherCode::shown)
                    .enumerate()
                    .map(|(i, c)| (i + 1, c))
                    .collect(),
                batch: made.batch,
                w,
                page: on,
            })
        }
        Err(problem) if problem.http_status().is_client_error() => {
            let fault = problem.detail(&hub.words(), on.w.lang());
            let mut response = list_page(&hub, &staff, on, form, ("", Some(fault))).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

#[derive(Template)]
#[template(path = "access/batch.html")]
struct BatchPage {
    page: Page,
    w: W,
    me: Frame,
    batch: Batch,
    gives: String,
    place: String,
    rows: Vec<VoucherRow>,
    may: bool,
    next: Option<String>,
    first: bool,
}

struct VoucherRow {
    voucher: Voucher,
    state: String,
    until: Option<String>,
    may: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BatchAsked {
    after: u32,
}

async fn batch(
    State(hub): State<Hub>,
    staff: Staff,
    Path(id): Path<String>,
    Lenient(asked): Lenient<BatchAsked>,
    on: Page,
) -> Result<Response, Problem> {
    let w = on.w.clone();
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let batch = voucher::find_batch(&mut tx, &id).await?.ok_or_else(Problem::not_found)?;
    let mut found = voucher::list(&mut tx, &id, asked.after, PER_PAGE + 1).await?;
    drop(tx);
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next =
        found.last().filter(|_| more).map(|v| format!("/console/vouchers/batches/{id}?after={}", v.position));
    let may = super::may(&hub, &staff.actor, batch.site.as_ref()).await.is_ok();
    let rows = found.into_iter().map(|voucher| {
        let state = VoucherState::of(&batch.terms, voucher.begun, voucher.revoked_at, now);
        let until = match state {
            VoucherState::Running(ends) => Some(w.a("voucher-until", "when", on.date_clock(&ends))),
            _ => None,
        };
        let over = matches!(state, VoucherState::Revoked | VoucherState::UsedUp | VoucherState::Expired);
        VoucherRow { state: w.of("voucher-state", state.as_str()), until, may: may && !over, voucher }
    });
    let rows: Vec<VoucherRow> = rows.collect();
    let place = batch.site.as_ref().map_or_else(|| w.t("voucher-everywhere").to_owned(), ToString::to_string);
    page(&BatchPage {
        me: (&staff).into(),
        gives: gives(&w, &batch),
        place,
        may: may && rows.iter().any(|r| r.may),
        rows,
        batch,
        next,
        first: asked.after > 0,
        w,
        page: on,
    })
}

async fn revoke(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    let id = Token16::parse(&id).map_err(|_| Refusal::new(404, "voucher-unknown"))?;
    vouchers::revoke(&hub, &staff.actor, Which::One(id)).await?;
    let held = voucher::find(&mut hub.store().reader().await?, id).await?;
    let back = held.map_or_else(
        || "/console/vouchers".to_owned(),
        |v| {
            format!(
                "/console/vouchers/batches/{}?after={}",
                v.batch.id,
                (v.position - 1) / PER_PAGE * PER_PAGE
            )
        },
    );
    Ok(Redirect::to(&back).into_response())
}

async fn revoke_batch(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    vouchers::revoke(&hub, &staff.actor, Which::Batch(id.clone())).await?;
    Ok(Redirect::to(&format!("/console/vouchers/batches/{id}")).into_response())
}
