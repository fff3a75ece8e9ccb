//! From a list's text to its set, in little memory, with bounds before and while it is made.

use crate::dns::filter;
use kulkul_model::Moment;
use kulkul_wire::blocklist::{Builder, read};
use kulkul_wire::link::Digest;
use kulkul_wire::link::desired::{BlockList, ListFormat, Text};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read};
use std::path::Path;

/// The longest text that is taken, in bytes.
const LONGEST: u64 = 256 * 1024 * 1024;
/// Room that stays free for the journal, in bytes.
const SPARE: u64 = 4 * 1024 * 1024;
/// Bytes that a name takes on the disk and in memory together, about.
const BYTES_A_NAME: u64 = 8;
/// The part of the machine's memory that lists may take.
const SHARE: u64 = 8;
/// Names that any box has room for.
const LEAST: u64 = 100_000;

/// Why a list is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It may come yet.
    #[error("{0}")]
    Later(String),
    /// Its key is not one.
    #[error("its key is not lower-case letters, digits and -")]
    Key,
    /// The text is longer than the box has room for.
    #[error("its {bytes} bytes do not fit on the disk, where {free} are free")]
    Disk {
        /// The text's.
        bytes: u64,
        /// What is free.
        free: u64,
    },
    /// More names than the box has memory for.
    #[error("more than {most} names, which is what this box has memory for beside its other lists")]
    Memory {
        /// Names that there is room for.
        most: u64,
    },
    /// Other bytes came.
    #[error("its bytes have another digest than the desired state says")]
    Digest,
    /// The text is something else.
    #[error("it is no list: {names} names and {bad} bad lines, the first {first:?}")]
    NoList {
        /// Names in it.
        names: u64,
        /// Lines that cannot be read.
        bad: u64,
        /// Numbers of the first of these.
        first: Vec<u64>,
    },
    /// The disk.
    #[error("making its set: {0}")]
    Io(#[from] io::Error),
}

/// How many names this box has memory for.
#[must_use]
pub fn most_names() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text
        .lines()
        .find_map(|l| l.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or(LEAST, |kib| (kib * 1024 / SHARE / BYTES_A_NAME).max(LEAST))
}

/// What can be said of a list before it is fetched.
pub fn check(list: &BlockList, dir: &Path) -> Result<(), NotTaken> {
    let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=32).contains(&list.key.len()) || !list.key.bytes().all(sound) {
        return Err(NotTaken::Key);
    }
    let disk = rustix::fs::statvfs(dir).map_err(io::Error::from)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    // Beside the text: sorted runs and the set, about as much again.
    if list.bytes > LONGEST || list.bytes.saturating_mul(2).saturating_add(SPARE) > free {
        return Err(NotTaken::Disk { bytes: list.bytes, free });
    }
    Ok(())
}

/// Reads bytes, takes their digest, and no more of them than were declared.
struct Counted {
    file: File,
    digest: Sha256,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.bytes += length as u64;
        self.digest.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

/// Makes the set of a plain text that nobody has declared, and leaves the text: for measuring.
///
/// # Errors
/// `NotTaken` says what is wrong.
pub fn measure(text: &Path, set: &Path) -> Result<u64, NotTaken> {
    let whole = std::fs::read(text)?;
    let (sha256, bytes) = (Digest::of(&whole), whole.len() as u64);
    drop(whole);
    let list = BlockList {
        key: "measured".to_owned(),
        name: Text::default(),
        sha256,
        bytes,
        format: ListFormat::Plain,
        dated: Moment::EPOCH,
        appeal: Text::default(),
    };
    let runs = set.with_extension("runs");
    let made = make_at(&list, text, set, &runs, u64::MAX);
    // Of no use to anybody.
    let _ = std::fs::remove_file(runs);
    made
}

/// Makes the set of a text of at most `most` names and removes the text; how many names.
pub fn make(list: &BlockList, text: &Path, set: &Path, most: u64) -> Result<u64, NotTaken> {
    let (fresh, runs) = (set.with_extension("new"), set.with_extension("runs"));
    let made = make_at(list, text, &fresh, &runs, most);
    // Neither is of use to anybody.
    let _ = std::fs::remove_file(&runs);
    match made {
        Ok(names) => {
            std::fs::rename(&fresh, set)?;
            let _ = std::fs::remove_file(text);
            Ok(names)
        }
        Err(error) => {
            let _ = std::fs::remove_file(&fresh);
            Err(error)
        }
    }
}

fn make_at(list: &BlockList, text: &Path, fresh: &Path, runs: &Path, most: u64) -> Result<u64, NotTaken> {
    let counted = Counted { file: File::open(text)?, digest: Sha256::new(), bytes: 0 };
    let mut counted = BufReader::with_capacity(64 * 1024, counted);
    let open = |path| OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path);
    let mut builder = Builder::new(open(runs)?);
    let read = read(&mut counted, list.format, |name, reach| {
        if builder.names() >= most {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        builder.add(name, reach)
    });
    let report = match read {
        Ok(report) => report,
        Err(e) if e.kind() == io::ErrorKind::OutOfMemory => return Err(NotTaken::Memory { most }),
        Err(e) => return Err(e.into()),
    };
    let counted = counted.into_inner();
    let digest: [u8; 32] = counted.digest.finalize().into();
    if digest != list.sha256.0 || counted.bytes != list.bytes {
        return Err(NotTaken::Digest);
    }
    if !report.is_list() {
        return Err(NotTaken::NoList { names: report.names, bad: report.bad, first: report.first_bad });
    }
    if report.bad > 0 {
        tracing::warn!(list = list.key, bad = report.bad, first = ?report.first_bad, "lines of a list cannot be read");
    }
    let out = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(fresh)?;
    let mut out = BufWriter::new(out);
    builder.finish(&mut out, digest)?;
    out.into_inner().map_err(|e| e.into_error())?.sync_all()?;
    // What cannot be opened now would leave the place without the list later.
    filter::open(fresh).map_err(io::Error::other)?;
    Ok(report.names)
}
