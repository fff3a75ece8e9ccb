//! `kulkul import`: areas, boundaries, categories and sites from files.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;
use clap::ValueEnum;
use std::path::PathBuf;

/// Import a file: all of it or nothing; every bad row is named with its mend
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul import sites data/badung/sites.csv --dry-run\n  kulkul import boundaries data/badung/boundaries.geojson"
)]
pub struct Args {
    /// What the file holds
    #[arg(value_enum)]
    what: What,
    /// The file: CSV, XLSX or GeoJSON, told by its ending
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Regency, districts, villages (CSV, XLSX)
    Areas,
    /// Their outlines (GeoJSON)
    Boundaries,
    /// Categories of sites (CSV, XLSX)
    Categories,
    /// Public places (CSV, XLSX, GeoJSON)
    Sites,
}

impl Args {
    /// Imports the file.
    ///
    /// # Errors
    /// Exit code 2 when the file cannot be read or a row is wrong.
    pub fn run(self, _logs: LogForm) -> Outcome {
        Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
    }
}
