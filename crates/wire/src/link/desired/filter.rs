//! The section that says which names a place does not answer.

use super::super::bytes::Digest;
use super::Text;
use kulkul_model::Moment;
use serde::{Deserialize, Serialize};

/// Which names are not answered, and how strictly that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterSection {
    /// Lists of names, fetched by digest.
    pub lists: Vec<BlockList>,
    /// Names that are answered whatever a list says; `*.example.org` with all below it.
    pub allow: Vec<String>,
    /// Names that are not answered, beside those of the lists.
    pub block: Vec<String>,
    /// Refuses the known ways around this resolver (DoT, DoH, the browsers' own).
    pub strict: bool,
    /// Sends the large search engines' names to their protected ones.
    pub safe_search: bool,
}

/// A list of names that are not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockList {
    /// What it is called in counts: lower-case letters, digits and `-`.
    pub key: String,
    /// What people read on the page of a blocked name.
    pub name: Text,
    /// Digest of the list's text.
    pub sha256: Digest,
    /// Its bytes.
    pub bytes: u64,
    /// How it is written.
    pub format: ListFormat,
    /// When its makers dated it.
    pub dated: Moment,
    /// Where somebody who disagrees turns to.
    #[serde(default)]
    pub appeal: Text,
}

/// How a list of names is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListFormat {
    /// One name a line; `*.` in front takes in all names below it.
    Plain,
    /// As `/etc/hosts`: an address, then names.
    Hosts,
    /// A response policy zone: owner names with `CNAME .`.
    Rpz,
}
