//! Following the desired state: long poll, proof, sections, apply; the last good one stays.

use super::state::{self};
use super::{Link, LinkError, NONE, Patience};
use kulkul_proof::KeyTrouble;
use kulkul_proof::manifest::{self, NotDesired};
use kulkul_wire::link::{self, Desired, Digest, Event, Manifest, Version};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// Why a desired state is not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("{0}")]
    Proof(#[from] manifest::NotDesired),
    #[error("section {0}: {1}")]
    Section(String, String),
    #[error("{0}")]
    Refused(#[from] kulkul_model::Refusal),
    #[error("{0}")]
    Link(#[from] LinkError),
}

fn directory(link: &Link) -> PathBuf {
    link.data.join("desired")
}

/// Puts the last good desired state into force; gives its version.
pub(super) async fn restore(link: &Link) -> Option<Version> {
    let signed = fs::read(directory(link).join("manifest")).ok()?;
    // Dates of keys are left aside: an expired hub key stops changes, never service.
    let opened = manifest::open(&link.identity.ring(), &link.identity.gateway, None, &signed, None);
    let taken = async {
        let manifest = opened?;
        let desired = assemble(link, &manifest, &cached(link, &manifest))?;
        (link.apply)(desired.clone()).await?;
        Ok::<_, NotTaken>(desired)
    };
    match taken.await {
        Ok(desired) => {
            let version = desired.version;
            link.desired.send_replace(Some(Arc::new(desired)));
            Some(version)
        }
        Err(error) => {
            tracing::warn!(%error, "the kept desired state cannot be used");
            None
        }
    }
}

/// Follows until the hub refuses this box for good.
pub(super) async fn run(link: &Link, version: &watch::Sender<Option<Version>>) -> LinkError {
    let mut patience = Patience::new(2_000, 120_000);
    // A version that was refused is not asked for again until another comes.
    let mut passed = *version.borrow();
    let mut refused: Option<Digest> = None;
    loop {
        let signed = match link.client.desired(&link.identity, passed.unwrap_or(NONE)).await {
            Ok(None) => {
                patience.calm();
                continue;
            }
            Ok(Some(signed)) => signed,
            Err(error) if error.is_final() => return error,
            Err(error) => {
                tracing::debug!(%error, "no desired state");
                patience.wait(&link.clock).await;
                continue;
            }
        };
        let open = || {
            let (ring, at, held) = (link.identity.ring(), link.clock.wall(), *version.borrow());
            manifest::open(&ring, &link.identity.gateway, held, &signed, at)
        };
        let mut opened = open();
        // A key that is not known or over: the hub may have another, which a pinned root vouches for.
        if matches!(opened, Err(NotDesired::Key(KeyTrouble::Unknown(..) | KeyTrouble::Dates(..))))
            && link.ask_keys().await
        {
            opened = open();
        }
        let offered = opened.as_ref().map_or(NONE, |m| m.version);
        let result = match opened {
            Ok(manifest) => take(link, &manifest, &signed).await,
            Err(error) => Err(error.into()),
        };
        match result {
            Ok(()) => {
                patience.calm();
                refused = None;
                passed = Some(offered);
                version.send_replace(Some(offered));
                tell(link, Event::DesiredApplied { version: offered }).await;
            }
            // The hub went away in between: nothing is wrong with the state itself.
            Err(NotTaken::Link(error)) => {
                tracing::debug!(%error, "sections of the desired state are missing");
                patience.wait(&link.clock).await;
            }
            Err(error) => {
                let digest = Digest::of(&signed);
                if refused.replace(digest) != Some(digest) {
                    tracing::error!(%error, %offered, "a desired state is refused; the last good one stays");
                    tell(link, Event::DesiredRefused { version: offered, reason: error.to_string() }).await;
                }
                if offered != NONE {
                    passed = Some(offered);
                }
                patience.wait(&link.clock).await;
            }
        }
    }
}

async fn tell(link: &Link, event: Event) {
    let entry = link::Entry::Event(event);
    if let Err(error) = link.journal.append(entry).await {
        tracing::error!(%error, "an event is not recorded");
    }
}

/// Fetches what is missing, puts the state into force, and keeps it.
async fn take(link: &Link, manifest: &Manifest, signed: &[u8]) -> Result<(), NotTaken> {
    let mut bodies = cached(link, manifest);
    for section in &manifest.sections {
        let Entry::Vacant(missing) = bodies.entry(section.sha256) else { continue };
        let body = link.client.blob(&link.identity, section.sha256).await?;
        if body.len() as u64 != section.bytes {
            return Err(NotTaken::Section(section.name.clone(), "another length".to_owned()));
        }
        missing.insert(body.to_vec());
    }
    let desired = assemble(link, manifest, &bodies)?;
    (link.apply)(desired.clone()).await?;
    link.desired.send_replace(Some(Arc::new(desired)));
    if let Err(error) = keep(link, signed, &bodies) {
        // It is in force; only a restart without the hub would go back to the one before.
        tracing::error!(%error, "the desired state is not kept");
    }
    Ok(())
}

/// Sections of this manifest that lie on the disk and are sound.
fn cached(link: &Link, manifest: &Manifest) -> BTreeMap<Digest, Vec<u8>> {
    let read = |digest: Digest| fs::read(directory(link).join(digest.to_string())).ok();
    manifest
        .sections
        .iter()
        .filter_map(|s| Some((s.sha256, read(s.sha256)?)))
        .filter(|(digest, body)| Digest::of(body) == *digest)
        .collect()
}

fn assemble(
    link: &Link,
    manifest: &Manifest,
    bodies: &BTreeMap<Digest, Vec<u8>>,
) -> Result<Desired, NotTaken> {
    let mut all = serde_json::Map::new();
    let version = serde_json::json!(manifest.version);
    all.insert("version".to_owned(), version);
    for section in &manifest.sections {
        let wrong = |why: String| NotTaken::Section(section.name.clone(), why);
        let body = bodies.get(&section.sha256).ok_or_else(|| wrong("is missing".to_owned()))?;
        let value = serde_json::from_slice(body).map_err(|e| wrong(e.to_string()))?;
        all.insert(section.name.clone(), value);
    }
    let desired: Desired = serde_json::from_value(all.into())
        .map_err(|e| NotTaken::Section("the whole".to_owned(), e.to_string()))?;
    if desired.site.code != link.identity.site {
        let why = format!("is for {}, this box stands at {}", desired.site.code, link.identity.site);
        return Err(NotTaken::Section("site".to_owned(), why));
    }
    Ok(desired)
}

/// Keeps manifest and sections for the next start; others are removed.
fn keep(link: &Link, signed: &[u8], bodies: &BTreeMap<Digest, Vec<u8>>) -> Result<(), state::StateError> {
    let directory = directory(link);
    let failed = |cause| state::StateError::File { path: directory.clone(), cause };
    fs::create_dir_all(&directory).map_err(failed)?;
    for (digest, body) in bodies {
        let path = directory.join(digest.to_string());
        if !path.exists() {
            state::write(&path, body)?;
        }
    }
    state::write(&directory.join("manifest"), signed)?;
    for entry in fs::read_dir(&directory).map_err(failed)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let stale = Digest::parse(&name).is_some_and(|d| !bodies.contains_key(&d));
        // An old section that stays costs a few bytes.
        if stale && let Err(error) = fs::remove_file(entry.path()) {
            tracing::debug!(%error, name, "an old section stays");
        }
    }
    Ok(())
}
