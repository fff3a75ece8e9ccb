//! `admit`: a box asks whether a device may come in, and is granted or refused.
//!
//! A grant is noted before it is answered, so that two boxes cannot be granted the same
//! place of a voucher. The voucher's time begins when the journal tells of the session.

use super::sessions::uses_now;
use crate::Hub;
use crate::entropy;
use crate::fleet::Known;
use crate::web::Problem;
use crate::web::problem::NotWritten;
use kulkul_model::account::{AccountName, LONGEST_SECRET};
use kulkul_model::admission::Token16;
use kulkul_model::session::{LEASE_MS, WayIn};
use kulkul_model::voucher::{NotAVoucherCode, VoucherCode, VoucherState};
use kulkul_model::{Moment, Refusal};
use kulkul_store::access::{self, Holder, Use};
use kulkul_store::account::Account;
use kulkul_store::voucher::Voucher;
use kulkul_store::{Lane, Tx, account, session, voucher};
use kulkul_wire::link::{Admit, Grant, Proof};
use std::collections::BTreeSet;

/// What is left of a session must be worth moving, milliseconds.
const WORTH_MS: i64 = 60_000;

/// Somebody at a box.
#[derive(Clone)]
struct Asking {
    id: Token16,
    device: String,
    site: kulkul_model::site::SiteCode,
    gateway: kulkul_model::gateway::GatewayId,
    terms: Option<u32>,
    now: Moment,
}

impl Asking {
    fn using(&self, way_in: WayIn, holder: Option<Holder>) -> Use {
        Use {
            id: self.id,
            way_in,
            holder,
            session: None,
            device: self.device.clone(),
            site: self.site.clone(),
            gateway: self.gateway.clone(),
            at: self.now,
            offline: false,
            began_at: None,
            lasted_ms: 0,
            ended: false,
        }
    }

    fn grant(&self, way_in: WayIn) -> Grant {
        Grant {
            id: self.id,
            way_in,
            holder: None,
            account: None,
            left_ms: None,
            devices: None,
            down_kbps: None,
            up_kbps: None,
            expires: None,
            begun: None,
            terms: None,
        }
    }
}

/// Grants or refuses.
///
/// # Errors
/// 403 and 422 of vouchers and accounts, `roam-none`, `admit-too-often`.
pub async fn admit(hub: &Hub, gateway: &Known, ask: Admit) -> Result<Grant, Problem> {
    let now = hub.clock().now();
    let limits = &hub.fleet().limits;
    let often = || Problem::from(Refusal::new(429, "admit-too-often")).retry_after(60);
    if !limits.admit.take(gateway.id.as_str(), now) || !limits.admit_wrong.allows(gateway.id.as_str(), now) {
        return Err(often());
    }
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?;
    let asking = Asking {
        id: Token16(entropy::draw()?),
        device: keys.device(ask.device),
        site: gateway.site.clone(),
        gateway: gateway.id.clone(),
        terms: ask.terms,
        now,
    };
    match ask.proof {
        Proof::Voucher { code } => {
            let code = VoucherCode::parse(&code).map_err(mistyped)?;
            let digest = keys.voucher_hash(&code);
            let done = hub
                .store()
                .write(Lane::Page, move |tx| Box::pin(async move { by_voucher(tx, &asking, &digest).await }));
            let done = done.await;
            if matches!(&done, Err(NotWritten::Refused(r)) if r.code == "voucher-unknown") {
                limits.admit_wrong.count(gateway.id.as_str(), now);
            }
            Ok(done?)
        }
        Proof::Account { name, secret } => {
            let held = prove(hub, &name, secret).await;
            if matches!(&held, Err(p) if p.code() == "account-wrong") {
                limits.admit_wrong.count(gateway.id.as_str(), now);
            }
            let held = held?;
            let write = hub
                .store()
                .write(Lane::Page, move |tx| Box::pin(async move { by_account(tx, &asking, &held).await }));
            Ok(write.await?)
        }
        Proof::Roam => {
            let write = hub
                .store()
                .write(Lane::Page, move |tx| Box::pin(async move { by_roaming(tx, &asking).await }));
            Ok(write.await?)
        }
    }
}

/// What somebody reads who mistyped.
#[must_use]
pub fn mistyped(_: NotAVoucherCode) -> Refusal {
    Refusal::new(422, "voucher-mistyped")
}

async fn by_voucher(tx: &mut Tx, asking: &Asking, digest: &[u8; 32]) -> Result<Grant, NotWritten> {
    let held = voucher::by_digest(tx, digest).await?;
    let held = held.ok_or_else(|| Refusal::new(403, "voucher-unknown"))?;
    if let Some(site) = held.batch.site.as_ref().filter(|s| **s != asking.site) {
        return Err(Refusal::new(403, "voucher-elsewhere").with("site", site).into());
    }
    let left_ms = left_of(&held, asking.now)?;
    let devices = held.batch.terms.devices;
    room(tx, asking, Holder::Voucher(held.id), devices, "voucher-devices").await?;
    access::insert(tx, &asking.using(WayIn::Voucher, Some(Holder::Voucher(held.id)))).await?;
    Ok(granted(asking, &held, left_ms))
}

fn granted(asking: &Asking, held: &Voucher, left_ms: u64) -> Grant {
    Grant {
        holder: Some(held.offline.unwrap_or(held.id)),
        left_ms: Some(left_ms),
        devices: Some(held.batch.terms.devices),
        down_kbps: held.batch.terms.down_kbps,
        up_kbps: held.batch.terms.up_kbps,
        begun: held.begun,
        ..asking.grant(WayIn::Voucher)
    }
}

/// How long a voucher lasts from `now` on.
fn left_of(held: &Voucher, now: Moment) -> Result<u64, Refusal> {
    let state = VoucherState::of(&held.batch.terms, held.begun, held.revoked_at, now);
    match (state.refusal(), state) {
        (Some(refusal), _) => Err(refusal),
        (None, VoucherState::Running(ends)) => Ok(u64::try_from(ends.since_ms(now)).unwrap_or(0)),
        _ => Ok(held.batch.terms.lasts_ms),
    }
}

/// Whether one more device may come in by this voucher or account.
async fn room(
    tx: &mut Tx,
    asking: &Asking,
    holder: Holder,
    devices: u16,
    code: &'static str,
) -> Result<(), NotWritten> {
    /// No session that goes on began earlier.
    const BACK_MS: i64 = 367 * 24 * 3_600_000;
    let uses = access::of_holder(tx, holder, asking.now.plus_ms(-BACK_MS)).await?;
    let others: BTreeSet<&str> = uses
        .iter()
        .filter(|u| u.device != asking.device && uses_now(u, asking.now))
        .map(|u| u.device.as_str())
        .collect();
    if others.len() >= usize::from(devices) {
        return Err(Refusal::new(403, code).with("devices", devices).into());
    }
    Ok(())
}

/// Checks an account's secret; an unknown name costs what a known one does.
async fn prove(hub: &Hub, name: &str, secret: String) -> Result<Account, Problem> {
    let now = hub.clock().now();
    let wrong = || Problem::from(Refusal::new(403, "account-wrong"));
    let Ok(name) = AccountName::parse(name) else { return Err(wrong()) };
    let limits = &hub.fleet().limits;
    if secret.len() > LONGEST_SECRET {
        return Err(wrong());
    }
    if !limits.account.allows(name.as_str(), now) {
        return Err(Problem::from(Refusal::new(429, "admit-too-often")).retry_after(600));
    }
    let held = account::by_name(&mut hub.store().reader().await?, &name).await?;
    let stored = held.as_ref().map(|a| a.secret.clone());
    if !hub.fleet().accounts.fits(secret, stored).await? {
        limits.account.count(name.as_str(), now);
        return Err(wrong());
    }
    held.ok_or_else(wrong)
}

/// How long a session by an account may last.
fn left_of_account(held: &Account, now: Moment) -> Result<Option<u64>, Refusal> {
    if held.disabled_at.is_some() || held.expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::new(403, "account-disabled"));
    }
    let ends = held.expires_at.map(|at| u64::try_from(at.since_ms(now)).unwrap_or(0));
    Ok([held.session_ms, ends].into_iter().flatten().min())
}

async fn by_account(tx: &mut Tx, asking: &Asking, held: &Account) -> Result<Grant, NotWritten> {
    let left_ms = left_of_account(held, asking.now)?;
    room(tx, asking, Holder::Account(held.id), held.devices, "account-devices").await?;
    access::insert(tx, &asking.using(WayIn::Account, Some(Holder::Account(held.id)))).await?;
    Ok(Grant {
        holder: Some(held.id),
        account: Some(held.id),
        expires: held.expires_at,
        left_ms,
        devices: Some(held.devices),
        down_kbps: held.down_kbps,
        up_kbps: held.up_kbps,
        ..asking.grant(WayIn::Account)
    })
}

/// What is left of a session that the device has at another place.
async fn by_roaming(tx: &mut Tx, asking: &Asking) -> Result<Grant, NotWritten> {
    let none = || Refusal::new(404, "roam-none");
    let all = session::of_device(tx, &asking.device, asking.now.plus_ms(-LEASE_MS)).await?;
    let elsewhere = all.into_iter().find(|s| s.site != asking.site).ok_or_else(none)?;
    let (Some(way_in), Some(began), Some(limit_ms)) =
        (elsewhere.way_in, elsewhere.began_at, elsewhere.limit_ms)
    else {
        return Err(none().into());
    };
    let limit = began.plus_ms(i64::try_from(limit_ms).unwrap_or(i64::MAX)).since_ms(asking.now);
    let left_ms = u64::try_from(limit).ok().filter(|_| limit >= WORTH_MS).ok_or_else(none)?;
    let used = access::of_session(tx, elsewhere.id).await?;
    let holder = used.and_then(|u| u.holder);
    let mut grant = match (way_in, holder) {
        (WayIn::ClickThrough, _) if elsewhere.terms.is_some() && elsewhere.terms == asking.terms => {
            asking.grant(way_in)
        }
        (WayIn::Voucher, Some(Holder::Voucher(id))) => {
            let held = voucher::find(tx, id).await?.filter(|v| v.batch.site.is_none()).ok_or_else(none)?;
            let left_ms = left_of(&held, asking.now).map_err(|_| none())?;
            granted(asking, &held, left_ms)
        }
        (WayIn::Account, Some(Holder::Account(id))) => {
            let held = account::find(tx, id).await?.ok_or_else(none)?;
            left_of_account(&held, asking.now).map_err(|_| none())?;
            Grant {
                holder: Some(held.id),
                devices: Some(held.devices),
                down_kbps: held.down_kbps,
                up_kbps: held.up_kbps,
                ..asking.grant(way_in)
            }
        }
        _ => return Err(none().into()),
    };
    grant.left_ms = Some(grant.left_ms.map_or(left_ms, |own| own.min(left_ms)));
    grant.terms = elsewhere.terms;
    access::insert(tx, &asking.using(way_in, holder)).await?;
    Ok(grant)
}
