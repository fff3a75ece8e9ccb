//! The sections that orders may set, and what each of their fields may be.

use super::fault;
use crate::web::Problem;
use crate::web::problem::Fault;
use ipnet::IpNet;
use kulkul_model::hours::words::{self, NotHours};
use kulkul_model::hours::{Span, Week};
use kulkul_model::{Moment, Refusal, Zone, spelling};
use kulkul_wire::link::desired::{
    self, AccessSection, Closure, ConnectionsSection, FilterSection, HoursSection, LineSection,
    NetworkSection, PlanSection, PortalSection, TunnelSection,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How far the timetable of a place with announced closures is worked out, days.
const DAYS: usize = 14;

/// A section that orders may set.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name in the desired state.
    pub name: &'static str,
    known: fn() -> Value,
    read: fn(Value) -> Result<(), String>,
}

/// Every one, by name.
pub const SECTIONS: [Section; 10] = [
    Section { name: "access", known: all::<AccessSection>, read: plain::<AccessSection> },
    Section { name: "connections", known: all::<ConnectionsSection>, read: connections },
    Section { name: "filter", known: all::<FilterSection>, read: plain::<FilterSection> },
    Section { name: "fleet", known: all::<FleetOrder>, read: plain::<FleetOrder> },
    Section { name: "hours", known: all::<HoursOrder>, read: hours },
    Section { name: "line", known: all::<LineSection>, read: line },
    Section { name: "network", known: all::<NetworkSection>, read: plain::<NetworkSection> },
    Section { name: "plan", known: all::<PlanSection>, read: plan },
    Section { name: "portal", known: all::<PortalSection>, read: plain::<PortalSection> },
    Section { name: "tunnel", known: all::<TunnelOrder>, read: tunnel },
];

/// Opening hours as an order has them.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HoursOrder {
    /// Hours by day, as `kulkul_model::hours::words` reads them; null is open at all hours.
    pub week: Option<BTreeMap<String, String>>,
    /// Closures that are announced.
    pub closures: Vec<Closure>,
}

/// What an order may say of access points; which there are is the register's.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FleetOrder {
    /// Where access points may go by themselves: their controllers.
    pub controllers: Vec<IpNet>,
}

/// The tunnel as an order has it: with the ranges that boxes' addresses are from.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelOrder {
    /// What the box is told, its addresses apart unless they are said.
    #[serde(flatten)]
    pub section: TunnelSection,
    /// Where boxes' own addresses come from, one range of a family.
    pub pools: Vec<IpNet>,
}

impl HoursOrder {
    /// The section of the desired state at `now`.
    ///
    /// Without closures to come the week alone says it, for as long as nobody orders otherwise.
    ///
    /// # Errors
    /// `NotHours` names the day.
    pub fn section(&self, now: Moment, zone: &Zone) -> Result<HoursSection, NotHours> {
        let open = || BTreeMap::from([(words::DAILY.to_owned(), "00:00-24:00".to_owned())]);
        let mut closures: Vec<Closure> = self.closures.iter().filter(|c| c.until > now).cloned().collect();
        closures.sort_by_key(|c| c.from);
        if self.week.is_none() && closures.is_empty() {
            return Ok(HoursSection::default());
        }
        let week: Week = words::read(&self.week.clone().unwrap_or_else(open))?;
        let closed: Vec<Span> = closures.iter().map(|c| Span { from: c.from, until: c.until }).collect();
        let mut timetable = week.plan(&closed, now, DAYS, zone);
        if closures.is_empty() {
            (timetable.open, timetable.through) = (Vec::new(), Moment::EPOCH);
        }
        Ok(HoursSection { timetable: Some(timetable), closures })
    }
}

fn all<T: Default + Serialize>() -> Value {
    serde_json::to_value(T::default()).unwrap_or_default()
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn plain<T: DeserializeOwned>(value: Value) -> Result<(), String> {
    read::<T>(value).map(drop)
}

fn connections(value: Value) -> Result<(), String> {
    read::<ConnectionsSection>(value)?.check().map_err(|e| e.to_string())
}

/// By itself: what is missing may be said in another scope.
fn tunnel(value: Value) -> Result<(), String> {
    let order: TunnelOrder = read(value)?;
    order.section.check_values().map_err(|e| e.to_string())?;
    let of = |six: bool| order.pools.iter().filter(move |p| p.addr().is_ipv6() == six);
    if of(false).count() > 1 || of(true).count() > 1 {
        return Err("one pool of each family".to_owned());
    }
    if let Some(small) =
        of(false).find(|p| p.prefix_len() > 29).or_else(|| of(true).find(|p| p.prefix_len() > 120))
    {
        return Err(format!("the pool {small} has room for nobody"));
    }
    // The address in a pool has the rules of any of the box's own.
    let own = TunnelSection {
        addresses: order.pools.iter().map(|p| p.addr()).collect(),
        ..TunnelSection::default()
    };
    own.check_values().map_err(|e| e.to_string())
}

fn plan(value: Value) -> Result<(), String> {
    let plan = read(value)?;
    desired::check(&plan, &LineSection::default(), &HoursSection::default()).map_err(|e| e.to_string())
}

fn line(value: Value) -> Result<(), String> {
    let line = read(value)?;
    desired::check(&PlanSection::default(), &line, &HoursSection::default()).map_err(|e| e.to_string())
}

fn hours(value: Value) -> Result<(), String> {
    let order: HoursOrder = read(value)?;
    if let Some(odd) = order.closures.iter().find(|c| c.until <= c.from) {
        return Err(format!("closure {} ends before it begins", odd.number));
    }
    order.week.as_ref().map_or(Ok(()), |w| words::read(w).map(drop)).map_err(|e| e.to_string())
}

impl Section {
    /// The section of this name.
    ///
    /// # Errors
    /// `orders-section` with those that there are.
    pub fn named(name: &str) -> Result<Self, Refusal> {
        let names = || SECTIONS.map(|s| s.name).join(", ");
        let unknown = || Refusal::new(404, "orders-section").with("section", name).with("known", names());
        SECTIONS.into_iter().find(|s| s.name == name).ok_or_else(unknown)
    }

    /// Checks that every field is known and can be followed.
    ///
    /// # Errors
    /// Every fault, by field.
    pub fn check(&self, fields: &Map<String, Value>) -> Result<(), Problem> {
        let known = (self.known)();
        let names: Vec<&str> =
            known.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut faults: Vec<Fault> = Vec::new();
        for (field, value) in fields {
            if !names.contains(&field.as_str()) {
                let near = spelling::nearest(field, names.iter().copied());
                let near = near.map_or_else(|| names.join(", "), str::to_owned);
                faults.push(Fault::new(format!("/{field}"), "orders-field").with("near", near));
                continue;
            }
            // Alone on the defaults, so that the fault has a field.
            let mut alone = known.clone();
            if let Some(place) = alone.get_mut(field) {
                *place = value.clone();
            }
            if let Err(why) = (self.read)(alone) {
                faults.push(fault(field, &why));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::faults(faults)) }
    }
}
