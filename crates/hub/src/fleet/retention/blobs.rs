//! Blobs and block lists that no desired state names any more.
//!
//! Every manifest is read first; then blobs go that are old and in none of them. One that
//! is named anew meanwhile is young again by the same write that names it, and stays.

use super::super::lists;
use super::ROWS;
use crate::Hub;
use kulkul_model::Moment;
use kulkul_store::{Lane, StoreError, desired};
use kulkul_wire::link::desired::FilterSection;
use kulkul_wire::link::{Digest, Manifest, sign1};
use std::collections::BTreeSet;

/// A blob that nothing names is kept this long after it was last named or sent: 30 days.
pub const UNNAMED_MS: i64 = 30 * 24 * 3_600_000;
/// Manifests read at a time.
const PAGE: u32 = 200;

/// Drops blobs that no gateway's desired state names and that are old; how many.
///
/// # Errors
/// `StoreError` of the database; `Value` when a manifest cannot be read: then nothing goes.
pub async fn drop_unnamed(hub: &Hub, now: Moment) -> Result<u64, StoreError> {
    let before = now.plus_ms(-UNNAMED_MS);
    let (named, lists) = named(hub).await?;
    let gone = lists::drop_unnamed(&hub.config().data, &lists, now.ms(), UNNAMED_MS);
    match gone {
        Ok(0) => {}
        Ok(gone) => tracing::info!(gone, "block lists that no desired state names were dropped"),
        Err(error) => tracing::warn!(%error, "unnamed block lists stay; tried again tomorrow"),
    }
    let mut after = Digest([0; 32]);
    let mut dropped = 0;
    loop {
        let mut tx = hub.store().reader().await?;
        let old = desired::blobs_before(&mut tx, before, &after, ROWS).await?;
        drop(tx);
        let Some(last) = old.last() else { return Ok(dropped) };
        after = *last;
        let unnamed: Vec<Digest> = old.into_iter().filter(|d| !named.contains(d)).collect();
        if unnamed.is_empty() {
            continue;
        }
        dropped += hub
            .store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    let mut gone = 0;
                    for digest in &unnamed {
                        gone += desired::drop_blob(tx, digest, before).await?;
                    }
                    Ok::<_, StoreError>(gone)
                })
            })
            .await?;
    }
}

/// The digests of all sections of all desired states, and of the lists that these name.
async fn named(hub: &Hub) -> Result<(BTreeSet<Digest>, BTreeSet<Digest>), StoreError> {
    let (mut named, mut filters) = (BTreeSet::new(), BTreeSet::new());
    let mut after = String::new();
    loop {
        let mut tx = hub.store().reader().await?;
        let page = desired::manifests(&mut tx, &after, PAGE).await?;
        drop(tx);
        for (gateway, manifest) in &page {
            let unreadable = |e: &dyn std::fmt::Display| StoreError::Value {
                column: "manifest".to_owned(),
                reason: format!("of {gateway}: {e}"),
            };
            let signed = sign1::decode(manifest).map_err(|e| unreadable(&e))?;
            let manifest = Manifest::decode(signed.payload).map_err(|e| unreadable(&e))?;
            named.extend(manifest.sections.iter().map(|s| s.sha256));
            filters.extend(manifest.sections.iter().filter(|s| s.name == "filter").map(|s| s.sha256));
        }
        match page.last() {
            Some((last, _)) => last.as_str().clone_into(&mut after),
            None => break,
        }
    }
    let mut lists = BTreeSet::new();
    for digest in &filters {
        let mut tx = hub.store().reader().await?;
        let section = desired::blob(&mut tx, digest).await?.unwrap_or_default();
        drop(tx);
        let section: FilterSection = serde_json::from_slice(&section)
            .map_err(|e| StoreError::Value { column: "bytes".to_owned(), reason: e.to_string() })?;
        lists.extend(section.lists.iter().map(|list| list.sha256));
    }
    Ok((named, lists))
}
