//! The command line's way to a hub: the same commands, in a running hub or without one.
//!
//! A database has one writer. Where a hub runs, a command goes to it through the
//! socket `admin.sock` in its data directory, which only its user may open; where
//! none runs, the command line opens the store itself and calls `run`.

mod command;
mod files;
mod lists;
mod socket;
#[cfg(test)]
mod tests;

pub use command::{Answer, Command, run};
pub use socket::{AdminError, Client, Socket, path};
