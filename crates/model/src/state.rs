//! States: what is observed at a site and what is owed there at the same moment.

use serde::{Deserialize, Serialize};

/// What is observed. What nobody measured is `unknown`, and credited to no one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Works.
    Up,
    /// Works, below what is owed, or with lost minutes.
    Degraded,
    /// Three minutes or more have failed.
    Down,
    /// Not observed.
    Unknown,
}

impl Observed {
    /// All states, best first.
    pub const ALL: [Observed; 4] = [Observed::Up, Observed::Degraded, Observed::Down, Observed::Unknown];

    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Observed::Up => "up",
            Observed::Degraded => "degraded",
            Observed::Down => "down",
            Observed::Unknown => "unknown",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What is owed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Should work.
    Open,
    /// Closed by its hours or by decree.
    Closed,
    /// In announced maintenance.
    Maintenance,
    /// Not in service yet, or no longer.
    NotInService,
}

impl Expected {
    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Expected::Open => "open",
            Expected::Closed => "closed",
            Expected::Maintenance => "maintenance",
            Expected::NotInService => "not_in_service",
        }
    }
}

/// One of the six signs that maps, lists, strips and print show for a site.
///
/// Shape, colour and word always go together; the sign follows from what is
/// observed and what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Teal disc.
    Up,
    /// Amber triangle.
    Degraded,
    /// Red diamond.
    Down,
    /// Open grey ring.
    Unknown,
    /// Indigo dash: closed by hours or decree, or in maintenance.
    Closed,
    /// Small open dot: not in service.
    NotInService,
}

impl Sign {
    /// All signs, in the order of legends.
    pub const ALL: [Sign; 6] =
        [Sign::Up, Sign::Degraded, Sign::Down, Sign::Unknown, Sign::Closed, Sign::NotInService];

    /// The sign for a site that shows `observed` while `expected` is owed.
    #[must_use]
    pub const fn of(observed: Observed, expected: Expected) -> Self {
        match (expected, observed) {
            (Expected::NotInService, _) => Sign::NotInService,
            (Expected::Closed | Expected::Maintenance, _) => Sign::Closed,
            (Expected::Open, Observed::Up) => Sign::Up,
            (Expected::Open, Observed::Degraded) => Sign::Degraded,
            (Expected::Open, Observed::Down) => Sign::Down,
            (Expected::Open, Observed::Unknown) => Sign::Unknown,
        }
    }

    /// The name that style sheets, queries and words use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Sign::Up => "up",
            Sign::Degraded => "degraded",
            Sign::Down => "down",
            Sign::Unknown => "unknown",
            Sign::Closed => "closed",
            Sign::NotInService => "not_in_service",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}
