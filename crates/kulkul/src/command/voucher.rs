//! `kulkul voucher`: codes that let somebody in for a while.

use crate::ending::Failure;
use crate::ending::{Ending, Outcome};
use crate::logs::LogForm;
use crate::which_hub::{WhichHub, unexpected};
use crate::{runtime, screen};
use kulkul_hub::access::api::BatchIn;
use kulkul_hub::admin::{Answer, Command};
use kulkul_model::site::SiteCode;

/// Make vouchers, list their batches, take them back
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kulkul voucher make --site BJ-001 --count 20 --hours 24\n  \
                        kulkul voucher list\n  kulkul voucher revoke 3f0a6c1d9b2e4f70")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make a batch; its codes are printed once, one a line
    #[command(
        after_help = "Example:\n  kulkul voucher make --site BJ-001 --count 20 --hours 24 --label Galungan"
    )]
    Make {
        /// The one place where they let in, also while its box is on its own; left out: everywhere
        #[arg(long)]
        site: Option<String>,
        /// How many, at most 500
        #[arg(long)]
        count: u32,
        /// How long each lasts from its first use
        #[arg(long)]
        hours: u64,
        /// Devices online by one at a time
        #[arg(long, default_value_t = 1)]
        devices: u16,
        /// What you call this batch
        #[arg(long, default_value = "")]
        label: String,
        /// Rate to a device, kbit/s; left out: as the place
        #[arg(long)]
        down_kbps: Option<u32>,
        /// Rate from a device, kbit/s
        #[arg(long)]
        up_kbps: Option<u32>,
    },
    /// List the newest batches
    #[command(after_help = "Example:\n  kulkul voucher list")]
    List,
    /// Take a whole batch back
    #[command(after_help = "Example:\n  kulkul voucher revoke 3f0a6c1d9b2e4f70")]
    Revoke {
        /// The batch's id
        batch: String,
    },
}

impl Args {
    /// Does it in the database, through a running hub when there is one.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let command = match self.act {
            Act::Make { site, count, hours, devices, label, down_kbps, up_kbps } => {
                let read = |code: String| {
                    SiteCode::parse(&code)
                        .map_err(|e| Failure::input(e, "give the code of a place such as BJ-001"))
                };
                Command::VoucherMake(BatchIn {
                    label,
                    site: site.map(read).transpose()?,
                    count,
                    minutes: hours.saturating_mul(60),
                    begin_before: None,
                    devices: Some(devices),
                    down_kbps,
                    up_kbps,
                })
            }
            Act::List => Command::VoucherList,
            Act::Revoke { batch } => Command::VoucherRevoke { batch },
        };
        runtime::run(async {
            match self.which.ask(&command).await? {
                Answer::Done => {}
                Answer::Vouchers { batch, codes } => {
                    screen::line(format!("batch {batch}, {} codes that are shown once:", codes.len()))?;
                    for code in codes {
                        screen::line(&code)?;
                    }
                }
                Answer::Batches { batches } => {
                    let rows: Vec<Vec<String>> = batches.into_iter().map(Vec::from).collect();
                    screen::table(&["batch", "label", "place", "vouchers", "used"], &rows)?;
                }
                other => return Err(unexpected(&other)),
            }
            Ok(Ending::Done)
        })
    }
}
