//! `kulkul export`: lists as files.

use crate::ending::{Failure, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;
use clap::ValueEnum;
use std::path::PathBuf;

/// Export a list as CSV, XLSX or GeoJSON
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul export sites > sites.csv\n  kulkul export sites --format xlsx --to sites.xlsx"
)]
pub struct Args {
    /// What to export
    #[arg(value_enum)]
    what: What,
    /// The form of the file
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Write here instead of to stdout
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Regency, districts, villages
    Areas,
    /// Public places
    Sites,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text with commas, UTF-8
    Csv,
    /// A spreadsheet
    Xlsx,
    /// Points or outlines for maps
    Geojson,
}

impl Args {
    /// Writes the list.
    ///
    /// # Errors
    /// Says what could not be read or written.
    pub fn run(self, _logs: LogForm) -> Outcome {
        Err(Failure::unable(anyhow::anyhow!("this build cannot do that yet"), "use a newer one"))
    }
}
