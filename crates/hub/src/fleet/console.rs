//! `/console/gateways`: the boxes, when each was last heard, and taking one out.

use super::updates::progress::BoxUpdate;
use super::{enrol, local_code};
use crate::Hub;
use crate::console::Frame;
use crate::sites::search::{Filter, split};
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::gateway::GatewayId;
use kulkul_model::{Moment, Refusal};
use kulkul_store::gateway::{self, Gateway};
use serde::Deserialize;

/// Boxes on one page.
const PER_PAGE: u32 = 50;
/// A box that was not heard for longer than this is said to be silent.
const SILENT_AFTER_MS: i64 = 90_000;
/// Places of a search whose boxes are looked up.
const SITES_SEARCHED: usize = 50;

/// Console pages about gateways.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/gateways", get(list))
        .route("/console/gateways/{id}/revoke", post(revoke))
        .route("/console/gateways/{id}/open", get(back).post(open))
}

#[derive(Template)]
#[template(path = "fleet/gateways.html")]
struct GatewaysPage {
    page: Page,
    w: W,
    me: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
    q: String,
    all: bool,
}

struct Row {
    gateway: Gateway,
    site_name: String,
    seen_at: Option<Moment>,
    people: u32,
    state: &'static str,
    update: BoxUpdate,
    may: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    after: String,
    q: String,
    all: String,
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let board = hub.board();
    let all = !asked.all.is_empty();
    let mut tx = hub.store().reader().await?;
    let wanted = split(&asked.q);
    let mut boxes = if wanted.is_empty() {
        let list = if all {
            gateway::list(&mut tx, &asked.after, PER_PAGE + 1).await
        } else {
            gateway::list_in_use(&mut tx, &asked.after, PER_PAGE + 1).await
        };
        list?
    } else {
        let sites = Filter { words: wanted, ..Filter::default() };
        let mut found = Vec::new();
        for site in sites.sites(&board).into_iter().take(SITES_SEARCHED) {
            found.extend(gateway::of_site(&mut tx, &site.site.code).await?);
        }
        found.retain(|g| all || g.revoked_at.is_none());
        found
    };
    drop(tx);
    let more = boxes.len() > PER_PAGE as usize;
    boxes.truncate(PER_PAGE as usize);
    let next = boxes
        .last()
        .filter(|_| more && asked.q.is_empty())
        .map(|g| format!("/console/gateways?after={}{}", g.id, if all { "&all=1" } else { "" }));
    let mut rows = Vec::new();
    for gateway in boxes {
        let beat = hub.fleet().known(&gateway.id).and_then(|k| k.last_beat());
        let state = match (gateway.revoked_at, beat) {
            (Some(_), _) => "gateway-state-revoked",
            (None, Some(b)) if on.now.since_ms(b.at) <= SILENT_AFTER_MS => "gateway-state-heard",
            (None, Some(_)) => "gateway-state-silent",
            (None, None) => "gateway-state-never",
        };
        let site = board.sites.get(&gateway.site).map(|s| &s.site);
        rows.push(Row {
            update: BoxUpdate::of(&hub, &on.w, &gateway.id).await?,
            site_name: site.map_or_else(|| gateway.site.to_string(), |s| s.name.clone()),
            may: gateway.revoked_at.is_none()
                && site.is_some_and(|s| staff.actor.may_operate(&s.area).is_ok()),
            seen_at: beat.map(|b| b.at),
            people: beat.map_or(0, |b| b.people),
            state,
            gateway,
        });
    }
    page(&GatewaysPage {
        rows,
        me: (&staff).into(),
        next,
        first: asked.after.is_empty(),
        q: asked.q,
        all,
        w: on.w.clone(),
        page: on,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RevokeForm {
    why: String,
}

async fn revoke(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, form): Signed<RevokeForm>,
) -> Result<Response, Problem> {
    take_out(&hub, &staff.actor, &id, form.why).await?;
    Ok(Redirect::to("/console/gateways").into_response())
}

#[derive(Template)]
#[template(path = "fleet/local_code.html")]
struct LocalCodePage {
    page: Page,
    w: W,
    me: Frame,
    challenge: String,
    code: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OpenForm {
    challenge: String,
}

/// The address of an answer, opened again: by the language link, or from the history.
async fn back() -> Redirect {
    Redirect::to("/console/gateways")
}

/// The answer to a challenge, for the telephone; nothing of it is kept but the audit.
async fn open(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    on: Page,
    Signed(staff, form): Signed<OpenForm>,
) -> Result<Response, Problem> {
    let code = local_code::answer(&hub, &staff.actor, &id, &form.challenge).await?;
    let challenge = form.challenge.trim().to_ascii_uppercase();
    page(&LocalCodePage { me: (&staff).into(), challenge, code, w: on.w.clone(), page: on })
}

/// Revokes a box on behalf of staff, who must look after its site.
///
/// # Errors
/// `gateway-unknown`, `gateway-revoked` when it was before, `not-operator`, `not-your-area`.
pub async fn take_out(hub: &Hub, by: &crate::staff::Actor, id: &str, why: String) -> Result<(), Problem> {
    let unknown = || Problem::from(Refusal::new(404, "gateway-unknown"));
    let id = GatewayId::parse(id).map_err(|_| unknown())?;
    let mut tx = hub.store().reader().await?;
    let row = gateway::find(&mut tx, &id).await?.ok_or_else(unknown)?;
    let site = kulkul_store::site::find(&mut tx, &row.site).await?.ok_or_else(unknown)?;
    drop(tx);
    by.may_operate(&site.area)?;
    let why = why.trim().chars().take(200).collect();
    if enrol::revoke(hub, &id, &row.site, by.who.clone(), why).await? {
        Ok(())
    } else {
        Err(Refusal::new(409, "gateway-revoked").into())
    }
}
