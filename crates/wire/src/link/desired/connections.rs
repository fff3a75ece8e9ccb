//! The section that says what a place keeps of who went out, and for how long.

use super::check::NotOrders;
use serde::{Deserialize, Serialize};

/// What the box keeps of connections, on the box alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConnectionsSection {
    /// What is kept.
    pub log: ConnectionLog,
    /// For how many days; then it is deleted, whatever `log` says.
    pub keep_days: u16,
    /// The most that it may take on the box's disk, MB; what is oldest goes first.
    pub most_mb: u32,
}

/// How much is kept of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionLog {
    /// Nothing.
    #[default]
    Off,
    /// Who had which address, from when until when.
    Lease,
    /// Beside that each connection's protocol, translated source port and times; never where it went to.
    Flow,
}

impl ConnectionLog {
    /// The name that the link and words use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionLog::Off => "off",
            ConnectionLog::Lease => "lease",
            ConnectionLog::Flow => "flow",
        }
    }
}

impl Default for ConnectionsSection {
    fn default() -> Self {
        ConnectionsSection { log: ConnectionLog::Off, keep_days: 30, most_mb: 32 }
    }
}

impl ConnectionsSection {
    /// Checks that it can be kept to.
    ///
    /// # Errors
    /// `NotOrders` names the field.
    pub fn check(&self) -> Result<(), NotOrders> {
        let bounds = [
            ("connections.keep_days", u64::from(self.keep_days), 1, 366),
            ("connections.most_mb", u64::from(self.most_mb), 4, 65_536),
        ];
        for (field, value, least, most) in bounds {
            if value < least {
                return Err(NotOrders::TooLittle { field, value, least });
            }
            if value > most {
                return Err(NotOrders::TooMuch { field, value, most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_by_default_and_odd_bounds_name_their_field() {
        let plain: ConnectionsSection = serde_json::from_str("{}").unwrap();
        assert_eq!((plain.log, plain.check()), (ConnectionLog::Off, Ok(())));
        for (text, named) in [
            (r#"{"log":"flow","keep_days":0}"#, "connections.keep_days is 0; the least"),
            (r#"{"log":"flow","keep_days":367}"#, "connections.keep_days is 367; the most"),
            (r#"{"log":"lease","most_mb":1}"#, "connections.most_mb is 1;"),
        ] {
            let odd: ConnectionsSection = serde_json::from_str(text).unwrap();
            assert!(odd.check().unwrap_err().to_string().starts_with(named), "{text}");
        }
        assert!(serde_json::from_str::<ConnectionsSection>(r#"{"log":"all"}"#).is_err());
    }
}
