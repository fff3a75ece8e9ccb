//! `kulkul enrol`: claim codes for the gateways of sites.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{Reached, WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::admin::{Answer, Command};
use kulkul_model::Zone;
use kulkul_model::site::SiteCode;
use kulkul_store::{Store, site};

/// Give a claim code, by which one new box may enrol at one site, once
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul enrol BJ-001\n  kulkul enrol --all > claims.csv    (for kulkul fleet and bulk work)"
)]
pub struct Args {
    /// The site's code, such as BJ-001
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    site: Option<String>,
    /// One for every site, as lines of SITE,CLAIM
    #[arg(long)]
    all: bool,
    /// How long it may be used, at most 336 (14 days); 24 when left out
    #[arg(long)]
    hours: Option<u32>,
    #[command(flatten)]
    which: WhichHub,
}

/// Sites read at once.
const PAGE: u32 = 1_000;

impl Args {
    /// Issues the claims and prints their codes, which are kept nowhere.
    ///
    /// # Errors
    /// The site is not in the register, or the hub cannot be reached.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        runtime::run(async {
            match &self.site {
                Some(code) => {
                    let site = SiteCode::parse(code).or_input("a code looks like BJ-001")?;
                    let answer = self.which.ask(&Command::Enrol { site, hours: self.hours }).await?;
                    let Answer::Claim { site, code, expires_at, hub, hub_root } = answer else {
                        return Err(unexpected(&answer));
                    };
                    let zone = Zone::named(&self.which.config()?.zone).or_input("correct the key zone")?;
                    let until = zone.rfc3339(expires_at);
                    screen::line(format!(
                        "{code}\n\nfor a new box at {site}, once, until {until}; in its gateway.toml:\n\n\
                         hub = \"{hub}\"\nhub_root = \"{hub_root}\"\nclaim = \"{code}\""
                    ))?;
                }
                None => {
                    let reached = self.which.reach().await?;
                    let done = self.every(&reached).await;
                    reached.leave().await;
                    done?;
                }
            }
            Ok(Ending::Done)
        })
    }

    async fn every(&self, reached: &Reached) -> Result<(), Failure> {
        let store = Store::open_reader(&self.which.config()?.database_url()).await?;
        screen::line("site,claim")?;
        let mut after = String::new();
        loop {
            let page = site::after(&mut store.reader().await?, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            last.code.as_str().clone_into(&mut after);
            for one in page {
                let answer = reached.ask(&Command::Enrol { site: one.code, hours: self.hours }).await?;
                let Answer::Claim { site, code, .. } = answer else { return Err(unexpected(&answer)) };
                screen::line(format!("{site},{code}"))?;
            }
        }
        store.stop().await;
        Ok(())
    }
}
