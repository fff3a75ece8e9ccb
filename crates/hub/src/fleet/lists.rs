//! Block lists: files in the hub's data directory, by digest, that boxes fetch piece by piece.
//!
//! A list of two million names is tens of megabytes: too large for a row. What orders say
//! of a list names it by digest; a file that nothing names goes after thirty days.

use kulkul_wire::blocklist::{Report, read};
use kulkul_wire::link::Digest;
pub use kulkul_wire::link::desired::{BlockList, ListFormat, Text};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest list that is taken, in bytes.
pub const LONGEST: u64 = 256 * 1024 * 1024;

/// Why a file is not taken as a list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It cannot be read or kept.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Longer than boxes take.
    #[error("it is longer than {} MB", LONGEST / 1024 / 1024)]
    Long,
    /// Something else.
    #[error("it is no list in this form: {names} names and {bad} bad lines, the first {first:?}")]
    NoList {
        /// Names in it.
        names: u64,
        /// Lines that cannot be read.
        bad: u64,
        /// Numbers of the first of these.
        first: Vec<u64>,
    },
}

/// A list that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Digest of its text.
    pub sha256: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// What is in it.
    pub report: Report,
}

/// The fields of an order that names this list.
#[must_use]
pub fn order(list: &BlockList) -> serde_json::Value {
    serde_json::json!({ "lists": [list] })
}

fn directory(data: &Path) -> PathBuf {
    data.join("lists")
}

fn file(data: &Path, digest: Digest) -> PathBuf {
    directory(data).join(digest.to_string())
}

/// Checks a list and keeps a copy of it in the hub's data directory.
///
/// # Errors
/// `ListError` says what is wrong; nothing is kept then.
pub fn keep(data: &Path, from: &Path, format: ListFormat) -> Result<Taken, ListError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |cause| ListError::File { path, cause }
    };
    let dir = directory(data);
    fs::create_dir_all(&dir).map_err(at(&dir))?;
    let fresh = dir.join(format!("new-{}", std::process::id()));
    let copied = copy(from, &fresh, LONGEST).map_err(at(from));
    let taken = copied.and_then(|(sha256, bytes)| {
        if bytes > LONGEST {
            return Err(ListError::Long);
        }
        let text = BufReader::new(File::open(&fresh).map_err(at(&fresh))?);
        let report = read(text, format, |_, _| Ok(())).map_err(at(&fresh))?;
        if !report.is_list() {
            return Err(ListError::NoList { names: report.names, bad: report.bad, first: report.first_bad });
        }
        let path = file(data, sha256);
        fs::rename(&fresh, &path).map_err(at(&path))?;
        Ok(Taken { sha256, bytes, report })
    });
    if taken.is_err() {
        // What is left of it is of no use.
        let _ = fs::remove_file(&fresh);
    }
    taken
}

/// Copies at most one byte more than `longest`, and takes the digest.
pub(super) fn copy(from: &Path, to: &Path, longest: u64) -> io::Result<(Digest, u64)> {
    let mut source = File::open(from)?.take(longest + 1);
    let (mut target, mut digest, mut bytes) = (File::create(to)?, Sha256::new(), 0);
    let mut piece = vec![0; 256 * 1024];
    loop {
        let length = source.read(&mut piece)?;
        let part = piece.get(..length).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        digest.update(part);
        target.write_all(part)?;
        bytes += length as u64;
    }
    target.sync_all()?;
    Ok((Digest(digest.finalize().into()), bytes))
}

/// A list that is here, with its length.
pub async fn find(data: &Path, digest: Digest) -> Option<(tokio::fs::File, u64)> {
    let file = tokio::fs::File::open(file(data, digest)).await.ok()?;
    let length = file.metadata().await.ok()?.len();
    Some((file, length))
}

/// Removes lists that are not `named` and were kept more than `unnamed_ms` before `now_ms`; how many.
///
/// # Errors
/// When the directory cannot be read.
pub fn drop_unnamed(data: &Path, named: &BTreeSet<Digest>, now_ms: i64, unnamed_ms: i64) -> io::Result<u64> {
    let entries = match fs::read_dir(directory(data)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(e),
    };
    let before = Duration::from_millis(u64::try_from(now_ms.saturating_sub(unnamed_ms)).unwrap_or(0));
    let mut dropped = 0;
    for entry in entries {
        let entry = entry?;
        let digest = entry.file_name().to_str().and_then(Digest::parse);
        let kept = entry.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        if digest.is_none_or(|d| !named.contains(&d)) && kept < before {
            fs::remove_file(entry.path())?;
            dropped += 1;
        }
    }
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_by_its_digest_and_goes_when_nothing_names_it() {
        let data = tempfile::tempdir().unwrap();
        let from = data.path().join("ads.txt");
        fs::write(&from, "ads.example\n*.track.example\n1.2.3.4\n").unwrap();
        let taken = keep(data.path(), &from, ListFormat::Plain).unwrap();
        assert_eq!((taken.report.names, taken.report.bad, taken.bytes), (2, 1, 36));
        assert_eq!(taken.sha256, Digest::of(&fs::read(&from).unwrap()));
        let page = data.path().join("page.html");
        fs::write(&page, "<html>\n<p>gone</p>\n").unwrap();
        assert!(matches!(keep(data.path(), &page, ListFormat::Plain), Err(ListError::NoList { bad: 2, .. })));
        assert!(matches!(keep(data.path(), &from, ListFormat::Rpz), Err(ListError::NoList { .. })));
        assert_eq!(fs::read_dir(directory(data.path())).unwrap().count(), 1, "nothing of those is left");
        let now = i64::try_from(
            std::fs::metadata(file(data.path(), taken.sha256))
                .unwrap()
                .modified()
                .unwrap()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_millis(),
        )
        .unwrap();
        let named: BTreeSet<Digest> = [taken.sha256].into();
        let none = BTreeSet::new();
        assert_eq!(drop_unnamed(data.path(), &named, now + 2_000, 1_000).unwrap(), 0);
        assert_eq!(drop_unnamed(data.path(), &none, now + 500, 1_000).unwrap(), 0);
        assert_eq!(drop_unnamed(data.path(), &none, now + 2_000, 1_000).unwrap(), 1);
    }
}
