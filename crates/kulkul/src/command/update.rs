//! `kulkul update`: programs for boxes, from the key that signs them to the places that run them.

mod signing;

use crate::ending::Outcome;
use crate::logs::LogForm;

/// Sign programs for boxes
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kulkul update keygen update.key\n  \
                        kulkul update sign kulkul --key update.key")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make the key that signs programs; on a machine that is no hub, and it stays there
    #[command(after_help = "Example:\n  kulkul update keygen update.key")]
    Keygen(signing::Keygen),
    /// Sign a program: writes PROGRAM.release beside it
    #[command(after_help = "Example:\n  kulkul update sign kulkul --key update.key")]
    Sign(signing::Sign),
}

impl Args {
    /// Makes keys and signs.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        match self.act {
            Act::Keygen(keygen) => keygen.run(),
            Act::Sign(sign) => sign.run(),
        }
    }
}
