//! `kulkul staff`: the people who run the service.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;

/// Add, list and disable the people who run the service
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul staff add made.suta --role operator --area 51.03.04\n  kulkul staff list"
)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Add a person and print a one-time password
    #[command(
        after_help = "Example:\n  kulkul staff add made.suta --display \"I Made Suta\" --role operator --area 51.03.04"
    )]
    Add {
        /// The name to sign in with
        name: String,
        /// The name that others see; the sign-in name when left out
        #[arg(long)]
        display: Option<String>,
        /// auditor, operator or admin
        #[arg(long, default_value = "operator")]
        role: String,
        /// Limit them to this area
        #[arg(long, value_name = "CODE")]
        area: Option<String>,
    },
    /// List everybody
    #[command(after_help = "Example:\n  kulkul staff list")]
    List,
    /// Shut a person out and end their sessions
    #[command(after_help = "Example:\n  kulkul staff disable made.suta")]
    Disable {
        /// The name to sign in with
        name: String,
    },
    /// Give a new one-time password and end all sessions
    #[command(after_help = "Example:\n  kulkul staff reset-password made.suta")]
    ResetPassword {
        /// The name to sign in with
        name: String,
    },
}

impl Args {
    /// Does it in the database, through a running hub when there is one.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, _logs: LogForm) -> Outcome {
        Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
    }
}
