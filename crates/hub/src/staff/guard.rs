//! Guards of the console: who is signed in, and that a form came from our own page.

use super::{Actor, secret, sign_in};
use crate::Hub;
use crate::web::layout::session_cookie;
use crate::web::{Problem, query};
use axum::extract::{FromRequest, FromRequestParts, RawForm, Request};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method};
use kulkul_model::Refusal;
use kulkul_store::staff_session::StaffSession;
use kulkul_store::{Lane, StoreError, staff, staff_session};
use serde::de::DeserializeOwned;

/// The page where a person sets a password of their own.
pub const PASSWORD_PAGE: &str = "/console/password";

/// A person of the staff who is signed in.
#[derive(Clone, Debug)]
pub struct Staff {
    /// The person.
    pub person: staff::Staff,
    /// The session.
    pub session: StaffSession,
    /// The person as an actor.
    pub actor: Actor,
}

impl Staff {
    /// What forms must carry as `csrf`.
    #[must_use]
    pub fn csrf(&self) -> String {
        hex::encode(self.session.csrf)
    }
}

/// A form of the console: sent by a person who is signed in, from our own page.
pub struct Signed<T>(pub Staff, pub T);

impl FromRequestParts<Hub> for Staff {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Response> {
        let found = find(hub, &parts.headers).await.map_err(Problem::into_response)?;
        let path = parts.uri.path();
        match found {
            None => Err(to_sign_in(parts)),
            Some(staff) if staff.person.one_time && path != PASSWORD_PAGE && path != "/console/sign-out" => {
                Err(Redirect::to(PASSWORD_PAGE).into_response())
            }
            Some(staff) => Ok(staff),
        }
    }
}

fn to_sign_in(parts: &Parts) -> Response {
    let back = if parts.method == Method::GET {
        parts.uri.path_and_query().map_or("/console", |p| p.as_str())
    } else {
        "/console"
    };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", back).finish();
    Redirect::to(&format!("/console/sign-in?{query}")).into_response()
}

/// The person whose session the browser's cookie opens, if it still does.
async fn find(hub: &Hub, headers: &HeaderMap) -> Result<Option<Staff>, Problem> {
    let Some(token) = session_cookie(headers) else { return Ok(None) };
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let Some(session) = staff_session::find(&mut tx, &secret::digest(token)).await? else { return Ok(None) };
    let idle_ms = i64::from(hub.config().sign_in.idle_hours) * 3_600_000;
    if now >= session.ends_at || now.since_ms(session.seen_at) >= idle_ms {
        return Ok(None);
    }
    let Some(person) = staff::find(&mut tx, &session.staff).await? else { return Ok(None) };
    drop(tx);
    if person.disabled_at.is_some() {
        return Ok(None);
    }
    if now.since_ms(session.seen_at) >= 60_000 {
        let digest = session.digest;
        hub.store()
            .write(Lane::Page, move |tx| Box::pin(async move { staff_session::seen(tx, &digest, now).await }))
            .await
            .map_err(|e: StoreError| Problem::from(e))?;
    }
    let actor = sign_in::person_actor(&person);
    Ok(Some(Staff { person, session, actor }))
}

impl<T: DeserializeOwned> FromRequest<Hub> for Signed<T> {
    type Rejection = Response;

    async fn from_request(request: Request, hub: &Hub) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        own_origin(hub, &parts.headers).map_err(|r| Problem::from(r).into_response())?;
        let staff = Staff::from_request_parts(&mut parts, hub).await?;
        let RawForm(form) = RawForm::from_request(Request::from_parts(parts, body), hub)
            .await
            .map_err(axum::response::IntoResponse::into_response)?;
        let sent = query::value(&form, "csrf").unwrap_or_default();
        if !secret::same(&sent, &staff.csrf()) {
            return Err(Problem::from(Refusal::new(403, "csrf")).into_response());
        }
        let fields = query::form(&form).map_err(Problem::into_response)?;
        Ok(Signed(staff, fields))
    }
}

/// Refuses a request that another site's page made the browser send.
///
/// `Sec-Fetch-Site` decides where the browser sends it, else `Origin`; a request
/// without both is not from a browser that could be tricked.
///
/// # Errors
/// `csrf` (403).
pub fn own_origin(hub: &Hub, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let refused = Err(Refusal::new(403, "csrf"));
    if let Some(site) = text("sec-fetch-site") {
        return if matches!(site, "same-origin" | "none") { Ok(()) } else { refused };
    }
    match text(ORIGIN.as_str()) {
        None => Ok(()),
        Some(origin) => {
            let host = origin.split_once("://").map_or("", |(_, host)| host);
            let ours = hub.config().public_url == origin || text(HOST.as_str()) == Some(host);
            if ours { Ok(()) } else { refused }
        }
    }
}
