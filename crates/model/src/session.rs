//! Sessions: one device online at one site, from admission to stop.

use crate::Moment;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// A session whose box says nothing of it for this long counts as over, milliseconds: three interims and more.
pub const LEASE_MS: i64 = 35 * 60_000;

/// A device's hardware address, six bytes; never a person's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac(pub [u8; 6]);

/// The text is not a hardware address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a hardware address such as 02:00:5e:10:00:01")]
pub struct NotAMac(pub String);

impl Mac {
    /// Reads six hexadecimal pairs with `:` or `-` between them.
    ///
    /// # Errors
    /// `NotAMac` when the text has another form.
    pub fn parse(text: &str) -> Result<Self, NotAMac> {
        let bad = || NotAMac(text.to_owned());
        let mut mac = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut mac {
            let part = parts.next().filter(|p| p.len() == 2).ok_or_else(bad)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| bad())?;
        }
        if parts.next().is_some() { Err(bad()) } else { Ok(Mac(mac)) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl TryFrom<String> for Mac {
    type Error = NotAMac;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Mac::parse(&text)
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> String {
        mac.to_string()
    }
}

/// A session's id, 128 bits that the gateway drew; written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl SessionId {
    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        let mut id = [0; 16];
        for (i, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(i * 2..i * 2 + 2)?, 16).ok()?;
        }
        Some(SessionId(id))
    }
}

/// How a device was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayIn {
    /// Somebody read the terms and pressed the button.
    ClickThrough,
    /// A voucher.
    Voucher,
    /// An account.
    Account,
    /// The allow list of a service segment.
    AllowList,
}

impl WayIn {
    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            WayIn::ClickThrough => "click_through",
            WayIn::Voucher => "voucher",
            WayIn::Account => "account",
            WayIn::AllowList => "allow_list",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ClickThrough, Self::Voucher, Self::Account, Self::AllowList]
            .into_iter()
            .find(|w| w.as_str() == text)
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The person logged out.
    LoggedOut,
    /// Nothing was sent or received for the idle limit.
    Idle,
    /// The session limit was reached.
    SessionLimit,
    /// The quota was used up.
    Quota,
    /// The place closed.
    Closed,
    /// The hub disconnected it.
    Disconnected,
    /// The box lost its record of it (power loss with a damaged disk).
    Lost,
}

impl StopReason {
    /// All reasons.
    pub const ALL: [StopReason; 7] = [
        StopReason::LoggedOut,
        StopReason::Idle,
        StopReason::SessionLimit,
        StopReason::Quota,
        StopReason::Closed,
        StopReason::Disconnected,
        StopReason::Lost,
    ];

    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            StopReason::LoggedOut => "logged_out",
            StopReason::Idle => "idle",
            StopReason::SessionLimit => "session_limit",
            StopReason::Quota => "quota",
            StopReason::Closed => "closed",
            StopReason::Disconnected => "disconnected",
            StopReason::Lost => "lost",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// What a session has used so far; counters only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes from the device.
    pub up_bytes: u64,
    /// Bytes to the device.
    pub down_bytes: u64,
    /// Packets from the device.
    pub up_packets: u64,
    /// Packets to the device.
    pub down_packets: u64,
}

/// One device online at one site, as the gateway keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The id, as 32 hexadecimal digits in JSON.
    #[serde(with = "id_text")]
    pub id: SessionId,
    /// The device.
    pub mac: Mac,
    /// Its addresses at this site, sorted; IPv4 and at most 16 IPv6.
    pub addresses: Vec<IpAddr>,
    /// How it was let in.
    pub way_in: WayIn,
    /// The version of the terms that were accepted; none for allow lists.
    pub terms: Option<u32>,
    /// When it was admitted.
    pub began_at: Moment,
    /// When it must end.
    pub ends_at: Moment,
    /// When traffic was last seen.
    pub last_seen_at: Moment,
    /// What it has used.
    pub usage: Usage,
}

/// A session's id as 32 hexadecimal digits, for `serde(with)`.
pub mod id_text {
    use super::SessionId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the digits.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(id: &SessionId, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(id)
    }

    /// Reads the digits.
    ///
    /// # Errors
    /// When the text is not a session's id.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<SessionId, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        SessionId::parse(&text).ok_or_else(|| D::Error::custom("not a session's id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ids_read_back() {
        let mac = Mac::parse("02-00-5E-10-00-01").unwrap();
        assert_eq!(mac.to_string(), "02:00:5e:10:00:01");
        for bad in ["", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "0g:00:5e:10:00:01", "2:0:5e:10:0:1"] {
            assert!(Mac::parse(bad).is_err(), "{bad}");
        }
        let id = SessionId([0xab; 16]);
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        assert_eq!(SessionId::parse("abc"), None);
        for r in StopReason::ALL {
            assert_eq!(StopReason::parse(r.as_str()), Some(r));
        }
    }
}
