//! Logs: lines on stderr, as text for people or JSON for machines.

use clap::ValueEnum;
use std::io::{self, IsTerminal as _};
use tracing_subscriber::filter::{LevelFilter, Targets};
#[cfg(feature = "gateway")]
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
        self.begin(filter, io::stderr);
    }

    /// Starts logging as `start` does, and keeps the last lines for staff who ask from afar.
    #[cfg(feature = "gateway")]
    pub fn start_kept(self, filter: &str) {
        self.begin(filter, io::stderr.and(|| kulkul_gateway::diagnostics::tail::Tail));
    }

    fn begin(self, filter: &str, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
        let chosen = std::env::var("KULKUL_LOG").ok();
        let all = tracing_subscriber::registry().with(targets(chosen.as_deref(), filter));
        let lines = fmt::layer().with_writer(writer).with_ansi(io::stderr().is_terminal());
        // A second start in one process keeps the first, which is what we want.
        let _ = match self {
            LogForm::Text => all.with(lines.with_target(false)).try_init(),
            LogForm::Json => all.with(lines.json()).try_init(),
        };
    }
}

/// What is logged, by part of the program: plain prefixes and levels, for which no regular expressions are needed.
fn targets(chosen: Option<&str>, usual: &str) -> Targets {
    let read = |text: &str| text.parse::<Targets>().ok();
    chosen
        .and_then(read)
        .or_else(|| read(usual))
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn the_environment_wins_where_it_can_be_read() {
        let logs = |chosen, target: &str, level| targets(chosen, "warn").would_enable(target, &level);
        assert!(logs(None, "kulkul_hub", Level::WARN) && !logs(None, "kulkul_hub", Level::INFO));
        let some = Some("info,kulkul_gateway=debug,kulkul_hub::web=off");
        assert!(logs(some, "kulkul_gateway::link", Level::DEBUG));
        assert!(
            logs(some, "kulkul_hub::fleet", Level::INFO) && !logs(some, "kulkul_hub::fleet", Level::DEBUG)
        );
        assert!(!logs(some, "kulkul_hub::web", Level::ERROR));
        assert!(logs(Some("nonsense=everything"), "kulkul_hub", Level::WARN), "the usual, not nothing");
    }
}
