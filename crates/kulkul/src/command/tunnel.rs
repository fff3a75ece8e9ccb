//! `kulkul tunnel`: what the data centre's end of the tunnel must know.

use crate::ending::{Ending, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::admin::{Answer, Command};

/// Print what the data centre's end of the tunnel must know of the boxes, as wg reads it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul tunnel > peers.conf")]
pub struct Args {
    #[command(flatten)]
    which: WhichHub,
}

impl Args {
    /// Reads it from the database, through a running hub when there is one.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        runtime::run(async {
            match self.which.ask(&Command::TunnelPeers).await? {
                Answer::Text { text } => screen::bytes(text.as_bytes())?,
                other => return Err(unexpected(&other)),
            }
            Ok(Ending::Done)
        })
    }
}
