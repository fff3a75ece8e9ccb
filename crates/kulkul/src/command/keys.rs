//! `kulkul keys`: the keys that the hub signs with.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;

/// Make the keys that the hub signs with
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul keys init --config hub.toml")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make the root and the signing keys where there are none
    #[command(after_help = "Example:\n  kulkul keys init")]
    Init,
}

impl Args {
    /// Makes the keys.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, _logs: LogForm) -> Outcome {
        Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
    }
}
