//! Handing over to the program that an update brought, and the guard of one on trial.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::runtime;
use kulkul_gateway::clock::Clock;
use kulkul_gateway::updates::guard;
use kulkul_gateway::updates::launch::{INSTALLED, Launch};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The installed program, where that is another one than this.
pub(super) fn installed() -> Option<PathBuf> {
    std::env::var_os(INSTALLED).map(PathBuf::from)
}

/// Becomes the program that is to run; returns where that is this one.
pub(super) fn hand_over(settings: &Path) -> Result<(), Failure> {
    if installed().is_some() {
        return Ok(());
    }
    let exe = std::env::current_exe().or_unable("run kulkul by its full path")?;
    // A program that the system does not run is given up, and the one before is looked for.
    while let Some(launch) = Launch::find(settings, &exe) {
        if let Some((starts, prove_ms)) = launch.trial {
            watch_over(&exe, &launch, starts, prove_ms);
        }
        let mut program = Command::new(&launch.program);
        let error = program.args(std::env::args_os().skip(1)).env(INSTALLED, &exe).exec();
        // A disk that cannot be written must not keep the place shut: this program serves it.
        if launch.cannot_run(&error).is_err() {
            break;
        }
    }
    Ok(())
}

/// Starts the guard over this process, apart from it: the guard must outlive what it watches.
fn watch_over(exe: &Path, launch: &Launch, starts: u32, prove_ms: u64) {
    let mut guard = Command::new(exe);
    guard.args(["gateway", "guard", "--pid", &std::process::id().to_string()]);
    guard.args(["--starts", &starts.to_string(), "--prove-ms", &prove_ms.to_string()]);
    guard.arg("--data").arg(&launch.data).stdin(Stdio::null());
    // Without a guard the counted starts and the program's own watch remain.
    let _ = guard.status();
}

#[derive(Debug, clap::Args)]
pub(super) struct Guard {
    /// The gateway's data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The process that is watched over
    #[arg(long)]
    pid: u32,
    /// Which start of the program it is
    #[arg(long)]
    starts: u32,
    /// How long the program has to prove itself
    #[arg(long)]
    prove_ms: u64,
    /// Is already apart from the process that it watches over
    #[arg(long)]
    apart: bool,
}

impl Guard {
    /// Watches, or starts itself once more so that it is no child of what it watches.
    pub(super) fn run(self) -> Outcome {
        if self.apart {
            return runtime::run_small(async move {
                guard::watch(&self.data, self.pid, self.starts, self.prove_ms, &Clock::machine()).await;
                Ok(Ending::Done)
            });
        }
        let exe = std::env::current_exe().or_unable("run kulkul by its full path")?;
        let mut apart = Command::new(exe);
        apart.args(std::env::args_os().skip(1)).arg("--apart").process_group(0);
        apart.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        apart.spawn().or_unable("see whether the system has processes left")?;
        Ok(Ending::Done)
    }
}
