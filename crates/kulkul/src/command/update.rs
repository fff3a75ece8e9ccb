//! `kulkul update`: programs for boxes, from the key that signs them to the places that run them.

mod rolling;
mod signing;

use crate::ending::Outcome;
use crate::logs::LogForm;

/// Sign programs for boxes, take them into the hub, roll them out in stages
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kulkul update keygen update.key\n  \
                        kulkul update sign kulkul --key update.key\n  kulkul update take kulkul\n  \
                        kulkul update roll-out 0.2.0 --stage area:51.03.03 --stage regency")]
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
    /// Take a program and its statement PROGRAM.release into the hub
    #[command(after_help = "Example:\n  kulkul update take kulkul")]
    Take(rolling::Take),
    /// List the releases that the hub has
    #[command(after_help = "Example:\n  kulkul update list")]
    List(rolling::List),
    /// Forget a release that no box was told of and none runs
    #[command(after_help = "Example:\n  kulkul update drop \
                            4c1f0e7a7f3f0a6c1d9b2e4f704c1f0e7a7f3f0a6c1d9b2e4f704c1f0e7a7f3f")]
    Drop(rolling::Drop),
    /// Begin a rollout of a version, stage after stage; one that runs is stopped by it
    #[command(
        after_help = "Examples:\n  kulkul update roll-out 0.2.0 --stage area:51.03.03 --stage regency\n  \
                            kulkul update roll-out 0.2.0 --stage site:BJ-001,site:SD-004 --stage category:sd \
                            --stage regency --wait-hours 48"
    )]
    RollOut(rolling::RollOut),
    /// List the newest rollouts
    #[command(after_help = "Example:\n  kulkul update rollouts")]
    Rollouts(rolling::Rollouts),
    /// Pause, resume or stop a rollout
    #[command(after_help = "Example:\n  kulkul update steer 3 pause")]
    Steer(rolling::Steer),
}

impl Args {
    /// Makes keys and signs, or does it in the database, through a running hub when there is one.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        match self.act {
            Act::Keygen(keygen) => keygen.run(),
            Act::Sign(sign) => sign.run(),
            Act::Take(take) => take.run(),
            Act::List(list) => list.run(),
            Act::Drop(drop) => drop.run(),
            Act::RollOut(roll_out) => roll_out.run(),
            Act::Rollouts(rollouts) => rollouts.run(),
            Act::Steer(steer) => steer.run(),
        }
    }
}
