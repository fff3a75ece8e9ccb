//! `kulkul orders`: how places should be run.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::admin::{Answer, Command};
use std::io::Read as _;

/// Say how places should be run: rates, rations, opening hours, texts, for all or for some
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul orders set plan '{\"down_kbps\": 4000, \"day_bytes\": 1000000000}'\n  \
                  kulkul orders set hours '{\"week\": {\"daily\": \"06:00-22:00\"}}' --scope category:banjar\n  \
                  kulkul orders list"
)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Set the fields of one section; what this scope said of it before is replaced
    #[command(after_help = "Example:\n  kulkul orders set line '{\"down_kbps\": 30000}' --scope site:BJ-001")]
    Set {
        /// access, connections, filter, fleet, hours, line, network, plan, portal or tunnel
        section: String,
        /// The fields as a JSON object; - reads them from the standard input
        fields: String,
        /// Where it holds: regency, category:KEY, area:CODE or site:CODE
        #[arg(long, default_value = "regency")]
        scope: String,
    },
    /// Forget what a scope says of a section
    #[command(after_help = "Example:\n  kulkul orders remove hours --scope area:51.03.05")]
    Remove {
        /// access, connections, filter, fleet, hours, line, network, plan, portal or tunnel
        section: String,
        /// Where it holds
        #[arg(long, default_value = "regency")]
        scope: String,
    },
    /// List what was ordered
    #[command(after_help = "Example:\n  kulkul orders list")]
    List,
}

impl Args {
    /// Does it in the database, through a running hub when there is one.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let command = match self.act {
            Act::Set { section, fields, scope } => {
                Command::OrdersSet { section, scope, fields: object(fields)? }
            }
            Act::Remove { section, scope } => Command::OrdersRemove { section, scope },
            Act::List => Command::OrdersList,
        };
        runtime::run(async {
            match self.which.ask(&command).await? {
                Answer::Done => {}
                Answer::Orders { orders } => {
                    let row = |o: kulkul_hub::fleet::orders::Order| {
                        vec![o.section, o.scope, serde_json::Value::Object(o.fields).to_string()]
                    };
                    let rows: Vec<_> = orders.into_iter().map(row).collect();
                    screen::table(&["section", "scope", "fields"], &rows)?;
                }
                other => return Err(unexpected(&other)),
            }
            Ok(Ending::Done)
        })
    }
}

fn object(text: String) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
    let mend = "give the fields as a JSON object such as {\"down_kbps\": 4000}";
    let text = if text == "-" {
        let mut read = String::new();
        std::io::stdin().read_to_string(&mut read).or_unable(mend)?;
        read
    } else {
        text
    };
    serde_json::from_str(&text).map_err(|e| Failure::input(e, mend))
}
