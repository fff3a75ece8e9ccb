//! Updates: the box fetches, tries and proves the program that its desired state names.
//!
//! A release counts when a key of gateway.toml signed it; no hub has such a key. The
//! program goes to a free slot, is asked whether it fits, and waits for the quiet hours.
//! Then it runs in place of this one. Until it has shown that nothing is worse than
//! before, it is on trial: by itself, by the starts that are counted, and by a guard.

pub mod guard;
pub mod launch;
mod prove;
mod running;
pub mod slots;

pub use running::{Program, Running};

use crate::again::Again;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor;
use crate::journal::Journal;
use crate::status::HubSeen;
use kulkul_model::Zone;
use kulkul_model::gateway::UpdateStep;
use kulkul_proof::release;
use kulkul_wire::link::desired::{Desired, UpdateSection};
use kulkul_wire::link::{Digest, Entry, Event, Release};
use slots::{Passed, Slot, Slots, Trial};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The shortest and the longest wait before another try to fetch, milliseconds.
const WAIT_MS: (i64, i64) = (5_000, 600_000);
/// How often a box that waits for the quiet hours looks at the clock, milliseconds.
const LOOK_MS: i64 = 20_000;
/// A program says within this time whether it fits, milliseconds.
const FITS_MS: i64 = 20_000;
/// Room that stays free for the journal, bytes.
const SPARE: u64 = 4 * 1024 * 1024;

/// Fetches a release's program to a file; what is there already is the beginning of it.
pub type Fetch =
    Arc<dyn Fn(Release, PathBuf) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// The files of a run.
#[derive(Clone, Debug)]
pub struct Files {
    /// This program.
    pub exe: PathBuf,
    /// The program that was installed: this one where it runs itself.
    pub installed: PathBuf,
    /// gateway.toml.
    pub settings: PathBuf,
}

/// What a box's updates are made of.
pub struct Parts {
    /// The box's settings.
    pub config: Arc<Config>,
    /// Programs and gateway.toml, which a new program is asked to read.
    pub files: Files,
    /// The desired state in force.
    pub desired: watch::Receiver<Option<Arc<Desired>>>,
    /// How the hub was last seen.
    pub hub: watch::Receiver<HubSeen>,
    /// Brings programs; none without a hub.
    pub fetch: Option<Fetch>,
    /// The journal.
    pub journal: Journal,
    /// The clock.
    pub clock: Clock,
    /// Ends the run.
    pub again: Again,
}

/// Keeps the box's program as the desired state names it.
pub struct Updates {
    parts: Parts,
    slots: Slots,
    running: watch::Sender<Running>,
    /// Refused in this run: noted once.
    refused: BTreeSet<Digest>,
    /// The release that lies ready, noted once.
    ready: Option<Digest>,
}

/// Why a release is not tried now.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NotNow {
    /// It may be later.
    #[error("{0}")]
    Later(String),
    /// Never by this box as it is.
    #[error("{0}")]
    Refused(String),
}

impl Updates {
    /// For a box that runs `parts.files.exe`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let slots = Slots::of(&parts.config.data);
        let (running, _) = watch::channel(Running::of(&parts.config.data, &parts.files.exe));
        Updates { parts, slots, running, refused: BTreeSet::new(), ready: None }
    }

    /// What runs, and changes of that.
    #[must_use]
    pub fn running(&self) -> watch::Receiver<Running> {
        self.running.subscribe()
    }

    /// Tells what became of trials, proves a program on trial, then follows the desired state.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        self.tell().await;
        if self.running.borrow().trial && !self.trial().await {
            return;
        }
        let mut wait_ms = WAIT_MS.0;
        loop {
            let desired = self.parts.desired.borrow_and_update().clone();
            let settled = match desired.as_deref() {
                Some(desired) => self.settle(desired, &mut wait_ms).await,
                None => None,
            };
            let changed = self.parts.desired.changed();
            if let Some(pause_ms) = settled {
                if self.parts.clock.at_most(pause_ms, Box::pin(changed)).await.is_some() {
                    wait_ms = WAIT_MS.0;
                }
            } else if changed.await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Tells the journal what starts and guard have found.
    async fn tell(&self) {
        let told = self.slots.record().to_tell;
        for one in &told {
            tracing::warn!(program = %one.program, step = one.step.as_str(), reason = one.reason, "an update");
            self.note(one.program, one.step, &one.reason).await;
        }
        if !told.is_empty()
            && let Err(error) = self.slots.change(|record| record.to_tell.clear())
        {
            tracing::warn!(%error, "what was told of updates will be told again");
        }
    }

    /// Watches over this program while it is on trial; false when it was given up.
    async fn trial(&mut self) -> bool {
        let Some(trial) = self.slots.record().trial else { return true };
        tracing::info!(program = %trial.program, starts = trial.starts, "this program is on trial");
        let verdict = prove::watch(&self.parts, &trial).await;
        let done = match &verdict {
            Ok(()) => self.slots.prove(),
            Err(reason) => self.slots.undo(reason),
        };
        match (verdict, done) {
            (Ok(()), Ok(_)) => {
                tracing::info!(program = %trial.program, "this program has proven itself");
                self.running.send_modify(|r| r.trial = false);
                self.note(trial.program, UpdateStep::Proven, "").await;
                true
            }
            (Err(reason), Ok(_)) => {
                tracing::error!(reason, "this program has not proven itself; the one before runs again");
                self.parts.again.begin_as_another();
                false
            }
            (_, Err(error)) => {
                // The guard ends the trial: it reads the same record.
                tracing::error!(%error, "the end of the trial cannot be kept");
                false
            }
        }
    }

    /// Does what can be done now; how long to wait before the next look, none until something changes.
    async fn settle(&mut self, desired: &Desired, wait_ms: &mut i64) -> Option<i64> {
        let section = &desired.update;
        if section.release.0.is_empty() {
            self.slots.sweep(None);
            return None;
        }
        let statement = Digest::of(&section.release.0);
        if self.refused.contains(&statement) {
            return None;
        }
        let release = match self.acceptable(section) {
            Ok(Some(release)) => release,
            Ok(None) => return None,
            Err(why) => return self.refuse(section, statement, &why.to_string()).await,
        };
        let ready = match self.bring(section, &release).await {
            Ok(()) => release,
            Err(NotNow::Later(why)) => {
                tracing::debug!(why, "the program of a release is not there yet");
                let pause_ms = *wait_ms;
                *wait_ms = (pause_ms * 2).min(WAIT_MS.1);
                return Some(pause_ms);
            }
            Err(refused) => return self.refuse(section, statement, &refused.to_string()).await,
        };
        if self.ready.replace(ready.sha256) != Some(ready.sha256) {
            self.note(ready.sha256, UpdateStep::Ready, "").await;
        }
        if !is_time(section, self.parts.clock.wall(), &desired.site.zone) {
            return Some(LOOK_MS);
        }
        match self.begin(section, &ready).await {
            Ok(()) => None,
            Err(error) => {
                tracing::warn!(%error, "a program on trial cannot be begun");
                Some(WAIT_MS.1)
            }
        }
    }

    async fn refuse(&mut self, section: &UpdateSection, statement: Digest, why: &str) -> Option<i64> {
        tracing::error!(why, "a release is refused");
        self.refused.insert(statement);
        self.slots.sweep(None);
        let program = release::read(&section.release.0).map_or(statement, |r| r.sha256);
        self.note(program, UpdateStep::Refused, why).await;
        None
    }

    /// A release that this box may try; none when it runs already, or was tried.
    fn acceptable(&self, section: &UpdateSection) -> Result<Option<Release>, NotNow> {
        let refused = |why: String| Err(NotNow::Refused(why));
        let keys = &self.parts.config.update_keys;
        if keys.is_empty() {
            return refused("this box trusts no update key: name one as update_keys in gateway.toml".into());
        }
        let release = match release::open(keys, &section.release.0) {
            Ok(release) => release,
            Err(error) => return refused(error.to_string()),
        };
        let record = self.slots.record();
        let asked = Passed { program: release.sha256, rollout: section.rollout };
        let runs = self.running.borrow().release.as_ref().is_some_and(|r| r.sha256 == release.sha256);
        if runs || record.passed.contains(&asked) {
            return Ok(None);
        }
        let ours = Program::this().target;
        if release.target != ours {
            return refused(format!("it is for {}, this box runs {ours}", release.target));
        }
        match record.newest {
            Some(newest) if release.signed_at < newest => {
                refused(format!("it was signed at {}, before the one that runs", release.signed_at))
            }
            _ => Ok(Some(release)),
        }
    }

    /// Brings the program into the free slot and asks it whether it fits.
    async fn bring(&self, section: &UpdateSection, release: &Release) -> Result<(), NotNow> {
        let slot = self.slots.free(&self.slots.record());
        let program = self.slots.program(slot);
        let held = self.slots.release(slot).as_ref() == Some(release);
        if held && self.ready == Some(release.sha256) {
            return Ok(());
        }
        let (there, same) = (program.clone(), release.clone());
        let blocking = move || slots::check(&there, &same).is_ok();
        if !(held && tokio::task::spawn_blocking(blocking).await.unwrap_or(false)) {
            self.fetch(section, release, slot).await?;
        }
        self.fits(&program).await
    }

    async fn fetch(&self, section: &UpdateSection, release: &Release, slot: Slot) -> Result<(), NotNow> {
        let later = |e: io::Error| NotNow::Later(e.to_string());
        let Some(fetch) = &self.parts.fetch else {
            return Err(NotNow::Later("there is no hub".to_owned()));
        };
        // Makes the directory.
        self.slots.change(|_| ()).map_err(later)?;
        self.slots.sweep(Some(release.sha256));
        let part = self.slots.part(release.sha256);
        let disk = rustix::fs::statvfs(&self.parts.config.data).map_err(io::Error::from).map_err(later)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if release.bytes.saturating_add(SPARE) > free {
            let why = format!("its {} bytes do not fit on the disk, where {free} are free", release.bytes);
            return Err(NotNow::Refused(why));
        }
        fetch(release.clone(), part.clone()).await.map_err(NotNow::Later)?;
        let (slots, release, statement) = (self.slots.clone(), release.clone(), section.release.clone());
        let filled = tokio::task::spawn_blocking(move || {
            slots::check(&part, &release).map_err(NotNow::Refused)?;
            slots.fill(slot, &part, &statement.0).map_err(later)
        });
        filled.await.map_err(|e| NotNow::Later(e.to_string()))?
    }

    /// Asks a program whether it runs on this machine and can read the box's settings.
    async fn fits(&self, program: &Path) -> Result<(), NotNow> {
        let mut command = tokio::process::Command::new(program);
        command.args(["gateway", "program", "--check", "--config"]).arg(&self.parts.files.settings);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let refused = |why: String| Err(NotNow::Refused(why));
        let out = match self.parts.clock.at_most(FITS_MS, Box::pin(command.output())).await {
            None => return refused("it does not say whether it fits".to_owned()),
            Some(Err(error)) => return refused(format!("the system does not run it: {error}")),
            Some(Ok(out)) => out,
        };
        if !out.status.success() {
            let said = String::from_utf8_lossy(&out.stderr);
            let why = said.lines().next_back().unwrap_or_default();
            return refused(format!("it does not fit this box: {why}"));
        }
        match serde_json::from_slice::<Program>(&out.stdout) {
            Ok(says) if says.target == Program::this().target => Ok(()),
            Ok(says) => refused(format!("it says that it is for {}", says.target)),
            Err(error) => refused(format!("what it says of itself cannot be read: {error}")),
        }
    }

    /// Puts the program on trial and ends this run.
    async fn begin(&self, section: &UpdateSection, release: &Release) -> io::Result<()> {
        let before = broken(&self.parts.config, &self.parts.clock).await;
        let before = before.into_iter().map(|(key, _)| key).collect();
        let slot = self.slots.free(&self.slots.record());
        let trial = Trial {
            slot,
            program: release.sha256,
            rollout: section.rollout,
            prove_ms: section.prove_ms,
            starts: 0,
            before,
        };
        // Noted first: a program that cannot write the journal is told of all the same.
        self.note(release.sha256, UpdateStep::Begun, "").await;
        let installed = slots::identity(&self.parts.files.installed);
        self.slots.change(|record| {
            record.installed = installed;
            record.trial = Some(trial);
        })?;
        tracing::info!(version = release.version, program = %release.sha256, "another program takes over, on trial");
        self.parts.again.begin_as_another();
        Ok(())
    }

    async fn note(&self, program: Digest, step: UpdateStep, reason: &str) {
        let event = Event::Update { program, step, reason: reason.to_owned() };
        if let Err(error) = self.parts.journal.append(Entry::Event(event)).await {
            tracing::error!(%error, "a step of an update is not recorded");
        }
    }
}

/// What is broken at the box now: each finding's key, with its sentence in English.
async fn broken(config: &Config, clock: &Clock) -> Vec<(String, String)> {
    // It tries the kernel and waits for programs; the thread that lets people in must not.
    let (config, clock, here) = (config.clone(), clock.clone(), Handle::current());
    let work = move || here.block_on(doctor::examine(&config, &clock));
    match tokio::task::spawn_blocking(work).await {
        Ok(report) => report.broken(),
        Err(error) => vec![("doctor".to_owned(), error.to_string())],
    }
}

/// Whether a release may be tried at this moment; without a clock only at once.
fn is_time(section: &UpdateSection, now: Option<kulkul_model::Moment>, zone: &str) -> bool {
    if section.at_once {
        return true;
    }
    let (Some(now), Ok(zone)) = (now, Zone::named(zone)) else { return false };
    let local = zone.civil(now);
    let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
    let (from, until) = (section.quiet_from, section.quiet_until);
    if from <= until { (from..until).contains(&minute) } else { minute >= from || minute < until }
}

#[cfg(test)]
mod tests;
