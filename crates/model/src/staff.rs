//! Staff: the people who run the service, what each role may do, and lock-out.

use crate::Moment;
use serde::{Deserialize, Serialize};

/// What a member of staff, or an API token, may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything, changes nothing.
    Auditor,
    /// Edits sites and issues claims within an area.
    Operator,
    /// All of that everywhere, and staff and tokens.
    Admin,
}

impl Role {
    /// All roles, least first.
    pub const ALL: [Role; 3] = [Role::Auditor, Role::Operator, Role::Admin];

    /// The name that tables, the API and the command line use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Auditor => "auditor",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// Whether this role may change sites and issue claims.
    #[must_use]
    pub const fn may_operate(self) -> bool {
        matches!(self, Role::Operator | Role::Admin)
    }

    /// Whether this role may manage staff and tokens.
    #[must_use]
    pub const fn may_administer(self) -> bool {
        matches!(self, Role::Admin)
    }
}

/// Failed sign-ins in the window after which the next must wait.
pub const FREE_FAILURES: u32 = 5;
/// The window in which failures are counted.
pub const FAILURE_WINDOW_MS: i64 = 15 * 60_000;

/// How long after the last of `failures` the next attempt must wait.
///
/// Doubles from 30 s with each failure after the fifth, up to 15 minutes; the
/// account is never locked for good, so nobody can lock out another for long.
#[must_use]
pub fn wait_ms(failures: u32) -> i64 {
    match failures.checked_sub(FREE_FAILURES) {
        None => 0,
        Some(extra) => (30_000i64 << extra.min(5)).min(FAILURE_WINDOW_MS),
    }
}

/// The moment from which a sign-in is allowed again, given the failures so far.
#[must_use]
pub fn open_again_at(failures: u32, last_failure_at: Moment) -> Moment {
    last_failure_at.plus_ms(wait_ms(failures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_and_ends() {
        let table = [(0, 0), (4, 0), (5, 30_000), (6, 60_000), (9, 480_000), (10, 900_000), (99, 900_000)];
        for (failures, ms) in table {
            assert_eq!(wait_ms(failures), ms, "{failures}");
        }
    }
}
