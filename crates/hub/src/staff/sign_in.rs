//! Signing in and out: lock-out by rate, sessions that rotate, one-time passwords.

use super::{Actor, secret};
use crate::Hub;
use crate::web::{Peer, Problem};
use kulkul_model::staff::{FAILURE_WINDOW_MS, FREE_FAILURES, open_again_at};
use kulkul_model::{Moment, Refusal};
use kulkul_store::staff_session::{self, StaffSession};
use kulkul_store::{Lane, StoreError, Tx, audit, sign_in_failure, staff};

/// How long a one-time password may be used: 7 days.
const ONE_TIME_LIFE_MS: i64 = 7 * 24 * 3_600_000;
/// Failures of one address before it must wait: many people share an office's address.
const FREE_ADDRESS_FAILURES: u32 = 30;

/// A session that has just begun; the token is for the browser alone.
pub struct Opened {
    /// The session's token.
    pub token: String,
    /// True when the person must first set a password of their own.
    pub one_time: bool,
}

/// Signs a person in from `peer`; ends the session whose token the browser brought along.
///
/// # Errors
/// `sign-in-wrong` (401) for a wrong name or password alike, `sign-in-wait` (429) when locked out.
pub async fn open(
    hub: &Hub,
    name: String,
    password: String,
    peer: Peer,
    old: Option<String>,
) -> Result<Opened, Problem> {
    let now = hub.clock().now();
    let name = name.trim().to_lowercase();
    let subjects = (format!("name:{name}"), format!("address:{}", peer.bucket()));
    // The attempt is counted before the password is looked at, so that many at once cannot slip through.
    attempt(hub, subjects.clone(), now).await?;
    let person = staff::find(&mut hub.store().reader().await?, &name).await?;
    let usable = person.filter(|p| {
        p.disabled_at.is_none() && !(p.one_time && now.since_ms(p.password_at) > ONE_TIME_LIFE_MS)
    });
    let fits = hub.passwords().fits(password, usable.as_ref().map(|p| p.password.clone())).await?;
    let Some(person) = usable.filter(|_| fits) else {
        tracing::warn!(peer = %peer.0, "a sign-in failed");
        return Err(Refusal::new(401, "sign-in-wrong").into());
    };
    let opened = Opened { token: secret::fresh()?, one_time: person.one_time };
    let session = session(hub, &person.name, &opened.token, now)?;
    let entry = person_actor(&person).did(now, "sign_in", "staff", &person.name);
    let old = old.map(|token| secret::digest(&token));
    let (by_name, by_address) = subjects;
    hub.store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                sign_in_failure::delete(tx, &by_name).await?;
                forgive(tx, &by_address, now).await?;
                if let Some(old) = old {
                    staff_session::delete(tx, &old).await?;
                }
                staff_session::insert(tx, &session).await?;
                audit::append(tx, &entry).await.map(drop)
            })
        })
        .await
        .map_err(|e: StoreError| Problem::from(e))?;
    Ok(opened)
}

/// Counts an attempt for both subjects, or refuses it.
async fn attempt(hub: &Hub, (name, address): (String, String), now: Moment) -> Result<(), Problem> {
    let wait_s = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let mut counted = Vec::new();
                let mut open_at = now;
                for (subject, allowance) in [(name, 0), (address, FREE_ADDRESS_FAILURES - FREE_FAILURES)] {
                    let failures = match sign_in_failure::find(tx, &subject).await? {
                        Some((n, last)) if now.since_ms(last) < FAILURE_WINDOW_MS => {
                            open_at = open_at.max(open_again_at(n.saturating_sub(allowance), last));
                            n
                        }
                        _ => 0,
                    };
                    counted.push((subject, failures + 1));
                }
                if open_at > now {
                    return Ok::<_, StoreError>(Some(open_at.since_ms(now) / 1000 + 1));
                }
                for (subject, failures) in counted {
                    sign_in_failure::put(tx, &subject, failures, now, now.plus_ms(-FAILURE_WINDOW_MS))
                        .await?;
                }
                Ok(None)
            })
        })
        .await?;
    match wait_s {
        None => Ok(()),
        Some(s) => {
            let minutes = (s + 59) / 60;
            Err(Problem::from(Refusal::new(429, "sign-in-wait").with("minutes", minutes))
                .retry_after(u32::try_from(s).unwrap_or(u32::MAX)))
        }
    }
}

/// Takes back the attempt that turned out to be right; the failures before it stay.
async fn forgive(tx: &mut Tx, subject: &str, now: Moment) -> Result<(), StoreError> {
    match sign_in_failure::find(tx, subject).await? {
        Some((n, last)) if n > 1 => {
            sign_in_failure::put(tx, subject, n - 1, last, now.plus_ms(-FAILURE_WINDOW_MS)).await
        }
        _ => sign_in_failure::delete(tx, subject).await,
    }
}

fn session(hub: &Hub, name: &str, token: &str, now: Moment) -> Result<StaffSession, Problem> {
    let days = i64::from(hub.config().sign_in.absolute_days);
    Ok(StaffSession {
        digest: secret::digest(token),
        staff: name.to_owned(),
        csrf: crate::entropy::draw()?,
        began_at: now,
        seen_at: now,
        ends_at: now.plus_ms(days * 24 * 3_600_000),
    })
}

/// Ends a session.
///
/// # Errors
/// `Problem` when the store cannot.
pub async fn close(hub: &Hub, session: &StaffSession) -> Result<(), Problem> {
    let digest = session.digest;
    hub.store()
        .write(Lane::Page, move |tx| Box::pin(async move { staff_session::delete(tx, &digest).await }))
        .await
        .map_err(|e: StoreError| e.into())
}

/// Changes a person's own password; ends all their sessions and begins a new one, whose token it gives.
///
/// # Errors
/// `password-wrong` when the old one does not fit, `password-...` when the new one is not acceptable.
pub async fn change_password(
    hub: &Hub,
    person: &staff::Staff,
    old: String,
    new: String,
) -> Result<String, Problem> {
    super::password::acceptable(&new, &person.name)?;
    if secret::same(&old, &new) {
        return Err(Refusal::new(422, "password-same").into());
    }
    if !hub.passwords().fits(old, Some(person.password.clone())).await? {
        return Err(Refusal::new(422, "password-wrong").into());
    }
    let stored = hub.passwords().hash(new).await?;
    let now = hub.clock().now();
    let token = secret::fresh()?;
    let session = session(hub, &person.name, &token, now)?;
    let entry = person_actor(person).did(now, "change_password", "staff", &person.name);
    let name = person.name.clone();
    hub.store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                staff::set_password(tx, &name, &stored, false, now).await?;
                staff_session::insert(tx, &session).await?;
                staff_session::delete_others(tx, &name, &session.digest).await?;
                audit::append(tx, &entry).await.map(drop)
            })
        })
        .await
        .map_err(|e: StoreError| Problem::from(e))?;
    Ok(token)
}

/// The person as an actor.
#[must_use]
pub fn person_actor(person: &staff::Staff) -> Actor {
    Actor { who: format!("staff:{}", person.name), role: person.role, area: person.area.clone() }
}
