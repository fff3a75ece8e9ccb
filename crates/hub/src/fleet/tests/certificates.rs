//! Certificates of portals: asked for in the journal, issued for the site's name alone, renewed in time.

use super::{Box_, House, PORTALS, on_a_hub};
use crate::fleet::certificates;
use axum::body::Body;
use http::{Request, StatusCode};
use kulkul_store::certificate::{self, Certificate};
use kulkul_wire::link::{CertificateRequest, Entry};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::Value;
use tower::ServiceExt as _;

const DAY_MS: i64 = 86_400_000;

fn request(key: &KeyPair, names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    CertificateParams::new(names).unwrap().serialize_request(key).unwrap().der().to_vec()
}

async fn ask(h: &House, b: &mut Box_, csr: Vec<u8>) {
    let entry = b.seal(&Entry::CertificateRequest(CertificateRequest { csr }));
    let answer = h.deliver(&b.enrolled.gateway, &[entry.bytes.as_slice()]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
}

async fn held(h: &House, b: &Box_) -> Certificate {
    let mut tx = h.hub.store().reader().await.unwrap();
    certificate::find(&mut tx, &b.enrolled.gateway).await.unwrap().unwrap()
}

async fn round(h: &House) -> usize {
    certificates::round(&h.hub).await.unwrap()
}

/// The chain that a box at the place would get, and the first certificate's DER.
async fn chain(h: &House, site: &str) -> (String, Vec<u8>) {
    let section: Value = h.section(site, "certificate").await;
    let text = section["chain"].as_str().unwrap().to_owned();
    let body: String = text.lines().skip(1).take_while(|l| !l.starts_with("-----")).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
    (text, der)
}

#[tokio::test]
async fn a_box_gets_a_certificate_for_its_own_key_and_its_sites_name() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let host = format!("bj-001.{PORTALS}");
        let before = h.section("BJ-001", "certificate").await;
        assert_eq!((before["host"].as_str(), before["chain"].as_str()), (Some(host.as_str()), Some("")));
        assert_eq!(h.section("BJ-001", "site").await["portal_host"], host.as_str());

        let key = KeyPair::generate().unwrap();
        let csr = request(&key, &[&host]);
        ask(&h, &mut b, csr.clone()).await;
        assert_eq!(round(&h).await, 1);
        assert_eq!(round(&h).await, 0, "issued once");
        let (text, der) = chain(&h, "BJ-001").await;
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2, "the authority's own comes with it");
        let key_der = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert!(der.windows(key_der.len()).any(|w| w == key_der), "it is for the box's key");
        let (from, until) = kulkul_wire::certificate::validity(&der).unwrap();
        assert_eq!((until.since_ms(h.now()), h.now().since_ms(from)), (90 * DAY_MS, 3_600_000));
        let known = h.hub.fleet().known(&b.enrolled.gateway).unwrap();
        assert!(known.newest() > Some(b.enrolled.desired), "the box's long poll ends");

        // The same request again, as a restored hub would get it, issues nothing anew.
        ask(&h, &mut b, csr).await;
        let same = held(&h, &b).await;
        assert_eq!(same.chain.as_deref(), Some(text.as_str()));

        // Thirty days before the end there is another, for the same key.
        h.hand.set(h.now().plus_ms(60 * DAY_MS - 1));
        assert_eq!(round(&h).await, 0);
        h.hand.set(h.now().plus_ms(1));
        assert_eq!(round(&h).await, 1);
        let (_, renewed) = chain(&h, "BJ-001").await;
        let ends = kulkul_wire::certificate::validity(&renewed).unwrap().1;
        assert_eq!(ends.since_ms(h.now()), 90 * DAY_MS);
        assert!(renewed.windows(key_der.len()).any(|w| w == key_der));
    })
    .await;
}

#[tokio::test]
async fn a_request_for_another_name_or_of_garbage_gets_none_and_harms_nobody() {
    on_a_hub(|h| async move {
        let mut thief = h.enrolled(1, "BJ-001").await;
        let mut good = h.enrolled(2, "BJ-002").await;
        let key = KeyPair::generate().unwrap();
        let (own, other) = (format!("bj-001.{PORTALS}"), format!("bj-002.{PORTALS}"));
        ask(&h, &mut thief, request(&key, &[&other])).await;
        ask(&h, &mut good, request(&KeyPair::generate().unwrap(), &[&other])).await;
        assert_eq!(round(&h).await, 1, "the other box has its own");
        let refused = held(&h, &thief).await;
        assert_eq!((refused.chain, refused.tries), (None, 1));
        let trouble = refused.trouble.unwrap();
        assert_eq!((trouble.kind.as_str(), trouble.since), ("request", h.now()));
        assert_eq!(trouble.detail, format!("the request is for {other}, the site's portal is {own}"));
        // Who watches the hub reads which place it is, since when, and where to look.
        let watcher = Request::get("/healthz").body(Body::empty()).unwrap();
        let seen = h.hub.admin_router().oneshot(watcher).await.unwrap();
        let seen = axum::body::to_bytes(seen.into_body(), 9_999).await.unwrap();
        let seen = String::from_utf8_lossy(&seen);
        let (_, line) = seen.split_once("ok\n").unwrap();
        let wanted = format!(
            "certificates: 1 portals get none or no newer one; the first is BJ-001, since {}",
            h.now()
        );
        assert!(line.starts_with(&wanted) && line.contains(&other), "{line}");
        // It is not tried again at once, and waits longer each time.
        assert_eq!(round(&h).await, 0);
        h.hand.set(h.now().plus_ms(60_000));
        round(&h).await;
        assert_eq!(held(&h, &thief).await.due_at.since_ms(h.now()), 120_000);

        for csr in [vec![], vec![0x30, 0x82], vec![0xff; 4_096], {
            // A signature that does not hold: the last byte is another.
            let mut csr = request(&key, &[&own]);
            *csr.last_mut().unwrap() ^= 1;
            csr
        }] {
            ask(&h, &mut thief, csr).await;
            assert_eq!(round(&h).await, 0);
            assert!(held(&h, &thief).await.trouble.unwrap().detail.contains("cannot be used"));
        }
        // Two names, or one that would be an authority: of a request only the key is taken.
        ask(&h, &mut thief, request(&key, &[&own, &other])).await;
        assert_eq!(round(&h).await, 0);
        let mut ca = CertificateParams::new(vec![own.clone()]).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ask(&h, &mut thief, ca.serialize_request(&key).unwrap().der().to_vec()).await;
        round(&h).await;
        if held(&h, &thief).await.chain.is_some() {
            let (_, der) = chain(&h, "BJ-001").await;
            let basic_constraints = [0x55, 0x1d, 0x13];
            assert!(!der.windows(3).any(|w| w == basic_constraints), "no portal is an authority");
        }
    })
    .await;
}

#[tokio::test]
async fn a_box_that_was_replaced_or_revoked_is_issued_nothing_more() {
    on_a_hub(|h| async move {
        let mut old = h.enrolled(1, "BJ-001").await;
        let host = format!("bj-001.{PORTALS}");
        ask(&h, &mut old, request(&KeyPair::generate().unwrap(), &[&host])).await;
        let mut new = h.enrolled(3, "BJ-001").await;
        assert_eq!(round(&h).await, 0, "the old box is revoked by the new one's enrolment");
        ask(&h, &mut new, request(&KeyPair::generate().unwrap(), &[&host])).await;
        assert_eq!(round(&h).await, 1);
    })
    .await;
}
