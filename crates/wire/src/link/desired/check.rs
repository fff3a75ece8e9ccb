//! Which values of a desired state nobody can follow; hub and gateway ask alike.

use super::{HoursSection, LineSection, PlanSection};
use kulkul_model::hours::NotATimetable;

/// Why sections cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOrders {
    /// Opening hours that nobody can keep to.
    #[error(transparent)]
    Hours(#[from] NotATimetable),
    /// A limit that would let nobody in.
    #[error("{field} is {value}; the least that is of use is {least}")]
    TooLittle {
        /// Section and field.
        field: &'static str,
        /// What was ordered.
        value: u64,
        /// The least.
        least: u64,
    },
    /// A bound that no box could keep.
    #[error("{field} is {value}; the most is {most}")]
    TooMuch {
        /// Section and field.
        field: &'static str,
        /// What was ordered.
        value: u64,
        /// The most.
        most: u64,
    },
    /// Shares of the line that are more than the line.
    #[error("line.shares promise {0} % of the line")]
    Shares(u32),
    /// A share of a kind of segment that there is not.
    #[error("line.shares name \"{0}\"; there are public, staff and service")]
    Kind(String),
    /// A tunnel that cannot be made, and why.
    #[error("tunnel: {0}")]
    Tunnel(String),
}

/// Checks every value.
///
/// # Errors
/// `NotOrders` names the first that cannot be followed.
pub fn check(plan: &PlanSection, line: &LineSection, hours: &HoursSection) -> Result<(), NotOrders> {
    if let Some(table) = &hours.timetable {
        table.check()?;
    }
    let least = [
        ("plan.session_ms", Some(plan.session_ms), 60_000),
        ("plan.day_ms", plan.day_ms, 60_000),
        ("plan.day_bytes", plan.day_bytes, 1_000_000),
        ("plan.down_kbps", plan.down_kbps.map(u64::from), 8),
        ("plan.up_kbps", plan.up_kbps.map(u64::from), 8),
        ("line.down_kbps", line.down_kbps.map(u64::from), 64),
        ("line.up_kbps", line.up_kbps.map(u64::from), 64),
    ];
    for (field, value, least) in least {
        if let Some(value) = value.filter(|v| *v < least) {
            return Err(NotOrders::TooLittle { field, value, least });
        }
    }
    if let Some(odd) = line.shares.iter().find(|s| !["public", "staff", "service"].contains(&&*s.kind)) {
        return Err(NotOrders::Kind(odd.kind.clone()));
    }
    let promised: u32 = line.shares.iter().map(|s| u32::from(s.min_percent)).sum();
    if promised > 100 { Err(NotOrders::Shares(promised)) } else { Ok(()) }
}
