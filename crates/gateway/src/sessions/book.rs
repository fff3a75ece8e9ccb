//! The book of sessions: an append-only file that survives kill -9 at any byte.
//!
//! A record is its length, its CRC-32 and JSON. What was written is in the system's
//! memory at once (a killed daemon loses nothing) and on the disk within seconds
//! (`sync`). Reading stops at the first damaged record. The file is written anew when
//! most of it is history.

use super::Live;
use crate::clock::BootId;
use kulkul_model::session::SessionId;
use kulkul_wire::link::Stamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, IntoInnerError, Read, Write as _};
use std::path::{Path, PathBuf};

const NAME: &str = "sessions.book";
/// No record of ours is near this; a larger length is damage.
const MOST: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
enum Record {
    Put { at: Stamp, live: Box<Live> },
    Gone { id: String },
}

/// The open book.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    file: File,
    records: usize,
}

impl Book {
    /// Opens the book in `dir` and reads who was in it, with the stamp of each last record.
    ///
    /// # Errors
    /// The system's, when the file can be neither read nor made.
    pub fn open(dir: &Path) -> io::Result<(Self, Vec<(Stamp, Live)>)> {
        fs::create_dir_all(dir)?;
        let path = dir.join(NAME);
        let people = match File::open(&path) {
            Ok(file) => read(BufReader::new(file))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(e),
        };
        let file = write_anew(&path, people.values().map(|(at, live)| (*at, live)))?;
        let all: Vec<(Stamp, Live)> = people.into_values().collect();
        Ok((Book { path, file, records: all.len() }, all))
    }

    /// Writes a session down.
    ///
    /// # Errors
    /// The system's.
    pub fn put(&mut self, at: Stamp, live: &Live) -> io::Result<()> {
        // Cloning is cheap beside the write, and keeps one type for reading and writing.
        self.append(&Record::Put { at, live: Box::new(live.clone()) })
    }

    /// Writes down that a session is over and told.
    ///
    /// # Errors
    /// The system's.
    pub fn gone(&mut self, id: SessionId) -> io::Result<()> {
        self.append(&Record::Gone { id: id.to_string() })
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        self.records += 1;
        self.file.write_all(&frame(record)?)
    }

    /// Whether most of the file is history.
    #[must_use]
    pub fn is_long(&self, living: usize) -> bool {
        self.records > 1_000 + living * 4
    }

    /// Writes the file anew with these sessions.
    ///
    /// # Errors
    /// The system's; the old file stays.
    pub fn rewrite<'a>(&mut self, at: Stamp, all: impl Iterator<Item = &'a Live>) -> io::Result<()> {
        let all: Vec<&Live> = all.collect();
        self.file = write_anew(&self.path, all.iter().map(|l| (at, *l)))?;
        self.records = all.len();
        Ok(())
    }

    /// A second handle to the file, for bringing it to the disk elsewhere.
    ///
    /// # Errors
    /// The system's.
    pub fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

fn frame(record: &Record) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(record)?;
    let mut framed = Vec::with_capacity(json.len() + 8);
    framed.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
    framed.extend_from_slice(&crc32fast::hash(&json).to_le_bytes());
    framed.extend_from_slice(&json);
    Ok(framed)
}

fn write_anew<'a>(path: &Path, all: impl Iterator<Item = (Stamp, &'a Live)>) -> io::Result<File> {
    let temporary = path.with_extension("new");
    // One record at a time: with thousands of people the whole would be many times what they take.
    let mut file = BufWriter::new(File::create(&temporary)?);
    for (at, live) in all {
        file.write_all(&frame(&Record::Put { at, live: Box::new(live.clone()) })?)?;
    }
    file.into_inner().map_err(IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&temporary, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    OpenOptions::new().append(true).open(path)
}

fn read(mut book: impl Read) -> io::Result<BTreeMap<SessionId, (Stamp, Live)>> {
    let mut people = BTreeMap::new();
    while let Some(record) = next(&mut book)? {
        match record {
            Record::Put { at, live } => {
                people.insert(live.id, (at, *live));
            }
            Record::Gone { id } => {
                if let Some(id) = SessionId::parse(&id) {
                    people.remove(&id);
                }
            }
        }
    }
    Ok(people)
}

/// The next record; none at the end and from the first damaged one on.
fn next(book: &mut impl Read) -> io::Result<Option<Record>> {
    let mut head = [0; 8];
    if !fill(book, &mut head)? {
        return Ok(None);
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3] = head;
    let Some(length) = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok().filter(|l| *l <= MOST)
    else {
        return Ok(None);
    };
    let mut json = vec![0; length];
    if !fill(book, &mut json)? || crc32fast::hash(&json) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&json).ok())
}

/// Reads as much as fits; false where the book ends before.
fn fill(book: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match book.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

/// Puts a session's times into this run of the machine.
///
/// Monotonic times of another run mean nothing here: what is known is how long ago the
/// record was written, by the wall clock where both were set, else no time at all.
pub fn into_this_run(live: &mut Live, written: Stamp, now: Stamp) {
    if written.boot == now.boot && written.boot != BootId::default() {
        return;
    }
    let away = match (written.wall, now.wall) {
        (Some(then), Some(now)) => now.since_ms(then).max(0),
        _ => 0,
    };
    let mono = |s: Stamp| i64::try_from(s.mono_ms).unwrap_or(i64::MAX);
    live.shift(mono(now).saturating_sub(away).saturating_sub(mono(written)));
}

#[cfg(test)]
mod tests {
    use super::super::tests::live;
    use super::*;
    use kulkul_model::Moment;

    fn stamp() -> Stamp {
        Stamp { boot: BootId([7; 16]), mono_ms: 5_000, wall: Some(Moment::from_ms(1_800_000_000_000)) }
    }

    #[test]
    fn a_book_reads_back_after_a_cut_at_any_byte() {
        let dir = tempfile::tempdir().unwrap();
        let (mut book, none) = Book::open(dir.path()).unwrap();
        assert!(none.is_empty());
        for n in 1..=3 {
            book.put(stamp(), &live(n)).unwrap();
        }
        book.gone(live(2).id).unwrap();
        let whole = fs::read(dir.path().join(NAME)).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for cut in (0..=whole.len()).step_by(7).chain([whole.len()]) {
            fs::write(dir.path().join(NAME), &whole[..cut]).unwrap();
            let (_, people) = Book::open(dir.path()).unwrap();
            seen.insert(people.iter().map(|(_, l)| l.id.0[0]).collect::<Vec<_>>());
        }
        let seen: Vec<_> = seen.into_iter().collect();
        assert_eq!(seen, [vec![], vec![1], vec![1, 2], vec![1, 2, 3], vec![1, 3]]);
        let mut bent = whole.clone();
        bent[30] ^= 1;
        assert!(read(bent.as_slice()).unwrap().is_empty(), "a changed byte is found");
    }

    #[test]
    fn a_book_is_written_anew_when_it_is_long() {
        let dir = tempfile::tempdir().unwrap();
        let (mut book, _) = Book::open(dir.path()).unwrap();
        for _ in 0..1_010 {
            book.put(stamp(), &live(1)).unwrap();
        }
        assert!(book.is_long(1));
        book.rewrite(stamp(), [live(1)].iter()).unwrap();
        book.put(stamp(), &live(2)).unwrap();
        assert!(!book.is_long(2));
        assert_eq!(Book::open(dir.path()).unwrap().1.len(), 2);
    }

    #[test]
    fn another_run_keeps_what_was_left_of_a_session() {
        let later =
            Stamp { boot: BootId([8; 16]), mono_ms: 700, wall: Some(Moment::from_ms(1_800_000_010_000)) };
        let mut l = live(1);
        let left = l.ends_mono_ms() - 5_000;
        into_this_run(&mut l, stamp(), stamp());
        assert_eq!(l, live(1), "the same run");
        into_this_run(&mut l, stamp(), later);
        assert_eq!(l.ends_mono_ms() - 700, left - 10_000, "ten seconds went by");
        let mut l = live(1);
        into_this_run(&mut l, stamp(), Stamp { wall: None, ..later });
        assert_eq!(l.ends_mono_ms() - 700, left, "nobody knows how long it was");
    }
}
