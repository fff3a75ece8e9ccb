//! `/console/sign-in`, `/console/sign-out`, `/console/password`.

use super::guard::{PASSWORD_PAGE, own_origin};
use super::{Signed, Staff, secret, sign_in};
use crate::Hub;
use crate::console::Frame;
use crate::web::language::cookie;
use crate::web::layout::{HOST_SESSION_COOKIE, SESSION_COOKIE, session_cookie};
use crate::web::{Lenient, Page, Peer, Problem, W, page, query};
use askama::Template;
use axum::Router;
use axum::extract::{RawForm, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use kulkul_model::Refusal;
use serde::Deserialize;

/// The double-submitted secret of the sign-in form, where there is no session yet.
const FORM_COOKIE: &str = "kulkul_form";

/// Pages of signing in and out.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/sign-in", get(show).post(open))
        .route("/console/sign-out", post(close))
        .route(PASSWORD_PAGE, get(show_password).post(change_password))
}

#[derive(Template)]
#[template(path = "staff/sign_in.html")]
struct SignInPage {
    page: Page,
    w: W,
    csrf: String,
    next: String,
    name: String,
    fault: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    next: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SignInForm {
    name: String,
    password: String,
    next: String,
}

/// A path of the console to go back to; anything else could lead elsewhere.
fn inside(next: &str) -> &str {
    let fits = next == "/console" || next.starts_with("/console/") || next.starts_with("/console?");
    if fits && !next.contains(['\\', '\r', '\n']) { next } else { "/console" }
}

async fn show(State(hub): State<Hub>, Lenient(asked): Lenient<Asked>, on: Page) -> Result<Response, Problem> {
    let next = inside(&asked.next).to_owned();
    form_page(&hub, on, next, String::new(), None)
}

fn form_page(
    hub: &Hub,
    on: Page,
    next: String,
    name: String,
    fault: Option<String>,
) -> Result<Response, Problem> {
    let csrf = secret::fresh()?;
    let set = set_cookie(hub, FORM_COOKIE, &csrf, 3_600, "Strict");
    let mut response = page(&SignInPage { w: on.w.clone(), page: on, csrf, next, name, fault })?;
    response.headers_mut().append(SET_COOKIE, set);
    Ok(response)
}

async fn open(
    State(hub): State<Hub>,
    peer: Peer,
    headers: HeaderMap,
    on: Page,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    own_origin(&hub, &headers)?;
    let sent = query::value(&body, "csrf").unwrap_or_default();
    let kept = cookie(&headers, FORM_COOKIE).unwrap_or_default();
    if kept.is_empty() || !secret::same(&sent, kept) {
        return Err(Refusal::new(403, "csrf").into());
    }
    let form: SignInForm = query::form(&body)?;
    let old = session_cookie(&headers).map(str::to_owned);
    match sign_in::open(&hub, form.name.clone(), form.password, peer, old).await {
        Ok(opened) => {
            let to = if opened.one_time { PASSWORD_PAGE } else { inside(&form.next) };
            Ok(with_session(&hub, Redirect::to(to).into_response(), &opened.token))
        }
        Err(problem) if matches!(problem.code(), "sign-in-wrong" | "sign-in-wait") => {
            let fault = problem.detail(&hub.words(), on.w.lang());
            let mut response = form_page(&hub, on, inside(&form.next).to_owned(), form.name, Some(fault))?;
            *response.status_mut() = problem.http_status();
            if let Some(seconds) = problem.retry_after_s() {
                response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

async fn close(
    State(hub): State<Hub>,
    Signed(staff, Nothing {}): Signed<Nothing>,
) -> Result<Response, Problem> {
    sign_in::close(&hub, &staff.session).await?;
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().append(SET_COOKIE, set_cookie(&hub, session_name(&hub), "", 0, "Lax"));
    Ok(response)
}

/// A form without fields of its own.
#[derive(Deserialize)]
pub struct Nothing {}

#[derive(Template)]
#[template(path = "staff/password.html")]
struct PasswordPage {
    page: Page,
    w: W,
    me: Frame,
    one_time: bool,
    changed: bool,
    shortest: usize,
    fault: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Changed {
    changed: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PasswordForm {
    old: String,
    new: String,
    again: String,
}

async fn show_password(
    staff: Staff,
    Lenient(asked): Lenient<Changed>,
    on: Page,
) -> Result<Response, Problem> {
    password_page(&staff, on, !asked.changed.is_empty(), None)
}

fn password_page(staff: &Staff, on: Page, changed: bool, fault: Option<String>) -> Result<Response, Problem> {
    page(&PasswordPage {
        me: staff.into(),
        one_time: staff.person.one_time,
        changed,
        shortest: super::password::SHORTEST,
        fault,
        w: on.w.clone(),
        page: on,
    })
}

async fn change_password(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<PasswordForm>,
) -> Result<Response, Problem> {
    let result = if form.new == form.again {
        sign_in::change_password(&hub, &staff.person, form.old, form.new).await
    } else {
        Err(Refusal::new(422, "password-differs").into())
    };
    match result {
        Ok(token) => {
            let to = if staff.person.one_time { "/console" } else { "/console/password?changed=1" };
            Ok(with_session(&hub, Redirect::to(to).into_response(), &token))
        }
        Err(problem) if problem.http_status() == StatusCode::UNPROCESSABLE_ENTITY => {
            let fault = problem.detail(&hub.words(), on.w.lang());
            let mut response = password_page(&staff, on, false, Some(fault))?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

fn session_name(hub: &Hub) -> &'static str {
    if hub.config().is_https() { HOST_SESSION_COOKIE } else { SESSION_COOKIE }
}

fn with_session(hub: &Hub, mut response: Response, token: &str) -> Response {
    let life_s = i64::from(hub.config().sign_in.absolute_days) * 24 * 3600;
    response.headers_mut().append(SET_COOKIE, set_cookie(hub, session_name(hub), token, life_s, "Lax"));
    response
}

fn set_cookie(hub: &Hub, name: &str, value: &str, life_s: i64, same_site: &str) -> HeaderValue {
    let secure = if hub.config().is_https() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly; SameSite={same_site}{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_way_back_stays_inside() {
        for bad in
            ["", "/", "//evil.example", "https://evil.example", "/consolex", "/console/\\evil", "/sites"]
        {
            assert_eq!(super::inside(bad), "/console", "{bad}");
        }
        assert_eq!(super::inside("/console/sites?q=a"), "/console/sites?q=a");
    }
}
