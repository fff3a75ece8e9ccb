//! Who may take releases and roll them out, and what is refused at which field.

use super::*;
use crate::fleet::updates::rollouts;
use kulkul_model::area::AreaCode;

#[tokio::test]
async fn only_who_looks_after_the_whole_regency_rolls_out_and_only_what_there_is() {
    on_a_hub(|h| async move {
        let [a, ..] = h.three().await;
        let (operator, auditor) = (h.token(Role::Operator).await, h.token(Role::Auditor).await);
        let (program, cose) = h.release("0.2.0", X86, b"the program").await;
        let post = async |token: &str, body| h.call(token, Method::POST, "/api/v1/rollouts", body).await;
        let whole = || stages(&[&["regency"]]);
        assert_eq!(post(&auditor, whole()).await.code(), "not-operator");
        let district = AreaCode::parse("51.03.01").ok();
        let stranger = Actor { who: "token:x".to_owned(), role: Role::Operator, area: district };
        let new: rollouts::NewRollout = serde_json::from_value(stages(&[&["area:51.03.01"]])).unwrap();
        assert_eq!(rollouts::begin(&h.hub, &stranger, new).await.unwrap_err().code(), "not-your-area");
        assert_eq!(releases::take(&h.hub, &stranger, cose.clone()).await.unwrap_err().code(), "not-your-area");
        let bad = json!({"version": "9", "stages": [["area:51.03.01", "kuta"], ["site:BJ-999"], ["area:51.03.01"], []],
                         "quiet": "2-5", "wait_hours": 1_000, "most_undone": 0});
        let wrong = post(&operator, bad).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let wrong = wrong.json();
        let faults: Vec<_> = wrong["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| (f["pointer"].as_str().unwrap(), f["code"].as_str().unwrap()))
            .collect();
        assert_eq!(
            faults,
            [
                ("/version", "rollout-version"),
                ("/stages/0/1", "orders-scope"),
                ("/stages/1/0", "orders-nowhere"),
                ("/stages/2/0", "rollout-twice"),
                ("/stages/3", "rollout-scopes"),
                ("/quiet", "rollout-quiet"),
                ("/wait_hours", "rollout-wait"),
                ("/most_undone", "rollout-most-undone"),
            ]
        );
        assert_eq!(h.update(&a).await, Vec::<u8>::new(), "nothing of it was begun");

        // A release is taken once; under another name it is another program.
        let by = Actor::command_line();
        let again = releases::take(&h.hub, &by, cose).await.unwrap();
        assert_eq!(again.release.sha256, program);
        let mut tx = h.hub.store().reader().await.unwrap();
        assert_eq!(audit::list_object(&mut tx, "release", &format!("0.2.0 {X86}"), i64::MAX, 9).await.unwrap().len(), 1);
        drop(tx);
        let sign = |version: &str, bytes: u64| {
            let said = Release { version: version.to_owned(), bytes, signed_at: h.now(), ..again.release.clone() };
            signed::sign(&Signer::from_seed(&[9; 32]), &said)
        };
        for (statement, code) in [
            (sign("0.2.1", 11), "release-other"),
            (sign("0.2.0", 12), "release-no-file"),
            (b"no statement".to_vec(), "release-unreadable"),
        ] {
            assert_eq!(releases::take(&h.hub, &by, statement).await.unwrap_err().code(), code);
        }
        let list = h.call(&auditor, Method::GET, "/api/v1/releases", json!(null)).await.json()["items"].clone();
        assert_eq!((&list[0]["version"], &list[0]["bytes"], &list[1]), (&json!("0.2.0"), &json!(11), &json!(null)));
        let path = format!("/api/v1/releases/{program}");
        h.roll_out(&operator, whole()).await;
        assert_eq!(h.call(&operator, Method::DELETE, &path, json!(null)).await.code(), "release-in-use");
        let (unused, _) = h.release("0.1.9", ARM, b"an old program").await;
        let path = format!("/api/v1/releases/{unused}");
        assert_eq!(h.call(&operator, Method::DELETE, &path, json!(null)).await.status, StatusCode::NO_CONTENT);
        assert_eq!(h.call(&operator, Method::DELETE, &path, json!(null)).await.code(), "release-unknown");
        assert!(releases::find(&h.hub.config().data, unused).await.is_none());
    })
    .await;
}
