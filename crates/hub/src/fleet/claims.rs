//! Claims: issued, listed and taken back by staff; the code is shown once.

use crate::Hub;
use crate::entropy::{self, NoEntropy};
use crate::fleet::KeysError;
use kulkul_model::claim::{ClaimCode, DEFAULT_LIFE_MS, LONGEST_LIFE_MS};
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_store::claim::Claim;
use kulkul_store::{Lane, StoreError, audit, claim};

/// A claim that was just issued; the only time that its code is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The code to type at the box.
    pub code: ClaimCode,
    /// What is stored.
    pub claim: Claim,
    /// Fingerprint of the hub's root key, for `hub_root` and the QR code.
    pub hub_root: String,
}

/// Why no claim was issued.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error("issuing a claim: {0}")]
    Store(#[from] StoreError),
    /// The hub's keys.
    #[error("issuing a claim: {0}")]
    Keys(#[from] KeysError),
    /// No randomness.
    #[error("issuing a claim: {0}")]
    Entropy(#[from] NoEntropy),
}

/// Issues a claim for a site; earlier open ones of the site are taken back.
///
/// `life_ms` none takes 24 hours; at most 14 days. `who` is as the audit names people.
///
/// # Errors
/// `ClaimError`: `site-unknown`, `claim-too-long`, or a fault.
pub async fn issue(
    hub: &Hub,
    site: SiteCode,
    who: String,
    life_ms: Option<i64>,
) -> Result<Issued, ClaimError> {
    let life_ms = life_ms.unwrap_or(DEFAULT_LIFE_MS);
    if !(60_000..=LONGEST_LIFE_MS).contains(&life_ms) {
        return Err(Refusal::new(422, "claim-too-long").into());
    }
    let now = hub.clock().now();
    let keys = hub.fleet().keys()?;
    let code = ClaimCode::from_bits(u64::from_be_bytes(entropy::draw()?));
    let hash = keys.claim_hash(&code);
    let claim = Claim {
        id: hex::encode(entropy::draw::<8>()?),
        site,
        issued_at: now,
        issued_by: who,
        expires_at: now.plus_ms(life_ms),
        used_at: None,
        used_by: None,
        withdrawn_at: None,
    };
    let row = claim.clone();
    let stored = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            crate::sites::import::move_now(tx, &row.site).await?;
            claim::withdraw_open(tx, &row.site, now).await?;
            claim::insert(tx, &row, &hash).await?;
            audit::append(tx, &entry(&row, "issue", &row.issued_by, now)).await.map(drop)
        })
    });
    match stored.await {
        Ok(()) => Ok(Issued { code, claim, hub_root: hub.fleet().root_fingerprint()? }),
        Err(StoreError::Statement { .. } | StoreError::NoRow { .. })
            if !site_exists(hub, &claim.site).await? =>
        {
            Err(Refusal::new(404, "site-unknown").with("site", &claim.site).into())
        }
        Err(e) => Err(e.into()),
    }
}

async fn site_exists(hub: &Hub, site: &SiteCode) -> Result<bool, StoreError> {
    let mut tx = hub.store().reader().await?;
    Ok(kulkul_store::desired::place(&mut tx, site).await?.is_some())
}

/// The claims of a site, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(hub: &Hub, site: &SiteCode) -> Result<Vec<Claim>, StoreError> {
    let mut tx = hub.store().reader().await?;
    claim::list(&mut tx, site).await
}

/// Takes a claim back.
///
/// # Errors
/// `claim-not-open` when it was used or taken back before.
pub async fn withdraw(hub: &Hub, site: SiteCode, id: String, who: String) -> Result<(), ClaimError> {
    let now = hub.clock().now();
    hub.store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let held = claim::list(tx, &site).await?.into_iter().find(|c| c.id == id);
                let Some(row) = held else {
                    return Err(Refusal::new(404, "claim-not-open").into());
                };
                if !claim::withdraw(tx, &row.id, now).await? {
                    return Err(ClaimError::from(Refusal::new(409, "claim-not-open")));
                }
                audit::append(tx, &entry(&row, "withdraw", &who, now)).await?;
                Ok(())
            })
        })
        .await
}

fn entry(claim: &Claim, act: &str, who: &str, now: Moment) -> audit::Entry {
    let body = serde_json::json!({ "site": claim.site, "expires_at": claim.expires_at });
    audit::Entry {
        at: now,
        who: who.to_owned(),
        act: act.to_owned(),
        noun: "claim".to_owned(),
        object: claim.id.clone(),
        before: None,
        after: Some(body.to_string()),
    }
}

impl From<ClaimError> for crate::web::Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Refused(refusal) => refusal.into(),
            ClaimError::Store(error) => error.into(),
            other => crate::web::Problem::fault(&other),
        }
    }
}
