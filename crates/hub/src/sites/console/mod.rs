//! `/console/sites`: finding a place, changing it, and letting a box enrol there.

mod claim;
mod edit;
mod form;
mod list;

use crate::Hub;
use crate::console::Choice;
use crate::web::{Problem, W};
use axum::Router;
use axum::routing::{get, post};
use kulkul_model::Refusal;
use kulkul_model::site::{Site, SiteCode, Stage};
use kulkul_store::site;

/// Console pages about sites.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/console/sites", get(list::show))
        .route("/console/sites/{code}", get(edit::show).post(edit::save))
        .route("/console/sites/{code}/claim", get(claim::back).post(claim::issue))
        .route("/console/sites/{code}/claim/{id}/withdraw", post(claim::withdraw))
}

fn stages(w: &W, chosen: &str) -> Vec<Choice> {
    Choice::among(Stage::ALL.iter().map(|s| (s.as_str().to_owned(), w.of("stage", s.as_str()))), chosen)
}

async fn find(hub: &Hub, code: &str) -> Result<Site, Problem> {
    let unknown = || Problem::from(Refusal::new(404, "site-unknown").with("site", code));
    let code = SiteCode::parse(code).map_err(|_| unknown())?;
    site::find(&mut hub.store().reader().await?, &code).await?.ok_or_else(unknown)
}
