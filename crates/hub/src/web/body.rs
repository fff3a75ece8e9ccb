//! JSON bodies of the API, refused in the API's own words.

use super::problem::{Fault, Problem};
use axum::Json;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::de::DeserializeOwned;

/// A JSON body; what cannot be read is a 422 that says where, another media type a 415.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Body(body)),
            Err(rejection) => {
                let status = rejection.status();
                if status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                    return Err(Problem::status(status));
                }
                let text = rejection.body_text();
                let said = text.split_once(": ").map_or(text.as_str(), |(_, said)| said);
                Err(Problem::faults(vec![Fault::new("", "body-json").with("detail", said)]))
            }
        }
    }
}
