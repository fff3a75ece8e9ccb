//! The desired state: how a place should be run, as one signed, versioned document.
//!
//! The manifest names sections by digest; each section is a JSON blob of at most
//! 1 MB. Fields that a gateway does not know are ignored, and fields that an older
//! hub does not send have a default, so that one minor version apart still works.

use super::bytes::Digest;
use super::cbor::{Malformed, Put, Take};
use ipnet::IpNet;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::session::{Mac, WayIn};
use kulkul_model::site::SiteCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Version of a desired state; a restored hub raises the epoch. `3.17` in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Version {
    /// Counts restorations of the hub.
    pub epoch: u64,
    /// Counts changes within the epoch.
    pub counter: u64,
}

impl Version {
    /// Reads `epoch.counter`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, counter) = text.split_once('.')?;
        Some(Version { epoch: epoch.parse().ok()?, counter: counter.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.counter)
    }
}

/// The signed head of a desired state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Whose it is.
    pub gateway: GatewayId,
    /// Which.
    pub version: Version,
    /// When the hub made it.
    pub issued_at: Moment,
    /// Its parts, at most 32.
    pub sections: Vec<Section>,
}

/// One part of a desired state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// `site`, `portal`, ...: the field of `Desired` that it fills.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// How many bytes.
    pub bytes: u64,
}

const WHAT: &str = "manifest";
const SECTIONS_LIMIT: u64 = 32;

impl Manifest {
    /// Writes deterministic CBOR: `[gateway, epoch, counter, issued_ms, [[name, sha256, bytes]]]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(5).text(self.gateway.as_str()).u64(self.version.epoch).u64(self.version.counter);
        p.i64(self.issued_at.ms()).array(self.sections.len() as u64);
        for s in &self.sections {
            p.array(3).text(&s.name).bytes(&s.sha256.0).u64(s.bytes);
        }
        p.done()
    }

    /// Reads what `encode` writes.
    ///
    /// # Errors
    /// `Malformed` for anything else, and when a section is over its limit or named twice.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, WHAT)?;
        let n = t.array(5)?;
        let gateway = GatewayId::parse(t.text()?).map_err(|_| Malformed::Shape(WHAT))?;
        let version = Version { epoch: t.u64()?, counter: t.u64()? };
        let issued_at = Moment::from_ms(t.i64()?);
        let count = t.list(SECTIONS_LIMIT)?;
        let mut sections: Vec<Section> = Vec::new();
        for _ in 0..count {
            let fields = t.array(3)?;
            let section = Section { name: t.text()?.to_owned(), sha256: Digest(t.fixed()?), bytes: t.u64()? };
            t.skip(fields - 3)?;
            if section.bytes > super::SECTION_LIMIT as u64 {
                return Err(Malformed::TooBig { what: "section", limit: super::SECTION_LIMIT });
            }
            if sections.iter().any(|s| s.name == section.name) {
                return Err(Malformed::Shape(WHAT));
            }
            sections.push(section);
        }
        t.skip(n - 5)?;
        t.end()?;
        Ok(Manifest { gateway, version, issued_at, sections })
    }
}

/// A sentence by language (`id`, `en`, ...).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub BTreeMap<String, String>);

impl Text {
    /// Makes a text in Bahasa Indonesia and English.
    #[must_use]
    pub fn new(id: &str, en: &str) -> Self {
        Text([("id".to_owned(), id.to_owned()), ("en".to_owned(), en.to_owned())].into())
    }

    /// The text in `language`, else in Bahasa Indonesia, else in any; empty when there is none.
    #[must_use]
    pub fn in_language(&self, language: &str) -> &str {
        self.0
            .get(language)
            .or_else(|| self.0.get("id"))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }
}

/// How a place should be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// Which version this is.
    pub version: Version,
    /// The place.
    pub site: SiteSection,
    /// What the portal shows.
    #[serde(default)]
    pub portal: PortalSection,
    /// Who is let in.
    #[serde(default)]
    pub access: AccessSection,
    /// What a person gets.
    #[serde(default)]
    pub plan: PlanSection,
    /// Addresses around the place.
    #[serde(default)]
    pub network: NetworkSection,
    /// Who is put out.
    #[serde(default)]
    pub revoked: RevokedSection,
    /// Access points.
    #[serde(default)]
    pub fleet: FleetSection,
}

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
}

/// Who is let in, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessSection {
    /// Ways in that are open, in the order that the portal shows them.
    pub ways_in: Vec<WayIn>,
    /// Names that everybody reaches before admission.
    pub walled_garden: Vec<String>,
    /// Devices of service segments that need no portal.
    pub allowed: Vec<Mac>,
    /// Devices that are never let in.
    pub blocked: Vec<Mac>,
}

impl Default for AccessSection {
    fn default() -> Self {
        AccessSection {
            ways_in: vec![WayIn::ClickThrough],
            walled_garden: Vec::new(),
            allowed: Vec::new(),
            blocked: Vec::new(),
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
}

impl Default for PlanSection {
    fn default() -> Self {
        PlanSection {
            name: "public".to_owned(),
            down_kbps: None,
            up_kbps: None,
            session_ms: 12 * 3_600_000,
            idle_ms: 30 * 60_000,
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
    /// The name that the DNS probe looks up; none takes the hub's.
    pub dns_probe: Option<String>,
    /// The page that the HTTP probe fetches; none skips it.
    pub http_probe: Option<HttpProbe>,
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
    /// Exempt from capture; empty in this version.
    pub access_points: Vec<AccessPoint>,
}

/// A radio that hangs on the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPoint {
    /// Its hardware address.
    pub mac: Mac,
    /// What people call it.
    #[serde(default)]
    pub name: String,
}
