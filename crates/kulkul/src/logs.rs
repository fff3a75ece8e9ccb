//! Logs: lines on stderr, as text for people or JSON for machines.

use clap::ValueEnum;
use std::io::{self, IsTerminal as _};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// One line of text for each event
    Text,
    /// One JSON object for each event
    Json,
}

impl LogForm {
    /// Starts logging what `filter` says, such as `info,kulkul_hub=debug`; `KULKUL_LOG` wins.
    pub fn start(self, filter: &str) {
        let filter = EnvFilter::try_from_env("KULKUL_LOG").unwrap_or_else(|_| EnvFilter::new(filter));
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal());
        // A second start in one process keeps the first, which is what we want.
        let _ = match self {
            LogForm::Text => lines.with_target(false).try_init(),
            LogForm::Json => lines.json().try_init(),
        };
    }
}
