//! Orders: merged from wide to narrow, checked by field, told to boxes, audited.

use super::{House, on_a_hub, start};
use crate::fleet::orders::{self, Scope};
use crate::fleet::{desired, follower};
use crate::staff::Actor;
use kulkul_model::Moment;
use kulkul_model::site::SiteCode;
use kulkul_store::{Lane, audit};
use kulkul_wire::link::Manifest;
use serde_json::{Map, Value, json};

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl House {
    pub(super) async fn order(
        &self,
        section: &str,
        scope: &str,
        value: Value,
    ) -> Result<(), Vec<(String, &'static str)>> {
        let scope = Scope::parse(scope).unwrap();
        let done = orders::set(&self.hub, &Actor::command_line(), section, &scope, fields(value)).await;
        done.map_err(|p| p.wrong().iter().map(|f| (f.pointer.clone(), f.code)).collect())
    }

    /// A section as a box at the place would get it.
    pub(super) async fn section(&self, site: &str, name: &str) -> Value {
        let source = desired::Source::of(&self.hub).unwrap();
        let (site, now) = (SiteCode::parse(site).unwrap(), self.now());
        let id = self.hub.fleet().gateways.all().into_iter().find(|g| g.site == site).unwrap().id.clone();
        let name = name.to_owned();
        let store = self.hub.store();
        store
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    desired::refresh(tx, &source, &id, &site, now).await?;
                    let kept = kulkul_store::desired::find(tx, &id).await?.unwrap();
                    let payload = kulkul_wire::link::sign1::decode(&kept.manifest).unwrap().payload;
                    let manifest = Manifest::decode(payload).unwrap();
                    let section = manifest.sections.into_iter().find(|s| s.name == name).unwrap();
                    let blob = kulkul_store::desired::blob(tx, &section.sha256).await?.unwrap();
                    Ok::<Value, kulkul_store::StoreError>(serde_json::from_slice(&blob).unwrap())
                })
            })
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn the_narrower_order_wins_field_by_field() {
    on_a_hub(|h| async move {
        h.enrolled(1, "BJ-001").await;
        h.enrolled(2, "BJ-002").await;
        h.order("plan", "regency", json!({"down_kbps": 4_000, "day_bytes": 1_000_000_000})).await.unwrap();
        h.order("plan", "category:banjar", json!({"down_kbps": 6_000})).await.unwrap();
        h.order("plan", "site:BJ-002", json!({"day_bytes": null, "up_kbps": 2_000})).await.unwrap();
        let one = h.section("BJ-001", "plan").await;
        assert_eq!((&one["down_kbps"], &one["day_bytes"]), (&json!(6_000), &json!(1_000_000_000)));
        let two = h.section("BJ-002", "plan").await;
        assert_eq!(
            (&two["down_kbps"], &two["day_bytes"], &two["up_kbps"]),
            (&json!(6_000), &Value::Null, &json!(2_000))
        );
        let by = Actor::command_line();
        let scope = Scope::parse("category:banjar").unwrap();
        assert!(orders::remove(&h.hub, &by, "plan", &scope).await.unwrap());
        assert!(!orders::remove(&h.hub, &by, "plan", &scope).await.unwrap(), "there is nothing any more");
        assert_eq!(h.section("BJ-001", "plan").await["down_kbps"], json!(4_000));
        let off = h.section("BJ-001", "connections").await;
        assert_eq!(off, json!({"log": "off", "keep_days": 30, "most_mb": 32}), "nothing is kept by default");
        h.order("connections", "site:BJ-001", json!({"log": "flow", "keep_days": 90})).await.unwrap();
        let flow = h.section("BJ-001", "connections").await;
        assert_eq!((&flow["log"], &flow["keep_days"]), (&json!("flow"), &json!(90)));
        assert_eq!(h.section("BJ-002", "connections").await["log"], "off");
        assert_eq!(orders::list(&h.hub).await.unwrap().len(), 3);
        let mut tx = h.hub.store().reader().await.unwrap();
        let told = audit::list(&mut tx, i64::MAX, 10).await.unwrap();
        assert_eq!(told.iter().filter(|(_, e)| e.noun == "order").count(), 5);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_can_follow_is_refused_at_its_field() {
    on_a_hub(|h| async move {
        let cases = [
            ("plan", json!({"down_kpbs": 1}), vec![("/down_kpbs", "orders-field")]),
            (
                "plan",
                json!({"down_kbps": 1, "session_ms": "long"}),
                vec![("/down_kbps", "orders-value"), ("/session_ms", "orders-value")],
            ),
            ("hours", json!({"week": {"mon": "8-12"}}), vec![("/week", "orders-value")]),
            ("connections", json!({"log": "all"}), vec![("/log", "orders-value")]),
            ("connections", json!({"keep_days": 0}), vec![("/keep_days", "orders-value")]),
            (
                "line",
                json!({"shares": [{"kind": "public", "min_percent": 101, "priority": 0}]}),
                vec![("/shares", "orders-value")],
            ),
        ];
        for (section, body, wanted) in cases {
            let wrong = h.order(section, "regency", body).await.unwrap_err();
            let wrong: Vec<_> = wrong.iter().map(|(p, c)| (p.as_str(), *c)).collect();
            assert_eq!(wrong, wanted, "{section}");
        }
        assert!(orders::list(&h.hub).await.unwrap().is_empty(), "nothing of it was kept");
        for (scope, code) in [
            ("site:BJ-999", "orders-nowhere"),
            ("area:51.04", "orders-nowhere"),
            ("category:pura", "orders-nowhere"),
        ] {
            let scope = Scope::parse(scope).unwrap();
            let no =
                orders::set(&h.hub, &Actor::command_line(), "plan", &scope, Map::new()).await.unwrap_err();
            assert_eq!(no.code(), code);
        }
        assert!(Scope::parse("banjar").is_err());
    })
    .await;
}

#[tokio::test]
async fn hours_are_a_week_until_a_closure_is_announced_and_then_a_timetable() {
    on_a_hub(|h| async move {
        h.enrolled(1, "BJ-001").await;
        h.enrolled(2, "BJ-002").await;
        h.order("hours", "category:banjar", json!({"week": {"daily": "06:00-22:00"}})).await.unwrap();
        let hours = h.section("BJ-001", "hours").await;
        assert_eq!(hours["timetable"]["open"], json!([]), "the week alone: {hours}");
        assert_eq!(hours["timetable"]["week"][6], json!([{"from_min": 360, "until_min": 1_320}]));
        let nyepi = json!([{"from": "2026-11-26T06:00:00+08:00", "until": "2026-11-27T06:00:00+08:00",
                            "number": "12/2026", "message": {"id": "Nyepi", "en": "Day of silence"}}]);
        h.order("hours", "site:BJ-001", json!({"closures": nyepi})).await.unwrap();
        let hours = h.section("BJ-001", "hours").await;
        let table: kulkul_model::hours::Timetable =
            serde_json::from_value(hours["timetable"].clone()).unwrap();
        table.check().unwrap();
        let at = |text: &str| Moment::parse(text).unwrap();
        let zone = h.hub.zone();
        assert!(table.is_open(start(), zone) && !table.is_open(at("2026-11-26T12:00:00+08:00"), zone));
        assert_eq!(
            table.opens_at(at("2026-11-26T12:00:00+08:00"), zone),
            Some(at("2026-11-27T06:00:00+08:00"))
        );
        assert_eq!(hours["closures"][0]["number"], "12/2026");
        let other = h.section("BJ-002", "hours").await;
        assert_eq!(other["timetable"]["open"], json!([]), "another place keeps to the week");
        // Two days later the closure is over, and the next day's look finds it so.
        follower::refresh_all(&h.hub).await.unwrap();
        h.hand.set(start().plus_ms(3 * 86_400_000));
        assert_eq!(h.section("BJ-001", "hours").await["closures"], json!([]));
    })
    .await;
}
