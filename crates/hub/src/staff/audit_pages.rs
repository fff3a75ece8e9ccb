//! `/console/audit`: who did what, newest first; everybody of the staff may read it.

use super::Staff;
use crate::Hub;
use crate::console::Frame;
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kulkul_model::Moment;
use kulkul_store::audit::{self, Entry};
use serde::Deserialize;

/// Entries on one page.
const PER_PAGE: u32 = 50;

/// The page of the audit.
pub fn routes() -> Router<Hub> {
    Router::new().route("/console/audit", get(show))
}

/// One entry as a person reads it.
pub struct Line {
    /// When.
    pub at: Moment,
    /// Who.
    pub who: String,
    /// What was done, in words.
    pub act: String,
    /// To what.
    pub object: String,
    /// Where that thing is, when it has a page.
    pub href: Option<String>,
    /// What changed: `field: before → after`.
    pub changes: Vec<String>,
}

/// Entries as people read them.
#[must_use]
pub fn lines(on: &Page, entries: Vec<(i64, Entry)>) -> Vec<Line> {
    entries.into_iter().map(|(_, e)| line(on, e)).collect()
}

fn line(on: &Page, e: Entry) -> Line {
    let href = match e.noun.as_str() {
        "site" => Some(format!("/console/sites/{}", e.object)),
        "staff" => Some("/console/staff".to_owned()),
        "token" => Some("/console/tokens".to_owned()),
        "gateway" => Some("/console/gateways".to_owned()),
        _ => None,
    };
    let noun = known(on, "noun", &e.noun);
    Line {
        at: e.at,
        act: known(on, "act", &e.act),
        object: format!("{noun} {}", e.object),
        href,
        changes: changes(e.before.as_deref(), e.after.as_deref()),
        who: e.who,
    }
}

/// The word for a name of the audit; a room that has none yet shows the name itself.
fn known(on: &Page, family: &str, name: &str) -> String {
    let key = format!("{family}-{}", name.replace('_', "-"));
    if on.w.words().has(&key) { on.w.of(family, name) } else { name.to_owned() }
}

/// Which members of two JSON objects differ.
fn changes(before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let object = |text: Option<&str>| -> serde_json::Map<String, serde_json::Value> {
        text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
    };
    let (before, after) = (object(before), object(after));
    let shown = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => "–".to_owned(),
        Some(serde_json::Value::String(s)) => s.clone(),
        Some(other) => other.to_string(),
    };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| shown(before.get(*name)) != shown(after.get(*name)) && *name != "revision")
        .map(|name| format!("{name}: {} → {}", shown(before.get(name)), shown(after.get(name))))
        .collect()
}

#[derive(Template)]
#[template(path = "staff/audit.html")]
struct AuditPage {
    page: Page,
    w: W,
    me: Frame,
    lines: Vec<Line>,
    older: Option<i64>,
    newest: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    below: Option<i64>,
}

async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let below = asked.below.unwrap_or(i64::MAX);
    let mut entries = audit::list(&mut hub.store().reader().await?, below, PER_PAGE + 1).await?;
    let more = entries.len() > PER_PAGE as usize;
    entries.truncate(PER_PAGE as usize);
    let older = if more { entries.last().map(|(id, _)| *id) } else { None };
    page(&AuditPage {
        me: (&staff).into(),
        lines: lines(&on, entries),
        older,
        newest: asked.below.is_none(),
        w: on.w.clone(),
        page: on,
    })
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn only_what_changed_is_shown() {
        let before = r#"{"name": "A", "stage": "planned", "revision": 1}"#;
        let after = r#"{"name": "B", "stage": "planned", "revision": 2, "address": null}"#;
        assert_eq!(changes(Some(before), Some(after)), ["name: A → B"]);
        assert!(changes(None, Some("not json")).is_empty());
    }
}
