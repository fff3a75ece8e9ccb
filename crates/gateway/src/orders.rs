//! Orders: what the supervisor keeps of a desired state, checked before anything follows from it.

use ipnet::IpNet;
use kulkul_model::moment::NotAZone;
use kulkul_model::session::{Mac, SessionId, id_text};
use kulkul_model::{Moment, Zone};
use kulkul_wire::link::Desired;
use kulkul_wire::link::desired::{
    self, AccessSection, ConnectionsSection, FleetSection, HoursSection, LineSection, NotOrders, PlanSection,
    RevokedDevice, TunnelSection,
};
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
    /// Devices whose session was ended by its id; kept, because the session is gone afterwards.
    pub put_out: Vec<PutOut>,
    /// The line and how it is shared.
    pub line: LineSection,
    /// When the place is open.
    pub hours: HoursSection,
    /// Whether encrypted DNS past the box is refused.
    pub strict_names: bool,
    /// Access points, and where they may go.
    pub fleet: FleetSection,
    /// What is kept of who went out.
    pub connections: ConnectionsSection,
    /// The way to the data centre.
    pub tunnel: TunnelSection,
    /// The zone of days and opening hours.
    pub zone: String,
}

/// A device that is put out for a while because its session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOut {
    /// The session.
    #[serde(with = "id_text")]
    pub session: SessionId,
    /// Its device.
    pub mac: Mac,
    /// Until when it stays out.
    pub until: Moment,
}

impl Default for Orders {
    fn default() -> Self {
        Orders {
            plan: PlanSection::default(),
            access: AccessSection::default(),
            management: Vec::new(),
            revoked: Vec::new(),
            put_out: Vec::new(),
            line: LineSection::default(),
            hours: HoursSection::default(),
            strict_names: false,
            fleet: FleetSection::default(),
            connections: ConnectionsSection::default(),
            tunnel: TunnelSection::default(),
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
            put_out: Vec::new(),
            line: d.line.clone(),
            hours: d.hours.clone(),
            strict_names: d.filter.strict,
            fleet: d.fleet.clone(),
            connections: d.connections.clone(),
            tunnel: d.tunnel.clone(),
            zone: d.site.zone.clone(),
        }
    }
}

/// Why orders cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// Days and hours would have no beginning.
    #[error(transparent)]
    Zone(#[from] NotAZone),
    /// A value of a section.
    #[error(transparent)]
    Orders(#[from] NotOrders),
}

impl Orders {
    /// Devices that are put out at `now`, and until when.
    pub fn out(&self, now: Moment) -> impl Iterator<Item = (Mac, Moment)> + '_ {
        let revoked = self.revoked.iter().map(|r| (r.mac, r.until));
        revoked.chain(self.put_out.iter().map(|p| (p.mac, p.until))).filter(move |(_, until)| *until > now)
    }

    /// Whether a device may not come in at `now`.
    #[must_use]
    pub fn is_out(&self, mac: Mac, now: Moment) -> bool {
        self.access.blocked.contains(&mac) || self.out(now).any(|(out, _)| out == mac)
    }

    /// Checks every value; gives the zone.
    ///
    /// # Errors
    /// `NotFollowed` names the first value that cannot be followed.
    pub fn check(&self) -> Result<Zone, NotFollowed> {
        let zone = Zone::named(&self.zone)?;
        desired::check(&self.plan, &self.line, &self.hours)?;
        self.connections.check()?;
        self.tunnel.check()?;
        Ok(zone)
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
        assert_eq!(orders.check().unwrap_err(), NotFollowed::Orders(NotOrders::Shares(110)));
        orders.line.shares = vec![share("guests", 10)];
        assert_eq!(orders.check().unwrap_err(), NotFollowed::Orders(NotOrders::Kind("guests".to_owned())));
    }
}
