//! `kulkul token`: API tokens.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;

/// Add, list and revoke API tokens
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kulkul token add --name dashboard --role auditor\n  kulkul token list")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make a token and print it, once
    #[command(
        after_help = "Example:\n  kulkul token add --name petang-screen --role auditor --area 51.03.04"
    )]
    Add {
        /// What it is for
        #[arg(long)]
        name: String,
        /// auditor, operator or admin
        #[arg(long)]
        role: String,
        /// Limit it to this area
        #[arg(long, value_name = "CODE")]
        area: Option<String>,
    },
    /// List tokens, without their secrets
    #[command(after_help = "Example:\n  kulkul token list")]
    List,
    /// Take a token back
    #[command(after_help = "Example:\n  kulkul token revoke petang-screen")]
    Revoke {
        /// Its name
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
