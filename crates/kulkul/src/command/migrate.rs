//! `kulkul migrate`: bring the database to this version.

use crate::ending::{Ending, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{self, WhichHub};
use crate::{runtime, screen};
use kulkul_hub::clock::Clock;
use kulkul_hub::sites::builtin;

/// Bring the database to this version; kulkul hub does the same when it starts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul migrate --config hub.toml")]
pub struct Args {
    #[command(flatten)]
    which: WhichHub,
}

impl Args {
    /// Applies the migrations that are missing and names them.
    ///
    /// # Errors
    /// The database cannot be opened, is in use, or is newer than this program.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("warn");
        let config = self.which.config()?;
        runtime::run(async {
            let store = which_hub::open(&config).await?;
            let applied = store.migrate().await.or_unable("nothing was changed; see kulkul check")?;
            let categories = builtin::categories(&store, Clock::machine().now()).await;
            store.stop().await;
            for name in &applied {
                screen::line(format!("applied {name}"))?;
            }
            if let Some(report) = categories.or_unable("see kulkul check")? {
                let n = report.added;
                screen::line(format!(
                    "{n} categories came with the program; kulkul import categories changes them"
                ))?;
            }
            if applied.is_empty() {
                screen::line("nothing to do: the database is at this version")?;
            }
            Ok(Ending::Done)
        })
    }
}
