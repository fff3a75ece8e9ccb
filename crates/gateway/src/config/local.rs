//! local.toml: settings of the way out that were made at the place, over those of gateway.toml.
//!
//! It lies in the data directory and holds keys of `[uplink]` alone, so that whoever
//! stands beside the box can change what the provider changed and nothing else. It is
//! checked before it is written; one that does not fit any more is left aside.

use super::{Config, ConfigError};
use crate::disk::write_whole;
use std::path::Path;
use toml::{Table, Value};

/// The file's name in the data directory.
pub const FILE: &str = "local.toml";

/// Lays the keys of `[uplink]` in `local` over those in `table`.
///
/// # Errors
/// `Toml` for other text; `Value` for another section than `[uplink]`.
pub(super) fn overlay(table: &mut Table, local: &str) -> Result<(), ConfigError> {
    let local: Table = local.parse().map_err(|e: toml::de::Error| ConfigError::Toml(e.to_string()))?;
    for (section, keys) in local {
        let (Value::Table(keys), "uplink") = (keys, section.as_str()) else {
            let why = "only [uplink] is set at the place".to_owned();
            return Err(ConfigError::Value { key: section, why });
        };
        // What belongs to another kind of way out goes with it.
        let mut merged = Table::new();
        if let Some(Value::Table(given)) = table.get("uplink") {
            let kept = given.iter().filter(|(key, _)| KEPT.contains(&key.as_str()));
            merged.extend(kept.map(|(key, value)| (key.clone(), value.clone())));
        }
        merged.extend(keys);
        table.insert("uplink".to_owned(), Value::Table(merged));
    }
    Ok(())
}

/// Keys that are the machine's and not the provider's.
const KEPT: [&str; 3] = ["interface", "nat6", "ssh"];

/// Checks settings of the way out together with gateway.toml's text, then writes them.
///
/// # Errors
/// `ConfigError` that names the key; `Read` with what the disk says.
pub fn write(gateway_toml: &str, data: &Path, uplink: Table) -> Result<(), ConfigError> {
    let local = Table::from_iter([("uplink".to_owned(), Value::Table(uplink))]).to_string();
    Config::parse_with(gateway_toml, Some(&local), std::env::vars())?;
    save(&data.join(FILE), local.as_bytes())
}

/// Writes a file whole or not at all, readable by its owner only.
///
/// # Errors
/// `Read` with the file and what the disk says.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    write_whole(path, bytes).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}
