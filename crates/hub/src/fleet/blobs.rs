//! Blobs by digest: sections of desired states, and what boxes send.

use super::known::Known;
use super::signed::store_problem;
use crate::Hub;
use crate::web::problem::Problem;
use kulkul_model::Refusal;
use kulkul_store::{Lane, desired};
use kulkul_wire::link::Digest;

/// The bytes with this digest.
///
/// # Errors
/// 404 when there are none.
pub async fn find(hub: &Hub, digest: Digest) -> Result<Vec<u8>, Problem> {
    hub.store()
        .read(|tx| Box::pin(async move { desired::blob(tx, &digest).await }))
        .await
        .map_err(|e| store_problem(&e))?
        .ok_or_else(Problem::not_found)
}

/// Keeps what a gateway sends.
///
/// # Errors
/// 429 when it sends too many.
pub async fn put(hub: &Hub, gateway: &Known, bytes: Vec<u8>) -> Result<(), Problem> {
    let now = hub.clock().now();
    if !hub.fleet().limits.blobs.take(gateway.id.as_str(), now) {
        return Err(Problem::from(Refusal::new(429, "too-many-blobs")).retry_after(600));
    }
    hub.store()
        .write(Lane::Journal, move |tx| {
            Box::pin(async move { desired::put_blob(tx, &bytes, now).await.map(drop) })
        })
        .await
        .map_err(|e| store_problem(&e))
}
