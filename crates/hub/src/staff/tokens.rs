//! API tokens: made for a program, shown once, taken back.

use super::people::area_exists;
use super::{Actor, actor, secret};
use crate::Hub;
use crate::entropy;
use crate::web::Problem;
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;
use kulkul_model::{Moment, Refusal};
use kulkul_store::token::{self, Token};
use kulkul_store::{Lane, StoreError, audit};
use serde::{Deserialize, Serialize};

/// A token to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// What it is for, 1 to 80 characters.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where; none is everywhere.
    #[serde(default)]
    pub area: Option<AreaCode>,
    /// After how many days it ends, 1 to 730; none never.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A token that was just made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its id, for lists and for revoking.
    pub id: String,
    /// The token; shown now and never again.
    pub token: String,
}

/// A token as lists and the audit show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where; none is everywhere.
    pub area: Option<AreaCode>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends by itself.
    pub expires_at: Option<Moment>,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
    /// When it was last used.
    pub used_at: Option<Moment>,
}

impl From<&Token> for Shown {
    fn from(t: &Token) -> Self {
        Shown {
            id: t.id.clone(),
            name: t.name.clone(),
            role: t.role,
            area: t.area.clone(),
            created_by: t.created_by.clone(),
            created_at: t.created_at,
            expires_at: t.expires_at,
            revoked_at: t.revoked_at,
            used_at: t.used_at,
        }
    }
}

/// Makes a token; it is shown in the answer and stored as a digest.
///
/// # Errors
/// `not-admin`, `token-name`, `token-days`, `area-unknown`.
pub async fn add(hub: &Hub, by: &Actor, new: NewToken) -> Result<Made, Problem> {
    by.may_administer()?;
    let name = new.name.trim().to_owned();
    if !(1..=80).contains(&name.chars().count()) {
        return Err(Refusal::new(422, "token-name").into());
    }
    if new.days.is_some_and(|d| !(1..=730).contains(&d)) {
        return Err(Refusal::new(422, "token-days").into());
    }
    area_exists(hub, new.area.as_ref()).await?;
    let now = hub.clock().now();
    // The prefix lets scanners of published code recognise a token that leaked.
    let made = Made { id: hex::encode(entropy::draw::<4>()?), token: format!("kulkul_{}", secret::fresh()?) };
    let token = Token {
        id: made.id.clone(),
        name,
        role: new.role,
        area: new.area,
        created_by: by.who.clone(),
        created_at: now,
        expires_at: new.days.map(|d| now.plus_ms(i64::from(d) * 24 * 3_600_000)),
        revoked_at: None,
        used_at: None,
    };
    let digest = secret::digest(&made.token);
    let mut entry = by.did(now, "add", "token", &made.id);
    entry.after = actor::noted(&Shown::from(&token));
    hub.store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                token::insert(tx, &token, &digest).await?;
                audit::append(tx, &entry).await.map(drop)
            })
        })
        .await
        .map_err(|e: StoreError| Problem::from(e))?;
    Ok(made)
}

/// All tokens, newest first.
///
/// # Errors
/// `Problem` when the store does not answer.
pub async fn list(hub: &Hub) -> Result<Vec<Shown>, Problem> {
    let mut tx = hub.store().reader().await?;
    Ok(token::list(&mut tx).await?.iter().map(Shown::from).collect())
}

/// Takes a token back.
///
/// # Errors
/// `not-admin`, `token-unknown` when there is none or it was taken back before.
pub async fn revoke(hub: &Hub, by: &Actor, id: &str) -> Result<(), Problem> {
    by.may_administer()?;
    let now = hub.clock().now();
    let entry = by.did(now, "revoke", "token", id);
    let own = id.to_owned();
    let revoked = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let revoked = token::revoke(tx, &own, now).await?;
                if revoked {
                    audit::append(tx, &entry).await?;
                }
                Ok::<_, StoreError>(revoked)
            })
        })
        .await?;
    if revoked { Ok(()) } else { Err(Refusal::new(404, "token-unknown").with("id", id).into()) }
}
