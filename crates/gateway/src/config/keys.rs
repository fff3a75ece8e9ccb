//! The known keys of gateway.toml, the environment's overlay and the nearest-key hint.

use super::ConfigError;
use kulkul_model::spelling::nearest;
use toml::{Table, Value};

/// Keys outside sections; sections have a list of their own below.
const TOP: &[&str] = &["hub", "hub_ca", "hub_root", "allow_plain", "claim", "alone", "data", "update_keys"];

const UPLINK: &[&str] = &[
    "interface",
    "kind",
    "vlan",
    "address4",
    "gateway4",
    "address6",
    "gateway6",
    "dns",
    "user",
    "password_file",
    "nat6",
    "ssh",
];

/// A way's keys, and those of the community's alone.
const BACKUP: &[&str] = &[
    "interface",
    "kind",
    "vlan",
    "address4",
    "gateway4",
    "address6",
    "gateway6",
    "dns",
    "user",
    "password_file",
    "nat6",
    "ssh",
    "owner",
    "for",
    "down_kbps",
    "up_kbps",
    "return_after_s",
];

const SECTIONS: &[(&str, &[&str])] = &[
    ("uplink", UPLINK),
    ("backup", BACKUP),
    ("segment", &["name", "kind", "interface", "vlan", "address4", "address6", "dhcp"]),
    ("portal", &["host", "cert", "key", "http_port", "https_port"]),
    ("dns", &["port", "upstreams", "ca"]),
    ("probe", &["anchors", "name", "url", "body"]),
];

/// Refuses the first key that is not known, in the table's order.
pub(super) fn check(table: &Table) -> Result<(), ConfigError> {
    for (key, value) in table {
        let Some((section, known)) = SECTIONS.iter().find(|(s, _)| s == key) else {
            if TOP.contains(&key.as_str()) {
                continue;
            }
            let all = TOP.iter().copied().chain(SECTIONS.iter().map(|(s, _)| *s));
            return Err(unknown(key.clone(), nearest(key, all).map(str::to_owned)));
        };
        let tables: Vec<&Table> = match value {
            Value::Table(t) => vec![t],
            Value::Array(list) => list.iter().filter_map(Value::as_table).collect(),
            _ => Vec::new(),
        };
        for inner in tables.into_iter().flat_map(Table::keys) {
            if !known.contains(&inner.as_str()) {
                let near = nearest(inner, known.iter().copied()).map(|n| format!("{section}.{n}"));
                return Err(unknown(format!("{section}.{inner}"), near));
            }
        }
    }
    Ok(())
}

/// Lays `KULKUL_KEY` and `KULKUL_SECTION__KEY` over the table.
pub(super) fn overlay(
    table: &mut Table,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    for (name, text) in environment {
        let Some(path) = name.strip_prefix("KULKUL_") else { continue };
        let path = path.to_ascii_lowercase();
        // Variables of other commands (KULKUL_LOG, KULKUL_LISTEN) are not ours to refuse.
        match path.split_once("__") {
            None if TOP.contains(&path.as_str()) => {
                let typed = ["allow_plain", "alone", "update_keys"].contains(&path.as_str());
                let value = if typed { guess(&text) } else { Value::String(text) };
                table.insert(path, value);
            }
            Some((section, key)) if section != "segment" => {
                let Some((_, known)) = SECTIONS.iter().find(|(s, _)| *s == section) else { continue };
                if !known.contains(&key) {
                    let near = nearest(key, known.iter().copied());
                    let near = near.map(|n| format!("KULKUL_{}__{}", section, n).to_ascii_uppercase());
                    return Err(unknown(name, near));
                }
                let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(inner) = inner {
                    inner.insert(key.to_owned(), guess(&text));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads a variable as TOML where that works (numbers, true, lists), else as text.
fn guess(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok();
    parsed.and_then(|mut t| t.remove("v")).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn unknown(key: String, nearest: Option<String>) -> ConfigError {
    ConfigError::UnknownKey { key, nearest }
}
