//! Certificates of portals: asked for by boxes, issued here, sent down as desired state.
//!
//! A box makes key and request itself and journals the request; only the certificate
//! travels. It is for the one name that the register gives the box's site, whatever the
//! request says (RFC 8908, section 4: the name must be the portal's own). Issuing is a
//! job with a bound on each round, so that a thousand boxes that ask at once wait in line.

pub mod authority;

pub use authority::Authority;

use super::{desired, known};
use crate::Hub;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_store::certificate::{self, Certificate, Issued};
use kulkul_store::{Lane, StoreError, Tx};
use kulkul_wire::link::Entry;

/// How often the job looks for what is due, milliseconds.
const EVERY_MS: i64 = 5_000;
/// Certificates of one round: a thousand boxes are served in about four minutes.
const ROUND: u32 = 20;
/// The wait after the first failure, milliseconds; doubled after each.
const FIRST_WAIT_MS: i64 = 60_000;
/// The longest wait after failures, milliseconds.
const LONGEST_WAIT_MS: i64 = 6 * 3_600_000;

/// The portal's name at a site, under the regency's domain for portals.
#[must_use]
pub fn host(domain: &str, site: &SiteCode) -> String {
    format!("{}.{domain}", site.as_str().to_ascii_lowercase())
}

/// Keeps what an entry of a journal asks for, within the journal's own write.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(
    tx: &mut Tx,
    domain: Option<&str>,
    (site, gateway): (&SiteCode, &GatewayId),
    now: Moment,
    entry: &Entry,
) -> Result<(), StoreError> {
    let (Entry::CertificateRequest(asked), Some(domain)) = (entry, domain) else { return Ok(()) };
    let host = host(domain, site);
    if certificate::ask(tx, gateway, &host, &asked.csr, now).await? {
        tracing::info!(%gateway, host, "a portal asks for a certificate");
    }
    Ok(())
}

/// Issues what is due, until the hub stops.
pub async fn run(hub: &Hub) {
    loop {
        match round(hub).await {
            Ok(0) => {}
            Ok(issued) => tracing::info!(issued, "portals have certificates"),
            Err(error) => tracing::error!(%error, "certificates cannot be issued"),
        }
        hub.clock().sleep_ms(EVERY_MS).await;
    }
}

/// One round of the job; tells how many were issued.
///
/// # Errors
/// `StoreError` of the database; what one box asks for never fails the others.
pub async fn round(hub: &Hub) -> Result<usize, StoreError> {
    if hub.config().portal.domain.is_none() {
        return Ok(0);
    }
    let now = hub.clock().now();
    let due = certificate::due(&mut hub.store().reader().await?, now, ROUND).await?;
    let mut issued = 0;
    for asked in due {
        issued += usize::from(one(hub, asked, now).await?);
    }
    Ok(issued)
}

async fn one(hub: &Hub, asked: Certificate, now: Moment) -> Result<bool, StoreError> {
    let made = match hub.fleet().authority() {
        Ok(authority) => authority.issue(&asked.host, &asked.csr, now).map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match made {
        Ok(made) => send_down(hub, asked, made, now).await,
        Err(why) => {
            tracing::warn!(gateway = %asked.gateway, host = asked.host, why, "no certificate is issued");
            let wait = FIRST_WAIT_MS << asked.tries.min(16);
            let again = now.plus_ms(wait.min(LONGEST_WAIT_MS));
            hub.store()
                .write(Lane::Job, move |tx| {
                    Box::pin(
                        async move { certificate::failed(tx, &asked.gateway, &asked.csr, &why, again).await },
                    )
                })
                .await?;
            Ok(false)
        }
    }
}

/// Keeps a certificate and the desired state that carries it, in one write.
async fn send_down(hub: &Hub, asked: Certificate, made: Issued, now: Moment) -> Result<bool, StoreError> {
    let Some(gateway) = known::find(hub, &asked.gateway).await? else { return Ok(false) };
    let source = match desired::Source::of(hub) {
        Ok(source) => source,
        Err(error) => {
            tracing::error!(%error, "the certificate waits");
            return Ok(false);
        }
    };
    let site = gateway.site.clone();
    let refreshed = hub
        .store()
        .write(Lane::Job, move |tx| {
            Box::pin(async move {
                if !certificate::issued(tx, &asked.gateway, &asked.csr, &made).await? {
                    return Ok::<_, StoreError>(None);
                }
                desired::refresh(tx, &source, &asked.gateway, &site, now).await.map(Some)
            })
        })
        .await?;
    if let Some(refreshed) = refreshed {
        gateway.set_newest(refreshed.version);
    }
    Ok(refreshed.is_some())
}
