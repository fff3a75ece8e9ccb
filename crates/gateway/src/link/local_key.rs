//! The key of the box's local settings: asked of the hub once, then kept on the box.
//!
//! It has to be here before the way out is lost, so it is fetched as soon as there is one.

use super::{Link, Patience, state};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const FILE: &str = "local.key";

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The key; none before the hub was reached for the first time.
#[must_use]
pub fn local_key(data: &Path) -> Option<Zeroizing<[u8; 32]>> {
    let text = Zeroizing::new(std::fs::read_to_string(path(data)).ok()?);
    parse(&text)
}

fn parse(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *key).ok()?;
    Some(key)
}

/// Fetches the key where there is none, trying again until it is here.
pub(super) async fn fetch(link: &Link) {
    let mut patience = Patience::new(5_000, 600_000);
    while local_key(&link.data).is_none() {
        match link.client.local_key(&link.identity).await {
            Ok(told) if parse(&told.key).is_some() => {
                let text = Zeroizing::new(format!("{}\n", told.key));
                match state::write(&path(&link.data), text.as_bytes()) {
                    Ok(()) => return,
                    Err(error) => tracing::error!(%error, "the key of local settings is not kept"),
                }
            }
            Ok(_) => tracing::warn!("the hub tells no key of local settings"),
            Err(error) => tracing::debug!(%error, "the key of local settings is not here yet"),
        }
        patience.wait(&link.clock).await;
    }
}
