//! Claims, enrolment and signed requests.

use super::{beat, on_a_hub, site, start};
use crate::fleet::claims;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use kulkul_proof::{KeyRing, Signer, manifest};
use kulkul_store::{args, audit, gateway};
use kulkul_wire::link::{BeatAnswer, TimeAnswer};

#[tokio::test]
async fn a_claim_lets_one_box_in_once() {
    on_a_hub(|h| async move {
        let claim = h.claim("BJ-001").await;
        let first = h.enrol(1, &claim.shown().to_lowercase()).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.json());
        let again = h.enrol(1, &claim.shown()).await;
        assert_eq!(again.json(), first.json(), "the answer got lost and the same box asks again");
        let other = h.enrol(2, &claim.shown()).await;
        assert_eq!((other.status, other.code().as_str()), (StatusCode::FORBIDDEN, "claim-used"));
        let wrong = h.enrol(3, "0000-0000").await;
        assert_eq!(wrong.code(), "claim-unknown");
        let mut tx = h.hub.store().reader().await.unwrap();
        let acts: Vec<_> =
            audit::list(&mut tx, i64::MAX, 50).await.unwrap().into_iter().map(|(_, e)| e.act).collect();
        assert_eq!(acts, ["stage", "enrol", "issue"]);
        let stage = tx.fetch_one("SELECT stage FROM site WHERE code = 'BJ-001'", args![]).await.unwrap();
        assert_eq!(stage.get::<String>("stage").unwrap(), "in_service");
    })
    .await;
}

#[tokio::test]
async fn a_claim_ends_and_can_be_withdrawn() {
    on_a_hub(|h| async move {
        let old = h.claim("BJ-001").await;
        h.hand.set(start().plus_ms(24 * 3_600_000));
        assert_eq!(h.enrol(1, &old.shown()).await.code(), "claim-expired");
        let first = h.claim("BJ-001").await;
        let second = h.claim("BJ-001").await;
        assert_eq!(
            h.enrol(1, &first.shown()).await.code(),
            "claim-withdrawn",
            "a new claim replaces the old"
        );
        let held = claims::list(&h.hub, &site("BJ-001")).await.unwrap();
        let who = "staff:test".to_owned();
        // Both were issued within one millisecond of the simulated clock.
        let open = held.iter().find(|c| c.withdrawn_at.is_none() && c.used_at.is_none()).unwrap();
        claims::withdraw(&h.hub, site("BJ-001"), open.id.clone(), who).await.unwrap();
        assert_eq!(h.enrol(1, &second.shown()).await.code(), "claim-withdrawn");
        let unknown = claims::issue(&h.hub, site("BJ-999"), "staff:test".to_owned(), None).await;
        assert!(unknown.unwrap_err().to_string().contains("site-unknown"));
    })
    .await;
}

#[tokio::test]
async fn guessing_claims_is_bounded() {
    on_a_hub(|h| async move {
        for _ in 0..10 {
            assert_eq!(h.enrol(1, "0000-0001").await.status, StatusCode::FORBIDDEN);
        }
        let claim = h.claim("BJ-001").await;
        let answer = h.enrol(1, &claim.shown()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::TOO_MANY_REQUESTS, "enrol-too-often")
        );
        h.hand.set(start().plus_ms(600_000));
        assert_eq!(h.enrol(1, &claim.shown()).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_new_box_at_an_old_place_revokes_the_old_one() {
    on_a_hub(|h| async move {
        let old = h.enrolled(1, "BJ-001").await;
        let new = h.enrolled(2, "BJ-001").await;
        let answer = h.ask(&old, Method::POST, "/link/v1/beat", &beat()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "gateway-revoked"));
        assert_eq!(h.ask(&new, Method::POST, "/link/v1/beat", &beat()).await.status, StatusCode::OK);
        let mut tx = h.hub.store().reader().await.unwrap();
        let row = gateway::find(&mut tx, &old.enrolled.gateway).await.unwrap().unwrap();
        assert_eq!(row.revoked_why.as_deref(), Some("replaced"));
    })
    .await;
}

#[tokio::test]
async fn a_beat_is_taken_once_from_the_right_box_at_the_right_time() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.to_string();
        let make = || h.signed(&b.signer, &id, &Method::POST, "/link/v1/beat", &beat());
        let good = make();
        let (parts, _) = good.into_parts();
        let copy = |body: Vec<u8>| Request::from_parts(parts.clone(), Body::from(body));
        let answer = h.send(copy(beat())).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        let told: BeatAnswer = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told.desired, Some(b.enrolled.desired));
        assert_eq!(h.hub.fleet().known(&b.enrolled.gateway).unwrap().last_beat().unwrap().people, 12);
        assert_eq!(h.send(copy(beat())).await.code(), "request-replayed");
        let mut changed = beat();
        changed[10] ^= 1;
        assert_eq!(h.send(copy(changed)).await.code(), "request-not-signed");
        let stranger = Signer::from_seed(&[9; 32]);
        let forged = h.signed(&stranger, &id, &Method::POST, "/link/v1/beat", &beat());
        assert_eq!(h.send(forged).await.code(), "request-not-signed");
        let elsewhere = h.signed(&b.signer, &id, &Method::POST, "/link/v1/admit", &beat());
        let (mut parts, body) = elsewhere.into_parts();
        parts.uri = "/link/v1/beat".parse().unwrap();
        assert_eq!(h.send(Request::from_parts(parts, body)).await.code(), "request-not-signed");
        let late = make();
        h.hand.set(start().plus_ms(301_000));
        let answer = h.send(late).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "request-stale"));
        assert_eq!(answer.json()["now"], "2026-11-24T06:37:01Z", "a box with a wrong clock can find out");
    })
    .await;
}

#[tokio::test]
async fn the_time_is_signed_for_a_nonce() {
    on_a_hub(|h| async move {
        let nonce = "0123456789abcdef";
        let path = format!("/link/v1/time?nonce={nonce}");
        let answer = h.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let time: TimeAnswer = serde_json::from_slice(&answer.body).unwrap();
        let keys = h.hub.fleet().keys().unwrap();
        let ring = KeyRing::trust(keys.hub_keys(), None).unwrap();
        assert_eq!(manifest::open_time(&ring, &time, nonce).unwrap(), h.now());
        let bad = h.send(Request::get("/link/v1/time?nonce=x").body(Body::empty()).unwrap()).await;
        assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    })
    .await;
}
