//! What runs on boxes: the program of a release, the one on trial, and when each was heard.

use crate::{StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_wire::link::Digest;

statements! {
    /// One box's.
    FIND = "SELECT program, trying, heard_at_ms FROM gateway_run WHERE gateway = $1";
    /// What runs, and what is tried.
    PUT = "INSERT INTO gateway_run (gateway, program, trying, heard_at_ms) VALUES ($1, $2, $3, NULL)
           ON CONFLICT (gateway) DO UPDATE SET program = excluded.program, trying = excluded.trying";
    /// When a box was heard; never earlier than what is kept.
    HEARD = "INSERT INTO gateway_run (gateway, program, trying, heard_at_ms) VALUES ($1, NULL, NULL, $2)
             ON CONFLICT (gateway) DO UPDATE SET heard_at_ms = excluded.heard_at_ms
             WHERE gateway_run.heard_at_ms IS NULL OR gateway_run.heard_at_ms < excluded.heard_at_ms";
}

/// What runs on a box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// The release's program; none for the one that was installed.
    pub program: Option<Digest>,
    /// What it tries.
    pub trying: Option<Digest>,
    /// When it was heard, within some minutes.
    pub heard_at: Option<Moment>,
}

/// What runs on a box; nothing but defaults where it has not said.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, gateway: &GatewayId) -> Result<Runs, StoreError> {
    let Some(row) = tx.fetch_optional(FIND, args![gateway.as_str()]).await? else {
        return Ok(Runs::default());
    };
    let digest = |bytes: Option<Vec<u8>>| bytes.and_then(|b| b.try_into().ok()).map(Digest);
    Ok(Runs {
        program: digest(row.get("program")?),
        trying: digest(row.get("trying")?),
        heard_at: row.get("heard_at_ms")?,
    })
}

/// Keeps what runs on a box and what it tries.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, gateway: &GatewayId, runs: &Runs) -> Result<(), StoreError> {
    let bytes = |d: Option<Digest>| d.map(|d| d.0);
    tx.execute(PUT, args![gateway.as_str(), bytes(runs.program), bytes(runs.trying)]).await.map(drop)
}

/// Keeps when a box was heard.
///
/// # Errors
/// `StoreError` of the database.
pub async fn heard(tx: &mut Tx, gateway: &GatewayId, at: Moment) -> Result<(), StoreError> {
    tx.execute(HEARD, args![gateway.as_str(), at]).await.map(drop)
}
