//! The program: reads the command line, runs one command, ends with its code.
//!
//! It knows no rules. Commands are in `command/`, one file each; what they do
//! is in the rooms (hub, gateway, sim).

mod cli;
mod command;
mod ending;
mod logs;
mod runtime;
mod screen;
#[cfg(any(feature = "hub", feature = "gateway"))]
mod settings_file;
#[cfg(test)]
mod tests;
#[cfg(feature = "hub")]
mod which_hub;

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "gateway")]
    if let Some(code) = command::gateway::told_of_an_address() {
        return code;
    }
    match cli::read() {
        Ok(cli) => ending::of(cli.run()),
        Err(code) => code,
    }
}
