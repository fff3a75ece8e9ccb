//! Releases: a program and its signed statement, taken into the hub's data directory.
//!
//! The file lies under its digest, as block lists do; the statement is a row. The hub reads
//! what is signed and leaves the signature to the boxes, which know the key.

use crate::Hub;
use crate::fleet::{lists, orders};
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use crate::web::problem::NotWritten;
use kulkul_model::Refusal;
use kulkul_proof::{NotProven, release as signed};
use kulkul_store::release::{self, Taken};
use kulkul_store::{Lane, audit, rollout, setting};
use kulkul_wire::link::{Digest, PROGRAM_LIMIT, Release, sign1};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The longest statement that is read, bytes.
const STATEMENT_LIMIT: u64 = 4_096;

/// Why a program is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file cannot be read or kept.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Nothing says that the program was released.
    #[error("there is no statement {0}")]
    NoStatement(PathBuf),
    /// The statement is none.
    #[error("{path} is no statement of a release: {cause}")]
    NotAStatement {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        cause: NotProven,
    },
    /// Longer than boxes take.
    #[error("the program is longer than {} MB", PROGRAM_LIMIT / 1024 / 1024)]
    Long,
    /// The file is not the one that was signed.
    #[error("{path} has {bytes} bytes and digest {sha256}; {} for {} was signed with {} bytes and {}",
        signed.version, signed.target, signed.bytes, signed.sha256)]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// Its digest.
        sha256: Digest,
        /// What was signed.
        signed: Box<Release>,
    },
}

fn directory(data: &Path) -> PathBuf {
    data.join("updates")
}

fn file(data: &Path, digest: Digest) -> PathBuf {
    directory(data).join(digest.to_string())
}

/// Where the statement of a program lies unless somebody says otherwise: `PROGRAM.release`.
#[must_use]
pub fn statement_of(program: &Path) -> PathBuf {
    let mut name = program.as_os_str().to_owned();
    name.push(".release");
    PathBuf::from(name)
}

/// Checks a program against its statement and keeps a copy in the hub's data directory; gives the statement.
///
/// # Errors
/// `ReleaseError` says what is wrong; nothing is kept then.
pub fn keep(data: &Path, program: &Path, statement: &Path) -> Result<Vec<u8>, ReleaseError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |cause| ReleaseError::File { path, cause }
    };
    let mut cose = Vec::new();
    match File::open(statement) {
        Ok(file) => drop(file.take(STATEMENT_LIMIT).read_to_end(&mut cose).map_err(at(statement))?),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(ReleaseError::NoStatement(statement.to_owned()));
        }
        Err(cause) => return Err(at(statement)(cause)),
    }
    let said = signed::read(&cose)
        .map_err(|cause| ReleaseError::NotAStatement { path: statement.to_owned(), cause })?;
    let dir = directory(data);
    fs::create_dir_all(&dir).map_err(at(&dir))?;
    let fresh = dir.join(format!("new-{}", std::process::id()));
    let kept =
        lists::copy(program, &fresh, PROGRAM_LIMIT).map_err(at(program)).and_then(|(sha256, bytes)| {
            if bytes > PROGRAM_LIMIT {
                return Err(ReleaseError::Long);
            }
            if (sha256, bytes) != (said.sha256, said.bytes) {
                return Err(ReleaseError::Changed {
                    path: program.to_owned(),
                    bytes,
                    sha256,
                    signed: Box::new(said.clone()),
                });
            }
            let path = file(data, sha256);
            fs::rename(&fresh, &path).map_err(at(&path))?;
            // The name is on disk before anybody is told of it.
            File::open(&dir).and_then(|d| d.sync_all()).map_err(at(&dir))
        });
    if let Err(error) = kept {
        // What is left of it is of no use.
        let _ = fs::remove_file(&fresh);
        return Err(error);
    }
    Ok(cose)
}

/// A program that is here, with its length.
pub async fn find(data: &Path, digest: Digest) -> Option<(tokio::fs::File, u64)> {
    let file = tokio::fs::File::open(file(data, digest)).await.ok()?;
    let length = file.metadata().await.ok()?.len();
    Some((file, length))
}

/// Takes a release whose program lies in the data directory; the same again changes nothing.
///
/// # Errors
/// `release-unreadable`, `release-no-file`, `release-other` when the program was released under
/// another name, `not-operator`, `not-your-area`.
pub async fn take(hub: &Hub, by: &Actor, statement: Vec<u8>) -> Result<Taken, Problem> {
    by.may_operate(&orders::ground(hub, &orders::Scope::Regency).await?)?;
    let unreadable = |e: NotProven| Refusal::new(422, "release-unreadable").with("why", e);
    let release = signed::read(&statement).map_err(unreadable)?;
    let key = sign1::decode(&statement).map_err(|e| unreadable(e.into()))?.kid;
    let held = find(&hub.config().data, release.sha256).await;
    if held.is_none_or(|(_, bytes)| bytes != release.bytes) {
        return Err(Refusal::new(422, "release-no-file").with("sha256", release.sha256).into());
    }
    let now = hub.clock().now();
    let mut entry = by.did(now, "take", "release", format!("{} {}", release.version, release.target));
    entry.after = noted(&serde_json::json!({
        "sha256": release.sha256, "bytes": release.bytes, "signed_at": release.signed_at, "key": key.to_string(),
    }));
    let taken =
        Taken { release, key_id: key.to_string(), statement, taken_at: now, taken_by: by.who.clone() };
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let r = &taken.release;
            if let Some(held) = release::find(tx, &r.sha256).await? {
                let is = &held.release;
                if (&is.version, &is.target) != (&r.version, &r.target) {
                    let other = Refusal::new(409, "release-other").with("version", &is.version);
                    return Err(NotWritten::from(other.with("target", &is.target)));
                }
                if is.signed_at >= r.signed_at {
                    return Ok(held);
                }
            }
            release::put(tx, &taken).await?;
            audit::append(tx, &entry).await?;
            // A rollout of this version has something for boxes that had nothing yet.
            if rollout::newest(tx).await?.is_some_and(|held| held.version == r.version) {
                setting::bump(tx, orders::COUNTER).await?;
            }
            Ok(taken)
        })
    });
    Ok(write.await?)
}

/// Forgets a release that no box was told of and none runs.
///
/// # Errors
/// `release-unknown`, `release-in-use`, `not-operator`, `not-your-area`.
pub async fn drop_one(hub: &Hub, by: &Actor, sha256: &str) -> Result<(), Problem> {
    by.may_operate(&orders::ground(hub, &orders::Scope::Regency).await?)?;
    let unknown = || Refusal::new(404, "release-unknown");
    let digest = Digest::parse(sha256).ok_or_else(unknown)?;
    let mut entry = by.did(hub.clock().now(), "remove", "release", sha256);
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let held = release::find(tx, &digest).await?.ok_or_else(unknown)?;
            let holds = rollout::newest(tx).await?.filter(|r| r.state.tells());
            let rolled_out = holds.is_some_and(|r| r.version == held.release.version);
            if rolled_out || release::is_named(tx, &digest).await? {
                return Err(NotWritten::from(Refusal::new(409, "release-in-use")));
            }
            entry.object = format!("{} {}", held.release.version, held.release.target);
            release::remove(tx, &digest).await?;
            audit::append(tx, &entry).await?;
            Ok(())
        })
    });
    write.await?;
    // A file that stays behind is named by nothing; the next one of this digest takes its place.
    let _ = tokio::fs::remove_file(file(&hub.config().data, digest)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::Moment;
    use kulkul_proof::Signer;

    #[test]
    fn a_program_is_kept_when_it_is_the_one_that_was_signed() {
        let data = tempfile::tempdir().unwrap();
        let program = data.path().join("kulkul");
        fs::write(&program, b"program").unwrap();
        let said = Release {
            version: "0.2.0".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            sha256: Digest::of(b"program"),
            bytes: 7,
            signed_at: Moment::from_ms(1),
        };
        let statement = statement_of(&program);
        assert_eq!(statement.file_name().unwrap(), "kulkul.release");
        let none = keep(data.path(), &program, &statement).unwrap_err().to_string();
        assert!(none.contains("there is no statement") && none.contains("kulkul.release"), "{none}");
        fs::write(&statement, b"no statement").unwrap();
        assert!(matches!(keep(data.path(), &program, &statement), Err(ReleaseError::NotAStatement { .. })));
        let cose = signed::sign(&Signer::from_seed(&[1; 32]), &said);
        fs::write(&statement, &cose).unwrap();
        assert_eq!(keep(data.path(), &program, &statement).unwrap(), cose);
        assert_eq!(fs::read(file(data.path(), said.sha256)).unwrap(), b"program");
        keep(data.path(), &program, &statement).unwrap();
        fs::write(&program, b"program!").unwrap();
        let changed = keep(data.path(), &program, &statement).unwrap_err().to_string();
        assert!(changed.contains("8 bytes") && changed.contains("0.2.0"), "{changed}");
        File::create(&program).unwrap().set_len(PROGRAM_LIMIT + 1).unwrap();
        assert!(matches!(keep(data.path(), &program, &statement), Err(ReleaseError::Long)));
        assert_eq!(fs::read_dir(directory(data.path())).unwrap().count(), 1, "nothing of those is left");
    }
}
