//! Events: what happened to the box, as entries of kind `Event`.

mod codec;

use super::bytes::Digest;
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
    /// The data centre's end of the tunnel answers.
    TunnelUp {
        /// How long it did not, milliseconds.
        lost_ms: u64,
    },
    /// It does not answer any more, or never did.
    TunnelDown {
        /// Why, in English, for staff.
        why: String,
    },
    /// Written by a newer version; known by its name only.
    Other {
        /// The event's name.
        name: String,
    },
}

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
            Event::TunnelUp { .. } => "tunnel_up",
            Event::TunnelDown { .. } => "tunnel_down",
            Event::Other { name } => name,
        }
    }
}
