//! `/console/tunnel`: the way to the data centre for the whole regency, and every box's end of it.

use super::{Told, ends, export};
use crate::Hub;
use crate::console::Frame;
use crate::fleet::orders::{self, Scope};
use crate::staff::{Signed, Staff};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const SECTION: &str = "tunnel";

/// The console page about the tunnel.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/tunnel", get(show).post(save))
        .route("/console/tunnel/peers.conf", get(download))
}

#[derive(Template)]
#[template(path = "fleet/tunnel.html")]
struct TunnelPage {
    page: Page,
    w: W,
    me: Frame,
    rows: Vec<Row>,
    form: Form,
    fault: Option<String>,
    saved: bool,
}

struct Row {
    told: Told,
    name: String,
    state: String,
}

/// What the regency's order says, as people type it.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
struct Form {
    endpoint: String,
    key: String,
    prefixes: String,
    pools: String,
    staff: String,
    service: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    saved: Option<String>,
}

impl Form {
    fn of(fields: &Map<String, Value>) -> Self {
        let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |field: &str| -> Option<Vec<String>> {
            let all = fields.get(field)?.as_array()?;
            Some(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        // Both kinds unless something else is said.
        let segments = list("segments").unwrap_or_else(|| vec!["staff".to_owned(), "service".to_owned()]);
        let tick = |kind: &str| if segments.iter().any(|s| s == kind) { "1" } else { "" }.to_owned();
        Form {
            endpoint: text("endpoint"),
            key: text("key"),
            prefixes: list("prefixes").unwrap_or_default().join("\n"),
            pools: list("pools").unwrap_or_default().join("\n"),
            staff: tick("staff"),
            service: tick("service"),
        }
    }

    /// Puts what was typed over the fields that are there; an empty field says nothing.
    fn over(&self, mut fields: Map<String, Value>) -> Map<String, Value> {
        let list = |text: &str| {
            let words = text.split([',', ' ', '\n', '\r', '\t']).filter(|w| !w.is_empty());
            words.map(Value::from).collect::<Vec<Value>>()
        };
        let kinds = [("staff", &self.staff), ("service", &self.service)];
        let kinds: Vec<&str> = kinds.iter().filter(|(_, tick)| !tick.is_empty()).map(|(k, _)| *k).collect();
        let mut put = |field: &str, value: Value, is_empty: bool| {
            fields.remove(field);
            if !is_empty {
                fields.insert(field.to_owned(), value);
            }
        };
        put("endpoint", json!(self.endpoint.trim()), self.endpoint.trim().is_empty());
        put("key", json!(self.key.trim()), self.key.trim().is_empty());
        for (field, typed) in [("prefixes", &self.prefixes), ("pools", &self.pools)] {
            let all = list(typed);
            put(field, json!(all), all.is_empty());
        }
        put("segments", json!(kinds), kinds.len() == 2);
        fields
    }
}

async fn held(hub: &Hub) -> Result<Map<String, Value>, Problem> {
    let regency = Scope::Regency.to_string();
    let all = orders::list(hub).await?;
    let own = all.into_iter().find(|o| o.section == SECTION && o.scope == regency);
    Ok(own.map(|o| o.fields).unwrap_or_default())
}

async fn tunnel_page(
    hub: &Hub,
    staff: &Staff,
    on: Page,
    draft: Option<(Form, String)>,
    saved: bool,
) -> Result<Response, Problem> {
    let board = hub.board();
    let row = |told: Told| {
        let at = told.end.changed_at.as_ref().map(|at| on.date_clock(at)).unwrap_or_default();
        Row {
            name: board.sites.get(&told.end.site).map(|s| s.site.name.clone()).unwrap_or_default(),
            state: match told.end.is_up {
                None => on.w.t("tunnel-state-unknown").to_owned(),
                Some(true) => on.w.a("tunnel-state-up", "time", at),
                Some(false) => on.w.a("tunnel-state-down", "time", at),
            },
            told,
        }
    };
    let rows = ends(hub).await?.into_iter().map(row).collect();
    let (form, fault) = match draft {
        Some((form, fault)) => (form, Some(fault)),
        None => (Form::of(&held(hub).await?), None),
    };
    page(&TunnelPage { me: staff.into(), rows, form, fault, saved, w: on.w.clone(), page: on })
}

async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    tunnel_page(&hub, &staff, on, None, asked.saved.is_some()).await
}

async fn put(hub: &Hub, staff: &Staff, form: &Form) -> Result<(), Problem> {
    let fields = form.over(held(hub).await?);
    if fields.is_empty() {
        orders::remove(hub, &staff.actor, SECTION, &Scope::Regency).await?;
        return Ok(());
    }
    orders::set(hub, &staff.actor, SECTION, &Scope::Regency, fields).await
}

async fn save(
    State(hub): State<Hub>,
    on: Page,
    Signed(staff, form): Signed<Form>,
) -> Result<Response, Problem> {
    match put(&hub, &staff, &form).await {
        Ok(()) => Ok(Redirect::to("/console/tunnel?saved=1").into_response()),
        Err(problem) if problem.http_status().is_client_error() => {
            let words = hub.words();
            let faults: Vec<String> = problem.wrong().iter().map(|f| f.said(&words, on.w.lang())).collect();
            let said = if faults.is_empty() { problem.detail(&words, on.w.lang()) } else { faults.join(" ") };
            let mut response = tunnel_page(&hub, &staff, on, Some((form, said)), false).await?;
            *response.status_mut() = problem.http_status();
            Ok(response)
        }
        Err(problem) => Err(problem),
    }
}

async fn download(State(hub): State<Hub>, _staff: Staff) -> Result<Response, Problem> {
    let kind = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"peers.conf\""),
    ];
    Ok((kind, export(&hub).await?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_goes_over_what_is_there_and_reads_back() {
        let before = json!({"endpoint": "old:1", "keepalive_s": 60, "pools": ["10.1.0.0/24"]});
        let form = Form {
            endpoint: " wg.example:51820 ".to_owned(),
            key: "k".to_owned(),
            prefixes: "10.200.0.0/16, fd20::/48\r\n".to_owned(),
            service: "1".to_owned(),
            ..Form::default()
        };
        let fields = form.over(before.as_object().unwrap().clone());
        assert_eq!(
            Value::Object(fields.clone()),
            json!({"endpoint": "wg.example:51820", "key": "k", "keepalive_s": 60,
                   "prefixes": ["10.200.0.0/16", "fd20::/48"], "segments": ["service"]})
        );
        let again = Form::of(&fields);
        assert_eq!((again.prefixes.as_str(), again.staff.as_str()), ("10.200.0.0/16\nfd20::/48", ""));
        let both = Form { staff: "1".to_owned(), service: "1".to_owned(), ..Form::default() };
        assert!(both.over(Map::new()).is_empty(), "nothing typed says nothing");
    }
}
