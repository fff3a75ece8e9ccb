//! Which hub a command is about: its configuration, and its database.

use crate::ending::{Failure, Mend as _};
use kulkul_hub::config::{Config, ConfigError};
use kulkul_store::{Store, StoreError};
use std::path::PathBuf;

/// The argument that every command about a hub takes.
#[derive(Debug, clap::Args)]
pub struct WhichHub {
    /// The hub's configuration
    #[arg(long, global = true, value_name = "FILE", default_value = "hub.toml")]
    config: PathBuf,
}

impl WhichHub {
    /// The file that was named.
    pub fn file(&self) -> &std::path::Path {
        &self.config
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// Exit code 2: the file is missing, or a key or value of it is wrong.
    pub fn config(&self) -> Result<Config, Failure> {
        Config::load(Some(&self.config), std::env::vars()).map_err(|e| {
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
        Ok(store)
    }
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
