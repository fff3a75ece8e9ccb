//! Orders: what the supervisor keeps of a desired state, checked before anything follows from it.

use ipnet::IpNet;
use kulkul_model::Zone;
use kulkul_model::hours::NotATimetable;
use kulkul_model::moment::NotAZone;
use kulkul_wire::link::Desired;
use kulkul_wire::link::desired::{AccessSection, HoursSection, LineSection, PlanSection, RevokedDevice};
use serde::{Deserialize, Serialize};

/// What the supervisor needs to keep of a desired state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Orders {
    /// What a person gets.
    pub plan: PlanSection,
    /// Who is let in and who never.
    pub access: AccessSection,
    /// Ranges on the uplink's side that public people never reach, beside the private ones.
    pub management: Vec<IpNet>,
    /// Devices that are put out for a while.
    pub revoked: Vec<RevokedDevice>,
    /// The line and how it is shared.
    pub line: LineSection,
    /// When the place is open.
    pub hours: HoursSection,
    /// The zone of days and opening hours.
    pub zone: String,
}

impl Default for Orders {
    fn default() -> Self {
        Orders {
            plan: PlanSection::default(),
            access: AccessSection::default(),
            management: Vec::new(),
            revoked: Vec::new(),
            line: LineSection::default(),
            hours: HoursSection::default(),
            zone: "Asia/Makassar".to_owned(),
        }
    }
}

impl From<&Desired> for Orders {
    fn from(d: &Desired) -> Self {
        Orders {
            plan: d.plan.clone(),
            access: d.access.clone(),
            management: d.network.management.clone(),
            revoked: d.revoked.devices.clone(),
            line: d.line.clone(),
            hours: d.hours.clone(),
            zone: d.site.zone.clone(),
        }
    }
}

/// Why orders cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOrders {
    /// Days and hours would have no beginning.
    #[error(transparent)]
    Zone(#[from] NotAZone),
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
    /// Shares of the line that are more than the line.
    #[error("line.shares promise {0} % of the line")]
    Shares(u32),
    /// A share of a kind of segment that there is not.
    #[error("line.shares name \"{0}\"; there are public, staff and service")]
    Kind(String),
}

impl Orders {
    /// Checks every value; gives the zone.
    ///
    /// # Errors
    /// `NotOrders` names the first value that cannot be followed.
    pub fn check(&self) -> Result<Zone, NotOrders> {
        let zone = Zone::named(&self.zone)?;
        if let Some(table) = &self.hours.timetable {
            table.check()?;
        }
        let plan = &self.plan;
        let least = [
            ("plan.session_ms", Some(plan.session_ms), 60_000),
            ("plan.day_ms", plan.day_ms, 60_000),
            ("plan.day_bytes", plan.day_bytes, 1_000_000),
            ("plan.down_kbps", plan.down_kbps.map(u64::from), 8),
            ("plan.up_kbps", plan.up_kbps.map(u64::from), 8),
            ("line.down_kbps", self.line.down_kbps.map(u64::from), 64),
            ("line.up_kbps", self.line.up_kbps.map(u64::from), 64),
        ];
        for (field, value, least) in least {
            if let Some(value) = value.filter(|v| *v < least) {
                return Err(NotOrders::TooLittle { field, value, least });
            }
        }
        if let Some(odd) =
            self.line.shares.iter().find(|s| !["public", "staff", "service"].contains(&&*s.kind))
        {
            return Err(NotOrders::Kind(odd.kind.clone()));
        }
        let promised: u32 = self.line.shares.iter().map(|s| u32::from(s.min_percent)).sum();
        if promised > 100 { Err(NotOrders::Shares(promised)) } else { Ok(zone) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::link::desired::SegmentShare;

    #[test]
    fn the_default_orders_can_be_followed() {
        assert_eq!(Orders::default().check().unwrap().name(), "Asia/Makassar");
    }

    #[test]
    fn what_cannot_be_followed_says_which_value() {
        let share =
            |kind: &str, min_percent| SegmentShare { kind: kind.to_owned(), min_percent, priority: 0 };
        type Spoil = fn(&mut Orders);
        let cases: [(Spoil, &str); 4] = [
            (|o| o.zone = "Asia/Atlantis".to_owned(), "Asia/Atlantis"),
            (|o| o.plan.session_ms = 0, "plan.session_ms is 0; the least that is of use is 60000"),
            (|o| o.line.up_kbps = Some(0), "line.up_kbps is 0"),
            (|o| o.plan.day_bytes = Some(1), "plan.day_bytes is 1;"),
        ];
        for (spoil, wanted) in cases {
            let mut orders = Orders::default();
            spoil(&mut orders);
            let error = orders.check().unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        let mut orders = Orders::default();
        orders.line.shares = vec![share("public", 60), share("service", 50)];
        assert_eq!(orders.check().unwrap_err(), NotOrders::Shares(110));
        orders.line.shares = vec![share("guests", 10)];
        assert_eq!(orders.check().unwrap_err(), NotOrders::Kind("guests".to_owned()));
    }
}
