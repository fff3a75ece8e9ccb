//! Requests through the whole router, in process.

use crate::watch::board::Board;
use crate::{Clock, Config, Hub};
use axum::body::Body;
use http::{Request, Response, StatusCode};
use kulkul_model::Moment;
use kulkul_store::testing::Temporary;
use tower::ServiceExt as _;

/// A hub over an empty register; the directory of its database goes away with the second value.
async fn hub() -> (Hub, Temporary) {
    let (clock, _hand) = Clock::simulated(Moment::parse("2026-11-24T14:32:00+08:00").unwrap());
    let temporary = Temporary::migrated().await;
    let config = Config::defaults(std::path::Path::new("/nowhere")).unwrap();
    (Hub::start(config, clock, temporary.store.clone()).unwrap(), temporary)
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
    let (hub, _temporary) = hub().await;
    let id = get(&hub, "/", &[]).await;
    assert_eq!(id.status(), StatusCode::OK);
    assert!(header(&id, "content-security-policy").starts_with("default-src 'self'; img-src 'self' data:; "));
    assert_eq!(header(&id, "x-content-type-options"), "nosniff");
    let id = text(id).await;
    assert!(id.contains("<html lang=\"id\">") && id.contains("href=\"/?lang=en\""), "{id}");
    let en = get(&hub, "/?lang=en", &[]).await;
    assert!(header(&en, "set-cookie").starts_with("kulkul_lang=en; Path=/"));
    assert!(text(en).await.contains("<html lang=\"en\">"));
}

#[tokio::test]
async fn public_answers_are_kept_compressed_and_tagged() {
    let (hub, _temporary) = hub().await;
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
}

#[tokio::test]
async fn problems_are_json_for_programs_and_pages_for_people() {
    let (hub, _temporary) = hub().await;
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
}

#[tokio::test]
async fn assets_change_their_name_with_their_content() {
    let (hub, _temporary) = hub().await;
    let href = hub.assets().href("style.css").to_owned();
    let response = get(&hub, &href, &[("accept-encoding", "br")]).await;
    assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&response, "content-type"), "text/css; charset=utf-8");
    assert_eq!(get(&hub, "/assets/style.css", &[]).await.status(), StatusCode::NOT_FOUND);
}
