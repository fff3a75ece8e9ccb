//! `kulkul export`: lists as files.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;
use crate::{runtime, screen};
use clap::ValueEnum;
use kulkul_hub::sites::export;
use kulkul_store::Store;
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
    /// Outlines of areas, GeoJSON only
    Boundaries,
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
    /// Writes the list; reads beside a running hub.
    ///
    /// # Errors
    /// Says what could not be read or written.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let config = self.which.config()?;
        runtime::run(async {
            let store = Store::open_reader(&config.database_url()).await.or_unable("see kulkul check")?;
            let format = match self.format {
                Format::Csv => export::Format::Csv,
                Format::Xlsx => export::Format::Xlsx,
                Format::Geojson => export::Format::GeoJson,
            };
            let bytes = match (self.what, self.format) {
                (What::Sites, _) => export::sites(&store, format).await,
                (What::Areas, _) => export::areas(&store, format).await,
                (What::Boundaries, Format::Geojson) => export::boundaries(&store).await,
                (What::Boundaries, _) => {
                    let cause = anyhow::anyhow!("boundaries do not fit into a table");
                    return Err(Failure::input(cause, "add --format geojson"));
                }
            }?;
            store.stop().await;
            match &self.to {
                Some(file) => std::fs::write(file, bytes).or_unable("choose another file with --to")?,
                None => screen::bytes(&bytes)?,
            }
            Ok(Ending::Done)
        })
    }
}
