//! The log's files: one every six hours, each whole in itself, the oldest deleted in time.
//!
//! Their names are the moments at which they begin. A file that was begun is never
//! written by a later run: its end may be torn.

use kulkul_model::Moment;
use kulkul_wire::connections::Record;
use kulkul_wire::link::desired::ConnectionsSection;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The folder's name in the data directory.
pub const FOLDER: &str = "connections";
const SPAN_MS: i64 = 6 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// So many files at least fit into what the log may take.
const PARTS: u64 = 16;
const BUFFER: usize = 32 * 1024;

/// The file that is written now, and those before it.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: BufWriter<File>,
    began: Moment,
    bytes: u64,
}

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// When it begins.
    pub began: Moment,
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
}

/// The log's files under a data directory, oldest first.
///
/// # Errors
/// When the folder cannot be read; one that is not there has none.
pub fn parts(data: &Path) -> io::Result<Vec<Part>> {
    let entries = match fs::read_dir(data.join(FOLDER)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut parts = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let began = name.to_str().and_then(|n| n.strip_suffix(".log")?.parse().ok());
        let Some(began) = began.map(Moment::from_ms) else { continue };
        parts.push(Part { began, path: entry.path(), bytes: entry.metadata()?.len() });
    }
    parts.sort();
    Ok(parts)
}

impl Files {
    /// Files under a data directory; nothing is made before there is something to write.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Files { folder: data.join(FOLDER), open: None }
    }

    /// Begins a file at `now`; the one before is closed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(&mut self, now: Moment) -> io::Result<()> {
        self.close()?;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut began = now;
        let file = loop {
            let path = self.folder.join(format!("{:015}.log", began.ms()));
            match File::options().append(true).create_new(true).mode(0o600).open(path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => began = began.plus_ms(1),
                made => break made?,
            }
        };
        self.open = Some(Open { file: BufWriter::with_capacity(BUFFER, file), began, bytes: 0 });
        Ok(())
    }

    /// Whether a file is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the open file has had its time or its share of the room.
    #[must_use]
    pub fn is_full(&self, now: Moment, section: &ConnectionsSection) -> bool {
        let most = u64::from(section.most_mb) * 1_000_000 / PARTS;
        self.open
            .as_ref()
            .is_some_and(|o| now.since_ms(o.began) >= SPAN_MS || now.since_ms(o.began) < 0 || o.bytes >= most)
    }

    /// Writes a record; it reaches the disk with `flush`.
    ///
    /// # Errors
    /// When it cannot be written; the file is given up then.
    pub fn put(&mut self, at: Moment, record: &Record) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let bytes = record.encode(at);
        open.bytes += bytes.len() as u64;
        let done = open.file.write_all(&bytes);
        done.inspect_err(|_| self.give_up())
    }

    /// Hands what was written to the system; the handle is for bringing it to the disk.
    ///
    /// # Errors
    /// As `put`.
    pub fn flush(&mut self) -> io::Result<Option<File>> {
        let Some(open) = &mut self.open else { return Ok(None) };
        let done = open.file.flush().and_then(|()| open.file.get_ref().try_clone());
        done.map(Some).inspect_err(|_| self.give_up())
    }

    /// Closes the file.
    ///
    /// # Errors
    /// When its end could not be written.
    pub fn close(&mut self) -> io::Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.file.flush().inspect_err(|_| {
            // What is left in the buffer has no place to go.
            self.open = None;
        })
    }

    fn give_up(&mut self) {
        if let Some(open) = self.open.take() {
            // Without writing the buffer once more.
            drop(open.file.into_parts());
        }
    }

    /// Deletes what is older than the section keeps and what is more than it may take.
    ///
    /// Tells whether something went for want of room before its time.
    ///
    /// # Errors
    /// When the folder cannot be read or a file not be deleted.
    pub fn prune(&self, now: Moment, section: &ConnectionsSection) -> io::Result<bool> {
        let data = self.folder.parent().unwrap_or(&self.folder);
        let parts = parts(data)?;
        let kept_ms = i64::from(section.keep_days) * DAY_MS;
        let mut left: u64 = parts.iter().map(|p| p.bytes).sum();
        let most = u64::from(section.most_mb) * 1_000_000;
        let newest = parts.len().saturating_sub(1);
        let mut early = false;
        for (i, part) in parts.iter().enumerate() {
            // A file is over when the next one begins, and six hours after its own beginning.
            let next = parts.get(i + 1).map_or(Moment::from_ms(i64::MAX), |p| p.began);
            let over = next.min(part.began.plus_ms(SPAN_MS));
            let old = now.since_ms(over) > kept_ms;
            let in_use = i == newest && self.is_open();
            if in_use || !(old || left > most) {
                continue;
            }
            fs::remove_file(&part.path)?;
            left = left.saturating_sub(part.bytes);
            early |= !old;
        }
        Ok(early)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::link::desired::ConnectionLog;
    use std::os::unix::fs::PermissionsExt as _;

    const NOW: Moment = Moment::from_ms(1_800_000_000_000);

    fn section(keep_days: u16, most_mb: u32) -> ConnectionsSection {
        ConnectionsSection { log: ConnectionLog::Flow, keep_days, most_mb }
    }

    #[test]
    fn files_are_the_owners_alone_and_go_when_their_days_are_over() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path());
        assert_eq!(parts(dir.path()).unwrap(), [], "nothing is made before something is written");
        for hours in [0, 6, 12] {
            files.begin(NOW.plus_ms(hours * 3_600_000)).unwrap();
            files.put(NOW, &Record::Anew).unwrap();
        }
        files.close().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let all = parts(dir.path()).unwrap();
        assert_eq!(all.iter().map(|p| mode(&p.path)).collect::<Vec<_>>(), [0o600; 3]);
        assert_eq!(mode(&dir.path().join(FOLDER)), 0o700);
        let day = |hours: i64| NOW.plus_ms(DAY_MS + hours * 3_600_000);
        assert!(!files.prune(day(6), &section(1, 32)).unwrap());
        assert_eq!(parts(dir.path()).unwrap().len(), 3, "none is older than a day yet");
        files.prune(day(7), &section(1, 32)).unwrap();
        assert_eq!(parts(dir.path()).unwrap(), all[1..]);
        files.prune(day(19), &section(1, 32)).unwrap();
        assert_eq!(parts(dir.path()).unwrap(), [], "the last one goes too, six hours after its beginning");
    }

    #[test]
    fn what_is_too_much_goes_early_and_says_so_but_never_the_file_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path());
        let small = section(30, 4);
        for minute in 0..3 {
            files.begin(NOW.plus_ms(minute * 60_000)).unwrap();
            assert!(!files.is_full(NOW.plus_ms(minute * 60_000), &small));
            let path = &parts(dir.path()).unwrap()[usize::try_from(minute).unwrap()].path;
            File::options().append(true).open(path).unwrap().set_len(3_000_000).unwrap();
        }
        assert!(files.prune(NOW, &small).unwrap(), "it is told");
        let left = parts(dir.path()).unwrap();
        assert_eq!(left.iter().map(|p| p.began.since_ms(NOW)).collect::<Vec<_>>(), [120_000]);
        assert!(files.is_full(NOW.plus_ms(120_000 + SPAN_MS), &small));
        assert!(files.is_full(NOW, &small), "a clock that went back begins another file");
    }
}
