//! Stories of the link, in process, on both databases.

use super::{claims, desired, follower, sessions};
use crate::clock::Hand;
use crate::{Clock, Config, Hub};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use kulkul_model::Moment;
use kulkul_model::claim::ClaimCode;
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_model::session::{Mac, SessionId, StopReason, Usage, WayIn};
use kulkul_model::site::SiteCode;
use kulkul_proof::entry::{SealedEntry, seal};
use kulkul_proof::{Head, KeyRing, Signer, manifest, request};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, Store, StoreError, args, audit, gateway, journal};
use kulkul_wire::link::{
    Anchor, Beat, BeatAnswer, BootId, Consent, Digest, Enrol, Enrolled, Entry, Sealed, SessionInterim,
    SessionStart, SessionStop, Stamp, TimeAnswer, Version,
};
use serde_json::Value;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt as _;

mod boxes;

const URL: &str = "https://hub.example.go.id";

fn start() -> Moment {
    Moment::parse("2026-11-24T14:32:00+08:00").unwrap()
}

/// A hub with two sites.
struct House {
    hub: Hub,
    hand: Hand,
    nonce: AtomicU64,
    _data: tempfile::TempDir,
}

/// An answer, read.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

async fn on_a_hub<R: Future<Output = ()>>(story: impl Fn(House) -> R) {
    on_both(|store| async {
        register(&store).await;
        let (clock, hand) = Clock::simulated(start());
        story(house(store, clock, hand)).await;
    })
    .await;
}

fn house(store: Store, clock: Clock, hand: Hand) -> House {
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::defaults(data.path()).unwrap();
    config.public_url = URL.to_owned();
    config.data = data.path().to_owned();
    let hub = Hub::start(config, clock, store).unwrap();
    House { hub, hand, nonce: AtomicU64::new(1), _data: data }
}

async fn register(store: &Store) {
    store
        .write(Lane::Page, |tx| {
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO area (code, name, kind, local_kind, parent, bps_code, lat, lon)
                     VALUES ('51.03', 'Badung', 'regency', 'kabupaten', NULL, NULL, -8.5, 115.1)",
                    args![],
                )
                .await?;
                tx.execute(
                    "INSERT INTO category (key, prefix, name_id, name_en, rank, within, down_kbps, up_kbps,
                         hides_presence)
                     VALUES ('banjar', 'BJ', 'Banjar', 'Banjar', 1, NULL, NULL, NULL, $1)",
                    args![false],
                )
                .await?;
                for code in ["BJ-001", "BJ-002"] {
                    tx.execute(
                        "INSERT INTO site (code, category, name, area, lat, lon, position_quality,
                             position_basis, name_quality, source, official_id, address, stage, down_kbps,
                             up_kbps, upstream, revision, search)
                         VALUES ($1, 'banjar', 'Banjar Gaji', '51.03', -8.5, 115.1, 'surveyed', NULL,
                             'sourced', 'test', NULL, NULL, 'accepted', NULL, NULL, NULL, 1, 'x')",
                        args![code],
                    )
                    .await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

fn site(code: &str) -> SiteCode {
    SiteCode::parse(code).unwrap()
}

impl House {
    fn now(&self) -> Moment {
        self.hub.clock().now()
    }

    async fn claim(&self, code: &str) -> ClaimCode {
        claims::issue(&self.hub, site(code), "staff:test".to_owned(), None).await.unwrap().code
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.hub.router().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, body }
    }

    fn signed(
        &self,
        signer: &Signer,
        keyid: &str,
        method: &Method,
        path: &str,
        body: &[u8],
    ) -> Request<Body> {
        let nonce = format!("{:032x}", self.nonce.fetch_add(1, Ordering::Relaxed));
        let target = format!("{URL}{path}");
        let out = request::sign(signer, keyid, (method.as_str(), &target), body, self.now(), &nonce);
        Request::builder()
            .method(method)
            .uri(path)
            .header("content-digest", out.content_digest)
            .header("signature-input", out.signature_input)
            .header("signature", out.signature)
            .body(Body::from(body.to_vec()))
            .unwrap()
    }

    async fn enrol(&self, seed: u8, claim: &str) -> Answer {
        let signer = Signer::from_seed(&[seed; 32]);
        let ask = Enrol {
            claim: claim.to_owned(),
            public_key: signer.public(),
            capabilities: Capabilities::default(),
            hardware: "test".to_owned(),
        };
        let body = serde_json::to_vec(&ask).unwrap();
        let keyid = signer.public().to_string();
        self.send(self.signed(&signer, &keyid, &Method::POST, "/link/v1/enrol", &body)).await
    }

    async fn enrolled(&self, seed: u8, code: &str) -> Box_ {
        let claim = self.claim(code).await;
        let answer = self.enrol(seed, &claim.shown()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        let enrolled: Enrolled = serde_json::from_slice(&answer.body).unwrap();
        Box_ { signer: Signer::from_seed(&[seed; 32]), enrolled, head: Head::default() }
    }

    async fn ask(&self, b: &Box_, method: Method, path: &str, body: &[u8]) -> Answer {
        let id = b.enrolled.gateway.to_string();
        self.send(self.signed(&b.signer, &id, &method, path, body)).await
    }

    async fn deliver(&self, id: &GatewayId, sealed: &[&[u8]]) -> Answer {
        let path = format!("/link/v1/journal?gateway={id}");
        self.send(Request::post(path).body(Body::from(sealed.concat())).unwrap()).await
    }
}

/// A box that has enrolled.
struct Box_ {
    signer: Signer,
    enrolled: Enrolled,
    head: Head,
}

impl Box_ {
    fn seal_at(&mut self, entry: &Entry, stamp: Stamp) -> SealedEntry {
        let mut salts = || [7; 16];
        let sealed = seal(&self.signer, &self.enrolled.gateway, self.head, entry, stamp, &mut salts);
        self.head = sealed.head;
        sealed
    }

    fn seal(&mut self, entry: &Entry) -> SealedEntry {
        self.seal_at(entry, Stamp { boot: BootId([1; 16]), mono_ms: 1_000, wall: Some(start()) })
    }

    fn counts(&mut self, n: u64) -> Vec<SealedEntry> {
        (0..n).map(|count| self.seal(&Entry::Consent(Consent { terms: 1, count }))).collect()
    }
}

fn beat() -> Vec<u8> {
    let beat = Beat {
        boot: BootId([1; 16]),
        mono_ms: 5,
        wall_ms: None,
        desired: None,
        journal_head: 0,
        minutes: Vec::new(),
        people: 12,
        checkpoint: None,
    };
    serde_json::to_vec(&beat).unwrap()
}

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

#[tokio::test]
async fn a_desired_state_is_signed_and_a_change_ends_the_wait() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let ring = KeyRing::trust(&b.enrolled.hub_keys, None).unwrap();
        let first = h.ask(&b, Method::GET, "/link/v1/desired?have=0.0&wait=0", b"").await;
        let opened = manifest::open(&ring, &b.enrolled.gateway, None, &first.body, Some(h.now())).unwrap();
        assert_eq!(opened.version, b.enrolled.desired);
        let section = opened.sections.iter().find(|s| s.name == "site").unwrap();
        let blob = h.ask(&b, Method::GET, &format!("/link/v1/blobs/{}", section.sha256), b"").await;
        assert_eq!(Digest::of(&blob.body), section.sha256);
        assert_eq!(blob.json()["area_path"][0], "Badung");
        let have = format!("/link/v1/desired?have={}&wait=0", opened.version);
        assert_eq!(h.ask(&b, Method::GET, &have, b"").await.status, StatusCode::NOT_MODIFIED);
        // Nothing changed: nothing is made anew.
        assert_eq!(follower::refresh_all(&h.hub).await.unwrap(), 0);
        let known = h.hub.fleet().known(&b.enrolled.gateway).unwrap();
        let waiting = tokio::spawn({
            let (hub, known, have) = (h.hub.clone(), known.clone(), known.newest());
            async move { desired::wait_newer(&hub, &known, have, 30_000).await }
        });
        tokio::task::yield_now().await;
        let plan = r#"{"session_ms": 3600000}"#;
        h.hub
            .store()
            .write(Lane::Page, move |tx| Box::pin(kulkul_store::setting::put(tx, "desired.plan", plan)))
            .await
            .unwrap();
        assert_eq!(follower::refresh_all(&h.hub).await.unwrap(), 1);
        waiting.await.unwrap();
        let Version { epoch, counter } = opened.version;
        assert_eq!(known.newest(), Some(Version { epoch, counter: counter + 1 }));
    })
    .await;
}

#[tokio::test]
async fn a_journal_is_held_once_whatever_repeats_or_is_skipped() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let all = b.counts(5);
        let e: Vec<&[u8]> = all.iter().map(|s| s.bytes.as_slice()).collect();
        let held = |a: &Answer| a.json()["held_through"].as_u64();
        assert_eq!(held(&h.deliver(&id, &e[..2]).await), Some(2));
        let skipped = h.deliver(&id, &e[3..]).await;
        assert_eq!((skipped.status, skipped.json()["expected"].as_u64()), (StatusCode::CONFLICT, Some(3)));
        assert_eq!(held(&h.deliver(&id, &e[..4]).await), Some(4), "repeats are taken and change nothing");
        assert_eq!(held(&h.deliver(&id, &e[..1]).await), Some(4));
        // A hub that was killed after the commit and before its answer: another one goes on.
        let again = house(h.hub.store().clone(), h.hub.clock().clone(), h.hand.clone());
        assert_eq!(held(&again.deliver(&id, &e).await), Some(5));
        let mut tx = h.hub.store().reader().await.unwrap();
        let kept = journal::list(&mut tx, &id, 1, 100).await.unwrap();
        assert_eq!(kept.iter().map(|k| k.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(kept.iter().zip(&e).all(|(k, e)| k.2 == *e), "kept as they came");
    })
    .await;
}

#[tokio::test]
async fn a_changed_byte_is_kept_aside_and_loses_nothing() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let all = b.counts(3);
        let mut bad = all[1].bytes.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        let answer = h.deliver(&id, &[&all[0].bytes, &bad, &all[2].bytes]).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "journal-broken")
        );
        assert_eq!(answer.json()["held_through"], 1, "what came before it is held");
        h.deliver(&id, &[&bad]).await;
        let mut tx = h.hub.store().reader().await.unwrap();
        let aside = journal::aside(&mut tx, &id).await.unwrap();
        assert_eq!(aside.len(), 1, "the same thing is kept aside once");
        assert_eq!(aside[0].2, bad);
        drop(tx);
        let good = h.deliver(&id, &[&all[1].bytes, &all[2].bytes]).await;
        assert_eq!(good.json()["held_through"], 3);
        let garbage = h.deliver(&id, &[b"\xff\xff"]).await;
        assert_eq!(garbage.status, StatusCode::UNPROCESSABLE_ENTITY);
        let nobody = h.deliver(&GatewayId::from_bits(5), &[&all[0].bytes]).await;
        assert_eq!(nobody.code(), "gateway-unknown");
    })
    .await;
}

#[tokio::test]
async fn sessions_are_merged_in_any_order_and_dated_by_the_anchor() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let boot = BootId([3; 16]);
        let at = |mono_ms, wall| Stamp { boot, mono_ms, wall };
        let session = SessionId([5; 16]);
        let usage = |n| Usage { up_bytes: n, down_bytes: 2 * n, up_packets: n, down_packets: n };
        let mac = Mac([2, 0, 0, 0, 0, 1]);
        let begin = Entry::SessionStart(SessionStart {
            session,
            mac,
            addresses: vec!["10.77.0.9".parse().unwrap()],
            way_in: WayIn::ClickThrough,
            terms: Some(1),
            language: "id".to_owned(),
            limit_ms: 1,
        });
        let more = Entry::SessionInterim(SessionInterim { session, age_ms: 60_000, usage: usage(700) });
        let end = SessionStop { session, age_ms: 90_000, usage: usage(900), reason: StopReason::LoggedOut };
        let wall = start();
        let sealed = [
            b.seal_at(&begin, at(10_000, None)),
            b.seal_at(&more, at(70_000, None)),
            b.seal_at(&Entry::Anchor(Anchor { at: at(80_000, Some(wall)) }), at(80_000, Some(wall))),
            b.seal_at(&Entry::SessionStop(end), at(100_000, Some(wall.plus_ms(20_000)))),
        ];
        for s in &sealed {
            assert_eq!(h.deliver(&id, &[&s.bytes]).await.status, StatusCode::OK);
        }
        let (list, next) = sessions::list(&h.hub, Some(&site("BJ-001")), None, 10).await.unwrap();
        assert_eq!((list.len(), next), (1, None));
        assert_eq!(list[0].began_at, Some(wall.plus_ms(-70_000)));
        assert_eq!((list[0].lasted_ms, list[0].ended), (90_000, Some(StopReason::LoggedOut)));
        assert_eq!(list[0].usage, usage(900));
        let device = list[0].device.clone().unwrap();
        assert_eq!(device, h.hub.fleet().keys().unwrap().device(mac));
        assert!(!device.contains(&hex::encode(mac.0)), "the address itself is not shown");
        assert!(sessions::list(&h.hub, Some(&site("BJ-002")), None, 10).await.unwrap().0.is_empty());

        // Ninety days later the hub forgets it, and keeps a chain that can still be checked.
        let keep = super::retention::KEEP_MS;
        assert_eq!(super::retention::forget(&h.hub, h.now()).await.unwrap(), (0, 0));
        let later = wall.plus_ms(keep + 60_000);
        assert_eq!(super::retention::forget(&h.hub, later).await.unwrap(), (1, 3));
        assert_eq!(super::retention::forget(&h.hub, later).await.unwrap(), (0, 0));
        assert!(sessions::list(&h.hub, Some(&site("BJ-001")), None, 10).await.unwrap().0.is_empty());
        let mut tx = h.hub.store().reader().await.unwrap();
        let held = journal::list(&mut tx, &id, 1, 10).await.unwrap();
        assert_eq!(held.len(), 4);
        for ((_, _, kept), sent) in held.iter().zip(&sealed) {
            let (kept, sent) = (Sealed::decode(kept).unwrap(), Sealed::decode(&sent.bytes).unwrap());
            assert_eq!(kept.cose, sent.cose, "header and signature stay");
            assert_eq!(kept.parts.len(), sent.parts.len());
        }
        let left =
            held.iter().filter(|(_, _, s)| Sealed::decode(s).unwrap().parts.iter().any(Option::is_some));
        assert_eq!(left.count(), 1, "only the anchor keeps its payload");
    })
    .await;
}

#[tokio::test]
async fn a_backlog_of_ten_thousand_is_taken_in_bounded_batches() {
    let temporary = kulkul_store::testing::Temporary::migrated().await;
    register(&temporary.store).await;
    let (clock, hand) = Clock::simulated(start());
    let h = house(temporary.store.clone(), clock, hand);
    let mut b = h.enrolled(1, "BJ-001").await;
    let id = b.enrolled.gateway.clone();
    let all = b.counts(10_000);
    let too_much: Vec<&[u8]> = all.iter().map(|s| s.bytes.as_slice()).collect();
    assert_eq!(h.deliver(&id, &too_much).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let real = Clock::machine();
    let began = real.now();
    for batch in all.chunks(1_000) {
        let batch: Vec<&[u8]> = batch.iter().map(|s| s.bytes.as_slice()).collect();
        assert_eq!(h.deliver(&id, &batch).await.status, StatusCode::OK);
    }
    let took = real.now().since_ms(began).max(1);
    println!("10,000 entries proven and kept in {took} ms: {} a second", 10_000_000 / took);
    let (router, keyid) = (h.hub.router(), id.to_string());
    let began = real.now();
    for _ in 0..500 {
        let request = h.signed(&b.signer, &keyid, &Method::POST, "/link/v1/beat", &beat());
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
    println!("a beat, signed and taken: {} us", real.now().since_ms(began) * 2);
    let mut tx = h.hub.store().reader().await.unwrap();
    assert_eq!(journal::head(&mut tx, &id).await.unwrap().unwrap().seq, 10_000);
}
