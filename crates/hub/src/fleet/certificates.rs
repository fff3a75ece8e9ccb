//! Certificates of portals: asked for by boxes, issued here, sent down as desired state.
//!
//! A box makes key and request itself and journals the request; only the certificate
//! travels. It is for the one name that the register gives the box's site, whatever the
//! request says (RFC 8908, section 4: the name must be the portal's own). Issuing is a
//! job with a bound on each round, so that a thousand boxes that ask at once wait in line.

pub mod authority;
pub mod pages;
pub mod request;

pub use authority::Authority;

use super::{desired, known};
use crate::Hub;
use crate::acme::{Acme, Held, NotCertified, Proof, Wanted};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_store::certificate::{self, Certificate, Issued, Trouble};
use kulkul_store::{Lane, StoreError, Tx};
use kulkul_wire::link::Entry;

/// How often the job looks for what is due, milliseconds.
const EVERY_MS: i64 = 5_000;
/// Certificates of one round: a thousand boxes are served in about four minutes.
const ROUND: u32 = 20;
/// Who takes one for issuing has this long, milliseconds; after a stop another takes it then.
const LEASE_MS: i64 = 180_000;
/// The wait after the first failure, milliseconds; doubled after each.
const FIRST_WAIT_MS: i64 = 60_000;
/// The same where a public authority looks: it bounds failures for a name to a few in an hour.
const FIRST_PUBLIC_WAIT_MS: i64 = 5 * FIRST_WAIT_MS;
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

/// The public authority that certifies portals; none: the hub's own does.
pub(super) fn portals(hub: &Hub) -> Option<&Acme> {
    hub.acme().and_then(Acme::for_portals)
}

/// Issues what is due, until the hub stops.
pub async fn run(hub: &Hub) {
    if let Err(error) = settle(hub).await {
        tracing::error!(%error, "certificates of another authority stay until they end");
    }
    loop {
        match round(hub).await {
            Ok(0) => {}
            Ok(issued) => tracing::info!(issued, "portals have certificates"),
            Err(error) => tracing::error!(%error, "certificates cannot be issued"),
        }
        hub.clock().sleep_ms(EVERY_MS).await;
    }
}

/// Makes due what another authority than the one of the settings has issued.
///
/// # Errors
/// `StoreError` of the database.
pub async fn settle(hub: &Hub) -> Result<(), StoreError> {
    let authority = portals(hub).map_or_else(String::new, |a| a.authority().to_owned());
    let now = hub.clock().now();
    let moved = hub
        .store()
        .write(Lane::Job, move |tx| Box::pin(async move { certificate::move_to(tx, &authority, now).await }))
        .await?;
    if moved > 0 {
        tracing::info!(moved, "another authority certifies portals from now on");
    }
    Ok(())
}

/// One round of the job; tells how many were issued.
///
/// # Errors
/// `StoreError` of the database; what one box asks for never fails the others.
pub async fn round(hub: &Hub) -> Result<usize, StoreError> {
    if hub.config().portal.domain.is_none() {
        return Ok(0);
    }
    let acme = portals(hub);
    if acme.is_some_and(|a| a.paused(hub.clock().now()).is_some()) {
        return Ok(0);
    }
    let due = certificate::due(&mut hub.store().reader().await?, hub.clock().now(), ROUND).await?;
    let mut issued = 0;
    for asked in due {
        let now = hub.clock().now();
        let lease = now.plus_ms(LEASE_MS);
        let taken = asked.clone();
        let ours = hub
            .store()
            .write(Lane::Job, move |tx| Box::pin(async move { certificate::take(tx, &taken, lease).await }));
        if !ours.await? {
            continue;
        }
        let made = sign(hub, acme, &asked).await;
        let until = acme.and_then(|a| a.note(made.as_ref().err(), now));
        let everybodys = made.as_ref().is_err_and(NotCertified::is_everybodys);
        issued += usize::from(match made {
            Ok(made) => send_down(hub, asked, made).await?,
            Err(why) => {
                failed(hub, asked, &why, until).await?;
                false
            }
        });
        if acme.is_some() && everybodys {
            return Ok(issued);
        }
    }
    if let Some(acme) = acme {
        advice(hub, acme).await?;
    }
    Ok(issued)
}

/// Has a request certified by whom the settings say.
async fn sign(hub: &Hub, acme: Option<&Acme>, asked: &Certificate) -> Result<Issued, NotCertified> {
    let Some(acme) = acme else {
        let authority = hub.fleet().authority().map_err(|e| NotCertified::Here(e.to_string()))?;
        return Ok(authority.issue(&asked.host, &asked.csr, hub.clock().now())?);
    };
    let held = asked.chain.as_deref().map(|chain| Held { chain, authority: asked.authority.as_deref() });
    acme.certify(hub.store(), Wanted { host: &asked.host, csr: &asked.csr, held, proof: Proof::Dns }).await
}

/// Keeps why there is none and when it is tried again; one that waits for its turn has no trouble.
async fn failed(
    hub: &Hub,
    asked: Certificate,
    why: &NotCertified,
    pause: Option<Moment>,
) -> Result<(), StoreError> {
    let now = hub.clock().now();
    if let NotCertified::Turn(at) = *why {
        tracing::info!(gateway = %asked.gateway, host = asked.host, %at, "a certificate waits for its turn");
        let due = hub.store().write(Lane::Job, move |tx| {
            Box::pin(async move { certificate::wait(tx, &asked.gateway, &asked.csr, at).await })
        });
        return due.await;
    }
    let trouble = Trouble { kind: why.kind().to_owned(), detail: why.to_string(), since: now };
    tracing::warn!(gateway = %asked.gateway, host = asked.host, why = trouble.detail, "no certificate is issued");
    let first = if portals(hub).is_some() { FIRST_PUBLIC_WAIT_MS } else { FIRST_WAIT_MS };
    let wait = (first << asked.tries.min(16)).min(LONGEST_WAIT_MS);
    let again = pause.unwrap_or_else(|| now.plus_ms(wait));
    hub.store()
        .write(Lane::Job, move |tx| {
            Box::pin(
                async move { certificate::failed(tx, &asked.gateway, &asked.csr, &trouble, again).await },
            )
        })
        .await
}
/// Keeps a certificate and the desired state that carries it, in one write.
async fn send_down(hub: &Hub, asked: Certificate, made: Issued) -> Result<bool, StoreError> {
    let now = hub.clock().now();
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

/// Asks the authority when to renew, where it is time to ask.
async fn advice(hub: &Hub, acme: &Acme) -> Result<(), StoreError> {
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let asking = certificate::advice(&mut tx, now, ROUND).await?;
    drop(tx);
    for held in asking {
        let Some(chain) = &held.chain else { continue };
        let (due, again) = match acme.advice(chain, Some(held.due_at)).await {
            Ok(Some(told)) => told,
            Ok(None) => (held.due_at, acme.advice_later()),
            Err(error) => {
                tracing::warn!(host = held.host, %error, "there is no advice when to renew");
                (held.due_at, acme.advice_later())
            }
        };
        if due != held.due_at {
            tracing::info!(host = held.host, %due, "the authority has moved the renewal");
        }
        hub.store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move { certificate::advised(tx, &held, due, again).await })
            })
            .await?;
    }
    Ok(())
}
