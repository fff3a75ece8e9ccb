//! `/areas/{code}`.

use crate::Hub;
use axum::Router;

/// The public pages about areas.
pub fn routes() -> Router<Hub> {
    Router::new()
}
