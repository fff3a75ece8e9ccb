//! The sections that say how a place is run, each the JSON of one blob.

use super::Text;
use ipnet::IpNet;
use kulkul_model::Moment;
use kulkul_model::admission::Token16;
use kulkul_model::hours::Timetable;
use kulkul_model::session::{Mac, SessionId, WayIn};
use kulkul_model::site::SiteCode;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The place, for the portal's pages and the box's own use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSection {
    /// Its code.
    pub code: SiteCode,
    /// Its name.
    pub name: String,
    /// Names of the areas that it lies in, from the regency down.
    #[serde(default)]
    pub area_path: Vec<String>,
    /// Key of its category.
    #[serde(default)]
    pub category: String,
    /// Name of its category.
    #[serde(default)]
    pub category_name: Text,
    /// IANA zone of its clock time.
    #[serde(default = "default_zone")]
    pub zone: String,
    /// Languages of the portal, first the one for people who ask for no other.
    #[serde(default = "default_languages")]
    pub languages: Vec<String>,
    /// Name under which the portal answers on the LAN.
    #[serde(default = "default_portal_host")]
    pub portal_host: String,
    /// The hub's public page of this place.
    #[serde(default)]
    pub public_url: String,
}

fn default_zone() -> String {
    "Asia/Makassar".to_owned()
}

fn default_languages() -> Vec<String> {
    vec!["id".to_owned(), "en".to_owned()]
}

fn default_portal_host() -> String {
    "portal.kulkul.home.arpa".to_owned()
}

/// What the portal shows.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PortalSection {
    /// Version of the terms; kept with each consent.
    pub terms_version: u32,
    /// The terms: five lines.
    pub terms: Vec<Text>,
    /// What greets people.
    pub greeting: Text,
    /// Whose network this is.
    pub operator: Text,
    /// A notice above everything, if any.
    pub notice: Option<Text>,
    /// Colour of headings and buttons, `#rrggbb`; one that cannot be read on white is left aside.
    pub colour: Option<String>,
}

/// The certificate of the portal's name.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateSection {
    /// The public name that the box should have one for; none where the hub issues none.
    pub host: Option<String>,
    /// The chain as PEM, the box's own first; empty until the box has asked and the hub has issued.
    pub chain: String,
}

/// Who is let in, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessSection {
    /// Ways in that are open to the public, in the order that the portal shows them; an empty
    /// list lets no newcomer in, and those who are online stay so. Staff segments are not asked.
    pub ways_in: Vec<WayIn>,
    /// Names that everybody reaches before admission.
    pub walled_garden: Vec<String>,
    /// Devices of service segments that need no portal.
    pub allowed: Vec<Mac>,
    /// Devices that are never let in.
    pub blocked: Vec<Mac>,
    /// Vouchers and accounts that the box may accept in an hour while the hub does not answer.
    pub offline_per_hour: u32,
}

impl Default for AccessSection {
    fn default() -> Self {
        AccessSection {
            ways_in: vec![WayIn::ClickThrough],
            walled_garden: Vec::new(),
            allowed: Vec::new(),
            blocked: Vec::new(),
            offline_per_hour: 60,
        }
    }
}

/// What a person gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanSection {
    /// Name of the plan.
    pub name: String,
    /// Rate to one device, kbit/s; none for what the line gives.
    pub down_kbps: Option<u32>,
    /// Rate from one device, kbit/s; none for what the line gives.
    pub up_kbps: Option<u32>,
    /// A session lasts at most this long, milliseconds.
    pub session_ms: u64,
    /// A session without traffic for this long ends, milliseconds.
    pub idle_ms: u64,
    /// Bytes in both directions that one device may use in a local day; none for no limit.
    pub day_bytes: Option<u64>,
    /// Time that one device may be online in a local day, milliseconds; none for no limit.
    pub day_ms: Option<u64>,
}

impl Default for PlanSection {
    fn default() -> Self {
        PlanSection {
            name: "public".to_owned(),
            down_kbps: None,
            up_kbps: None,
            session_ms: 12 * 3_600_000,
            idle_ms: 30 * 60_000,
            day_bytes: None,
            day_ms: None,
        }
    }
}

/// Addresses around the place.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkSection {
    /// Ranges on the uplink's side that public people never reach.
    pub management: Vec<IpNet>,
    /// Outside anchors that are pinged each minute: two.
    pub anchors: Vec<IpAddr>,
    /// Resolvers that ours asks; empty takes the system's.
    pub dns_upstreams: Vec<IpAddr>,
    /// Resolvers that ours asks over TLS alone; where there are any, no others are asked.
    pub dns_over_tls: Vec<DnsOverTls>,
    /// The name that the DNS probe looks up; none takes the hub's.
    pub dns_probe: Option<String>,
    /// The page that the HTTP probe fetches; none skips it.
    pub http_probe: Option<HttpProbe>,
}

/// A resolver that is asked over TLS (RFC 7858), on port 853.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsOverTls {
    /// Where it is.
    pub address: IpAddr,
    /// The name that its certificate must be for.
    pub name: String,
}

/// A page that shows whether the web is reached, or a provider's notice instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpProbe {
    /// Address, plain HTTP.
    pub url: String,
    /// The status that it answers.
    pub status: u16,
    /// What its body begins with.
    #[serde(default)]
    pub begins: String,
}

/// Who is put out: fast commands.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RevokedSection {
    /// Devices whose session ends at once and that may not come back until then.
    pub devices: Vec<RevokedDevice>,
    /// Sessions that end at once; their devices may not come back until then.
    pub sessions: Vec<RevokedSession>,
    /// Accounts whose secret the box forgets unless it heard it later.
    pub accounts: Vec<RevokedAccount>,
}

/// A session that is ended, and its device put out for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedSession {
    /// The session, as 32 hexadecimal digits in JSON.
    #[serde(with = "kulkul_model::session::id_text")]
    pub session: SessionId,
    /// Until when its device stays out.
    pub until: Moment,
}

/// An account that was disabled or got another secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedAccount {
    /// The account.
    pub account: Token16,
    /// When.
    pub since: Moment,
}

/// A device that is put out for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedDevice {
    /// The device.
    pub mac: Mac,
    /// Until when.
    pub until: Moment,
}

/// Access points at the place.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FleetSection {
    /// Probed every minute, never sent to the portal; at most 64.
    pub access_points: Vec<AccessPoint>,
    /// Where access points may go by themselves, beside names and the time: their controllers.
    pub controllers: Vec<IpNet>,
}

impl FleetSection {
    /// The hardware addresses of the access points, in order, each once.
    #[must_use]
    pub fn radios(&self) -> Vec<Mac> {
        let all: std::collections::BTreeSet<Mac> = self.access_points.iter().map(|a| a.mac).collect();
        all.into_iter().take(MOST_ACCESS_POINTS).collect()
    }
}

/// A radio that hangs on the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPoint {
    /// Its hardware address.
    pub mac: Mac,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Its address where it has a fixed one; else the box learns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// A place has at most this many access points.
pub const MOST_ACCESS_POINTS: usize = 64;

/// The line to the provider and how it is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineSection {
    /// What the line gives to the place, kbit/s; none is not known, then nothing is shared out.
    pub down_kbps: Option<u32>,
    /// What the line takes from the place, kbit/s.
    pub up_kbps: Option<u32>,
    /// Shares a full line evenly between devices.
    pub fair: bool,
    /// What each kind of segment is sure of; kinds that are left out get what is over.
    pub shares: Vec<SegmentShare>,
}

impl Default for LineSection {
    fn default() -> Self {
        LineSection { down_kbps: None, up_kbps: None, fair: true, shares: Vec::new() }
    }
}

/// What a kind of segment is sure of when the line is full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentShare {
    /// `public`, `staff` or `service`.
    pub kind: String,
    /// Part of the line that it always gets, percent.
    pub min_percent: u8,
    /// Who is served first beyond that: 0 before 1 before 2.
    pub priority: u8,
}

/// When the place is open, and what it tells of closures to come.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HoursSection {
    /// The opening hours; none is open at all hours.
    pub timetable: Option<Timetable>,
    /// Closures that are announced, with what people read about them.
    pub closures: Vec<Closure>,
}

/// An announced closure; the timetable already leaves it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// Its first moment.
    pub from: Moment,
    /// The moment after it.
    pub until: Moment,
    /// Number of the decree or notice.
    #[serde(default)]
    pub number: String,
    /// What people read about it.
    #[serde(default)]
    pub message: Text,
}
