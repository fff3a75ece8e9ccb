//! `kulkul fleet`: load: simulated gateways against a hub.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use std::path::PathBuf;

/// Put simulated gateways on a hub, to measure it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul fleet --hub http://127.0.0.1:8080 --gateways 987")]
pub struct Args {
    /// Where to write figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
