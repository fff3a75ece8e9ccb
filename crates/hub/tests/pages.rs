//! The public pages and the API over the real register with invented states, in process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

mod invented;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use kulkul_hub::{Clock, Config, Hub};
use kulkul_model::Moment;
use kulkul_model::state::{Observed, Sign};
use kulkul_store::testing::on_both;
use std::collections::BTreeSet;
use tower::ServiceExt as _;

/// Runs a story on a hub with the invented board.
async fn on_hub<R: Future<Output = ()>>(story: impl Fn(Hub) -> R) {
    on_both(|store| async {
        let now = Moment::parse("2026-11-24T14:32:00+08:00").unwrap();
        let (clock, _hand) = Clock::simulated(now);
        let config = Config::defaults(std::path::Path::new("/nowhere")).unwrap();
        let hub = Hub::start(config, clock, store).unwrap();
        hub.set_board(invented::board(1, now));
        story(hub).await;
    })
    .await;
}

async fn get(hub: &Hub, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = hub.router().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn json(hub: &Hub, path: &str) -> serde_json::Value {
    let (status, body) = get(hub, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// The part of a page marked `data-live="name"`, one element a line.
fn part(html: &str, name: &str) -> String {
    let mark = format!("data-live=\"{name}\"");
    let at = html.find(&mark).unwrap_or_else(|| panic!("no part {name}"));
    let from = html[..at].rfind('<').unwrap();
    let tag: String = html[from + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let (mut depth, mut end) = (0, from);
    loop {
        let next_close = html[end..].find(&close).unwrap() + end;
        match html[end..next_close].find(&open) {
            Some(next_open) => {
                depth += 1;
                end += next_open + open.len();
            }
            None => {
                depth -= 1;
                end = next_close + close.len();
                if depth == 0 {
                    return html[from..end].replace("><", ">\n<");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_front_page_answers_its_question() {
    on_hub(|hub| async move {
        let (status, id) = get(&hub, "/").await;
        assert_eq!(status, StatusCode::OK);
        insta::assert_snapshot!("home-headline", part(&id, "headline"));
        insta::assert_snapshot!("home-chips", part(&id, "chips"));
        insta::assert_snapshot!("home-down", part(&id, "down"));
        insta::assert_snapshot!("home-by-district", part(&id, "by-district"));
        let (_, en) = get(&hub, "/?lang=en").await;
        insta::assert_snapshot!("home-headline-en", part(&en, "headline"));
        insta::assert_snapshot!("home-down-en", part(&en, "down"));
    })
    .await;
}

#[tokio::test]
async fn the_map_shows_every_site_once_and_what_is_a_guess() {
    on_hub(|hub| async move {
        let (_, html) = get(&hub, "/").await;
        assert_eq!(html.matches("<title>").count() - 1, 987, "a title for each point, and the page's own");
        assert_eq!(html.matches(" known\" tabindex").count(), 9);
        let map = &html[html.find("<svg class=\"regency").unwrap()..];
        let ground =
            &map[map.find("<g class=\"ground\">").unwrap()..map.find("<g class=\"points\">").unwrap()];
        assert!(ground.len() < 40_000, "{} bytes of outlines", ground.len());
        let names: Vec<&str> = ground.split("<text class=\"name ").skip(1).collect();
        assert_eq!(names.len(), 6);
        assert!(
            names.iter().all(|n| n.starts_with("end") || n.starts_with("start")),
            "all stand beside the land"
        );
        let (_, bare) = get(&hub, "/?map=off").await;
        assert!(!bare.contains("<svg class=\"regency"));
        let (_, only) = get(&hub, "/?sign=down").await;
        assert!(only.contains("<svg class=\"regency only-down\""));
    })
    .await;
}

#[tokio::test]
async fn a_place_says_what_is_known_and_what_is_not() {
    on_hub(|hub| async move {
        let (_, html) = get(&hub, "/sites/BJ-001").await;
        insta::assert_snapshot!("site-state", part(&html, "state"));
        insta::assert_snapshot!("site-gets", part(&html, "gets"));
        assert!(html.contains("class=\"guess\""), "a guessed position is ringed");
        assert!(html.contains("<dd lang=\"en\">spread inside village polygon</dd>"), "notes of the register");
        let board = hub.board();
        let silent = |observed| {
            board.sites.values().find(|s| s.silent && s.observed == observed).unwrap().site.code.clone()
        };
        let (_, html) = get(&hub, &format!("/sites/{}", silent(Observed::Up))).await;
        insta::assert_snapshot!("site-silent", part(&html, "notices"));
        let (_, html) = get(&hub, &format!("/sites/{}", silent(Observed::Down))).await;
        insta::assert_snapshot!("site-silent-down", part(&html, "notices"));
        let school = board.sites.values().find(|s| s.site.category.as_str() == "sd_negeri").unwrap();
        let (_, html) = get(&hub, &format!("/sites/{}", school.site.code)).await;
        assert!(!html.contains("<dt>Orang daring</dt>"));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_looked_for() {
    on_hub(|hub| async move {
        let (status, html) = get(&hub, "/sites/bj1").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(html.contains("href=\"/sites/BJ-001\""));
        assert!(html.contains("<h1>Titik tidak ditemukan</h1><p>Tidak ada titik dengan kode"), "{html}");
        let (status, html) = get(&hub, "/sites/%3Cscript%3E").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(!html.contains("<script>"), "what was typed is text");
        let (status, html) = get(&hub, "/areas/99.99?lang=en").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(html.contains("<h1>Area not found</h1><p>There is no area with the code"), "{html}");
        let (status, html) = get(&hub, "/sites?q=zzzzzz&area=nonsense&sign=blue").await;
        assert_eq!(status, StatusCode::OK);
        assert!(html.contains("Tidak ada titik yang cocok"));
    })
    .await;
}

#[tokio::test]
async fn an_area_adds_up() {
    on_hub(|hub| async move {
        let (_, html) = get(&hub, "/areas/51.03.05").await;
        insta::assert_snapshot!("area-headline", part(&html, "headline"));
        insta::assert_snapshot!("area-children", part(&html, "by-area"));
        let (status, html) = get(&hub, "/areas/51.03.40001").await;
        assert_eq!(status, StatusCode::OK);
        assert!(html.contains("Pulau Nusa Pudut"));
        let (_, html) = get(&hub, "/areas/51.03?lang=en").await;
        assert!(html.contains("Badung Regency") && html.contains("href=\"/areas/51.03.40001\""));
    })
    .await;
}

#[tokio::test]
async fn the_api_says_what_it_promises() {
    on_hub(|hub| async move {
        insta::assert_json_snapshot!("api-site", json(&hub, "/api/v1/sites/BJ-001").await);
        insta::assert_json_snapshot!("api-area", json(&hub, "/api/v1/areas/51.03.04").await);
        for path in ["/api/v1/sites/BJ-99999", "/api/v1/sites/x", "/api/v1/areas/99", "/api/v1/areas/x"] {
            assert_eq!(get(&hub, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        for path in [
            "/api/v1/sites?colour=red",
            "/api/v1/sites?state=blue",
            "/api/v1/sites?limit=1001",
            "/api/v1/sites?limit=0",
            "/api/v1/sites?cursor=%21",
            "/api/v1/areas?q=kuta",
        ] {
            assert_eq!(get(&hub, path).await.0, StatusCode::BAD_REQUEST, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_api_filters_by_what_is_observed() {
    on_hub(|hub| async move {
        let down = json(&hub, "/api/v1/sites?state=down&area=51.03.04&category=banjar&limit=1000").await;
        let items = down["items"].as_array().unwrap();
        assert!(!items.is_empty());
        for item in items {
            assert_eq!((&item["observed"], &item["category"]), (&"down".into(), &"banjar".into()));
            assert!(item["area"].as_str().unwrap().starts_with("51.03.04"));
        }
        let found = json(&hub, "/api/v1/sites?q=pemaron%20MUNGGU").await;
        assert_eq!(found["items"][0]["code"], "BJ-001");
        assert!(found["items"].as_array().unwrap().len() < 10, "both words must be there");
    })
    .await;
}

#[tokio::test]
async fn people_are_told_of_from_five_on_and_never_at_schools() {
    on_hub(|hub| async move {
        let all = json(&hub, "/api/v1/sites?limit=1000").await;
        let mut told = 0;
        for item in all["items"].as_array().unwrap() {
            if let Some(n) = item["people_online"].as_u64() {
                told += 1;
                assert!(n >= 5);
                let category = item["category"].as_str().unwrap();
                assert!(category != "sd_negeri" && category != "smp_negeri");
            }
        }
        assert!(told > 100);
    })
    .await;
}

#[tokio::test]
async fn cursors_lead_through_all_sites_once() {
    on_hub(|hub| async move {
        let mut seen = BTreeSet::new();
        let mut path = "/api/v1/sites?limit=100".to_owned();
        loop {
            let page = json(&hub, &path).await;
            for item in page["items"].as_array().unwrap() {
                assert!(seen.insert(item["code"].as_str().unwrap().to_owned()));
            }
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/sites?limit=100&cursor={next}");
        }
        assert_eq!(seen.len(), 987);
    })
    .await;
}

#[tokio::test]
async fn what_the_list_shows_comes_as_a_file_too() {
    on_hub(|hub| async move {
        let (_, html) = get(&hub, "/sites?area=51.03.04&sign=down").await;
        let href = "/api/v1/sites.csv?area=51.03.04&amp;sign=down";
        assert!(html.contains(href) || html.contains(&href.replace("&amp;", "&#38;")), "{html}");
        let wanted = hub
            .board()
            .sites
            .values()
            .filter(|s| s.sign == Sign::Down && s.site.area.as_str().starts_with("51.03.04"))
            .count();
        assert!(wanted > 10);
        // The second answer comes from the cache and is the same.
        for _ in 0..2 {
            let request =
                Request::get("/api/v1/sites.csv?area=51.03.04&sign=down").body(Body::empty()).unwrap();
            let response = hub.router().oneshot(request).await.unwrap();
            assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
            assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"sites.csv\"");
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            let text = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(text.to_vec()).unwrap();
            let mut lines = text.lines();
            assert!(lines.next().unwrap().ends_with("upstream,observed,expected,since,seen_at"));
            assert_eq!(lines.clone().count(), wanted);
            assert!(lines.all(|line| line.contains(",down,open,")));
        }
        let (status, geo) = get(&hub, "/api/v1/sites.geojson?category=puskesmas").await;
        let geo: serde_json::Value = serde_json::from_str(&geo).unwrap();
        assert_eq!((status, geo["features"].as_array().unwrap().len()), (StatusCode::OK, 13));
        assert_eq!(geo["features"][0]["properties"]["observed"], "up");
        let (status, problem) = get(&hub, "/api/v1/sites.csv?sgin=down").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(problem.contains("sign"), "{problem}");
    })
    .await;
}
