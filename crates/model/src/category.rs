//! Categories of sites: data, never code. An eleventh is a row, not a release.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The key of a category: lower-case letters, digits and `_`, at most 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CategoryKey(String);

/// The text is not a category key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a category key such as sd_negeri")]
pub struct NotACategoryKey(pub String);

impl CategoryKey {
    /// Reads a key.
    ///
    /// # Errors
    /// `NotACategoryKey` when the text has other characters or is too long.
    pub fn parse(text: &str) -> Result<Self, NotACategoryKey> {
        let ok = !text.is_empty()
            && text.len() <= 32
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if ok { Ok(CategoryKey(text.to_owned())) } else { Err(NotACategoryKey(text.to_owned())) }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CategoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CategoryKey {
    type Error = NotACategoryKey;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        CategoryKey::parse(&text)
    }
}

impl From<CategoryKey> for String {
    fn from(key: CategoryKey) -> String {
        key.0
    }
}

/// A kind of public place, with its names and what its places are planned to get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The key, for example `banjar`.
    pub key: CategoryKey,
    /// Two or three capitals that begin the codes of its sites, for example `BJ`.
    pub prefix: String,
    /// Name in Bahasa Indonesia.
    pub name_id: String,
    /// Name in English.
    pub name_en: String,
    /// Place in lists; the order of the file it came from.
    pub rank: u32,
    /// The local kind of area that its sites must lie in (`desa`, `kelurahan`), if any.
    pub within: Option<String>,
    /// Planned rate down for one site, kbit/s, where the programme names one.
    pub down_kbps: Option<u32>,
    /// Planned rate up for one site, kbit/s, where the programme names one.
    pub up_kbps: Option<u32>,
    /// True where people's presence is never shown live (schools).
    pub hides_presence: bool,
}
