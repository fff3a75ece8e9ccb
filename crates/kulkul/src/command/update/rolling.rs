//! The hub's part of `kulkul update`: taking releases, and rolling them out.

use crate::ending::{Ending, Mend as _, Outcome};
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kulkul_hub::admin::{Answer, Command};
use kulkul_hub::fleet::updates::releases;
use kulkul_hub::fleet::updates::rollouts::{self, NewRollout};
use std::path::PathBuf;

/// Takes a program.
#[derive(Debug, clap::Args)]
pub struct Take {
    /// The program
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// What its signer says of it; left out: PROGRAM.release
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    #[command(flatten)]
    which: WhichHub,
}

impl Take {
    /// Checks the program against its statement, and keeps both.
    ///
    /// # Errors
    /// Exit code 2 when they do not fit each other.
    pub fn run(self) -> Outcome {
        let config = self.which.config()?;
        let statement = self.statement.unwrap_or_else(|| releases::statement_of(&self.program));
        let cose = releases::keep(&config.data, &self.program, &statement)
            .map_err(anyhow::Error::new)
            .or_input("sign it with kulkul update sign, then bring both files here as they are")?;
        asked(&self.which, &Command::ReleaseTake { statement: BASE64.encode(cose) })
    }
}

/// Lists releases.
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    which: WhichHub,
}

impl List {
    /// Prints the newest.
    ///
    /// # Errors
    /// The hub cannot be asked.
    pub fn run(self) -> Outcome {
        asked(&self.which, &Command::ReleaseList)
    }
}

/// Forgets a release.
#[derive(Debug, clap::Args)]
pub struct Drop {
    /// Digest of the program, as the list shows it
    #[arg(value_name = "SHA256")]
    sha256: String,
    #[command(flatten)]
    which: WhichHub,
}

impl Drop {
    /// Forgets row and file.
    ///
    /// # Errors
    /// Boxes were told of it, or the hub cannot be asked.
    pub fn run(self) -> Outcome {
        asked(&self.which, &Command::ReleaseDrop { sha256: self.sha256 })
    }
}

/// Begins a rollout.
#[derive(Debug, clap::Args)]
pub struct RollOut {
    /// The version; each box gets the newest release of it for its target
    version: String,
    /// A stage: area:CODE, category:KEY, site:CODE or regency for all the rest, several after commas
    #[arg(long = "stage", value_name = "SCOPES", required = true)]
    stages: Vec<String>,
    /// Boxes begin at any hour
    #[arg(long)]
    at_once: bool,
    /// The hours in which boxes begin
    #[arg(long, value_name = "HOURS", default_value = rollouts::QUIET)]
    quiet: String,
    /// How long a stage is watched after its last proof
    #[arg(long, value_name = "HOURS", default_value_t = rollouts::WAIT_HOURS)]
    wait_hours: u32,
    /// So many boxes that refuse or undo it pause it
    #[arg(long, value_name = "BOXES", default_value_t = 1)]
    most_undone: u32,
    #[command(flatten)]
    which: WhichHub,
}

impl RollOut {
    /// Begins it.
    ///
    /// # Errors
    /// Exit code 2 for what cannot be rolled out, or where.
    pub fn run(self) -> Outcome {
        let scopes = |stage: &String| stage.split(',').map(|s| s.trim().to_owned()).collect();
        let new = NewRollout {
            version: self.version,
            stages: self.stages.iter().map(scopes).collect(),
            at_once: self.at_once,
            quiet: Some(self.quiet),
            wait_hours: Some(self.wait_hours),
            most_undone: Some(self.most_undone),
        };
        asked(&self.which, &Command::RollOut(new))
    }
}

/// Lists rollouts.
#[derive(Debug, clap::Args)]
pub struct Rollouts {
    #[command(flatten)]
    which: WhichHub,
}

impl Rollouts {
    /// Prints the newest.
    ///
    /// # Errors
    /// The hub cannot be asked.
    pub fn run(self) -> Outcome {
        asked(&self.which, &Command::RolloutList)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum To {
    /// Nobody new begins
    Pause,
    /// Go on, with the boxes that failed left aside
    Resume,
    /// Nobody new begins any more; no program is taken back
    Stop,
}

/// Steers a rollout.
#[derive(Debug, clap::Args)]
pub struct Steer {
    /// The rollout's number
    number: u64,
    /// What to do
    #[arg(value_enum)]
    act: To,
    #[command(flatten)]
    which: WhichHub,
}

impl Steer {
    /// Pauses, resumes or stops it.
    ///
    /// # Errors
    /// Exit code 2 where that means nothing.
    pub fn run(self) -> Outcome {
        let act = match self.act {
            To::Pause => rollouts::Steer::Pause,
            To::Resume => rollouts::Steer::Resume,
            To::Stop => rollouts::Steer::Stop,
        };
        asked(&self.which, &Command::RolloutSteer { number: self.number, act })
    }
}

fn asked(which: &WhichHub, command: &Command) -> Outcome {
    runtime::run(async {
        match which.ask(command).await? {
            Answer::Done => {}
            Answer::Releases { releases } => {
                let rows: Vec<Vec<String>> = releases.into_iter().map(Vec::from).collect();
                screen::table(&["version", "target", "bytes", "signed", "taken by", "digest"], &rows)?;
            }
            Answer::Rollouts { rollouts } => {
                let rows: Vec<Vec<String>> = rollouts.into_iter().map(Vec::from).collect();
                screen::table(&["rollout", "version", "state", "stage", "proven", "begun by"], &rows)?;
            }
            other => return Err(unexpected(&other)),
        }
        Ok(Ending::Done)
    })
}
