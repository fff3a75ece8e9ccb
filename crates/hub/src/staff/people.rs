//! The people of the staff: adding, disabling, handing out a new password.

use super::{Actor, actor, secret};
use crate::Hub;
use crate::web::Problem;
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;
use kulkul_model::{Moment, Refusal};
use kulkul_store::staff::{self, Staff};
use kulkul_store::{Lane, StoreError, audit, staff_session};
use serde::{Deserialize, Serialize};

/// A person to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPerson {
    /// The name to sign in with: lower-case letters, digits, `.`, `-`, `_`; 2 to 32 bytes.
    pub name: String,
    /// The name that others read; empty takes `name`.
    #[serde(default)]
    pub full_name: String,
    /// What the person may do.
    pub role: Role,
    /// Where; none is everywhere.
    #[serde(default)]
    pub area: Option<AreaCode>,
}

/// What the audit and lists say about a person; never the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The name to sign in with.
    pub name: String,
    /// The name that others read.
    pub full_name: String,
    /// What the person may do.
    pub role: Role,
    /// Where; none is everywhere.
    pub area: Option<AreaCode>,
    /// True until the person has set a password of their own.
    pub one_time: bool,
    /// When the person was added.
    pub created_at: Moment,
    /// Since when the person may not sign in.
    pub disabled_at: Option<Moment>,
}

impl From<&Staff> for Shown {
    fn from(s: &Staff) -> Self {
        Shown {
            name: s.name.clone(),
            full_name: s.full_name.clone(),
            role: s.role,
            area: s.area.clone(),
            one_time: s.one_time,
            created_at: s.created_at,
            disabled_at: s.disabled_at,
        }
    }
}

/// Whether a name may be signed in with.
#[must_use]
pub fn name_fits(name: &str) -> bool {
    (2..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b))
}

/// Adds a person and gives the one-time password, which is not kept anywhere.
///
/// # Errors
/// `not-admin`, `staff-name` for a name of another form, `staff-name-taken`, `area-unknown`.
pub async fn add(hub: &Hub, by: &Actor, new: NewPerson) -> Result<String, Problem> {
    by.may_administer()?;
    let name = new.name.trim().to_lowercase();
    if !name_fits(&name) {
        return Err(Refusal::new(422, "staff-name").with("name", &new.name).into());
    }
    area_exists(hub, new.area.as_ref()).await?;
    let password = secret::one_time_password()?;
    let now = hub.clock().now();
    let full_name = new.full_name.trim().chars().take(120).collect::<String>();
    let person = Staff {
        full_name: if full_name.is_empty() { name.clone() } else { full_name },
        name: name.clone(),
        role: new.role,
        area: new.area,
        password: hub.passwords().hash(password.clone()).await?,
        one_time: true,
        password_at: now,
        created_at: now,
        disabled_at: None,
    };
    let mut entry = by.did(now, "add", "staff", &name);
    entry.after = actor::noted(&Shown::from(&person));
    let added = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let added = staff::insert(tx, &person).await?;
                if added {
                    audit::append(tx, &entry).await?;
                }
                Ok::<_, StoreError>(added)
            })
        })
        .await?;
    if added { Ok(password) } else { Err(Refusal::new(409, "staff-name-taken").with("name", name).into()) }
}

/// Everybody, by name.
///
/// # Errors
/// `Problem` when the store does not answer.
pub async fn list(hub: &Hub) -> Result<Vec<Shown>, Problem> {
    let mut tx = hub.store().reader().await?;
    Ok(staff::list(&mut tx).await?.iter().map(Shown::from).collect())
}

/// Disables a person, or enables again; the last administrator stays.
///
/// # Errors
/// `not-admin`, `staff-unknown`, `staff-last-admin`.
pub async fn set_disabled(hub: &Hub, by: &Actor, name: &str, disabled: bool) -> Result<(), Problem> {
    by.may_administer()?;
    let now = hub.clock().now();
    let entry = by.did(now, if disabled { "disable" } else { "enable" }, "staff", name);
    let name = name.to_owned();
    let refusal = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let Some(person) = staff::find(tx, &name).await? else {
                    return Ok(Some(Refusal::new(404, "staff-unknown").with("name", name)));
                };
                let last = person.role == Role::Admin
                    && person.disabled_at.is_none()
                    && staff::admins(tx).await? < 2;
                if disabled && last {
                    return Ok(Some(Refusal::new(409, "staff-last-admin")));
                }
                staff::disable(tx, &name, disabled.then_some(now)).await?;
                if disabled {
                    staff_session::delete_others(tx, &name, &[0; 32]).await?;
                }
                audit::append(tx, &entry).await?;
                Ok::<_, StoreError>(None)
            })
        })
        .await?;
    refusal.map_or(Ok(()), |r| Err(r.into()))
}

/// Gives a person a new one-time password and ends all their sessions.
///
/// # Errors
/// `not-admin`, `staff-unknown`.
pub async fn reset_password(hub: &Hub, by: &Actor, name: &str) -> Result<String, Problem> {
    by.may_administer()?;
    let password = secret::one_time_password()?;
    let stored = hub.passwords().hash(password.clone()).await?;
    let now = hub.clock().now();
    let entry = by.did(now, "reset_password", "staff", name);
    let who = name.to_owned();
    let found = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let found = staff::set_password(tx, &who, &stored, true, now).await?;
                if found {
                    staff_session::delete_others(tx, &who, &[0; 32]).await?;
                    audit::append(tx, &entry).await?;
                }
                Ok::<_, StoreError>(found)
            })
        })
        .await?;
    if found { Ok(password) } else { Err(Refusal::new(404, "staff-unknown").with("name", name).into()) }
}

/// Refuses an area that the register does not have.
///
/// # Errors
/// `area-unknown`.
pub async fn area_exists(hub: &Hub, area: Option<&AreaCode>) -> Result<(), Problem> {
    let Some(area) = area else { return Ok(()) };
    let mut tx = hub.store().reader().await?;
    if kulkul_store::area::find(&mut tx, area).await?.is_none() {
        return Err(Refusal::new(422, "area-unknown").with("area", area).into());
    }
    Ok(())
}
