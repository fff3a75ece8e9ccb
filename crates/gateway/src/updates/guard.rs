//! The guard: watches over a program on trial from outside, as code of the installed one.
//!
//! A program that hangs cannot give itself up. The guard waits a minute longer than the
//! trial may last; then it gives the program up and kills it, and whoever supervises
//! the box starts it again with the one before.

use super::slots::Slots;
use crate::clock::Clock;
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;

/// What the program has beyond its own time, milliseconds.
const GRACE_MS: i64 = 60_000;
const LOOK_MS: i64 = 1_000;

/// Watches over process `pid`, the start of number `starts`, until the trial is over.
///
/// True when it had to be killed.
pub async fn watch(data: &Path, pid: u32, starts: u32, prove_ms: u64, clock: &Clock) -> bool {
    let slots = Slots::of(data);
    let until = clock.mono_ms().saturating_add(i64::try_from(prove_ms).unwrap_or(i64::MAX / 2) + GRACE_MS);
    let born = start_time(pid);
    loop {
        let on_trial = slots.record().trial.is_some_and(|t| t.starts == starts);
        if !on_trial || born.is_none() || start_time(pid) != born {
            return false;
        }
        if clock.mono_ms() >= until {
            break;
        }
        clock.sleep_ms(LOOK_MS).await;
    }
    match slots.undo("it hung: the guard ended it") {
        Ok(true) => {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
        }
        _ => false,
    }
}

/// When a process began, in the kernel's ticks: a process id alone may be another's by now.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold spaces; the 22nd field is the 20th after it (proc(5)).
    let after = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    // A process that has ended and waits for its parent is no longer running.
    (fields.first() != Some(&"Z")).then(|| fields.get(19).map(|t| (*t).to_owned()))?
}
