//! Stories of the link, in process, on both databases.

mod access;
mod access_points;
mod advice;
mod boxes;
mod certificates;
mod desired_states;
mod diagnostics;
mod disconnects;
mod enrolment;
mod journals;
mod orders;
mod reports;
mod retention;
mod rollouts;
mod tunnel;

use super::claims;
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
use kulkul_proof::{Head, Signer, request};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, Store, StoreError, args};
use kulkul_wire::link::{
    Anchor, Beat, BootId, Consent, Enrol, Enrolled, Entry, SessionInterim, SessionStart, SessionStop, Stamp,
};
use serde_json::Value;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt as _;

const URL: &str = "https://hub.example.go.id";
/// The domain of portals' names.
const PORTALS: &str = "wifi.example.go.id";

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
    config.portal.domain = Some(PORTALS.to_owned());
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
        self.enrol_able(seed, claim, Capabilities::default()).await
    }

    async fn enrol_able(&self, seed: u8, claim: &str, capabilities: Capabilities) -> Answer {
        let signer = Signer::from_seed(&[seed; 32]);
        let ask = Enrol {
            claim: claim.to_owned(),
            public_key: signer.public(),
            capabilities,
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

    async fn ask_from(&self, b: &Box_, path: &str, from: usize) -> Answer {
        let id = b.enrolled.gateway.to_string();
        let mut request = self.signed(&b.signer, &id, &Method::GET, path, b"");
        request.headers_mut().insert("range", format!("bytes={from}-").parse().unwrap());
        self.send(request).await
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

const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

fn usage(n: u64) -> Usage {
    Usage { up_bytes: n, down_bytes: 2 * n, up_packets: n, down_packets: n }
}

/// A session of 90 s in four entries; the first two are dated by the anchor alone.
fn a_session(b: &mut Box_) -> [SealedEntry; 4] {
    let boot = BootId([3; 16]);
    let at = |mono_ms, wall| Stamp { boot, mono_ms, wall };
    let session = SessionId([5; 16]);
    let begin = Entry::SessionStart(SessionStart {
        session,
        mac: MAC,
        addresses: vec!["10.77.0.9".parse().unwrap()],
        way_in: WayIn::ClickThrough,
        terms: Some(1),
        language: "id".to_owned(),
        limit_ms: 1,
        basis: None,
    });
    let more = Entry::SessionInterim(SessionInterim { session, age_ms: 60_000, usage: usage(700) });
    let end = SessionStop { session, age_ms: 90_000, usage: usage(900), reason: StopReason::LoggedOut };
    let wall = start();
    [
        b.seal_at(&begin, at(10_000, None)),
        b.seal_at(&more, at(70_000, None)),
        b.seal_at(&Entry::Anchor(Anchor { at: at(80_000, Some(wall)) }), at(80_000, Some(wall))),
        b.seal_at(&Entry::SessionStop(end), at(100_000, Some(wall.plus_ms(20_000)))),
    ]
}
