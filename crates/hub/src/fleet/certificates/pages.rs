//! `/console/certificates`: who certifies the portals, until when, and what hinders it.

use crate::Hub;
use crate::console::Frame;
use crate::staff::sign_in_pages::Nothing;
use crate::staff::{Actor, Signed, Staff};
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::gateway::GatewayId;
use kulkul_model::{Moment, Refusal};
use kulkul_store::certificate::{self, Certificate, Trouble};
use kulkul_store::{Lane, StoreError, audit, gateway};

/// Rows of the page; trouble comes first.
const MOST: u32 = 2_000;
const HERE: &str = "/console/certificates";

/// Console pages about certificates.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route(HERE, get(list))
        .route("/console/certificates/{gateway}/again", post(again))
        .route("/console/certificates/hub/again", post(hub_again))
}

#[derive(Template)]
#[template(path = "fleet/certificates.html")]
struct CertificatesPage {
    page: Page,
    w: W,
    me: Frame,
    domain: Option<String>,
    authority: Option<String>,
    hub: Option<HubRow>,
    paused: Option<Moment>,
    rows: Vec<Row>,
}

/// The hub's own certificate.
struct HubRow {
    host: String,
    authority: Option<String>,
    until: Option<Moment>,
    over: bool,
    due_at: Option<Moment>,
    tries: u32,
    trouble: Option<Trouble>,
    may: bool,
}

impl HubRow {
    fn of(hub: &Hub, staff: &Staff, now: Moment) -> Option<Self> {
        let own = hub.own_certificate()?;
        let kept = own.kept();
        let trouble = kept.trouble();
        Some(HubRow {
            host: own.host.clone(),
            authority: kept.authority.as_deref().map(shown),
            until: kept.until,
            over: kept.until.is_some_and(|until| until < now),
            due_at: kept.due_at,
            tries: kept.tries,
            may: trouble.is_some() && staff.actor.may_administer().is_ok(),
            trouble,
        })
    }
}

struct Row {
    site: String,
    site_name: String,
    gateway: GatewayId,
    host: String,
    authority: Option<String>,
    until: Option<Moment>,
    over: bool,
    due_at: Moment,
    waits: bool,
    tries: u32,
    trouble: Option<Trouble>,
    may: bool,
}

/// The host of an authority's directory: what people know it by.
#[must_use]
pub fn shown(directory: &str) -> String {
    let host = directory.trim_start_matches("https://").split('/').next();
    host.unwrap_or(directory).to_owned()
}

async fn list(State(hub): State<Hub>, staff: Staff, on: Page) -> Result<Response, Problem> {
    let board = hub.board();
    let all = certificate::all(&mut hub.store().reader().await?, MOST).await?;
    let rows = all.into_iter().map(|(code, held)| {
        let site = board.sites.get(&code).map(|s| &s.site);
        let Certificate { gateway, host, authority, until, due_at, tries, trouble, chain, .. } = held;
        Row {
            site_name: site.map_or_else(|| code.to_string(), |s| s.name.clone()),
            may: trouble.is_some() && site.is_some_and(|s| staff.actor.may_operate(&s.area).is_ok()),
            over: until.is_some_and(|until| until < on.now),
            authority: authority.as_deref().map(shown),
            waits: chain.is_none() && due_at > on.now,
            site: code.to_string(),
            gateway,
            host,
            until,
            due_at,
            tries,
            trouble,
        }
    });
    page(&CertificatesPage {
        rows: rows.collect(),
        me: (&staff).into(),
        domain: hub.config().portal.domain.clone(),
        authority: super::portals(&hub).map(|a| shown(a.authority())),
        hub: HubRow::of(&hub, &staff, on.now),
        paused: hub.acme().and_then(|a| a.paused(on.now)),
        w: on.w.clone(),
        page: on,
    })
}

/// Has a certificate tried again at once, after somebody has mended what hindered it.
///
/// # Errors
/// `gateway-unknown`, `not-operator`, `not-your-area`.
pub async fn hurry(hub: &Hub, by: &Actor, id: &str) -> Result<(), Problem> {
    let unknown = || Problem::from(Refusal::new(404, "gateway-unknown"));
    let id = GatewayId::parse(id).map_err(|_| unknown())?;
    let mut tx = hub.store().reader().await?;
    let row = gateway::find(&mut tx, &id).await?.ok_or_else(unknown)?;
    let site = kulkul_store::site::find(&mut tx, &row.site).await?.ok_or_else(unknown)?;
    drop(tx);
    by.may_operate(&site.area)?;
    let now = hub.clock().now();
    let entry = by.did(now, "hurry", "certificate", id.as_str());
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            if certificate::again(tx, &id, now).await? {
                audit::append(tx, &entry).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    write.await?;
    if let Some(acme) = hub.acme() {
        acme.hurry();
    }
    Ok(())
}

async fn again(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    hurry(&hub, &staff.actor, &id).await?;
    Ok(Redirect::to(HERE).into_response())
}

/// Has the hub's own certificate tried again at once.
async fn hub_again(
    State(hub): State<Hub>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    staff.actor.may_administer()?;
    let now = hub.clock().now();
    if let (Some(own), Some(acme)) = (hub.own_certificate(), hub.acme()) {
        let entry = staff.actor.did(now, "hurry", "certificate", &own.host);
        hub.store()
            .write(Lane::Page, move |tx| Box::pin(async move { audit::append(tx, &entry).await }))
            .await?;
        own.hurry(now);
        acme.hurry();
    }
    Ok(Redirect::to(HERE).into_response())
}
