//! Events as deterministic CBOR: the event's name, then its fields in order.

use super::Event;
use crate::link::bytes::Digest;
use crate::link::cbor::{Malformed, Put, Take};
use crate::link::desired::Version;
use kulkul_model::Moment;
use kulkul_model::gateway::UpdateStep;
use kulkul_model::session::Mac;

const WHAT: &str = "event";

impl Event {
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
            Event::UplinkBack { lost_ms } | Event::TunnelUp { lost_ms } => p.u64(*lost_ms),
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
            Event::ConnectionsLost { why } | Event::TunnelDown { why } => p.text(why),
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
            "tunnel_up" => (Event::TunnelUp { lost_ms: t.u64()? }, need(1)?),
            "tunnel_down" => (Event::TunnelDown { why: t.text()?.to_owned() }, need(1)?),
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
