//! Events: what happened to the box, as entries of kind `Event`.

use super::bytes::Digest;
use super::cbor::{Malformed, Put, Take};
use super::desired::Version;
use kulkul_model::Moment;
use kulkul_model::gateway::UpdateStep;
use kulkul_model::session::Mac;
use serde::{Deserialize, Serialize};

/// Something that happened to the box or its surroundings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Hub and anchors stopped answering.
    UplinkLost,
    /// They answer again.
    UplinkBack {
        /// How long they did not, milliseconds.
        lost_ms: u64,
    },
    /// The box started after it lost power.
    PowerBack {
        /// The last moment that it is known to have been alive, if its clock was set.
        last_alive: Option<Moment>,
    },
    /// A desired state took effect.
    DesiredApplied {
        /// Which.
        version: Version,
    },
    /// A desired state was refused; the last good one stays.
    DesiredRefused {
        /// Which.
        version: Version,
        /// Why, in English, for staff.
        reason: String,
    },
    /// The wall clock moved otherwise than time did.
    ClockStepped {
        /// What it would have said.
        from: Moment,
        /// What it says.
        to: Moment,
    },
    /// The kernel's rules were not ours and were put right.
    RulesetHealed {
        /// What was missing or changed, in English, for staff.
        what: String,
    },
    /// The disk was full; written when there is room again.
    DiskFull {
        /// Payloads that were dropped.
        dropped: u64,
    },
    /// A part of the box failed and was started again.
    PartRestarted {
        /// Which: `dnsmasq`, `resolver`, `portal`.
        part: String,
    },
    /// A block list took effect.
    ListTaken {
        /// Its key.
        list: String,
        /// Names in it.
        names: u64,
    },
    /// A block list was refused; the last good one of its key stays.
    ListRefused {
        /// Its key.
        list: String,
        /// Why, in English, for staff.
        reason: String,
    },
    /// An interface of the place is not there any more.
    InterfaceGone {
        /// Its name.
        name: String,
    },
    /// It is there again, with its addresses and queues.
    InterfaceBack {
        /// Its name.
        name: String,
    },
    /// The place went over to another way out.
    UplinkSwitched {
        /// Which: `uplink` is the provider's, `backup` the community's.
        to: String,
        /// Why: `no_carrier`, `silent`, `back`, `backup_lost`.
        why: String,
        /// Whose it is; empty for the provider's.
        owner: String,
    },
    /// What one way out carried for the place until now, where there are several.
    LineCarried {
        /// Which: `uplink` or `backup`.
        line: String,
        /// Whose it is; empty for the provider's.
        owner: String,
        /// Over how long, milliseconds.
        ms: u64,
        /// From the place, bytes at the network layer.
        up_bytes: u64,
        /// To the place.
        down_bytes: u64,
    },
    /// An uplink's addresses changed; nobody was put out for it.
    UplinkMoved {
        /// Its interface.
        interface: String,
        /// What they were.
        from: String,
        /// What they are.
        to: String,
    },
    /// An uplink's network overlaps one of the place's.
    UplinkOverlaps {
        /// Its interface.
        interface: String,
        /// Which networks, in English, for staff.
        why: String,
    },
    /// A registered access point does not answer any more.
    AccessPointLost {
        /// Which.
        mac: Mac,
        /// How many others of the place still answer.
        left: u64,
    },
    /// It answers again.
    AccessPointBack {
        /// Which.
        mac: Mac,
        /// How long it did not, milliseconds.
        lost_ms: u64,
    },
    /// What the box keeps of connections was changed.
    ConnectionLog {
        /// What: `off`, `lease` or `flow`.
        log: String,
        /// For how many days.
        days: u64,
    },
    /// Somebody at the box asked its log of connections.
    ConnectionsAsked {
        /// For which moment.
        at: Moment,
        /// For which translated port; none asked for everybody.
        port: Option<u16>,
        /// Why, in the words of who asked.
        reason: String,
        /// How many answers there were.
        found: u64,
    },
    /// Something is missing in the log of connections.
    ConnectionsLost {
        /// Why, in English, for staff.
        why: String,
    },
    /// A segment has nearly no addresses left to give.
    AddressesScarce {
        /// The segment's name.
        segment: String,
        /// How many are given.
        held: u64,
        /// How many there are.
        room: u64,
    },
    /// It has some again.
    AddressesFree {
        /// The segment's name.
        segment: String,
    },
    /// How far the box is with a release.
    Update {
        /// Digest of the program.
        program: Digest,
        /// How far.
        step: UpdateStep,
        /// Why it was refused or undone, in English, for staff; else empty.
        reason: String,
    },
    /// Written by a newer version; known by its name only.
    Other {
        /// The event's name.
        name: String,
    },
}

const WHAT: &str = "event";

impl Event {
    /// The name that the link, tables and words use.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Event::UplinkLost => "uplink_lost",
            Event::UplinkBack { .. } => "uplink_back",
            Event::PowerBack { .. } => "power_back",
            Event::DesiredApplied { .. } => "desired_applied",
            Event::DesiredRefused { .. } => "desired_refused",
            Event::ClockStepped { .. } => "clock_stepped",
            Event::RulesetHealed { .. } => "ruleset_healed",
            Event::DiskFull { .. } => "disk_full",
            Event::PartRestarted { .. } => "part_restarted",
            Event::InterfaceGone { .. } => "interface_gone",
            Event::InterfaceBack { .. } => "interface_back",
            Event::ListTaken { .. } => "list_taken",
            Event::ListRefused { .. } => "list_refused",
            Event::UplinkSwitched { .. } => "uplink_switched",
            Event::LineCarried { .. } => "line_carried",
            Event::UplinkMoved { .. } => "uplink_moved",
            Event::UplinkOverlaps { .. } => "uplink_overlaps",
            Event::AccessPointLost { .. } => "access_point_lost",
            Event::AccessPointBack { .. } => "access_point_back",
            Event::ConnectionLog { .. } => "connection_log",
            Event::ConnectionsAsked { .. } => "connections_asked",
            Event::ConnectionsLost { .. } => "connections_lost",
            Event::AddressesScarce { .. } => "addresses_scarce",
            Event::AddressesFree { .. } => "addresses_free",
            Event::Update { .. } => "update",
            Event::Other { name } => name,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        let extra = match self {
            Event::UplinkLost | Event::Other { .. } => 0,
            Event::LineCarried { .. } => 5,
            Event::ConnectionsAsked { .. } => 4,
            Event::DesiredRefused { .. }
            | Event::UplinkSwitched { .. }
            | Event::UplinkMoved { .. }
            | Event::Update { .. }
            | Event::AddressesScarce { .. } => 3,
            Event::DesiredApplied { .. }
            | Event::ClockStepped { .. }
            | Event::AccessPointLost { .. }
            | Event::AccessPointBack { .. }
            | Event::ListTaken { .. }
            | Event::ListRefused { .. }
            | Event::ConnectionLog { .. }
            | Event::UplinkOverlaps { .. } => 2,
            _ => 1,
        };
        p.array(1 + extra).text(self.name());
        match self {
            Event::UplinkLost | Event::Other { .. } => &mut p,
            Event::UplinkBack { lost_ms } => p.u64(*lost_ms),
            Event::PowerBack { last_alive } => p.maybe(*last_alive, |p, m| {
                p.i64(m.ms());
            }),
            Event::DesiredApplied { version } => p.u64(version.epoch).u64(version.counter),
            Event::DesiredRefused { version, reason } => {
                p.u64(version.epoch).u64(version.counter).text(reason)
            }
            Event::ClockStepped { from, to } => p.i64(from.ms()).i64(to.ms()),
            Event::RulesetHealed { what } => p.text(what),
            Event::DiskFull { dropped } => p.u64(*dropped),
            Event::PartRestarted { part } => p.text(part),
            Event::InterfaceGone { name } | Event::InterfaceBack { name } => p.text(name),
            Event::AccessPointLost { mac, left } => p.bytes(&mac.0).u64(*left),
            Event::AccessPointBack { mac, lost_ms } => p.bytes(&mac.0).u64(*lost_ms),
            Event::ListTaken { list, names } => p.text(list).u64(*names),
            Event::ListRefused { list, reason } => p.text(list).text(reason),
            Event::UplinkSwitched { to, why, owner } => p.text(to).text(why).text(owner),
            Event::LineCarried { line, owner, ms, up_bytes, down_bytes } => {
                p.text(line).text(owner).u64(*ms).u64(*up_bytes).u64(*down_bytes)
            }
            Event::UplinkMoved { interface, from, to } => p.text(interface).text(from).text(to),
            Event::UplinkOverlaps { interface, why } => p.text(interface).text(why),
            Event::ConnectionLog { log, days } => p.text(log).u64(*days),
            Event::ConnectionsAsked { at, port, reason, found } => {
                p.i64(at.ms()).maybe(*port, |p, port| {
                    p.u64(port.into());
                });
                p.text(reason).u64(*found)
            }
            Event::ConnectionsLost { why } => p.text(why),
            Event::AddressesScarce { segment, held, room } => p.text(segment).u64(*held).u64(*room),
            Event::AddressesFree { segment } => p.text(segment),
            Event::Update { program, step, reason } => p.bytes(&program.0).text(step.as_str()).text(reason),
        };
        p.done()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, WHAT)?;
        let n = t.array(1)? - 1;
        let name = t.text()?;
        let need = |fields: u64| if n >= fields { Ok(n - fields) } else { Err(Malformed::Shape(WHAT)) };
        let (event, left) = match name {
            "uplink_lost" => (Event::UplinkLost, n),
            "uplink_back" => (Event::UplinkBack { lost_ms: t.u64()? }, need(1)?),
            "power_back" => {
                (Event::PowerBack { last_alive: t.maybe(Take::i64)?.map(Moment::from_ms) }, need(1)?)
            }
            "desired_applied" => (Event::DesiredApplied { version: version(&mut t)? }, need(2)?),
            "desired_refused" => {
                let version = version(&mut t)?;
                (Event::DesiredRefused { version, reason: t.text()?.to_owned() }, need(3)?)
            }
            "clock_stepped" => {
                let from = Moment::from_ms(t.i64()?);
                (Event::ClockStepped { from, to: Moment::from_ms(t.i64()?) }, need(2)?)
            }
            "ruleset_healed" => (Event::RulesetHealed { what: t.text()?.to_owned() }, need(1)?),
            "disk_full" => (Event::DiskFull { dropped: t.u64()? }, need(1)?),
            "part_restarted" => (Event::PartRestarted { part: t.text()?.to_owned() }, need(1)?),
            "list_taken" => {
                let list = t.text()?.to_owned();
                (Event::ListTaken { list, names: t.u64()? }, need(2)?)
            }
            "list_refused" => {
                let list = t.text()?.to_owned();
                (Event::ListRefused { list, reason: t.text()?.to_owned() }, need(2)?)
            }
            "access_point_lost" => {
                let mac = Mac(t.fixed()?);
                (Event::AccessPointLost { mac, left: t.u64()? }, need(2)?)
            }
            "access_point_back" => {
                let mac = Mac(t.fixed()?);
                (Event::AccessPointBack { mac, lost_ms: t.u64()? }, need(2)?)
            }
            "interface_gone" => (Event::InterfaceGone { name: t.text()?.to_owned() }, need(1)?),
            "interface_back" => (Event::InterfaceBack { name: t.text()?.to_owned() }, need(1)?),
            "uplink_switched" => {
                let (to, why) = (t.text()?.to_owned(), t.text()?.to_owned());
                (Event::UplinkSwitched { to, why, owner: t.text()?.to_owned() }, need(3)?)
            }
            "line_carried" => {
                let (line, owner) = (t.text()?.to_owned(), t.text()?.to_owned());
                let (ms, up_bytes, down_bytes) = (t.u64()?, t.u64()?, t.u64()?);
                (Event::LineCarried { line, owner, ms, up_bytes, down_bytes }, need(5)?)
            }
            "uplink_moved" => {
                let (interface, from) = (t.text()?.to_owned(), t.text()?.to_owned());
                (Event::UplinkMoved { interface, from, to: t.text()?.to_owned() }, need(3)?)
            }
            "uplink_overlaps" => {
                let interface = t.text()?.to_owned();
                (Event::UplinkOverlaps { interface, why: t.text()?.to_owned() }, need(2)?)
            }
            "connection_log" => {
                let log = t.text()?.to_owned();
                (Event::ConnectionLog { log, days: t.u64()? }, need(2)?)
            }
            "connections_asked" => {
                let (at, port) = (Moment::from_ms(t.i64()?), t.maybe(Take::u16)?);
                let reason = t.text()?.to_owned();
                (Event::ConnectionsAsked { at, port, reason, found: t.u64()? }, need(4)?)
            }
            "connections_lost" => (Event::ConnectionsLost { why: t.text()?.to_owned() }, need(1)?),
            "addresses_scarce" => {
                let segment = t.text()?.to_owned();
                let (held, room) = (t.u64()?, t.u64()?);
                (Event::AddressesScarce { segment, held, room }, need(3)?)
            }
            "addresses_free" => (Event::AddressesFree { segment: t.text()?.to_owned() }, need(1)?),
            "update" => {
                let program = Digest(t.fixed()?);
                let Some(step) = UpdateStep::parse(t.text()?) else {
                    return Ok(Event::Other { name: name.to_owned() });
                };
                (Event::Update { program, step, reason: t.text()?.to_owned() }, need(3)?)
            }
            other => (Event::Other { name: other.to_owned() }, n),
        };
        t.skip(left)?;
        t.end()?;
        Ok(event)
    }
}

fn version(t: &mut Take<'_>) -> Result<Version, Malformed> {
    let epoch = t.u64()?;
    Ok(Version { epoch, counter: t.u64()? })
}
