//! Entries of the audit as sentences: who did what to which thing, and what changed by it.
//!
//! An entry holds names and JSON; a person reads words, local times and links. What has
//! no word yet is shown by its own name: nothing of an entry is ever hidden.

use crate::web::Page;
use kulkul_model::Moment;
use kulkul_store::audit::Entry;
use serde_json::{Map, Value};

/// One entry as a person reads it.
#[derive(Debug, PartialEq, Eq)]
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
    entries.into_iter().map(|(_, e)| line(on, &e)).collect()
}

fn line(on: &Page, e: &Entry) -> Line {
    let read = |text: &Option<String>| text.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let (before, after) = (read(&e.before), read(&e.after));
    let (object, href) = object(on, e, after.as_ref());
    Line {
        at: e.at,
        who: who(on, &e.who),
        act: known(on, "act", &e.act),
        object,
        href,
        changes: changes(on, e, before, after),
    }
}

/// `staff:budi` is Budi to colleagues; programs and boxes say what they are.
fn who(on: &Page, who: &str) -> String {
    match who.split_once(':') {
        Some(("staff", name)) => name.to_owned(),
        Some(("gateway", id)) => on.w.a("who-gateway", "id", short(id)),
        Some(("token", id)) => on.w.a("who-token", "id", id),
        Some(("cli", name)) => on.w.a("who-cli", "name", name),
        _ if who == "cli" => on.w.t("who-console").to_owned(),
        _ => who.to_owned(),
    }
}

/// A gateway's id as people read it out: its first eight signs.
fn short(id: &str) -> &str {
    id.get(..11).unwrap_or(id)
}

/// What the thing is called, and where it is.
fn object(on: &Page, e: &Entry, after: Option<&Value>) -> (String, Option<String>) {
    let at_site = after.and_then(|v| v["site"].as_str().or_else(|| v.as_str()));
    let place = |site: &str| Some(format!("/console/sites/{site}"));
    let noun = |name: &str| format!("{} {name}", known(on, "noun", &e.noun));
    match (e.noun.as_str(), at_site) {
        ("site", _) => (noun(&e.object), place(&e.object)),
        ("access_point", Some(site)) => {
            (format!("{} ({site})", noun(&e.object)), Some(format!("/console/sites/{site}/access-points")))
        }
        ("claim", Some(site)) => (on.w.a("noun-claim-of", "site", site), place(site)),
        ("diagnostic", Some(site)) => {
            (on.w.a("noun-diagnostic-of", "site", site), Some(format!("/console/gateways?q={site}")))
        }
        ("gateway" | "journal", Some(site)) => {
            (format!("{} ({site})", noun(short(&e.object))), Some(format!("/console/gateways?q={site}")))
        }
        ("gateway" | "journal", None) => (noun(short(&e.object)), Some("/console/gateways".to_owned())),
        ("report", Some(site)) => {
            (on.w.a("noun-report-of", "site", site), Some(format!("/console/reports?site={site}")))
        }
        ("staff", _) => (noun(&e.object), Some("/console/staff".to_owned())),
        ("release" | "rollout", _) => (noun(&e.object), Some("/console/updates".to_owned())),
        ("order", _) => (noun(&e.object), Some("/console/orders".to_owned())),
        ("token", _) => (noun(&e.object), Some("/console/tokens".to_owned())),
        _ => (noun(&e.object), None),
    }
}

/// The word for a name of the audit; one that has none yet is shown itself.
fn known(on: &Page, family: &str, name: &str) -> String {
    let key = format!("{family}-{}", name.replace('_', "-"));
    if on.w.words().has(&key) { on.w.of(family, name) } else { name.to_owned() }
}

/// What differs between before and after, field by field; for a new thing what it has.
fn changes(on: &Page, e: &Entry, before: Option<Value>, after: Option<Value>) -> Vec<String> {
    // What the sentence and its time say already, and counters that say nothing.
    let passed = |name: &str| {
        matches!(name, "revision" | "created_at" | "created_by") || (name == "site" && e.noun != "site")
    };
    let fresh = before.is_none();
    let (before, after) = (members(e, before), members(e, after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let said = names.into_iter().filter(|n| !passed(n)).filter_map(|name| {
        let label = known(on, "field", name);
        let (old, new) = (before.get(name), after.get(name));
        if fresh {
            let new = new.filter(|v| !v.is_null() && v.as_str() != Some(e.object.as_str()))?;
            return Some(format!("{label}: {}", shown(on, name, Some(new))));
        }
        let (old, new) = (shown(on, name, old), shown(on, name, new));
        (old != new).then(|| format!("{label}: {old} → {new}"))
    });
    said.collect()
}

/// The members of a thing's JSON; a bare text is the field that the act is about.
fn members(e: &Entry, value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(mut all)) => {
            if let Some(Value::Object(point)) = all.remove("position") {
                all.extend(point);
            }
            all
        }
        // The gateway's enrolment names the place, which the sentence has.
        Some(text @ Value::String(_)) if e.act != "enrol" => Map::from_iter([(e.act.clone(), text)]),
        _ => Map::new(),
    }
}

/// A value as people read it.
fn shown(on: &Page, name: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => {
            let word = match name {
                "stage" | "role" | "position_quality" | "name_quality" | "report_status" => {
                    known(on, &name.replace('_', "-"), text)
                }
                _ => text.clone(),
            };
            match Moment::parse(&word) {
                Ok(at) => on.date_clock(&at),
                Err(_) => word,
            }
        }
        Some(Value::Bool(yes)) => on.w.t(if *yes { "audit-yes" } else { "audit-no" }).to_owned(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Config, Hub};
    use axum::extract::FromRequestParts as _;
    use kulkul_store::testing::Temporary;

    const NOW: Moment = Moment::from_ms(1_795_503_600_000);

    async fn said(act: &str, noun: &str, object: &str, before: Option<&str>, after: Option<&str>) -> String {
        let temporary = Temporary::migrated().await;
        let data = tempfile::tempdir().unwrap();
        let config = Config::defaults(data.path()).unwrap();
        let hub = Hub::start(config, Clock::simulated(NOW).0, temporary.store.clone()).unwrap();
        let (mut parts, ()) = http::Request::get("/console/audit")
            .header("accept-language", "en")
            .body(())
            .unwrap()
            .into_parts();
        let on = Page::from_request_parts(&mut parts, &hub).await.unwrap();
        let entry = Entry {
            at: NOW,
            who: "staff:budi".to_owned(),
            act: act.to_owned(),
            noun: noun.to_owned(),
            object: object.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let l = line(&on, &entry);
        format!("{} {} {} <{}> {}", l.who, l.act, l.object, l.href.unwrap_or_default(), l.changes.join("; "))
    }

    #[tokio::test]
    async fn only_what_changed_is_said_and_in_words() {
        let before =
            r#"{"name": "A", "stage": "planned", "revision": 1, "position": {"lat": -8.5, "lon": 115.1}}"#;
        let after =
            r#"{"name": "A", "stage": "in_service", "revision": 2, "position": {"lat": -8.6, "lon": 115.1}}"#;
        assert_eq!(
            said("edit", "site", "BJ-001", Some(before), Some(after)).await,
            "budi changed place BJ-001 </console/sites/BJ-001> Latitude: -8.5 → -8.6; Stage: Planned → In service"
        );
        let claim = r#"{"site": "BJ-001", "expires_at": "2026-11-25T06:32:00Z"}"#;
        assert_eq!(
            said("issue", "claim", "de6b352f6d86ef76", None, Some(claim)).await,
            "budi made the claim code for BJ-001 </console/sites/BJ-001> Valid until: 25 November 2026, 14:32 WITA"
        );
        assert_eq!(
            said("stage", "site", "BJ-001", Some("\"planned\""), Some("\"in_service\"")).await,
            "budi moved on the stage of place BJ-001 </console/sites/BJ-001> Stage: Planned → In service"
        );
    }

    #[tokio::test]
    async fn what_has_no_word_yet_is_shown_by_its_name() {
        assert_eq!(
            said("weave", "basket", "b1", None, Some(r#"{"rods": 7}"#)).await,
            "budi weave basket b1 <> rods: 7"
        );
        assert_eq!(
            said("edit", "site", "BJ-001", None, Some("not json")).await,
            "budi changed place BJ-001 </console/sites/BJ-001> "
        );
    }
}
