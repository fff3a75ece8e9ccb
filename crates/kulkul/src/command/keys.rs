//! `kulkul keys`: the keys that the hub signs with.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::screen;
use crate::which_hub::WhichHub;
use kulkul_hub::Clock;
use kulkul_hub::fleet::keys::{self, KeyUse, Keys};
use kulkul_model::Moment;
use std::path::{Path, PathBuf};

/// Make, replace and take back the keys that the hub signs with
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul keys init --config hub.toml")]
pub struct Args {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    which: WhichHub,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make the root and the signing keys where there are none
    #[command(after_help = "Example:\n  kulkul keys init")]
    Init,
    /// Make and certify another key for one use; the former one's certificate runs out by itself
    #[command(after_help = "Example:\n  kulkul keys certify desired --root /media/stick/root.key")]
    Certify(Change),
    /// Take the key of one use back, because somebody else may have it, and certify another
    #[command(after_help = "Example:\n  kulkul keys revoke desired --root /media/stick/root.key")]
    Revoke(Change),
}

#[derive(Debug, clap::Args)]
struct Change {
    /// What the key signs: desired states, the evidence log, or the time
    #[arg(value_name = "USE", value_parser = ["desired", "log", "time"])]
    key_use: String,
    /// The root's key file, where it is kept away from the hub
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
}

impl Args {
    /// Makes keys where there are none and shows the root's fingerprint, or changes one.
    ///
    /// # Errors
    /// The directory cannot be written, or a key file is damaged.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let config = self.which.config()?;
        let directory = config.data.join("keys");
        let now = Clock::machine().now();
        match self.act {
            Act::Init => init(&config.data, &directory, now),
            Act::Certify(change) => {
                let made =
                    keys::certify(&directory, change.root.as_deref(), change.of()?, now).or_unable(ROOT)?;
                screen::line(format!("the {} key is {} now", change.key_use, made.id()))?;
                screen::line(RESTART)?;
                Ok(Ending::Done)
            }
            Act::Revoke(change) => {
                let (lost, made) =
                    keys::revoke(&directory, change.root.as_deref(), change.of()?, now).or_unable(ROOT)?;
                screen::line(format!(
                    "{} is revoked; the {} key is {} now",
                    lost.id(),
                    change.key_use,
                    made.id()
                ))?;
                screen::line(RESTART)?;
                Ok(Ending::Done)
            }
        }
    }
}

const ROOT: &str = "give the root's key file with --root; see the file that it names";
const RESTART: &str =
    "restart the hub: it reads its keys when it starts, and gateways take them within a minute";

impl Change {
    fn of(&self) -> Result<KeyUse, Failure> {
        KeyUse::parse(&self.key_use)
            .ok_or_else(|| Failure::input(anyhow::anyhow!("no use {}", self.key_use), "desired, log or time"))
    }
}

fn init(data: &Path, directory: &Path, now: Moment) -> Outcome {
    std::fs::create_dir_all(data).or_unable("choose another directory with the key data")?;
    let keys = Keys::open(directory, now).or_unable("see the file that it names")?;
    screen::line(format!("keys are in {}", directory.display()))?;
    for root in &keys.hub_keys().roots {
        screen::line(format!("hub_root = \"{}\"", root.fingerprint()))?;
    }
    Ok(Ending::Done)
}
