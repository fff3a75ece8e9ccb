//! `kulkul hub`: the service.

use crate::ending::{Failure, Outcome};
use std::path::PathBuf;

/// Run the hub: pages, API and the gateways' link
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul hub --config hub.toml")]
pub struct Args {
    /// The hub's configuration
    #[arg(long, value_name = "FILE", default_value = "hub.toml")]
    config: PathBuf,
}

impl Args {
    /// Runs the command.
    ///
    /// # Errors
    /// Says what could not be done and the mend.
    pub fn run(self) -> Outcome {
        Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
    }
}
