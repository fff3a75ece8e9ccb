//! Enrolment: a new box proves its key, shows a claim, and becomes a site's gateway.

use super::signed::{self, store_problem};
use super::{KeysError, desired};
use crate::Hub;
use crate::access::vouchers;
use crate::entropy::{self, NoEntropy};
use crate::web::problem::Problem;
use http::request::Parts;
use kulkul_model::admission::Token16;
use kulkul_model::claim::{ClaimCode, Standing};
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_proof::{NotProven, Verifier};
use kulkul_store::gateway::Gateway;
use kulkul_store::{Lane, StoreError, Tx, audit, claim, gateway, journal, setting, voucher};
use kulkul_wire::link::{Enrol, Enrolled, Version};

/// What happened to the fleet by an enrolment.
struct Outcome {
    gateway: Gateway,
    version: Version,
    replaced: Vec<GatewayId>,
}

/// Why a box was not enrolled.
#[derive(Debug, thiserror::Error)]
enum NotEnrolled {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("enrolling a box: {0}")]
    Store(#[from] StoreError),
    #[error("enrolling a box: {0}")]
    Keys(#[from] KeysError),
    #[error("enrolling a box: {0}")]
    Entropy(#[from] NoEntropy),
}

impl From<NotEnrolled> for Problem {
    fn from(error: NotEnrolled) -> Self {
        match error {
            NotEnrolled::Refused(refusal) => refusal.into(),
            NotEnrolled::Store(e) => store_problem(&e),
            other => Problem::fault(&other),
        }
    }
}

/// Checks that the box holds the key that it shows.
///
/// # Errors
/// 401 when the request is not signed by that key.
pub fn prove(hub: &Hub, parts: &Parts, body: &[u8], ask: &Enrol) -> Result<(), Problem> {
    let now = hub.clock().now();
    let input = signed::input(&parts.headers).map_err(|e| signed::not_signed(&e, now))?;
    let key = Verifier::new(&ask.public_key).map_err(|e| signed::not_signed(&e.into(), now))?;
    if input.keyid != ask.public_key.to_string() {
        return Err(signed::not_signed(&NotProven::OtherKey(key.id()).into(), now));
    }
    signed::prove(hub, parts, body, &input, &key, now)
}

/// Enrols a box that has proven its key; `address` is where it asks from.
///
/// A retry by the same key with the same claim gets the same answer. An earlier
/// gateway of the site is revoked in the same step.
///
/// # Errors
/// 403 for a wrong, used, old or withdrawn claim; 429 after too many.
pub async fn enrol(hub: &Hub, address: &str, ask: Enrol) -> Result<Enrolled, Problem> {
    let now = hub.clock().now();
    let limits = &hub.fleet().limits;
    let often = || Problem::from(Refusal::new(429, "enrol-too-often")).retry_after(600);
    if !limits.enrol_address.allows(address, now) {
        return Err(often());
    }
    let result = try_enrol(hub, ask, now).await;
    if let Err(NotEnrolled::Refused(refusal)) = &result {
        if refusal.status == 429 {
            return Err(often());
        }
        // Guesses are what is bounded; a whole fleet may enrol from behind one address.
        limits.enrol_address.count(address, now);
        tracing::warn!(address, code = refusal.code, "an enrolment is refused");
    }
    Ok(result?)
}

async fn try_enrol(hub: &Hub, ask: Enrol, now: Moment) -> Result<Enrolled, NotEnrolled> {
    let code = ClaimCode::parse(&ask.claim).map_err(|_| Refusal::new(403, "claim-unknown"))?;
    let keys = hub.fleet().keys()?;
    let hash = keys.claim_hash(&code);
    let mut reader = hub.store().reader().await?;
    let known = claim::find(&mut reader, &hash).await?.ok_or(Refusal::new(403, "claim-unknown"))?;
    drop(reader);
    if !hub.fleet().limits.enrol_site.take(known.site.as_str(), now) {
        return Err(Refusal::new(429, "enrol-too-often").into());
    }
    let id = GatewayId::from_bits(u128::from_be_bytes(entropy::draw()?));
    let source = desired::Source::of(hub)?;
    let salt = Token16(entropy::draw()?);
    let outcome = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move { settle(tx, &source, (&hash, salt), id, &ask, now).await })
        })
        .await?;
    let fleet = hub.fleet();
    for old in &outcome.replaced {
        if let Some(old) = fleet.gateways.get(old) {
            old.set_revoked();
        }
    }
    let known = fleet.gateways.put(&outcome.gateway, Some(outcome.version));
    known.set_newest(outcome.version);
    tracing::info!(gateway = %outcome.gateway.id, site = %outcome.gateway.site, "a box has enrolled");
    Ok(Enrolled {
        gateway: outcome.gateway.id,
        site: outcome.gateway.site,
        hub_keys: keys.hub_keys().clone(),
        desired: outcome.version,
    })
}

async fn settle(
    tx: &mut Tx,
    source: &desired::Source,
    (hash, salt): (&[u8; 32], Token16),
    id: GatewayId,
    ask: &Enrol,
    now: Moment,
) -> Result<Outcome, NotEnrolled> {
    let claim = claim::find(tx, hash).await?.ok_or(Refusal::new(403, "claim-unknown"))?;
    let refuse = |code| Err(Refusal::new(403, code).into());
    match claim.standing(now) {
        Standing::Open => {}
        Standing::Withdrawn => return refuse("claim-withdrawn"),
        Standing::Expired => return refuse("claim-expired"),
        Standing::Used => return again(tx, claim.used_by.as_ref(), ask).await,
    }
    let mut replaced = Vec::new();
    for old in gateway::of_site(tx, &claim.site).await? {
        if gateway::revoke(tx, &old.id, now, "replaced").await? {
            note(tx, now, &id, "revoke", "gateway", old.id.as_str(), None, Some("replaced")).await?;
            replaced.push(old.id);
        }
    }
    if !replaced.is_empty() {
        vouchers::void(tx, &claim.site, salt, now).await?;
    }
    let gateway = Gateway {
        id,
        site: claim.site.clone(),
        public_key: ask.public_key.0,
        hardware: ask.hardware.chars().take(200).collect(),
        capabilities: ask.capabilities.clone(),
        enrolled_at: now,
        revoked_at: None,
        revoked_why: None,
    };
    gateway::insert(tx, &gateway).await?;
    journal::begin(tx, &gateway.id, &ask.public_key).await?;
    if !claim::mark_used(tx, &claim.id, now, &gateway.id).await? {
        return refuse("claim-used");
    }
    let site = claim.site.as_str();
    note(tx, now, &gateway.id, "enrol", "gateway", gateway.id.as_str(), None, Some(site)).await?;
    crate::sites::import::move_now(tx, &claim.site).await?;
    if let Some(before) = gateway::bring_into_service(tx, &claim.site).await? {
        note(tx, now, &gateway.id, "stage", "site", site, Some(&before), Some("in_service")).await?;
        setting::bump(tx, "register_version").await?;
        // A stage is in no desired state: the rest of the fleet need not be looked at for it.
        setting::bump(tx, super::follower::STAGES).await?;
    }
    let version = desired::refresh(tx, source, &gateway.id, &gateway.site, now).await?.version;
    Ok(Outcome { gateway, version, replaced })
}

/// The answer that got lost: the same box asks again with the same key.
async fn again(tx: &mut Tx, used_by: Option<&GatewayId>, ask: &Enrol) -> Result<Outcome, NotEnrolled> {
    let used = || NotEnrolled::from(Refusal::new(403, "claim-used"));
    let gateway = gateway::find(tx, used_by.ok_or_else(used)?).await?.ok_or_else(used)?;
    if gateway.public_key != ask.public_key.0 || gateway.revoked_at.is_some() {
        return Err(used());
    }
    let version = kulkul_store::desired::find(tx, &gateway.id).await?.map(|d| d.version).unwrap_or_default();
    Ok(Outcome { gateway, version, replaced: Vec::new() })
}

#[expect(clippy::too_many_arguments, reason = "an audit entry has as many fields")]
async fn note(
    tx: &mut Tx,
    at: Moment,
    by: &GatewayId,
    act: &str,
    noun: &str,
    object: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<(), StoreError> {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let entry = audit::Entry {
        at,
        who: format!("gateway:{by}"),
        act: act.to_owned(),
        noun: noun.to_owned(),
        object: object.to_owned(),
        before: before.map(json),
        after: after.map(json),
    };
    audit::append(tx, &entry).await.map(drop)
}

/// Revokes a gateway: it may not speak any more, and its site has none until a box enrols.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revoke(
    hub: &Hub,
    id: &GatewayId,
    site: &SiteCode,
    who: String,
    why: String,
) -> Result<bool, StoreError> {
    let now = hub.clock().now();
    let (gateway, object, place) = (id.clone(), id.to_string(), site.clone());
    let salt = entropy::draw().map(Token16);
    let done = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let done = gateway::revoke(tx, &gateway, now, &why).await?;
                if done {
                    let after = serde_json::json!({ "site": place, "why": why }).to_string();
                    let entry = audit::Entry {
                        at: now,
                        who,
                        act: "revoke".to_owned(),
                        noun: "gateway".to_owned(),
                        object,
                        before: None,
                        after: Some(after),
                    };
                    audit::append(tx, &entry).await?;
                    // Without randomness the old salt stays: the vouchers themselves are void all the same.
                    let salt = match salt {
                        Ok(salt) => salt,
                        Err(_) => voucher::salt(tx, &place).await?.unwrap_or(Token16([0; 16])),
                    };
                    vouchers::void(tx, &place, salt, now).await?;
                }
                Ok::<_, StoreError>(done)
            })
        })
        .await?;
    if let Some(known) = hub.fleet().gateways.get(id) {
        known.set_revoked();
    }
    Ok(done)
}
