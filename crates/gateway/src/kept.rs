//! Programs that the gateway keeps running beside itself: the resolver and dnsmasq.
//!
//! They outlive a crash of this process on purpose. The next run finds them by their
//! pid files and replaces them; a proper stop ends them, and a run that another program
//! follows leaves them to it.

use crate::again::Again;
use crate::clock::Clock;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::io;
use std::path::{Path, PathBuf};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The shortest and the longest wait before another try, in milliseconds.
const WAIT_MS: (i64, i64) = (20, 30_000);
/// A program that ran for this long was all right, in milliseconds.
const SOUND_MS: i64 = 30_000;
/// How long a program may take to end when it is asked to, in milliseconds.
const END_MS: i64 = 5_000;

/// A program and how to know it again.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is called in events and logs.
    pub name: &'static str,
    /// Where its process id is kept.
    pub pid_file: PathBuf,
    /// What its command line contains: a process id alone may be somebody else's by now.
    pub mark: String,
    /// Whether an earlier one is ended only after the new one has started.
    pub overlap: bool,
}

/// What may be asked of a running program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Read the settings again (SIGHUP).
    Reload,
    /// End and start anew.
    Restart,
}

/// Keeps the program running until the run ends, then ends it or leaves it to the next run.
///
/// `make` builds the command line anew for every start. `failed` is told when the
/// program ended by itself; it is then started again, after longer and longer waits.
pub async fn keep(
    program: Program,
    mut make: impl FnMut() -> io::Result<Command>,
    mut changes: mpsc::Receiver<Change>,
    clock: Clock,
    failed: mpsc::Sender<&'static str>,
    again: Again,
) {
    let stop = again.stop();
    let mut earlier = running(&program.pid_file, &program.mark);
    let mut wait_ms = WAIT_MS.0;
    let mut open = true;
    while !stop.is_cancelled() {
        if !program.overlap {
            end_earlier(&program, earlier.take(), &clock).await;
        }
        let began = clock.mono_ms();
        match make().and_then(|mut c| c.kill_on_drop(false).spawn()) {
            Ok(mut child) => {
                note(&program, &child);
                end_earlier(&program, earlier.take(), &clock).await;
                let asked = watch(&mut child, &mut changes, &mut open, stop).await;
                if stop.is_cancelled() && again.leaves() {
                    return;
                }
                if asked.is_some() || stop.is_cancelled() {
                    end(&program, &mut child, &clock).await;
                    continue;
                }
                tracing::warn!(program = program.name, "ended by itself; starting it again");
            }
            Err(error) => tracing::warn!(program = program.name, %error, "cannot be started"),
        }
        // The journal may be busy: that it happened is in the log as well.
        let _ = failed.try_send(program.name);
        if clock.mono_ms().saturating_sub(began) > SOUND_MS {
            wait_ms = WAIT_MS.0;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = clock.sleep_ms(wait_ms) => {}
        }
        wait_ms = (wait_ms * 2).min(WAIT_MS.1);
    }
    // What is not there any more cannot be removed; that is as good.
    let _ = std::fs::remove_file(&program.pid_file);
}

/// Waits until the program ends by itself (nothing) or has to be started anew.
async fn watch(
    child: &mut Child,
    changes: &mut mpsc::Receiver<Change>,
    open: &mut bool,
    stop: &CancellationToken,
) -> Option<Change> {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Some(Change::Restart),
            _ = child.wait() => return None,
            change = changes.recv(), if *open => match change {
                Some(Change::Reload) => signal(child.id(), Signal::HUP),
                Some(Change::Restart) => return Some(Change::Restart),
                None => *open = false,
            },
        }
    }
}

async fn end(program: &Program, child: &mut Child, clock: &Clock) {
    signal(child.id(), Signal::TERM);
    if clock.at_most(END_MS, Box::pin(child.wait())).await.is_none() {
        tracing::warn!(program = program.name, "did not end when asked; killed");
        // Only fails when it has ended meanwhile.
        let _ = child.kill().await;
    }
}

async fn end_earlier(program: &Program, earlier: Option<u32>, clock: &Clock) {
    let Some(pid) = earlier else { return };
    tracing::info!(program = program.name, pid, "ending the one of an earlier run");
    let gone = || !is_running(pid, &program.mark);
    for strong in [Signal::TERM, Signal::KILL] {
        signal(Some(pid), strong);
        let until = clock.mono_ms().saturating_add(END_MS);
        while !gone() && clock.mono_ms() < until {
            clock.sleep_ms(10).await;
        }
        if gone() {
            reap(pid);
            return;
        }
    }
}

/// A child that the run before had started, as another program in this process, is buried too.
fn reap(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may be somebody else's child: then there is nothing to do.
    let _ = waitpid(pid, WaitOptions::NOHANG);
}

fn note(program: &Program, child: &Child) {
    let Some(pid) = child.id() else { return };
    if let Err(error) = std::fs::write(&program.pid_file, format!("{pid}\n")) {
        tracing::warn!(program = program.name, %error, "process id not written");
    }
}

fn signal(pid: Option<u32>, signal: Signal) {
    let pid = pid.and_then(|p| i32::try_from(p).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended a moment ago.
        let _ = kill_process(pid, signal);
    }
}

/// The process that a pid file names, if it still runs and its command line has `mark`.
#[must_use]
pub fn running(pid_file: &Path, mark: &str) -> Option<u32> {
    let pid = std::fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    is_running(pid, mark).then_some(pid)
}

fn is_running(pid: u32, mark: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(data: &Path, overlap: bool) -> Program {
        Program {
            name: "sleeper",
            pid_file: data.join("sleeper.pid"),
            mark: format!("sleep\x001000\0{}", std::process::id()),
            overlap,
        }
    }

    fn make() -> io::Result<Command> {
        let mut command = Command::new("sleep");
        command.args(["1000", &std::process::id().to_string()]);
        Ok(command)
    }

    async fn until<T>(clock: &Clock, mut look: impl FnMut() -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = look() {
                    return found;
                }
                clock.sleep_ms(5).await;
            }
        };
        clock.at_most(10_000, Box::pin(found)).await.unwrap()
    }

    #[tokio::test]
    async fn a_killed_program_comes_back_and_a_stop_ends_it() {
        let data = tempfile::tempdir().unwrap();
        let (clock, stop) = (Clock::machine(), CancellationToken::new());
        let (failed, mut failures) = mpsc::channel(4);
        let (change, changes) = mpsc::channel(4);
        let program = sleeper(data.path(), false);
        let now = || running(&program.pid_file, &program.mark);
        let keeping = tokio::spawn(keep(
            program.clone(),
            make,
            changes,
            clock.clone(),
            failed,
            Again::new(stop.clone()),
        ));
        let first = until(&clock, now).await;
        signal(Some(first), Signal::KILL);
        assert_eq!(failures.recv().await, Some("sleeper"));
        let second = until(&clock, || now().filter(|p| *p != first)).await;
        change.send(Change::Restart).await.unwrap();
        let third = until(&clock, || now().filter(|p| *p != second)).await;
        stop.cancel();
        keeping.await.unwrap();
        assert!(!is_running(third, &program.mark) && !program.pid_file.exists());
    }

    #[tokio::test]
    async fn the_program_of_a_crashed_run_is_replaced() {
        for overlap in [false, true] {
            let data = tempfile::tempdir().unwrap();
            let program = sleeper(data.path(), overlap);
            let mut orphan = make().unwrap().spawn().unwrap();
            note(&program, &orphan);
            assert!(until(&Clock::machine(), || running(&program.pid_file, &program.mark)).await > 0);
            let (clock, stop) = (Clock::machine(), CancellationToken::new());
            let (failed, _failures) = mpsc::channel(4);
            let (_change, changes) = mpsc::channel(4);
            let keeping = tokio::spawn(keep(
                program.clone(),
                make,
                changes,
                clock.clone(),
                failed,
                Again::new(stop.clone()),
            ));
            // Ends because it was told to, not by itself: it would sleep for 1,000 s.
            assert!(clock.at_most(10_000, Box::pin(orphan.wait())).await.is_some());
            until(&clock, || running(&program.pid_file, &program.mark)).await;
            stop.cancel();
            keeping.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_run_that_another_program_follows_leaves_it_running() {
        let data = tempfile::tempdir().unwrap();
        let program = sleeper(data.path(), true);
        let (clock, again) = (Clock::machine(), Again::new(CancellationToken::new()));
        let (failed, _failures) = mpsc::channel(4);
        let (_change, changes) = mpsc::channel(4);
        let keeping =
            tokio::spawn(keep(program.clone(), make, changes, clock.clone(), failed, again.clone()));
        let left = until(&clock, || running(&program.pid_file, &program.mark)).await;
        again.begin_as_another();
        keeping.await.unwrap();
        assert_eq!(running(&program.pid_file, &program.mark), Some(left));
        end_earlier(&program, Some(left), &clock).await;
        assert!(!std::path::Path::new(&format!("/proc/{left}")).exists(), "buried by who takes over");
    }

    #[test]
    fn a_pid_of_somebody_else_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("pid");
        std::fs::write(&file, format!("{}\n", std::process::id())).unwrap();
        assert_eq!(running(&file, "no such mark"), None);
        assert_eq!(running(&data.path().join("none"), ""), None);
    }
}
