//! Who is online, and ending it: over the API, down to what the box is told.

use super::*;
use crate::access::sessions::disconnect;
use crate::fleet::{follower, retention};
use crate::staff::Actor;
use crate::staff::tokens::{self, NewToken};
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;
use kulkul_store::{audit, disconnect as kept};
use kulkul_wire::link::desired::RevokedSection;
use serde_json::json;

const MINUTE: i64 = 60_000;

fn began(n: u8) -> Entry {
    Entry::SessionStart(SessionStart {
        session: SessionId([n; 16]),
        mac: Mac([2, 0, 0, 0, 0, n]),
        addresses: Vec::new(),
        way_in: WayIn::ClickThrough,
        terms: Some(1),
        language: "id".to_owned(),
        limit_ms: 2 * 3_600_000,
        basis: None,
    })
}

impl House {
    pub(super) async fn told(&self, b: &mut Box_, entry: &Entry) {
        let stamp = Stamp { boot: BootId([1; 16]), mono_ms: 1_000, wall: Some(self.now()) };
        let sealed = b.seal_at(entry, stamp);
        let answer = self.deliver(&b.enrolled.gateway, &[&sealed.bytes]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    }

    async fn ended(&self, place: &str) -> RevokedSection {
        serde_json::from_value(self.section(place, "revoked").await).unwrap()
    }

    pub(super) async fn token(&self, role: Role) -> String {
        let new = NewToken { name: role.as_str().to_owned(), role, area: None, days: None };
        tokens::add(&self.hub, &Actor::command_line(), new).await.unwrap().token
    }

    pub(super) async fn call(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

#[tokio::test]
async fn a_disconnect_is_in_the_desired_state_at_once_and_ends_by_itself() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        h.enrolled(2, "BJ-002").await;
        let by = Actor::command_line();
        let session = SessionId([1; 16]);
        assert_eq!(disconnect(&h.hub, &by, session, None).await.unwrap_err().code(), "session-unknown");
        h.told(&mut b, &began(1)).await;
        for minutes in [0, 1_441] {
            let refused = disconnect(&h.hub, &by, session, Some(minutes)).await.unwrap_err();
            assert_eq!(refused.code(), "disconnect-minutes");
        }
        assert!(h.ended("BJ-001").await.sessions.is_empty(), "what was refused ends nothing");

        let newest = || h.hub.fleet().known(&b.enrolled.gateway).unwrap().newest().unwrap();
        let before = newest();
        let until = disconnect(&h.hub, &by, session, Some(5)).await.unwrap();
        assert_eq!(until, h.now().plus_ms(5 * MINUTE));
        assert!(newest() > before, "the long poll of the box ends");
        let told = h.ended("BJ-001").await.sessions;
        assert_eq!(told.iter().map(|s| (s.session, s.until)).collect::<Vec<_>>(), [(session, until)]);
        assert!(h.ended("BJ-002").await.sessions.is_empty(), "other places do not hear of it");
        let longer = disconnect(&h.hub, &by, session, Some(9)).await.unwrap();
        disconnect(&h.hub, &by, session, Some(1)).await.unwrap();
        assert_eq!(h.ended("BJ-001").await.sessions[0].until, longer, "the later end counts");

        let stop = SessionStop { session, age_ms: 5, usage: usage(5), reason: StopReason::Disconnected };
        h.told(&mut b, &Entry::SessionStop(stop)).await;
        assert_eq!(disconnect(&h.hub, &by, session, None).await.unwrap_err().code(), "session-over");
        assert_eq!(h.ended("BJ-001").await.sessions.len(), 1, "its device stays out until then");
        h.hand.set(longer);
        follower::refresh_all(&h.hub).await.unwrap();
        assert!(h.ended("BJ-001").await.sessions.is_empty());

        let mut tx = h.hub.store().reader().await.unwrap();
        let noted = audit::list_object(&mut tx, "session", &session.to_string(), i64::MAX, 9).await.unwrap();
        assert_eq!((noted.len(), noted[0].1.who.as_str(), noted[0].1.act.as_str()), (3, "cli", "disconnect"));
        let held = kept::of_site(&mut tx, &site("BJ-001"), Moment::EPOCH, 9).await.unwrap();
        drop(tx);
        assert_eq!(held.len(), 1, "kept for a day");
        retention::forget(&h.hub, longer.plus_ms(24 * 60 * MINUTE + 1)).await.unwrap();
        let mut tx = h.hub.store().reader().await.unwrap();
        assert!(kept::of_site(&mut tx, &site("BJ-001"), Moment::EPOCH, 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_api_lists_who_is_online_and_ends_a_session_for_who_may() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let mut other = h.enrolled(2, "BJ-002").await;
        h.told(&mut b, &began(1)).await;
        h.hand.set(h.now().plus_ms(40 * MINUTE));
        h.told(&mut other, &began(2)).await;
        h.hand.set(h.now().plus_ms(1_000));
        h.told(&mut b, &began(3)).await;

        let (operator, reader) = (h.token(Role::Operator).await, h.token(Role::Auditor).await);
        let list = async |query: &str| {
            let answer = h.call(&reader, Method::GET, &format!("/api/v1/sessions{query}"), json!(null)).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
            let json = answer.json();
            let ids = json["items"].as_array().unwrap().iter();
            let ids: String = ids.map(|s| s["id"].as_str().unwrap()[..2].to_owned() + " ").collect();
            (ids, json)
        };
        assert_eq!(list("").await.0, "03 02 01 ");
        assert_eq!(list("?online=true").await.0, "03 02 ", "nobody heard of the first for forty minutes");
        assert_eq!(list("?online=true&site=BJ-001").await.0, "03 ");
        let (first, page) = list("?limit=2").await;
        let next = page["next"].as_str().unwrap().to_owned();
        assert_eq!(
            (first.as_str(), list(&format!("?limit=2&cursor={next}")).await.0.as_str()),
            ("03 02 ", "01 ")
        );
        assert!(!page.to_string().contains("02:00:00"), "a device's address is told to nobody: {page}");

        let path = format!("/api/v1/sessions/{}/disconnect", SessionId([3; 16]));
        let refused = h.call(&reader, Method::POST, &path, json!({})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "not-operator"));
        let elsewhere = AreaCode::parse("51.04").ok();
        let stranger = Actor { who: "token:x".to_owned(), role: Role::Operator, area: elsewhere };
        let refused = disconnect(&h.hub, &stranger, SessionId([3; 16]), None).await.unwrap_err();
        assert_eq!(refused.code(), "not-your-area");
        let nothing = h.call(&operator, Method::POST, "/api/v1/sessions/x/disconnect", json!({})).await;
        assert_eq!(nothing.status, StatusCode::NOT_FOUND);
        let odd = h.call(&operator, Method::POST, &path, json!({"hours": 1})).await;
        assert!(odd.status.is_client_error(), "{}", odd.status);
        assert!(h.ended("BJ-001").await.sessions.is_empty());
        let done = h.call(&operator, Method::POST, &path, json!({"minutes": 30})).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.json());
        let until = Moment::parse(done.json()["until"].as_str().unwrap()).unwrap();
        assert_eq!(until, h.ended("BJ-001").await.sessions[0].until);
    })
    .await;
}
