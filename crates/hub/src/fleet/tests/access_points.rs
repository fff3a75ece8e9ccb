//! The register of access points, and what a box's words about them come to.

use super::{House, on_a_hub, site, start};
use crate::fleet::access_points::{Change, Given, change, list};
use crate::staff::Actor;
use kulkul_model::session::Mac;
use kulkul_store::audit;
use kulkul_wire::link::{Entry, Event};
use serde_json::json;

fn given(mac: &str, name: &str, address: Option<&str>) -> Given {
    Given { mac: mac.to_owned(), name: name.to_owned(), address: address.map(str::to_owned) }
}

const A: &str = "02:00:00:00:00:a1";
const B: &str = "02:00:00:00:00:b2";

async fn set(h: &House, code: &str, what: Change) -> Result<usize, Vec<String>> {
    let done = change(&h.hub, &Actor::command_line(), code, what).await;
    done.map(|all| all.len()).map_err(|p| {
        let faults: Vec<String> = p.wrong().iter().map(|f| format!("{} {}", f.pointer, f.code)).collect();
        if faults.is_empty() { vec![p.code().to_owned()] } else { faults }
    })
}

#[tokio::test]
async fn a_box_is_told_of_its_access_points_and_every_change_is_audited() {
    on_a_hub(|h| async move {
        h.enrolled(1, "BJ-001").await;
        let two = vec![given(A, " Aula  timur", Some("10.77.0.41")), given(B, "", None)];
        assert_eq!(set(&h, "BJ-001", Change::All(two.clone())).await, Ok(2));
        assert_eq!(set(&h, "BJ-001", Change::All(two)).await, Ok(2), "nothing is another");
        h.order("fleet", "regency", json!({"controllers": ["203.0.113.80/32"]})).await.unwrap();
        let told = h.section("BJ-001", "fleet").await;
        assert_eq!(
            told,
            json!({"access_points": [{"mac": A, "name": "Aula timur", "address": "10.77.0.41"}, {"mac": B, "name": ""}],
                   "controllers": ["203.0.113.80/32"]})
        );
        assert_eq!(set(&h, "BJ-001", Change::Put(given(B, "Kantor", None))).await, Ok(2));
        assert_eq!(set(&h, "BJ-001", Change::Remove(A.to_uppercase())).await, Ok(1));
        let mut tx = h.hub.store().reader().await.unwrap();
        let all = audit::list(&mut tx, i64::MAX, 20).await.unwrap();
        let mut acts: Vec<_> = all.iter().filter(|(_, e)| e.noun == "access_point").collect();
        acts.reverse();
        let acts: Vec<_> = acts.iter().map(|(_, e)| (e.act.as_str(), e.object.as_str())).collect();
        assert_eq!(acts, [("add", A), ("add", B), ("edit", B), ("remove", A)]);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_access_point_of_this_place_is_refused() {
    on_a_hub(|h| async move {
        let bad = vec![
            given("02:00", "", None),
            given("01:00:5e:00:00:01", "", Some("10.77.0.400")),
            given(A, "", None),
            given(&A.to_uppercase(), &"x".repeat(61), None),
        ];
        let wrong = set(&h, "BJ-001", Change::All(bad)).await.unwrap_err();
        assert_eq!(
            wrong,
            [
                "/items/0/mac access-point-mac",
                "/items/1/address access-point-address",
                "/items/1/mac access-point-mac",
                "/items/3/name access-point-name",
                "/items/3/mac access-point-twice"
            ]
        );
        let many = (0..65).map(|n| given(&format!("02:00:00:00:01:{n:02x}"), "", None)).collect();
        assert_eq!(set(&h, "BJ-001", Change::All(many)).await, Err(vec!["access-points-many".to_owned()]));
        assert_eq!(set(&h, "BJ-002", Change::Put(given(A, "", None))).await, Ok(1));
        let elsewhere = set(&h, "BJ-001", Change::Put(given(A, "", None))).await;
        assert_eq!(elsewhere, Err(vec!["access-point-elsewhere".to_owned()]));
        assert_eq!(list(&h.hub, &site("BJ-001")).await.unwrap(), [], "nothing of it was kept");
        assert_eq!(set(&h, "BJ-999", Change::All(Vec::new())).await, Err(vec!["site-unknown".to_owned()]));
    })
    .await;
}

#[tokio::test]
async fn a_journal_tells_which_one_does_not_answer() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        set(&h, "BJ-001", Change::All(vec![given(A, "", None)])).await.unwrap();
        let mac = Mac::parse(A).unwrap();
        let lost = b.seal(&Entry::Event(Event::AccessPointLost { mac, left: 0 }));
        let id = b.enrolled.gateway.clone();
        assert_eq!(h.deliver(&id, &[&lost.bytes]).await.status, http::StatusCode::OK);
        assert_eq!(list(&h.hub, &site("BJ-001")).await.unwrap()[0].lost_at, Some(start()));
        let back = b.seal(&Entry::Event(Event::AccessPointBack { mac, lost_ms: 5 }));
        assert_eq!(h.deliver(&id, &[&back.bytes]).await.status, http::StatusCode::OK);
        assert_eq!(list(&h.hub, &site("BJ-001")).await.unwrap()[0].lost_at, None);
    })
    .await;
}
