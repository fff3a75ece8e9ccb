//! `kulkul account`: names and secrets by which people are let in.

use crate::ending::{Ending, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::access::accounts::NewAccount;
use kulkul_hub::admin::{Answer, Command};

/// Make accounts by which people are let in, disable them, give new secrets
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kulkul account add wayan.sudana --label 'Kelian Banjar Bindu'\n  \
                        kulkul account list\n  kulkul account disable wayan.sudana")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make an account; its secret is printed once
    #[command(after_help = "Example:\n  kulkul account add wayan.sudana --devices 2")]
    Add {
        /// Lower-case letters, digits and . - _ @
        name: String,
        /// A note for staff; never a national identity number
        #[arg(long, default_value = "")]
        label: String,
        /// Devices online by it at a time
        #[arg(long, default_value_t = 1)]
        devices: u16,
    },
    /// List accounts
    #[command(after_help = "Example:\n  kulkul account list")]
    List,
    /// Disable an account; who is online by it is disconnected
    #[command(after_help = "Example:\n  kulkul account disable wayan.sudana")]
    Disable {
        /// Its name
        name: String,
    },
    /// Enable an account again
    #[command(after_help = "Example:\n  kulkul account enable wayan.sudana")]
    Enable {
        /// Its name
        name: String,
    },
    /// Give an account a new secret, printed once
    #[command(after_help = "Example:\n  kulkul account reset wayan.sudana")]
    Reset {
        /// Its name
        name: String,
    },
}

impl Args {
    /// Does it in the database, through a running hub when there is one.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let command = match self.act {
            Act::Add { name, label, devices } => Command::AccountAdd(NewAccount {
                name,
                label,
                devices: Some(devices),
                ..NewAccount::default()
            }),
            Act::List => Command::AccountList,
            Act::Disable { name } => Command::AccountDisable { name },
            Act::Enable { name } => Command::AccountEnable { name },
            Act::Reset { name } => Command::AccountReset { name },
        };
        runtime::run(async {
            match self.which.ask(&command).await? {
                Answer::Done => {}
                Answer::Password { name, password } => {
                    screen::line(format!("{name}: {password} (shown once)"))?;
                }
                Answer::Accounts { accounts } => {
                    let rows: Vec<Vec<String>> = accounts.into_iter().map(Vec::from).collect();
                    screen::table(&["name", "note", "devices", "state"], &rows)?;
                }
                other => return Err(unexpected(&other)),
            }
            Ok(Ending::Done)
        })
    }
}
