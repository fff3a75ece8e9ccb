//! Signing in, forms, roles, tokens and kept answers, through the whole router on both databases.

mod api;
mod certificates;
mod diagnostics;
mod reports;
mod sign_in;
mod sites;
mod tunnel;
mod updates;

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

/// A password that a person set.
const OWN: &str = "hujan di sore hari";
