//! `/` and `/sites`.

use crate::Hub;
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

#[derive(Template)]
#[template(path = "sites/home.html")]
struct Home {
    page: Page,
    w: W,
}

/// The public pages about sites.
pub fn routes() -> Router<Hub> {
    Router::new().route("/", get(home))
}

async fn home(page_: Page) -> Result<Response, Problem> {
    page(&Home { w: page_.w.clone(), page: page_ })
}
