//! The two places for programs in the data directory, and which one a start runs.
//!
//! Beside the program that was installed there are slots `a` and `b`. A record says which
//! has proven itself and which is being tried; it is replaced whole, under a lock, by
//! the box's program, by whoever starts it and by the guard. Nothing here waits or sends.

use crate::disk::write_whole;
use kulkul_model::Moment;
use kulkul_model::gateway::UpdateStep;
use kulkul_proof::release;
use kulkul_wire::link::{Digest, PublicKey, Release};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A program that is tried is started this often before it counts as failed.
const MOST_STARTS: u32 = 3;
/// Releases that did not prove themselves are remembered, at most so many.
const MOST_PASSED: usize = 16;
const RECORD: &str = "now.json";
const PROGRAM: &str = "kulkul";
const STATEMENT: &str = "release";

/// One of the two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    fn name(self) -> &'static str {
        match self {
            Slot::A => "a",
            Slot::B => "b",
        }
    }
}

/// A program that is being tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Where it lies.
    pub slot: Slot,
    /// Its digest.
    pub program: Digest,
    /// The rollout that asked for it.
    pub rollout: u64,
    /// How long it has to prove itself after each start, milliseconds.
    pub prove_ms: u64,
    /// How often it was started.
    pub starts: u32,
    /// Keys of what was broken before it: it need not do better.
    pub before: Vec<String>,
}

/// A release that is not tried again in the same rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The program's digest.
    pub program: Digest,
    /// The rollout that asked for it.
    pub rollout: u64,
}

/// What the next start tells the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToTell {
    /// The program's digest.
    pub program: Digest,
    /// What became of it.
    pub step: UpdateStep,
    /// Why, in English.
    pub reason: String,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The slot whose program has proven itself; none for the installed one.
    pub proven: Option<Slot>,
    /// The rollout that asked for it.
    pub rollout: u64,
    /// The one that is being tried.
    pub trial: Option<Trial>,
    /// What the installed program was then: another one installed since wins.
    pub installed: String,
    /// When the newest proven release was signed.
    pub newest: Option<Moment>,
    /// What is not tried again.
    pub passed: Vec<Passed>,
    /// What the journal does not know yet.
    pub to_tell: Vec<ToTell>,
}

/// What a start runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The installed program.
    Installed,
    /// A slot's.
    Slot {
        /// The program's file.
        program: PathBuf,
        /// How often it was started on trial, and how long it has; none when it is proven.
        trial: Option<(u32, u64)>,
    },
}

/// The slots of one box.
#[derive(Clone, Debug)]
pub struct Slots {
    dir: PathBuf,
}

impl Slots {
    /// Those in a data directory; nothing is made.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Slots { dir: data.join("versions") }
    }

    /// Where a release's program is fetched to.
    #[must_use]
    pub fn part(&self, program: Digest) -> PathBuf {
        self.dir.join(format!("fetch-{program}"))
    }

    /// A slot's program.
    #[must_use]
    pub fn program(&self, slot: Slot) -> PathBuf {
        self.dir.join(slot.name()).join(PROGRAM)
    }

    /// The slot that a program's file lies in.
    #[must_use]
    pub fn slot_of(&self, exe: &Path) -> Option<Slot> {
        [Slot::A, Slot::B].into_iter().find(|s| self.program(*s) == exe)
    }

    /// What a slot's statement says; whoever starts a program has verified it.
    #[must_use]
    pub fn release(&self, slot: Slot) -> Option<Release> {
        let statement = fs::read(self.dir.join(slot.name()).join(STATEMENT)).ok()?;
        release::read(&statement).ok()
    }

    /// The record; an empty one where there is none or it cannot be read.
    #[must_use]
    pub fn record(&self) -> Record {
        let text = fs::read(self.dir.join(RECORD)).unwrap_or_default();
        // Without a record the installed program runs: that is always safe.
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Changes the record, durably; nobody else changes it meanwhile.
    ///
    /// # Errors
    /// What the disk says; the record is as it was.
    pub fn change<T>(&self, change: impl FnOnce(&mut Record) -> T) -> io::Result<T> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.dir.join("lock"))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let mut record = self.record();
        let before = record.clone();
        let done = change(&mut record);
        if record != before {
            write_whole(&self.dir.join(RECORD), &serde_json::to_vec(&record)?)?;
        }
        Ok(done)
    }

    /// What a start runs; counts the starts of a program on trial and gives up one that fails.
    ///
    /// `installed` is the program that was installed, which starts first.
    ///
    /// # Errors
    /// What the disk says.
    pub fn next(&self, keys: &[PublicKey], installed: &Path) -> io::Result<Next> {
        if !self.dir.join(RECORD).exists() {
            return Ok(Next::Installed);
        }
        let now = identity(installed);
        self.change(|record| {
            if record.installed != now && (record.proven.is_some() || record.trial.is_some()) {
                self.give_way(record);
            }
            if let Some(trial) = record.trial.clone() {
                let sound = match self.verify(trial.slot, keys) {
                    _ if trial.starts >= MOST_STARTS => {
                        Err(format!("it ended {MOST_STARTS} times before it had proven itself"))
                    }
                    sound => sound,
                };
                match sound {
                    Ok(()) => {
                        let starts = trial.starts + 1;
                        if let Some(trial) = &mut record.trial {
                            trial.starts = starts;
                        }
                        let (program, trial) = (self.program(trial.slot), Some((starts, trial.prove_ms)));
                        return Next::Slot { program, trial };
                    }
                    Err(why) => undo(record, why),
                }
            }
            let Some(slot) = record.proven else { return Next::Installed };
            match self.verify(slot, keys) {
                Ok(()) => Next::Slot { program: self.program(slot), trial: None },
                Err(reason) => {
                    tracing::error!(reason, "the proven program cannot be used");
                    record.proven = None;
                    // The release itself is sound: it may be fetched again.
                    record.newest = None;
                    if let Some(release) = self.release(slot) {
                        let program = release.sha256;
                        record.to_tell.push(ToTell { program, step: UpdateStep::Undone, reason });
                    }
                    Next::Installed
                }
            }
        })
    }

    /// Somebody installed another program since: what the slots hold is not run any more.
    fn give_way(&self, record: &mut Record) {
        let trial = record.trial.take().map(|t| (t.program, t.rollout));
        let by = record.rollout;
        let proven = record.proven.take().and_then(|s| self.release(s)).map(|r| (r.sha256, by));
        for (program, rollout) in trial.into_iter().chain(proven) {
            pass(record, Passed { program, rollout });
            let reason = "another program was installed at the box".to_owned();
            record.to_tell.push(ToTell { program, step: UpdateStep::Undone, reason });
        }
    }

    /// Whether a slot's statement is signed by one of `keys` and its program is the one that it names.
    fn verify(&self, slot: Slot, keys: &[PublicKey]) -> Result<(), String> {
        let statement = fs::read(self.dir.join(slot.name()).join(STATEMENT)).map_err(|e| e.to_string())?;
        let release = release::open(keys, &statement).map_err(|e| e.to_string())?;
        check(&self.program(slot), &release)
    }

    /// The slot that a new program goes to.
    #[must_use]
    pub fn free(&self, record: &Record) -> Slot {
        if record.proven == Some(Slot::A) { Slot::B } else { Slot::A }
    }

    /// Moves a fetched and checked program into a slot, with its statement.
    ///
    /// # Errors
    /// What the disk says; the slot may hold nothing then.
    pub fn fill(&self, slot: Slot, part: &Path, statement: &[u8]) -> io::Result<()> {
        let dir = self.dir.join(slot.name());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        // The statement goes first: a program without one is not run.
        match fs::remove_file(dir.join(STATEMENT)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = File::open(part)?;
        file.set_permissions(fs::Permissions::from_mode(0o700))?;
        file.sync_all()?;
        fs::rename(part, dir.join(PROGRAM))?;
        write_whole(&dir.join(STATEMENT), statement)
    }

    /// Removes parts of programs other than `wanted`.
    pub fn sweep(&self, wanted: Option<Digest>) {
        let keep = wanted.map(|program| self.part(program));
        for file in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let part = file.file_name().to_string_lossy().starts_with("fetch-");
            if part && Some(file.path()) != keep {
                // One that stays costs room and is tried again.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Notes that the program on trial serves the place, and stays.
    ///
    /// # Errors
    /// What the disk says; the trial goes on.
    pub fn prove(&self) -> io::Result<bool> {
        self.change(|record| {
            let Some(trial) = record.trial.take() else { return false };
            record.newest = self.release(trial.slot).map(|r| r.signed_at);
            (record.proven, record.rollout) = (Some(trial.slot), trial.rollout);
            true
        })
    }

    /// Gives the program on trial up; the one before runs at the next start.
    ///
    /// # Errors
    /// What the disk says; the trial goes on.
    pub fn undo(&self, reason: &str) -> io::Result<bool> {
        self.change(|record| {
            let tried = record.trial.is_some();
            undo(record, reason.to_owned());
            tried
        })
    }
}

fn undo(record: &mut Record, reason: String) {
    let Some(trial) = record.trial.take() else { return };
    pass(record, Passed { program: trial.program, rollout: trial.rollout });
    record.to_tell.push(ToTell { program: trial.program, step: UpdateStep::Undone, reason });
}

fn pass(record: &mut Record, passed: Passed) {
    if record.passed.len() >= MOST_PASSED {
        record.passed.remove(0);
    }
    record.passed.push(passed);
}

/// Whether a file is the one that a release names.
///
/// # Errors
/// Says what differs, in English.
pub fn check(path: &Path, release: &Release) -> Result<(), String> {
    let digest = || -> io::Result<(Digest, u64)> {
        let (mut file, mut digest, mut bytes) = (File::open(path)?, Sha256::new(), 0);
        let mut piece = vec![0; 64 * 1024];
        loop {
            let length = file.read(&mut piece)?;
            let part = piece.get(..length).unwrap_or_default();
            if part.is_empty() {
                return Ok((Digest(digest.finalize().into()), bytes));
            }
            digest.update(part);
            bytes += length as u64;
        }
    };
    let (sha256, bytes) = digest().map_err(|e| format!("the program cannot be read: {e}"))?;
    if sha256 == release.sha256 && bytes == release.bytes {
        Ok(())
    } else {
        Err("the program's bytes are not those that the release names".to_owned())
    }
}

/// What tells an installed program from another one in its place: length and time.
#[must_use]
pub fn identity(installed: &Path) -> String {
    fs::metadata(installed)
        .map_or_else(|_| String::new(), |m| format!("{} {}.{:09}", m.len(), m.mtime(), m.mtime_nsec()))
}

#[cfg(test)]
mod tests;
