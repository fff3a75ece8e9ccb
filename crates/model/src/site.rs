//! Sites: public places that get internet access.

use crate::area::AreaCode;
use crate::category::CategoryKey;
use crate::geometry::Point;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A site's code such as `BJ-001`: capitals, a hyphen, digits; at most 16 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteCode(String);

/// The text is not a site code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a site code such as BJ-001")]
pub struct NotASiteCode(pub String);

impl SiteCode {
    /// Reads a code.
    ///
    /// # Errors
    /// `NotASiteCode` when the text has another form.
    pub fn parse(text: &str) -> Result<Self, NotASiteCode> {
        let ok = text.len() <= 16
            && text.split_once('-').is_some_and(|(prefix, number)| {
                !prefix.is_empty()
                    && prefix.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                    && !number.is_empty()
                    && number.bytes().all(|b| b.is_ascii_digit())
            });
        if ok { Ok(SiteCode(text.to_owned())) } else { Err(NotASiteCode(text.to_owned())) }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letters before the hyphen, which name the category.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.split_once('-').map_or("", |(p, _)| p)
    }
}

impl fmt::Display for SiteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SiteCode {
    type Error = NotASiteCode;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        SiteCode::parse(&text)
    }
}

impl From<SiteCode> for String {
    fn from(code: SiteCode) -> String {
        code.0
    }
}

/// How well a site's coordinate is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositionQuality {
    /// A named public source gives the coordinate.
    Sourced,
    /// Somebody stood there and measured it.
    Surveyed,
    /// Somewhere in the right village; not where the building stands.
    Approximate,
}

impl PositionQuality {
    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PositionQuality::Sourced => "sourced",
            PositionQuality::Surveyed => "surveyed",
            PositionQuality::Approximate => "approximate",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sourced, Self::Surveyed, Self::Approximate].into_iter().find(|q| q.as_str() == text)
    }
}

/// How well a site's name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameQuality {
    /// A named source has it.
    Sourced,
    /// Made so that the counts agree; the real name is not known yet.
    Placeholder,
}

impl NameQuality {
    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            NameQuality::Sourced => "sourced",
            NameQuality::Placeholder => "placeholder",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sourced, Self::Placeholder].into_iter().find(|q| q.as_str() == text)
    }
}

/// How far a site has come from plan to service (programme.md's ladder).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// On the list.
    Planned,
    /// Somebody has been there; the coordinate is known.
    Surveyed,
    /// Equipment has arrived.
    Delivered,
    /// Equipment is mounted.
    Installed,
    /// The acceptance test was run.
    Tested,
    /// The result was countersigned.
    Accepted,
    /// People use it.
    InService,
    /// Taken out for a while.
    Suspended,
    /// Moved to another place.
    Relocated,
    /// Taken out for good.
    Retired,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Stage; 10] = [
        Stage::Planned,
        Stage::Surveyed,
        Stage::Delivered,
        Stage::Installed,
        Stage::Tested,
        Stage::Accepted,
        Stage::InService,
        Stage::Suspended,
        Stage::Relocated,
        Stage::Retired,
    ];

    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Planned => "planned",
            Stage::Surveyed => "surveyed",
            Stage::Delivered => "delivered",
            Stage::Installed => "installed",
            Stage::Tested => "tested",
            Stage::Accepted => "accepted",
            Stage::InService => "in_service",
            Stage::Suspended => "suspended",
            Stage::Relocated => "relocated",
            Stage::Retired => "retired",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// One public place of the register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The key, for example `BJ-001`.
    pub code: SiteCode,
    /// Its category.
    pub category: CategoryKey,
    /// Its name, at most 120 characters.
    pub name: String,
    /// The village that it lies in.
    pub area: AreaCode,
    /// Where it is, as well as `position_quality` says.
    pub position: Point,
    /// How well the coordinate is known.
    pub position_quality: PositionQuality,
    /// How the coordinate was made.
    pub position_basis: Option<String>,
    /// How well the name is known.
    pub name_quality: NameQuality,
    /// Where the facts come from.
    pub source: String,
    /// The code that another register gives it (a school's NPSN, a banjar's local code).
    pub official_id: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// How far it has come.
    pub stage: Stage,
    /// Capacity down that it is owed, kbit/s; none takes the category's.
    pub down_kbps: Option<u32>,
    /// Capacity up that it is owed, kbit/s; none takes the category's.
    pub up_kbps: Option<u32>,
    /// What it hangs on (a fibre segment, a POP); none when not known.
    pub upstream: Option<String>,
    /// Counts up with every change, so that two editors notice each other.
    pub revision: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_one_form() {
        for good in ["BJ-001", "KC-6", "SD2-1200"] {
            assert_eq!(SiteCode::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "BJ001", "bj-001", "BJ-", "-001", "BJ-0 1", "BJ-00000000000000000"] {
            assert!(SiteCode::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_variants_read_back() {
        for s in Stage::ALL {
            assert_eq!(Stage::parse(s.as_str()), Some(s));
        }
        assert_eq!(PositionQuality::parse("name-only"), None);
        assert_eq!(NameQuality::parse("placeholder"), Some(NameQuality::Placeholder));
    }
}
