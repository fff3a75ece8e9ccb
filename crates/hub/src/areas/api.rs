//! `/api/v1/areas`.

use crate::Hub;
use utoipa_axum::router::OpenApiRouter;

/// The API's resource `areas`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
}
