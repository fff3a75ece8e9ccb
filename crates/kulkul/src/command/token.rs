//! `kulkul token`: API tokens.

use super::staff::{area_of, role_of};
use crate::ending::{Ending, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::admin::{Answer, Command};
use kulkul_hub::staff::tokens::NewToken;

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
        /// End it after so many days
        #[arg(long)]
        days: Option<u32>,
    },
    /// List tokens, without their secrets
    #[command(after_help = "Example:\n  kulkul token list")]
    List,
    /// Take a token back
    #[command(after_help = "Example:\n  kulkul token revoke 3f9a0c1d22e84b70")]
    Revoke {
        /// Its id, as the list says
        id: String,
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
            Act::Add { name, role, area, days } => {
                Command::TokenAdd(NewToken { name, role: role_of(&role)?, area: area_of(area)?, days })
            }
            Act::List => Command::TokenList,
            Act::Revoke { id } => Command::TokenRevoke { id },
        };
        runtime::run(async {
            match self.which.ask(&command).await? {
                Answer::Done => {}
                // Alone on its line, so that a script can take it.
                Answer::Token(made) => screen::line(made.token)?,
                Answer::Tokens { tokens } => {
                    let rows: Vec<_> = tokens
                        .into_iter()
                        .map(|t| {
                            let state = match (t.revoked_at, t.expires_at) {
                                (Some(at), _) => format!("revoked {at}"),
                                (None, Some(at)) => format!("until {at}"),
                                (None, None) => "active".to_owned(),
                            };
                            let area = t.area.map_or_else(|| "everywhere".to_owned(), |a| a.to_string());
                            vec![t.id, t.name, t.role.as_str().to_owned(), area, state]
                        })
                        .collect();
                    screen::table(&["id", "name", "role", "area", "state"], &rows)?;
                }
                other => return Err(unexpected(&other)),
            }
            Ok(Ending::Done)
        })
    }
}
