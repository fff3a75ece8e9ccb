//! Diagnostics: what staff ask of a box, down as desired state and back by its journal.
//!
//! An ask is audited, has an end, and is done once. There are five kinds and no others.

pub mod api;
pub mod pages;

use super::follower;
use crate::Hub;
use crate::entropy::draw;
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use crate::web::problem::NotWritten;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticKind};
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::Site;
use kulkul_model::{Moment, Refusal};
use kulkul_store::diagnostic::{self, Answer, Diagnostic};
use kulkul_store::gateway::{self, Gateway};
use kulkul_store::{Lane, StoreError, Tx, audit, site};
use kulkul_wire::link::Entry;
use kulkul_wire::link::desired::{DiagnosticAsk, DiagnosticsSection, MOST_ASKS};

/// An ask that was not begun after this is over, milliseconds: a quarter of an hour.
pub const OPEN_MS: i64 = 15 * 60_000;

/// A box and its place.
pub(super) async fn whose(hub: &Hub, id: &str) -> Result<(Gateway, Site), Problem> {
    let unknown = || Problem::from(Refusal::new(404, "gateway-unknown"));
    let id = GatewayId::parse(id).map_err(|_| unknown())?;
    let mut tx = hub.store().reader().await?;
    let row = gateway::find(&mut tx, &id).await?.ok_or_else(unknown)?;
    let site = site::find(&mut tx, &row.site).await?.ok_or_else(unknown)?;
    Ok((row, site))
}

/// Asks a box on behalf of staff who look after its place.
///
/// # Errors
/// `gateway-unknown`, `gateway-revoked`, `diagnostic-kind`, `diagnostic-target`, `diagnostics-many`,
/// `not-operator`, `not-your-area`.
pub async fn ask(
    hub: &Hub,
    by: &Actor,
    id: &str,
    (kind, target): (&str, &str),
) -> Result<Diagnostic, Problem> {
    let (row, site) = whose(hub, id).await?;
    by.may_operate(&site.area)?;
    if row.revoked_at.is_some() {
        return Err(Refusal::new(409, "gateway-revoked").into());
    }
    let names = || DiagnosticKind::ALL.map(DiagnosticKind::as_str).join(", ");
    let kind = DiagnosticKind::parse(kind.trim())
        .ok_or_else(|| Refusal::new(422, "diagnostic-kind").with("known", names()))?;
    let target = kind.target(target).ok_or_else(|| Refusal::new(422, "diagnostic-target"))?;
    let now = hub.clock().now();
    let asked = Diagnostic {
        id: DiagnosticId(draw().map_err(|e| Problem::fault(&e))?),
        gateway: row.id,
        site: site.code.clone(),
        kind,
        target,
        asked_at: now,
        asked_by: by.who.clone(),
        until: now.plus_ms(OPEN_MS),
        answer: None,
    };
    let mut entry = by.did(now, "ask", "diagnostic", asked.id);
    let said = serde_json::json!({ "site": site.code, "kind": kind, "target": asked.target });
    entry.after = noted(&said);
    let kept = asked.clone();
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let open = diagnostic::open(tx, &kept.gateway, now).await?;
            if open.len() >= MOST_ASKS {
                return Err(NotWritten::from(Refusal::new(429, "diagnostics-many").with("most", MOST_ASKS)));
            }
            diagnostic::put(tx, &kept).await?;
            audit::append(tx, &entry).await?;
            Ok(())
        })
    });
    write.await?;
    follower::refresh_sites(hub, &[site.code]).await?;
    Ok(asked)
}

/// What a box is asked now.
///
/// # Errors
/// `StoreError` of the database.
pub async fn section(
    tx: &mut Tx,
    gateway: &GatewayId,
    now: Moment,
) -> Result<DiagnosticsSection, StoreError> {
    let open = diagnostic::open(tx, gateway, now).await?.into_iter();
    let ask = |d: Diagnostic| DiagnosticAsk {
        id: d.id,
        kind: d.kind.as_str().to_owned(),
        target: d.target,
        until: d.until,
    };
    Ok(DiagnosticsSection { asks: open.map(ask).collect() })
}

/// Keeps a box's answer, within the journal's own write.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(tx: &mut Tx, gateway: &GatewayId, at: Moment, entry: &Entry) -> Result<(), StoreError> {
    let Entry::Diagnostic(told) = entry else { return Ok(()) };
    // Lines are kept as lines; whatever else steers a screen is not.
    let text = told.text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    let answer = Answer { at, outcome: told.outcome, took_ms: told.took_ms, text };
    if !diagnostic::answer(tx, told.id, gateway, &answer).await? {
        tracing::debug!(%gateway, id = %told.id, "an answer to what nobody asks any more");
    }
    Ok(())
}
