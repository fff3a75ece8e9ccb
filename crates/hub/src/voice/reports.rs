//! Reports: taken from journals, read and marked by staff.

use crate::Hub;
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use kulkul_model::gateway::GatewayId;
use kulkul_model::report::{ReportStatus, plain};
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_store::report::{self, Report, Taken};
use kulkul_store::{Lane, StoreError, Tx, audit, site};
use kulkul_wire::link::{Entry, Stamp};

/// Takes what an entry says of reports; within the write that keeps the entry.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(
    tx: &mut Tx,
    (site, gateway): (&SiteCode, &GatewayId),
    (seq, stamp, now): (u64, Stamp, Moment),
    entry: &Entry,
) -> Result<(), StoreError> {
    match entry {
        Entry::Report(said) => {
            // The box has made it plain; what a box sends is not believed.
            let text = plain(&said.text);
            let language: String =
                said.language.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(8).collect();
            let taken = Taken {
                site,
                gateway,
                seq,
                local_number: said.number,
                kind: said.kind,
                text: &text,
                language: &language,
                stamp,
            };
            report::take(tx, &taken, now).await.map(drop)
        }
        Entry::Anchor(anchor) => report::anchor(tx, gateway, &anchor.at).await.map(drop),
        _ => Ok(()),
    }
}

/// Says how far a report is, on behalf of staff who look after its place.
///
/// # Errors
/// `report-unknown`, `not-operator`, `not-your-area`; `StoreError` of the database.
pub async fn mark(hub: &Hub, by: &Actor, id: &str, status: ReportStatus) -> Result<Report, Problem> {
    let unknown = || Problem::from(Refusal::new(404, "report-unknown"));
    let mut tx = hub.store().reader().await?;
    let before = report::find(&mut tx, id).await?.ok_or_else(unknown)?;
    let place = site::find(&mut tx, &before.site).await?.ok_or_else(unknown)?;
    drop(tx);
    by.may_operate(&place.area)?;
    let now = hub.clock().now();
    let state = |status: ReportStatus| {
        noted(&serde_json::json!({ "site": before.site, "report_status": status.as_str() }))
    };
    let entry = audit::Entry {
        before: state(before.status),
        after: state(status),
        ..by.did(now, "mark", "report", &before.id)
    };
    let (who, key) = (by.who.clone(), before.id.clone());
    let marked = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            // What is there already is no deed.
            if report::mark(tx, &key, status, now, &who).await? {
                audit::append(tx, &entry).await?;
            }
            report::find(tx, &key).await
        })
    });
    let marked: Result<Option<Report>, StoreError> = marked.await;
    marked?.ok_or_else(unknown)
}
