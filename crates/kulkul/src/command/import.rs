//! `kulkul import`: areas, boundaries, categories, sites and staff from files.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, reads_indonesian, unexpected};
use crate::{runtime, screen};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use kulkul_hub::admin::{Answer, Command};
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
    /// People who run the service: name, full_name, role, area (CSV, XLSX)
    Staff,
}

impl Args {
    /// Imports the file, through a running hub when there is one.
    ///
    /// # Errors
    /// Exit code 2 when the file cannot be read or a row is wrong.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let context = || format!("reading {}", self.file.display());
        let bytes = std::fs::read(&self.file)
            .map_err(|e| anyhow::Error::new(e).context(context()))
            .or_input("name a file that is there")?;
        let file_name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = match self.what {
            What::Areas => "areas",
            What::Boundaries => "boundaries",
            What::Categories => "categories",
            What::Sites => "sites",
            What::Staff => "staff",
        };
        let command = Command::Import {
            kind: kind.to_owned(),
            file_name,
            bytes: STANDARD.encode(bytes),
            dry_run: self.dry_run,
        };
        runtime::run(async {
            match self.which.ask(&command).await? {
                Answer::Report { sound, said, said_id } => {
                    let said = if reads_indonesian() { said_id } else { said };
                    if !sound {
                        // Every bad row on a line of its own; one line would hide them.
                        screen::line(said)?;
                        return Err(Failure::said(2, "nothing was imported; mend the rows above".to_owned()));
                    }
                    screen::line(said)?;
                    Ok(Ending::Done)
                }
                Answer::People { said, said_id, passwords } => {
                    screen::line(if reads_indonesian() { said_id } else { said })?;
                    let rows: Vec<_> = passwords.into_iter().map(|(name, once)| vec![name, once]).collect();
                    if !rows.is_empty() {
                        screen::table(&["name", "one-time password, shown only now"], &rows)?;
                    }
                    Ok(Ending::Done)
                }
                other => Err(unexpected(&other)),
            }
        })
    }
}
