//! Changing a key by the root's hand: another one is certified, and a lost one taken back.
//!
//! For the command line, beside a hub that runs: it reads its keys when it starts. The
//! root may lie on a stick that is gone again afterwards.

use super::{Directory, KeysError, REVOKED, line};
use kulkul_model::Moment;
use kulkul_proof::{Signer, hub_keys, key_file};
use kulkul_wire::link::{KeyUse, PublicKey};
use std::fs;
use std::path::Path;

/// Makes another key for a use and certifies it; gives the new one.
///
/// `root` is the root's key file where it is not in `directory`. What the former key
/// has signed stays good until its certificate ends.
///
/// # Errors
/// `KeysError` names the file; `NoRoot` when there is no root that boxes pin.
pub fn certify(
    directory: &Path,
    root: Option<&Path>,
    key_use: KeyUse,
    now: Moment,
) -> Result<PublicKey, KeysError> {
    let dir = Directory(directory.to_owned());
    let root = pinned(&dir, root, key_use)?;
    another(&dir, &root, key_use, now)
}

/// Takes the key of a use back and certifies another; gives the one taken back and the new one.
///
/// # Errors
/// As for `certify`; `Content` when there is no key to take back.
pub fn revoke(
    directory: &Path,
    root: Option<&Path>,
    key_use: KeyUse,
    now: Moment,
) -> Result<(PublicKey, PublicKey), KeysError> {
    let dir = Directory(directory.to_owned());
    let root = pinned(&dir, root, key_use)?;
    let missing = || KeysError::Content {
        path: dir.path(&format!("{}.key", key_use.as_str())),
        why: "is not there".to_owned(),
    };
    let lost = dir.signer(key_use.as_str())?.ok_or_else(missing)?.public();
    // The word goes to disk first: a crash in between leaves a hub that says what is to be done.
    let held = dir.read(REVOKED)?.unwrap_or_default();
    let word = line(&hub_keys::revoke(&root, lost, now).statement);
    dir.write(REVOKED, &format!("{}{word}\n", *held))?;
    Ok((lost, another(&dir, &root, key_use, now)?))
}

fn another(dir: &Directory, root: &Signer, key_use: KeyUse, now: Moment) -> Result<PublicKey, KeysError> {
    // Without its certificate a key is certified at the next start, so no order of these loses one.
    let certificate = dir.path(&format!("{}.cert", key_use.as_str()));
    match fs::remove_file(&certificate) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            return Err(KeysError::File { path: certificate, cause });
        }
        _ => {}
    }
    let made = dir.make(key_use.as_str())?.public();
    dir.certify(root, key_use, made, now)?;
    Ok(made)
}

/// The root's key, which must be one that boxes pin.
fn pinned(dir: &Directory, file: Option<&Path>, key_use: KeyUse) -> Result<Signer, KeysError> {
    let here = dir.path("root.key");
    let no_root = || KeysError::NoRoot(key_use, file.unwrap_or(&here).to_owned());
    let root = match file {
        None => dir.signer("root")?,
        Some(path) => {
            let text =
                fs::read_to_string(path).map_err(|cause| KeysError::File { path: path.to_owned(), cause })?;
            let read = key_file::read("root", &zeroize::Zeroizing::new(text));
            Some(read.map_err(|e| KeysError::Content { path: path.to_owned(), why: e.to_string() })?)
        }
    };
    let root = root.ok_or_else(no_root)?;
    let pinned = dir.read("roots")?.is_some_and(|text| text.contains(&root.public().to_string()));
    if pinned { Ok(root) } else { Err(no_root()) }
}
