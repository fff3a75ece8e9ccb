//! `kulkul demo`: a whole regency on this machine.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use std::path::PathBuf;

/// Run a whole regency on this machine, with simulated gateways
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul demo")]
pub struct Args {
    /// Keep everything here instead of in a temporary directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Says what could not be done and the mend.
    pub fn run(self, _logs: LogForm) -> Outcome {
        Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
    }
}
