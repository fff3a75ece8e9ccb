//! `kulkul keys`: the keys that the hub signs with.

use crate::ending::{Ending, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::screen;
use crate::which_hub::WhichHub;
use kulkul_hub::Clock;
use kulkul_hub::fleet::Keys;

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
    /// Makes the keys where there are none, and shows the root's fingerprint.
    ///
    /// # Errors
    /// The directory cannot be written, or a key file is damaged.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let config = self.which.config()?;
        let Act::Init = self.act;
        let directory = config.data.join("keys");
        std::fs::create_dir_all(&config.data).or_unable("choose another directory with the key data")?;
        let keys = Keys::open(&directory, Clock::machine().now()).or_unable("see the file that it names")?;
        screen::line(format!("keys are in {}", directory.display()))?;
        for root in &keys.hub_keys().roots {
            screen::line(format!("hub_root = \"{}\"", root.fingerprint()))?;
        }
        Ok(Ending::Done)
    }
}
