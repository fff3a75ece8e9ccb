//! `kulkul list`: takes a list of names that are not to be answered.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::screen;
use crate::which_hub::WhichHub;
use clap::ValueEnum;
use kulkul_hub::fleet::lists::{self, BlockList, ListFormat, Text};
use kulkul_model::{Moment, Zone};
use std::path::PathBuf;

/// Take a list of names that places do not answer, and print the order that names it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  kulkul list ads.txt --key ads --dated 2026-11-01 | kulkul orders set filter - --scope category:sd"
)]
pub struct Args {
    /// The list
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it is called in counts: lower-case letters, digits and -
    #[arg(long)]
    key: String,
    /// When its makers dated it, as 2026-11-01
    #[arg(long, value_name = "DATE")]
    dated: String,
    /// How it is written
    #[arg(long, value_enum, default_value = "plain")]
    format: Format,
    /// What people read on the page of a blocked name, in Bahasa Indonesia; none is the key
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The same in English
    #[arg(long, value_name = "TEXT")]
    name_en: Option<String>,
    /// Where somebody who disagrees turns to
    #[arg(long, value_name = "TEXT")]
    appeal: Option<String>,
    /// The same in English
    #[arg(long, value_name = "TEXT")]
    appeal_en: Option<String>,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One name a line; `*.` in front takes in all names below it
    Plain,
    /// As /etc/hosts: an address, then names
    Hosts,
    /// A response policy zone
    Rpz,
}

impl Args {
    /// Keeps a copy where the hub hands it out, and prints the order's fields.
    ///
    /// # Errors
    /// Exit code 2 when the file is no list, or an argument is wrong.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("info");
        let config = self.which.config()?;
        let dated = day(&self.dated, &config.zone)?;
        let format = match self.format {
            Format::Plain => ListFormat::Plain,
            Format::Hosts => ListFormat::Hosts,
            Format::Rpz => ListFormat::Rpz,
        };
        let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=32).contains(&self.key.len()) || !self.key.bytes().all(sound) {
            return Err(Failure::said(
                2,
                "--key takes at most 32 lower-case letters, digits and -".to_owned(),
            ));
        }
        let taken = lists::keep(&config.data, &self.file, format)
            .map_err(anyhow::Error::new)
            .or_input("see docs/how-to/block-names.md for the forms of lists")?;
        let name = self.name.unwrap_or_else(|| self.key.clone());
        let appeal = self.appeal.unwrap_or_default();
        let list = BlockList {
            name: Text::new(&name, self.name_en.as_ref().unwrap_or(&name)),
            appeal: Text::new(&appeal, self.appeal_en.as_ref().unwrap_or(&appeal)),
            key: self.key,
            sha256: taken.sha256,
            bytes: taken.bytes,
            format,
            dated,
        };
        let report = &taken.report;
        tracing::info!(names = report.names, bad_lines = report.bad, first = ?report.first_bad, "taken");
        screen::line(lists::order(&list).to_string())?;
        Ok(Ending::Done)
    }
}

fn day(text: &str, zone: &str) -> Result<Moment, Failure> {
    let mend = "give the date as 2026-11-01";
    let zone = Zone::named(zone).or_input("mend the key zone of the configuration")?;
    let noon = Moment::parse(&format!("{text}T12:00:00Z")).or_input(mend)?;
    Ok(zone.day(noon))
}
