//! The captive portal API's document (RFC 8908, section 5), as bytes and back.
//!
//! Says what a device may know about its own standing; it must never carry
//! anything about another device.

use serde::{Deserialize, Serialize};

/// The media type of the document.
pub const MEDIA_TYPE: &str = "application/captive+json";
/// The path of the API on the portal's own name.
pub const PATH: &str = "/captive/api";

/// One device's standing, RFC 8908 section 5; keys that are not known are left out.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Captive {
    /// Whether the device still has to pass the portal.
    pub captive: bool,
    /// The portal's page, `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_portal_url: Option<String>,
    /// A page about the place, `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue_info_url: Option<String>,
    /// Whether asking again at the portal gives more time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_extend_session: Option<bool>,
    /// Seconds until the session ends; only while not captive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_remaining: Option<u64>,
    /// Bytes until the quota is used; only while not captive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_remaining: Option<u64>,
}

impl Captive {
    /// The document as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A struct of plain fields always serializes; captive is the safe reading.
        serde_json::to_string(self).unwrap_or_else(|_| "{\"captive\":true}".to_owned())
    }

    /// Reads a document; unknown keys are ignored as section 5 asks.
    ///
    /// # Errors
    /// What is wrong with the JSON, or that `captive` is missing.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}

/// The URI that DHCP options 114 and 103 and RA option 37 announce (RFC 8910).
#[must_use]
pub fn api_uri(host: &str) -> String {
    format!("https://{host}{PATH}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_standards_keys() {
        let waiting = Captive {
            captive: true,
            user_portal_url: Some("https://bj-001.example.org/".to_owned()),
            ..Captive::default()
        };
        assert_eq!(waiting.to_json(), r#"{"captive":true,"user-portal-url":"https://bj-001.example.org/"}"#);
        let online = Captive {
            captive: false,
            seconds_remaining: Some(326),
            bytes_remaining: Some(65_536),
            can_extend_session: Some(true),
            ..Captive::default()
        };
        assert_eq!(Captive::from_json(online.to_json().as_bytes()).unwrap(), online);
    }

    #[test]
    fn unknown_keys_are_ignored_and_captive_is_required() {
        assert!(Captive::from_json(br#"{"captive":false,"x-new":[1]}"#).is_ok());
        assert!(Captive::from_json(br#"{"user-portal-url":"https://a/"}"#).is_err());
        assert_eq!(api_uri("bj-001.example.org"), "https://bj-001.example.org/captive/api");
    }
}
