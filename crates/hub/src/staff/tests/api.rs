//! What API tokens may do, kept answers, the last administrator.

use super::*;

#[tokio::test]
async fn roles_and_areas_bound_what_tokens_do() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let path = "/api/v1/sites/BJ-001";
        let body = r#"{"revision": 1, "name": "Bale Baru"}"#;
        let none = street.send(Method::PATCH, path, &[("content-type", "application/json")], body).await;
        assert_eq!((none.status, none.code().as_str()), (StatusCode::UNAUTHORIZED, "token-needed"));
        assert_eq!(street.api(Method::PATCH, path, "kulkul_wrong", &[], body).await.code(), "token-wrong");
        let auditor = street.token(Role::Auditor, None).await;
        assert_eq!(street.api(Method::PATCH, path, &auditor, &[], body).await.code(), "not-operator");
        let elsewhere = street.token(Role::Operator, Some("51.03.02")).await;
        assert_eq!(street.api(Method::PATCH, path, &elsewhere, &[], body).await.code(), "not-your-area");
        let operator = street.token(Role::Operator, Some("51.03.01")).await;
        assert_eq!(street.api(Method::PATCH, path, &operator, &[], "{\"nam\": 1}").await.code(), "faults");
        assert_eq!(street.api(Method::PATCH, path, &operator, &[], "{}").await.code(), "revision-needed");
        assert_eq!(street.api(Method::PATCH, path, &operator, &[], body).await.status, StatusCode::OK);
        let stale = street.api(Method::PATCH, path, &operator, &[], body).await;
        assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "revision-other"));
        assert!(
            stale.text.contains("\"current\":{") && stale.text.contains("\"revision\":2"),
            "{}",
            stale.text
        );
        assert_eq!(street.api(Method::GET, "/api/v1/tokens", &operator, &[], "").await.code(), "not-admin");
        let audit = street.api(Method::GET, "/api/v1/audit?limit=1", &auditor, &[], "").await;
        assert!(
            audit.text.contains("\"act\":\"edit\"") && audit.text.contains("\"next\":\""),
            "{}",
            audit.text
        );
        street.hand.set(start().plus_ms(25 * 3_600_000));
        assert_eq!(street.api(Method::GET, "/api/v1/audit", &auditor, &[], "").await.code(), "token-wrong");
    })
    .await;
}

#[tokio::test]
async fn a_write_that_is_sent_twice_is_done_once() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let operator = street.token(Role::Operator, None).await;
        let key = [("idempotency-key", "k1")];
        let path = "/api/v1/sites/BJ-001";
        let body = r#"{"revision": 1, "name": "Bale Baru"}"#;
        let first = street.api(Method::PATCH, path, &operator, &key, body).await;
        let again = street.api(Method::PATCH, path, &operator, &key, body).await;
        assert_eq!((first.status, again.status, &first.text), (StatusCode::OK, StatusCode::OK, &again.text));
        assert_eq!(again.headers.get("idempotency-replayed").unwrap(), "true");
        let other = street.api(Method::PATCH, path, &operator, &key, r#"{"revision": 2}"#).await;
        assert_eq!(other.code(), "idempotency-other");
        // A claim's code is not kept, so it cannot be given again.
        let key = [("idempotency-key", "k2")];
        let claim = street.api(Method::POST, "/api/v1/sites/BJ-001/claim", &operator, &key, "{}").await;
        assert_eq!(claim.status, StatusCode::CREATED);
        let again = street.api(Method::POST, "/api/v1/sites/BJ-001/claim", &operator, &key, "{}").await;
        assert_eq!(again.code(), "idempotency-done");
        // A refusal lets the key go.
        let key = [("idempotency-key", "k3")];
        let refused = street.api(Method::PATCH, path, &operator, &key, body).await;
        assert_eq!(refused.code(), "revision-other");
        assert_eq!(street.api(Method::PATCH, path, &operator, &key, body).await.code(), "revision-other");
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays_and_large_bodies_are_refused() {
    on_both(|store| async move {
        let mut street = street(store).await;
        street.person("made", Role::Admin, None).await;
        let admin = street.token(Role::Admin, None).await;
        let last = street.api(Method::POST, "/api/v1/staff/made/disable", &admin, &[], "").await;
        assert_eq!(last.code(), "staff-last-admin");
        street.person("putu", Role::Admin, None).await;
        let done = street.api(Method::POST, "/api/v1/staff/made/disable", &admin, &[], "").await;
        assert_eq!(done.status, StatusCode::NO_CONTENT);
        let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 << 20));
        let refused = street.api(Method::POST, "/api/v1/tokens", &admin, &[], &large).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(refused.headers.get("content-type").unwrap(), "application/problem+json");
    })
    .await;
}
