//! Accounts: made by staff, with a secret that is shown once unless the person chose it.

use crate::Hub;
use crate::fleet::follower;
use crate::staff::{Actor, secret};
use crate::web::Problem;
use crate::web::problem::NotWritten;
use crate::{entropy, staff::actor::noted};
use kulkul_model::account::{AccountName, acceptable};
use kulkul_model::admission::Token16;
use kulkul_model::voucher::MOST_DEVICES;
use kulkul_model::{Moment, Refusal};
use kulkul_store::access::Holder;
use kulkul_store::account::{self, Account};
use kulkul_store::{Lane, audit, setting};
use serde::{Deserialize, Serialize};

/// What somebody orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewAccount {
    /// Lower-case letters, digits and `. - _ @`.
    pub name: String,
    /// What staff write about it; never a national identity number.
    pub label: String,
    /// The secret; none draws one, which is shown once.
    pub secret: Option<String>,
    /// Devices online by it at a time, 1 unless said otherwise.
    pub devices: Option<u16>,
    /// The longest that a session lasts, minutes; none takes the place's.
    pub session_minutes: Option<u32>,
    /// Rate to one device, kbit/s; none takes the place's.
    pub down_kbps: Option<u32>,
    /// Rate from one device, kbit/s.
    pub up_kbps: Option<u32>,
    /// When it ends; none is never.
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Moment>,
}

/// Makes an account and gives its secret where it was drawn.
///
/// # Errors
/// `account-name`, `account-secret`, `account-taken`, `voucher-devices-range`, `voucher-rate`, `voucher-label`, `not-operator`.
pub async fn add(hub: &Hub, by: &Actor, new: NewAccount) -> Result<(Account, Option<String>), Problem> {
    let now = hub.clock().now();
    super::may(hub, by, None).await?;
    let name = AccountName::parse(&new.name)?;
    let devices = new.devices.unwrap_or(1);
    if !(1..=MOST_DEVICES).contains(&devices) {
        return Err(Refusal::new(422, "voucher-devices-range").with("most", MOST_DEVICES).into());
    }
    if [new.down_kbps, new.up_kbps].into_iter().flatten().any(|kbps| kbps < 8) {
        return Err(Refusal::new(422, "voucher-rate").into());
    }
    let label = new.label.trim().to_owned();
    if label.chars().count() > super::vouchers::LONGEST_LABEL || label.chars().any(char::is_control) {
        let most = super::vouchers::LONGEST_LABEL;
        return Err(Refusal::new(422, "voucher-label").with("most", most).into());
    }
    let (chosen, drawn) = chosen(new.secret, &name)?;
    let account = Account {
        id: Token16(entropy::draw()?),
        name,
        label,
        secret: hub.fleet().accounts.hash(chosen).await?,
        devices,
        session_ms: new.session_minutes.map(|m| u64::from(m.max(1)) * 60_000),
        down_kbps: new.down_kbps,
        up_kbps: new.up_kbps,
        expires_at: new.expires_at,
        made_at: now,
        made_by: by.who.clone(),
        changed_at: now,
        disabled_at: None,
    };
    let mut entry = by.did(now, "add", "account", &account.name);
    entry.after = noted(&serde_json::json!({ "label": account.label, "devices": devices }));
    let kept = account.clone();
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            if !account::insert(tx, &kept).await? {
                return Err(NotWritten::from(Refusal::new(409, "account-taken").with("name", &kept.name)));
            }
            audit::append(tx, &entry).await?;
            Ok(())
        })
    });
    write.await?;
    Ok((account, drawn))
}

/// The secret to hash, and the same again where it is to be shown.
fn chosen(secret: Option<String>, name: &AccountName) -> Result<(String, Option<String>), Problem> {
    match secret.filter(|s| !s.is_empty()) {
        Some(secret) => {
            acceptable(&secret, name)?;
            Ok((secret, None))
        }
        None => {
            let drawn = secret::one_time_password()?;
            Ok((drawn.clone(), Some(drawn)))
        }
    }
}

/// The account with this name.
///
/// # Errors
/// `account-unknown`.
pub async fn find(hub: &Hub, name: &str) -> Result<Account, Problem> {
    let unknown = || Refusal::new(404, "account-unknown").with("name", name);
    let parsed = AccountName::parse(name).map_err(|_| unknown())?;
    let found = account::by_name(&mut hub.store().reader().await?, &parsed).await?;
    found.ok_or_else(|| unknown().into())
}

/// What changes at an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It lets nobody in any more.
    Disable,
    /// It does again.
    Enable,
    /// Another secret; none draws one.
    Secret(Option<String>),
}

/// Changes an account; gives a secret that was drawn. Who is online by a disabled one is disconnected.
///
/// # Errors
/// `account-unknown`, `account-secret`, `not-operator`, `not-your-area`.
pub async fn change(hub: &Hub, by: &Actor, name: &str, change: Change) -> Result<Option<String>, Problem> {
    let now = hub.clock().now();
    super::may(hub, by, None).await?;
    let held = find(hub, name).await?;
    let (act, drawn, hashed) = match change {
        Change::Disable => ("disable", None, None),
        Change::Enable => ("enable", None, None),
        Change::Secret(secret) => {
            let (secret, drawn) = chosen(secret, &held.name)?;
            ("reset_secret", drawn, Some(hub.fleet().accounts.hash(secret).await?))
        }
    };
    let (entry, who) = (by.did(now, act, "account", &held.name), by.who.clone());
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            match &hashed {
                Some(hashed) => account::set_secret(tx, held.id, hashed, now).await?,
                None => account::set_disabled(tx, held.id, act == "disable", now).await?,
            }
            audit::append(tx, &entry).await?;
            // Boxes forget what they remember of it.
            setting::bump(tx, "desired_settings").await?;
            if act == "enable" {
                return Ok(Vec::new());
            }
            super::sessions::end_all_of(tx, Holder::Account(held.id), now, &who).await
        })
    });
    let sites = write.await?;
    follower::refresh_sites(hub, &sites).await?;
    Ok(drawn)
}
