//! Signing in, forms, roles, tokens and kept answers, through the whole router on both databases.

use super::Actor;
use super::people::{self, NewPerson};
use super::tokens::{self, NewToken};
use crate::clock::Hand;
use crate::{Clock, Config, Hub};
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, StatusCode};
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::category::{Category, CategoryKey};
use kulkul_model::geometry::Point;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_model::staff::Role;
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, Store, StoreError};
use std::collections::BTreeMap;
use tower::ServiceExt as _;

/// A hub with one site, its clock, and a browser's cookies.
struct Street {
    hub: Hub,
    hand: Hand,
    cookies: BTreeMap<String, String>,
    _data: tempfile::TempDir,
}

fn start() -> Moment {
    Moment::parse("2026-11-24T14:32:00+08:00").unwrap()
}

async fn street(store: Store) -> Street {
    let (clock, hand) = Clock::simulated(start());
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::defaults(data.path()).unwrap();
    config.public_url = "http://hub.test".to_owned();
    store.write(Lane::Page, |tx| Box::pin(async move { register(tx).await })).await.unwrap();
    Street { hub: Hub::start(config, clock, store).unwrap(), hand, cookies: BTreeMap::new(), _data: data }
}

async fn register(tx: &mut kulkul_store::Tx) -> Result<(), StoreError> {
    let area = |code: &str, kind, local: &str, parent: Option<&str>| Area {
        code: AreaCode::parse(code).unwrap(),
        name: format!("Area {code}"),
        kind,
        local_kind: local.to_owned(),
        parent: parent.map(|p| AreaCode::parse(p).unwrap()),
        bps_code: None,
        centre: Point { lat: -8.6, lon: 115.2 },
    };
    kulkul_store::area::put(tx, &area("51.03", AreaKind::Regency, "kabupaten", None)).await?;
    kulkul_store::area::put(tx, &area("51.03.01", AreaKind::District, "kecamatan", Some("51.03"))).await?;
    kulkul_store::area::put(tx, &area("51.03.01.1002", AreaKind::Village, "kelurahan", Some("51.03.01")))
        .await?;
    kulkul_store::area::put(tx, &area("51.03.02", AreaKind::District, "kecamatan", Some("51.03"))).await?;
    let category = Category {
        key: CategoryKey::parse("banjar").unwrap(),
        prefix: "BJ".to_owned(),
        name_id: "Banjar".to_owned(),
        name_en: "Banjar hall".to_owned(),
        rank: 1,
        within: None,
        down_kbps: None,
        up_kbps: None,
        hides_presence: false,
    };
    kulkul_store::category::put(tx, &category).await?;
    let site = Site {
        code: SiteCode::parse("BJ-001").unwrap(),
        category: category.key,
        name: "Bale Banjar Bindu".to_owned(),
        area: AreaCode::parse("51.03.01.1002").unwrap(),
        position: Point { lat: -8.6, lon: 115.2 },
        position_quality: PositionQuality::Approximate,
        position_basis: None,
        name_quality: NameQuality::Sourced,
        source: "test".to_owned(),
        official_id: None,
        address: None,
        stage: Stage::Planned,
        down_kbps: None,
        up_kbps: None,
        upstream: None,
        revision: 1,
    };
    kulkul_store::site::insert(tx, &site).await
}

impl Street {
    async fn person(&self, name: &str, role: Role, area: Option<&str>) -> String {
        let area = area.map(|a| AreaCode::parse(a).unwrap());
        let new = NewPerson { name: name.to_owned(), full_name: String::new(), role, area };
        people::add(&self.hub, &Actor::command_line(), new).await.unwrap()
    }

    async fn token(&self, role: Role, area: Option<&str>) -> String {
        let area = area.map(|a| AreaCode::parse(a).unwrap());
        let new = NewToken { name: "test".to_owned(), role, area, days: Some(1) };
        tokens::add(&self.hub, &Actor::command_line(), new).await.unwrap().token
    }

    /// Sends a request with the browser's cookies and takes in those that come back.
    async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (k, v) in headers {
            request = request.header(*k, *v);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response: Response = self.hub.router().oneshot(request).await.unwrap();
        for set in response.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "http://hub.test")];
        self.send(Method::POST, path, &headers, &body).await
    }

    async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let csrf = self.get("/console/sign-in").await.csrf();
        self.form("/console/sign-in", &[("csrf", &csrf), ("name", name), ("password", password)]).await
    }

    /// Signs in with the one-time password and sets `own` as the person's own.
    async fn settle(&mut self, name: &str, one_time: &str, own: &str) {
        assert_eq!(self.sign_in(name, one_time).await.location(), "/console/password");
        let csrf = self.get("/console/password").await.csrf();
        let fields = [("csrf", csrf.as_str()), ("old", one_time), ("new", own), ("again", own)];
        assert_eq!(self.form("/console/password", &fields).await.location(), "/console");
    }

    async fn api(
        &mut self,
        method: Method,
        path: &str,
        token: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend_from_slice(more);
        self.send(method, path, &headers, body).await
    }
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn location(&self) -> &str {
        self.headers.get("location").map_or("", |v| v.to_str().unwrap())
    }

    fn csrf(&self) -> String {
        let (_, rest) = self.text.split_once("name=\"csrf\" value=\"").expect(&self.text);
        rest.split('"').next().unwrap().to_owned()
    }

    fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.text).expect(&self.text);
        json["code"].as_str().unwrap_or_default().to_owned()
    }
}

const OWN: &str = "hujan di sore hari";

#[tokio::test]
async fn a_person_signs_in_once_by_the_handed_out_password_then_by_their_own() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, None).await;
        assert_eq!(street.get("/console/sites").await.location(), "/console/sign-in?next=%2Fconsole%2Fsites");
        // A token planted before the sign-in is not the session's afterwards.
        street.cookies.insert("kulkul_session".to_owned(), "planted".to_owned());
        let opened = street.sign_in("AYU", &one_time).await;
        assert_eq!((opened.status, opened.location()), (StatusCode::SEE_OTHER, "/console/password"));
        let cookie = opened.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("planted"), "{cookie}");
        assert_eq!(street.get("/console").await.location(), "/console/password");
        let before = street.cookies["kulkul_session"].clone();
        let csrf = street.get("/console/password").await.csrf();
        let short = [("csrf", csrf.as_str()), ("old", &one_time), ("new", "pendek"), ("again", "pendek")];
        assert_eq!(street.form("/console/password", &short).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let good = [("csrf", csrf.as_str()), ("old", &one_time), ("new", OWN), ("again", OWN)];
        assert_eq!(street.form("/console/password", &good).await.location(), "/console");
        assert_eq!(street.get("/console").await.status, StatusCode::OK);
        // The session from before the change is over, and so is the handed-out password.
        let now = std::mem::replace(street.cookies.get_mut("kulkul_session").unwrap(), before);
        assert!(street.get("/console").await.location().starts_with("/console/sign-in"));
        street.cookies.insert("kulkul_session".to_owned(), now);
        let csrf = street.get("/console").await.csrf();
        assert_eq!(street.form("/console/sign-out", &[("csrf", &csrf)]).await.location(), "/");
        assert_eq!(street.sign_in("ayu", &one_time).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(street.sign_in("ayu", OWN).await.location(), "/console");
    })
    .await;
}

#[tokio::test]
async fn too_many_failures_wait_and_unknown_names_look_the_same() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, None).await;
        let known = street.sign_in("ayu", "salah sekali").await;
        let unknown = street.sign_in("siapa", "salah sekali").await;
        assert_eq!((known.status, unknown.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
        let (_, form) = known.text.split_once("<section").unwrap();
        let shown = form.split("</section>").next().unwrap().replace(&known.csrf(), "CSRF");
        insta::assert_snapshot!("sign_in_refused", shown);
        assert!(
            known.text.contains("Nama masuk atau sandi salah.")
                && unknown.text.contains("Nama masuk atau sandi salah.")
        );
        for _ in 0..4 {
            assert_eq!(street.sign_in("ayu", "salah sekali").await.status, StatusCode::UNAUTHORIZED);
        }
        let waiting = street.sign_in("ayu", &one_time).await;
        assert_eq!(waiting.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(waiting.headers.get("retry-after").unwrap(), "31");
        street.hand.set(start().plus_ms(31_000));
        assert_eq!(street.sign_in("ayu", &one_time).await.location(), "/console/password");
    })
    .await;
}

#[tokio::test]
async fn forms_from_elsewhere_and_old_sessions_are_refused() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, None).await;
        street.settle("ayu", &one_time, OWN).await;
        let csrf = street.get("/console").await.csrf();
        assert_eq!(street.form("/console/sign-out", &[("csrf", "0000")]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(street.form("/console/sign-out", &[]).await.status, StatusCode::FORBIDDEN);
        let body = format!("csrf={csrf}");
        let kind = ("content-type", "application/x-www-form-urlencoded");
        for elsewhere in [("origin", "http://evil.test"), ("sec-fetch-site", "cross-site")] {
            let answer = street.send(Method::POST, "/console/sign-out", &[kind, elsewhere], &body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{elsewhere:?}");
        }
        // A sign-in form without its cookie, as another site would send it.
        let session = street.cookies.clone();
        street.cookies.clear();
        let fields = [("csrf", csrf.as_str()), ("name", "ayu"), ("password", OWN)];
        assert_eq!(street.form("/console/sign-in", &fields).await.status, StatusCode::FORBIDDEN);
        street.cookies = session;
        street.hand.set(start().plus_ms(11 * 3_600_000));
        assert_eq!(street.get("/console").await.status, StatusCode::OK);
        street.hand.set(start().plus_ms(24 * 3_600_000));
        assert!(street.get("/console").await.location().starts_with("/console/sign-in"));
    })
    .await;
}

#[tokio::test]
async fn a_site_is_changed_by_form_and_two_editors_notice_each_other() {
    on_both(|store| async move {
        let mut street = street(store).await;
        let one_time = street.person("ayu", Role::Operator, Some("51.03.01")).await;
        street.settle("ayu", &one_time, OWN).await;
        let page = street.get("/console/sites/BJ-001").await;
        assert!(page.text.contains("value=\"Bale Banjar Bindu\""), "{}", page.text);
        let csrf = page.csrf();
        let fields = |name: &'static str, lat: &'static str| {
            vec![
                ("revision", "1"),
                ("name", name),
                ("area", "51.03.01.1002"),
                ("lat", lat),
                ("lon", "115.21"),
                ("position_quality", "surveyed"),
                ("stage", "installed"),
            ]
        };
        let with = |mut f: Vec<(&'static str, &'static str)>| {
            f.push(("csrf", Box::leak(csrf.clone().into_boxed_str())));
            f
        };
        let bad = street.form("/console/sites/BJ-001", &with(fields("X", "delapan"))).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            bad.text.contains("&quot;delapan&quot; bukan angka") || bad.text.contains("bukan angka"),
            "{}",
            bad.text
        );
        let saved =
            street.form("/console/sites/BJ-001", &with(fields("Bale Banjar Bindu Kaja", "-8,61"))).await;
        assert_eq!(saved.location(), "/console/sites/BJ-001?saved=1");
        let late = street.form("/console/sites/BJ-001", &with(fields("Bale Lain", "-8.62"))).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        assert!(
            late.text.contains("Bale Banjar Bindu Kaja") && late.text.contains("Bale Lain"),
            "{}",
            late.text
        );
        let audit = street.get("/console/audit").await;
        assert!(audit.text.contains("name: Bale Banjar Bindu → Bale Banjar Bindu Kaja"), "{}", audit.text);
        let issued = street.form("/console/sites/BJ-001/claim", &[("csrf", &csrf), ("hours", "72")]).await;
        assert_eq!(issued.status, StatusCode::OK);
        assert!(issued.text.contains("<code class=\"secret\">") && issued.text.contains("class=\"qr\""));
        assert!(!street.get("/console/sites/BJ-001").await.text.contains("class=\"secret\""));
    })
    .await;
}

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
