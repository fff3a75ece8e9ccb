//! Which hub a command is about: its configuration, its database, and how to reach it.
//!
//! A database has one writer. Where a hub runs, commands that write go to it through
//! its socket; where none runs, they are done here.

use crate::ending::{Failure, Mend as _};
use crate::settings_file;
use kulkul_hub::admin::{self, Answer, Client, Command};
use kulkul_hub::config::{Config, ConfigError};
use kulkul_hub::sites::builtin;
use kulkul_hub::{Clock, Hub};
use kulkul_store::{Store, StoreError};
use std::path::PathBuf;

/// The argument that every command about a hub takes.
#[derive(Debug, clap::Args)]
pub struct WhichHub {
    /// The hub's configuration; a bare name is looked for here, then in /etc/kulkul
    #[arg(long, global = true, value_name = "FILE", default_value = "hub.toml")]
    config: PathBuf,
}

impl WhichHub {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Exit code 2: the file is missing, or a key or value of it is wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        Config::load(Some(&settings_file::found(&self.config)), std::env::vars()).map_err(|e| {
            let mend = match &e {
                ConfigError::Read { .. } => "name the hub's configuration with --config, or begin with kulkul hub --print-config > hub.toml",
                _ => "kulkul hub --print-config shows every key",
            };
            Failure::input(e, mend)
        })
    }

    /// Opens the hub's database for writing and brings it to this version.
    ///
    /// # Errors
    /// The database cannot be opened, is in use, or is newer than this program.
    pub async fn store(&self, config: &Config) -> Result<Store, Failure> {
        let store = open(config).await?;
        store.migrate().await.or_unable("see kulkul check")?;
        // An import that was decided before a stop is finished before anybody reads the register.
        kulkul_hub::sites::import::resume(&store).await.or_unable("see kulkul check")?;
        builtin::categories(&store, Clock::machine().now()).await.or_unable("see kulkul check")?;
        Ok(store)
    }
}

/// A hub that takes commands.
pub enum Reached {
    /// It runs; this is its data directory.
    Running(PathBuf),
    /// None runs: one without addresses, over a store that this program opened.
    Here(Hub),
}

impl WhichHub {
    /// Finds the hub that runs, or opens its database.
    ///
    /// # Errors
    /// The socket or the database cannot be used.
    pub async fn reach(&self) -> Result<Reached, Failure> {
        let config = self.config()?;
        if Client::connect(&config.data).await.or_unable("run it as the hub's user, or as root")?.is_some() {
            return Ok(Reached::Running(config.data));
        }
        let store = self.store(&config).await?;
        Ok(Reached::Here(Hub::start(config, Clock::machine(), store).or_unable("see kulkul check")?))
    }

    /// Asks one command and leaves.
    ///
    /// # Errors
    /// As `reach` and `Reached::ask`.
    pub async fn ask(&self, command: &Command) -> Result<Answer, Failure> {
        let reached = self.reach().await?;
        let answer = reached.ask(command).await;
        reached.leave().await;
        answer
    }
}

impl Reached {
    /// Asks one command; a refusal is a failure that says it.
    ///
    /// # Errors
    /// Exit code 2 when the rules say no, 1 when something broke.
    pub async fn ask(&self, command: &Command) -> Result<Answer, Failure> {
        let answer = match self {
            Reached::Here(hub) => admin::run(hub, command.clone()).await,
            Reached::Running(data) => {
                let broken = "is the hub stopping? try again";
                let client = Client::connect(data).await.or_unable(broken)?;
                let mut client =
                    client.ok_or_else(|| anyhow::anyhow!("the hub has stopped")).or_unable(broken)?;
                client.ask(command).await.or_unable(broken)?
            }
        };
        match answer {
            Answer::Refused { said, said_id, .. } => {
                Err(Failure::said(2, if reads_indonesian() { said_id } else { said }))
            }
            Answer::Failed { said } => Err(Failure::said(1, said)),
            answer => Ok(answer),
        }
    }

    /// Closes what was opened here.
    pub async fn leave(self) {
        if let Reached::Here(hub) = self {
            hub.store().stop().await;
        }
    }
}

/// Whether the person at this terminal reads Bahasa Indonesia, as the system's locale says.
pub fn reads_indonesian() -> bool {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .is_some_and(|locale| locale.starts_with("id"))
}

/// The answer is of another kind than the question.
pub fn unexpected(answer: &Answer) -> Failure {
    Failure::said(
        1,
        format!("the running hub gave an answer of another kind ({answer:?}); are both of one version?"),
    )
}

/// Opens the database of a configuration for writing, as it is.
///
/// # Errors
/// The directory cannot be made, or the database cannot be opened or is in use.
pub async fn open(config: &Config) -> Result<Store, Failure> {
    let context = || format!("making the data directory {}", config.data.display());
    std::fs::create_dir_all(&config.data)
        .map_err(|e| anyhow::Error::new(e).context(context()))
        .or_unable("choose another with the key data, or give this user the right to write there")?;
    Store::open(&config.database_url()).await.map_err(|e| match e {
        // Its text already says what to do.
        StoreError::Locked { .. } => Failure::from(e),
        e => Failure::unable(e, "see the keys data and database of the configuration"),
    })
}
