//! Requests through the whole router, in process.

use crate::watch::board::Board;
use crate::{Clock, Config, Hub};
use axum::body::Body;
use http::{Request, Response, StatusCode};
use kulkul_model::Moment;
use kulkul_store::testing::on_both;
use tower::ServiceExt as _;

/// Runs a story on a hub over an empty register.
async fn on_hub<R: Future<Output = ()>>(story: impl Fn(Hub) -> R) {
    on_both(|store| async {
        let (clock, _hand) = Clock::simulated(Moment::parse("2026-11-24T14:32:00+08:00").unwrap());
        let config = Config::defaults(std::path::Path::new("/nowhere")).unwrap();
        story(Hub::start(config, clock, store).unwrap()).await;
    })
    .await;
}

async fn get(hub: &Hub, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (k, v) in headers {
        request = request.header(*k, *v);
    }
    hub.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |v| v.to_str().unwrap())
}

#[tokio::test]
async fn a_page_speaks_both_languages_and_is_guarded() {
    on_hub(|hub| async move {
        let id = get(&hub, "/", &[]).await;
        assert_eq!(id.status(), StatusCode::OK);
        assert!(
            header(&id, "content-security-policy").starts_with("default-src 'self'; img-src 'self' data:; ")
        );
        assert_eq!(header(&id, "x-content-type-options"), "nosniff");
        let id = text(id).await;
        assert!(id.contains("<html lang=\"id\">") && id.contains("href=\"/?lang=en\""), "{id}");
        let en = get(&hub, "/?lang=en", &[]).await;
        assert!(header(&en, "set-cookie").starts_with("kulkul_lang=en; Path=/"));
        assert!(text(en).await.contains("<html lang=\"en\">"));
    })
    .await;
}

#[tokio::test]
async fn public_answers_are_kept_compressed_and_tagged() {
    on_hub(|hub| async move {
        let headers = [("accept-encoding", "gzip, br")];
        let first = get(&hub, "/", &headers).await;
        assert_eq!(header(&first, "content-encoding"), "br");
        let tag = header(&first, "etag").to_owned();
        let again = get(&hub, "/", &[("accept-encoding", "br"), ("if-none-match", &tag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(hub.metrics().page_cache_hits.get(), 1);
        hub.set_board(Board { version: 1, ..Board::default() });
        let _ = get(&hub, "/", &headers).await;
        assert_eq!(hub.metrics().page_cache_misses.get(), 2);
        // The other language and a reader without compression have answers of their own.
        assert_eq!(header(&get(&hub, "/", &[]).await, "content-encoding"), "");
        assert_eq!(hub.metrics().page_cache_misses.get(), 3);
    })
    .await;
}

#[tokio::test]
async fn problems_are_json_for_programs_and_pages_for_people() {
    on_hub(|hub| async move {
        let page = get(&hub, "/nowhere", &[("accept", "text/html")]).await;
        assert_eq!(
            (page.status(), header(&page, "content-type")),
            (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
        );
        assert!(text(page).await.contains("Halaman ini tidak ada"));
        let json = get(&hub, "/api/v1/sites?limt=3&lang=en", &[]).await;
        assert_eq!(
            (json.status(), header(&json, "content-type")),
            (StatusCode::BAD_REQUEST, "application/problem+json")
        );
        insta::assert_snapshot!("problem_en", text(json).await);
        insta::assert_snapshot!("problem_id", text(get(&hub, "/api/v1/sites?limit=1001", &[]).await).await);
        let post = Request::post("/").header("accept-language", "en").body(Body::empty()).unwrap();
        let post = hub.router().oneshot(post).await.unwrap();
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(text(post).await.contains("This method does not work"));
    })
    .await;
}

#[tokio::test]
async fn assets_change_their_name_with_their_content() {
    on_hub(|hub| async move {
        let href = hub.assets().href("style.css").to_owned();
        let response = get(&hub, &href, &[("accept-encoding", "br")]).await;
        assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
        assert_eq!(get(&hub, "/assets/style.css", &[]).await.status(), StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn the_document_of_the_api_says_what_the_routes_are() {
    on_hub(|hub| async move {
        let document = text(get(&hub, "/api/openapi.json", &[]).await).await;
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 20, "{}", paths.len());
        for (path, methods) in paths {
            // A method that no route has is answered with those that the path has.
            let filled = path.split('/').map(|p| if p.starts_with('{') { "1" } else { p });
            let request = Request::builder().method("PURGE").uri(filled.collect::<Vec<_>>().join("/"));
            let answer = hub.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path} is no route");
            let mut routed: Vec<_> =
                header(&answer, "allow").split(',').map(str::trim).filter(|m| *m != "HEAD").collect();
            let mut told: Vec<_> = methods
                .as_object()
                .unwrap()
                .keys()
                .filter(|k| *k != "parameters")
                .map(|m| m.to_ascii_uppercase())
                .collect();
            routed.sort_unstable();
            told.sort_unstable();
            assert_eq!(routed, told, "{path}");
            for (method, operation) in methods.as_object().unwrap() {
                let said = operation["summary"].as_str().or(operation["description"].as_str());
                assert!(said.is_some_and(|s| !s.is_empty()), "{method} {path} says nothing of itself");
                let named: Vec<_> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|p| p["in"] == "path")
                    .filter_map(|p| p["name"].as_str())
                    .collect();
                for part in path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')) {
                    assert!(named.contains(&part), "{method} {path} does not say what {part} is");
                }
            }
        }
        for promised in ["/api/v1/sites", "/api/v1/outages", "/api/v1/events", "/api/v1/audit"] {
            assert!(paths.contains_key(promised), "{promised}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_metric_has_its_line_in_the_manual() {
    const MANUAL: &str = include_str!("../../../../docs/how-to/watch-a-hub.md");
    on_hub(|hub| async move {
        hub.watch().metrics().register(hub.metrics());
        // A family without members is not shown: each gets one.
        hub.watch().metrics().tally(&hub.board().tally);
        hub.watch().metrics().writer(hub.store());
        hub.metrics().request(StatusCode::OK, 1);
        let shown = hub.metrics().text();
        let shown: Vec<_> = shown
            .lines()
            .filter_map(|l| l.strip_prefix("# TYPE "))
            .filter_map(|l| l.split_once(' '))
            .map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
            .collect();
        assert!(shown.len() > 10, "{shown:?}");
        let told: Vec<_> = MANUAL
            .lines()
            .filter_map(|l| l.strip_prefix("| `")?.split_once('`'))
            .map(|(name, _)| name.split('{').next().unwrap_or_default().to_owned())
            .collect();
        let (mut shown, mut told) = (shown, told);
        shown.sort();
        told.sort();
        assert_eq!(shown, told);
    })
    .await;
}
