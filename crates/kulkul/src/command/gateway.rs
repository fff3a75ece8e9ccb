//! `kulkul gateway`: the box at a site, what it says of itself, and its resolver.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use std::path::PathBuf;

/// Run the box at a site: portal, firewall, names, journal (the default), or ask it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul gateway --config gateway.toml\n  kulkul gateway status\n  kulkul gateway doctor"
)]
pub struct Args {
    /// The gateway's configuration
    #[arg(long, global = true, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Run the box (the same as no command)
    #[command(after_help = "Example:\n  kulkul gateway run --config gateway.toml")]
    Run,
    /// Ask the running box how it is
    #[command(after_help = "Example:\n  kulkul gateway status --json")]
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong with this box and its place, each with a mend
    #[command(after_help = "Example:\n  kulkul gateway doctor")]
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// The resolver, a process of its own that the gateway starts
    #[command(hide = true)]
    Resolver,
}

impl Args {
    /// Runs the box, or asks it.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, _logs: LogForm) -> Outcome {
        match self.act.unwrap_or(Act::Run) {
            Act::Run | Act::Status { .. } | Act::Doctor { .. } | Act::Resolver => {
                Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
            }
        }
    }
}
