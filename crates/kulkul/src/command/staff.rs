//! `kulkul staff`: the people who run the service.

use crate::ending::{Ending, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::admin::{Answer, Command};
use kulkul_hub::staff::people::NewPerson;
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;

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
    /// Let a person in again
    #[command(after_help = "Example:\n  kulkul staff enable made.suta")]
    Enable {
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
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let command = match self.act {
            Act::Add { name, display, role, area } => Command::StaffAdd(NewPerson {
                name,
                full_name: display.unwrap_or_default(),
                role: role_of(&role)?,
                area: area_of(area)?,
            }),
            Act::List => Command::StaffList,
            Act::Disable { name } => Command::StaffDisable { name },
            Act::Enable { name } => Command::StaffEnable { name },
            Act::ResetPassword { name } => Command::StaffResetPassword { name },
        };
        runtime::run(async {
            match self.which.ask(&command).await? {
                Answer::Done => {}
                Answer::Password { name, password } => screen::line(format!(
                    "{name} signs in once with the password {password} and then chooses another"
                ))?,
                Answer::Staff { people } => {
                    let rows: Vec<_> = people
                        .into_iter()
                        .map(|p| {
                            let state = match (p.disabled_at, p.one_time) {
                                (Some(_), _) => "disabled",
                                (None, true) => "has a one-time password",
                                (None, false) => "active",
                            };
                            let area = p.area.map_or_else(|| "everywhere".to_owned(), |a| a.to_string());
                            vec![p.name, p.full_name, p.role.as_str().to_owned(), area, state.to_owned()]
                        })
                        .collect();
                    screen::table(&["name", "full name", "role", "area", "state"], &rows)?;
                }
                other => return Err(unexpected(&other)),
            }
            Ok(Ending::Done)
        })
    }
}

/// Reads a role.
pub(super) fn role_of(text: &str) -> Result<Role, crate::ending::Failure> {
    Role::parse(text)
        .ok_or_else(|| anyhow::anyhow!("\"{text}\" is not a role"))
        .or_input("use auditor, operator or admin")
}

/// Reads an area's code.
pub(super) fn area_of(text: Option<String>) -> Result<Option<AreaCode>, crate::ending::Failure> {
    text.map(|t| AreaCode::parse(&t)).transpose().or_input("use a code such as 51.03.04")
}
