//! The command line: which commands there are, and their order in the help.
//!
//! The arguments of a command are in its own file. Commands that do not work yet
//! are not listed.

use crate::command;
use crate::ending::Outcome;
use crate::logs::LogForm;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A regency's public internet: which place works, since when, and why not
#[derive(Debug, Parser)]
#[command(name = "kulkul", version, max_term_width = 100, after_help = "Example:\n  kulkul demo")]
pub struct Cli {
    /// How log lines look, on stderr; what is logged is chosen by KULKUL_LOG (for example info,kulkul_hub=debug)
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_form: LogForm,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "sim")]
    Demo(command::demo::Args),
    #[cfg(feature = "hub")]
    Hub(command::hub::Args),
    #[cfg(feature = "gateway")]
    Gateway(command::gateway::Args),
    #[cfg(feature = "hub")]
    Import(command::import::Args),
    #[cfg(feature = "hub")]
    Export(command::export::Args),
    #[cfg(feature = "hub")]
    Staff(command::staff::Args),
    #[cfg(feature = "hub")]
    Token(command::token::Args),
    #[cfg(feature = "hub")]
    Enrol(command::enrol::Args),
    #[cfg(feature = "hub")]
    Orders(command::orders::Args),
    #[cfg(feature = "hub")]
    Tunnel(command::tunnel::Args),
    #[cfg(feature = "hub")]
    Voucher(command::voucher::Args),
    #[cfg(feature = "hub")]
    Account(command::account::Args),
    #[cfg(feature = "hub")]
    List(command::list::Args),
    #[cfg(feature = "hub")]
    Update(command::update::Args),
    #[cfg(feature = "hub")]
    Keys(command::keys::Args),
    #[cfg(feature = "hub")]
    Migrate(command::migrate::Args),
    #[cfg(feature = "hub")]
    Check(command::check::Args),
    #[cfg(feature = "sim")]
    Fleet(command::fleet::Args),
}

/// Reads the command line, or prints help or a usage error and gives its exit code.
///
/// # Errors
/// The exit code: 0 after help or version, 2 after a usage error.
pub fn read() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|e| {
        // When not even this can be written there is nobody left to tell.
        let _ = e.print();
        ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2))
    })
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// `Failure` with the cause, the mend and the exit code.
    pub fn run(self) -> Outcome {
        let logs = self.log_form;
        match self.command {
            #[cfg(feature = "sim")]
            Command::Demo(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Hub(args) => args.run(logs),
            #[cfg(feature = "gateway")]
            Command::Gateway(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Import(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Export(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Staff(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Token(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Enrol(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Orders(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Tunnel(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Voucher(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Account(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::List(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Update(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Keys(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Migrate(args) => args.run(logs),
            #[cfg(feature = "hub")]
            Command::Check(args) => args.run(logs),
            #[cfg(feature = "sim")]
            Command::Fleet(args) => args.run(logs),
        }
    }
}
