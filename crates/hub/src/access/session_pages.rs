//! `/console/sessions`: who is online where, and ending it.

use super::sessions::{self, cursor_of, is_online, read_cursor};
use crate::Hub;
use crate::console::Frame;
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use kulkul_model::Refusal;
use kulkul_model::session::{LEASE_MS, SessionId};
use kulkul_model::site::SiteCode;
use kulkul_store::session::{self, Filter, Session};
use serde::Deserialize;

const PER_PAGE: u32 = 50;

/// Console pages about sessions.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/sessions", get(list))
        .route("/console/sessions/{id}/disconnect", post(disconnect))
}

#[derive(Template)]
#[template(path = "access/sessions.html")]
struct SessionsPage {
    page: Page,
    w: W,
    me: Frame,
    site: String,
    all: bool,
    rows: Vec<Row>,
    back: String,
    next: Option<String>,
    first: Option<String>,
}

struct Row {
    session: Session,
    site_name: String,
    way_in: String,
    state: String,
    minutes: i64,
    megabytes: i64,
    may: bool,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Asked {
    site: String,
    all: String,
    before: String,
}

impl Asked {
    fn address(&self, before: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let all = [("site", self.site.as_str()), ("all", &self.all), ("before", before)];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/console/sessions?{}", query.finish())
    }
}

async fn list(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(mut asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let w = on.w.clone();
    let now = hub.clock().now();
    asked.site = asked.site.trim().to_ascii_uppercase();
    let site = SiteCode::parse(&asked.site).ok();
    let all = asked.all == "1";
    let filter = Filter { site: site.clone(), online_since: (!all).then(|| now.plus_ms(-LEASE_MS)) };
    let before = read_cursor(&asked.before).unwrap_or_else(session::newest);
    let mut tx = hub.store().reader().await?;
    // A code that is none finds nothing, rather than everything.
    let mut found = match asked.site.is_empty() || site.is_some() {
        true => session::list(&mut tx, &filter, &before, PER_PAGE + 1).await?,
        false => Vec::new(),
    };
    drop(tx);
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|s| asked.address(&cursor_of(s)));
    let board = hub.board();
    let rows = found.into_iter().map(|s| {
        let place = board.sites.get(&s.site).map(|n| &n.site);
        let online = is_online(&s, now);
        let state = match s.ended {
            Some(reason) => w.of("session-ended", reason.as_str()),
            None if online => w.t("session-online").to_owned(),
            None => w.t("session-silent").to_owned(),
        };
        let bytes = s.usage.up_bytes.saturating_add(s.usage.down_bytes);
        Row {
            site_name: place.map_or_else(|| s.site.to_string(), |p| p.name.clone()),
            way_in: s.way_in.map_or_else(|| "–".to_owned(), |way| w.of("way-in", way.as_str())),
            state,
            minutes: i64::try_from(s.lasted_ms / 60_000).unwrap_or(i64::MAX),
            megabytes: i64::try_from(bytes.div_ceil(1_000_000)).unwrap_or(i64::MAX),
            may: online && place.is_some_and(|p| staff.actor.may_operate(&p.area).is_ok()),
            session: s,
        }
    });
    page(&SessionsPage {
        me: (&staff).into(),
        rows: rows.collect(),
        back: asked.address(&asked.before),
        next,
        first: (!asked.before.is_empty()).then(|| asked.address("")),
        site: asked.site,
        all,
        w: w.clone(),
        page: on,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DisconnectForm {
    minutes: Option<u32>,
    back: String,
}

async fn disconnect(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    Signed(staff, form): Signed<DisconnectForm>,
) -> Result<Response, Problem> {
    let id = SessionId::parse(&id).ok_or_else(|| Refusal::new(404, "session-unknown"))?;
    sessions::disconnect(&hub, &staff.actor, id, form.minutes).await?;
    let back = if form.back.starts_with("/console/sessions?") { &form.back } else { "/console/sessions" };
    Ok(Redirect::to(back).into_response())
}
