//! Asking a box: audited, down as desired state, back by the journal, forgotten in time.

use super::*;
use crate::fleet::diagnostics::{OPEN_MS, ask};
use crate::fleet::follower;
use crate::fleet::retention::{self, DIAGNOSTICS_MS, KEEP_MS, forget_diagnostics};
use crate::staff::Actor;
use kulkul_model::area::AreaCode;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticOutcome};
use kulkul_model::staff::Role;
use kulkul_store::audit;
use kulkul_wire::link::Diagnostic;
use kulkul_wire::link::desired::DiagnosticsSection;
use serde_json::json;

impl House {
    async fn asked(&self, place: &str) -> DiagnosticsSection {
        serde_json::from_value(self.section(place, "diagnostics").await).unwrap()
    }
}

fn answer(id: DiagnosticId, text: &str) -> Entry {
    let (outcome, text) = (DiagnosticOutcome::Done, text.to_owned());
    Entry::Diagnostic(Diagnostic { id, outcome, took_ms: 1_200, text })
}

#[tokio::test]
async fn an_ask_goes_down_its_answer_comes_back_and_both_are_forgotten() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let mut other = h.enrolled(2, "BJ-002").await;
        let id = b.enrolled.gateway.to_string();
        let by = Actor::command_line();
        let newest = || h.hub.fleet().known(&b.enrolled.gateway).unwrap().newest().unwrap();
        let before = newest();
        let asked = ask(&h.hub, &by, &id, ("ping", "203.0.113.1")).await.unwrap();
        assert!(newest() > before, "the long poll of the box ends");
        let told = h.asked("BJ-001").await.asks;
        assert_eq!((told.len(), told[0].id, told[0].kind.as_str()), (1, asked.id, "ping"));
        assert_eq!(
            (told[0].target.as_deref(), told[0].until),
            (Some("203.0.113.1"), h.now().plus_ms(OPEN_MS))
        );
        assert!(h.asked("BJ-002").await.asks.is_empty(), "other boxes are not asked");

        let reader = h.token(Role::Operator).await;
        let path = format!("/api/v1/gateways/{id}/diagnostics");
        let list = async || h.call(&reader, Method::GET, &path, json!(null)).await.json()["items"].clone();
        assert_eq!((&list().await[0]["outcome"], &list().await[0]["answer"]), (&json!(null), &json!(null)));
        h.told(&mut other, &answer(asked.id, "forged")).await;
        assert_eq!(list().await[0]["answer"], json!(null), "nobody answers for another box");
        h.told(&mut b, &answer(DiagnosticId([9; 16]), "to nothing")).await;
        h.told(&mut b, &answer(asked.id, "5 sent,\u{1b}[2J 5 answered\nthe end")).await;
        h.told(&mut b, &answer(asked.id, "again")).await;
        let shown = list().await;
        assert_eq!(shown.as_array().unwrap().len(), 1);
        assert_eq!(shown[0]["answer"], "5 sent,[2J 5 answered\nthe end", "the first answer, as plain lines");
        assert_eq!((&shown[0]["outcome"], &shown[0]["took_ms"]), (&json!("done"), &json!(1_200)));

        h.hand.set(asked.until);
        follower::refresh_sites(&h.hub, &[site("BJ-001")]).await.unwrap();
        assert!(h.asked("BJ-001").await.asks.is_empty(), "it leaves the section by itself");
        let mut tx = h.hub.store().reader().await.unwrap();
        let noted =
            audit::list_object(&mut tx, "diagnostic", &asked.id.to_string(), i64::MAX, 9).await.unwrap();
        drop(tx);
        assert_eq!((noted.len(), noted[0].1.who.as_str(), noted[0].1.act.as_str()), (1, "cli", "ask"));
        assert!(noted[0].1.after.as_ref().unwrap().contains("203.0.113.1"));
        let later = asked.asked_at.plus_ms(DIAGNOSTICS_MS);
        assert_eq!(forget_diagnostics(&h.hub, later).await.unwrap(), 0);
        assert_eq!(forget_diagnostics(&h.hub, later.plus_ms(1)).await.unwrap(), 1);
        assert_eq!(list().await, json!([]));
        let old = h.now().plus_ms(KEEP_MS + 60_000);
        assert_eq!(retention::forget(&h.hub, old).await.unwrap(), (0, 4), "nor is it left in the journals");
    })
    .await;
}

#[tokio::test]
async fn only_who_looks_after_a_place_asks_and_only_what_there_is() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.to_string();
        let (operator, auditor) = (h.token(Role::Operator).await, h.token(Role::Auditor).await);
        let path = format!("/api/v1/gateways/{id}/diagnostics");
        let post = async |token: &str, body| h.call(token, Method::POST, &path, body).await;
        let refused = post(&auditor, json!({"kind": "doctor"})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "not-operator"));
        let refused = h.call(&auditor, Method::GET, &path, json!(null)).await;
        assert_eq!(refused.code(), "not-operator", "nor does everybody read a box's log");
        let elsewhere = AreaCode::parse("51.04").ok();
        let stranger = Actor { who: "token:x".to_owned(), role: Role::Operator, area: elsewhere };
        assert_eq!(ask(&h.hub, &stranger, &id, ("log", "")).await.unwrap_err().code(), "not-your-area");
        for (body, code) in [
            (json!({"kind": "shell", "target": "reboot"}), "diagnostic-kind"),
            (json!({"kind": "ping"}), "diagnostic-target"),
            (json!({"kind": "ping", "target": "a b"}), "diagnostic-target"),
            (json!({"kind": "log", "target": "203.0.113.1"}), "diagnostic-target"),
        ] {
            assert_eq!(post(&operator, body).await.code(), code);
        }
        assert!(h.asked("BJ-001").await.asks.is_empty(), "nothing of it was kept");
        let unknown = format!("/api/v1/gateways/{}/diagnostics", GatewayId::from_bits(77));
        let refused = h.call(&operator, Method::POST, &unknown, json!({"kind": "log"})).await;
        assert_eq!(refused.code(), "gateway-unknown");
        for n in 0..8 {
            let done = post(&operator, json!({"kind": "names", "target": format!("n{n}.example")})).await;
            assert_eq!(done.status, StatusCode::ACCEPTED, "{}", done.json());
        }
        let full = post(&operator, json!({"kind": "doctor"})).await;
        assert_eq!((full.status, full.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "diagnostics-many"));
        let first = h.call(&operator, Method::GET, &format!("{path}?limit=5"), json!(null)).await.json();
        let next = first["next"].as_str().unwrap().to_owned();
        let rest =
            h.call(&operator, Method::GET, &format!("{path}?limit=5&cursor={next}"), json!(null)).await;
        assert_eq!(rest.json()["items"].as_array().unwrap().len(), 3);
        h.hand.set(h.now().plus_ms(OPEN_MS));
        assert_eq!(post(&operator, json!({"kind": "doctor"})).await.status, StatusCode::ACCEPTED);
    })
    .await;
}
