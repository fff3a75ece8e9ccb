//! `kulkul enrol`: a claim code for a site's gateway.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;

/// Give a claim code for the gateway of one site
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul enrol BJ-001")]
pub struct Args {
    /// The site's code, such as BJ-001
    site: String,
    #[command(flatten)]
    which: WhichHub,
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
