//! Areas: the tree of regency, districts, villages and hamlets with Kemendagri codes.

use crate::geometry::Point;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A Kemendagri code such as `51`, `51.03`, `51.03.01` or `51.03.01.1002`.
///
/// Digits in dotted groups, at most 20 bytes. Islands have a five-digit last group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AreaCode(String);

/// The text is not an area code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an area code such as 51.03.01.1002")]
pub struct NotAnAreaCode(pub String);

impl AreaCode {
    /// Reads a code.
    ///
    /// # Errors
    /// `NotAnAreaCode` unless the text is digits in dotted groups.
    pub fn parse(text: &str) -> Result<Self, NotAnAreaCode> {
        let ok = !text.is_empty()
            && text.len() <= 20
            && text.split('.').all(|g| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit()));
        if ok { Ok(AreaCode(text.to_owned())) } else { Err(NotAnAreaCode(text.to_owned())) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AreaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AreaCode {
    type Error = NotAnAreaCode;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        AreaCode::parse(&text)
    }
}

impl From<AreaCode> for String {
    fn from(code: AreaCode) -> String {
        code.0
    }
}

/// What an area is in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaKind {
    /// Kabupaten.
    Regency,
    /// Kecamatan.
    District,
    /// Desa or kelurahan.
    Village,
    /// Banjar or lingkungan.
    Hamlet,
    /// A named island of the regency (pulau); it holds no sites of its own.
    Island,
}

impl AreaKind {
    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            AreaKind::Regency => "regency",
            AreaKind::District => "district",
            AreaKind::Village => "village",
            AreaKind::Hamlet => "hamlet",
            AreaKind::Island => "island",
        }
    }

    /// Reads `regency`, `district`, ... or the register's own Indonesian word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "regency" | "kabupaten" | "kota" => AreaKind::Regency,
            "district" | "kecamatan" => AreaKind::District,
            "village" | "desa" | "kelurahan" => AreaKind::Village,
            "hamlet" | "banjar" | "lingkungan" => AreaKind::Hamlet,
            "island" | "pulau" => AreaKind::Island,
            _ => return None,
        })
    }
}

/// One area of the register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Kemendagri code; the key.
    pub code: AreaCode,
    /// Name as the register spells it, without the kind.
    pub name: String,
    /// Place in the tree.
    pub kind: AreaKind,
    /// The register's own word for the kind: kabupaten, kecamatan, desa, kelurahan, pulau.
    pub local_kind: String,
    /// The area that holds this one; none for the regency.
    pub parent: Option<AreaCode>,
    /// The statistics office's code, where known.
    pub bps_code: Option<String>,
    /// A point near the middle.
    pub centre: Point,
}
