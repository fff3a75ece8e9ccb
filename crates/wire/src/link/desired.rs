//! The desired state: how a place should be run, as one signed, versioned document.
//!
//! The manifest names sections by digest; each section is a JSON blob of at most
//! 1 MB. Fields that a gateway does not know are ignored, and fields that an older
//! hub does not send have a default, so that one minor version apart still works.

use super::bytes::Digest;
use super::cbor::{Malformed, Put, Take};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

mod check;
mod connections;
mod diagnostics;
mod filter;
mod sections;
mod tunnel;
mod update;
mod vouchers;

pub use check::{NotOrders, check};
pub use connections::{ConnectionLog, ConnectionsSection};
pub use diagnostics::{DiagnosticAsk, DiagnosticsSection, MOST_ASKS};
pub use filter::{BlockList, FilterSection, ListFormat};
pub use sections::{
    AccessPoint, AccessSection, CertificateSection, Closure, DnsOverTls, FleetSection, HoursSection,
    HttpProbe, LineSection, MOST_ACCESS_POINTS, NetworkSection, PlanSection, PortalSection, RevokedAccount,
    RevokedDevice, RevokedSection, RevokedSession, SegmentShare, SiteSection,
};
pub use tunnel::{MOST_PREFIXES, TunnelSection, key_from, key_text};
pub use update::UpdateSection;
pub use vouchers::{MOST as MOST_VOUCHERS, OfflineBatch, OfflineVoucher, VouchersSection};

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
    /// The line to the provider and how it is shared.
    #[serde(default)]
    pub line: LineSection,
    /// When the place is open.
    #[serde(default)]
    pub hours: HoursSection,
    /// Which names are not answered.
    #[serde(default)]
    pub filter: FilterSection,
    /// The certificate of the portal's name.
    #[serde(default)]
    pub certificate: CertificateSection,
    /// What is kept of who went out.
    #[serde(default)]
    pub connections: ConnectionsSection,
    /// What staff ask of the box.
    #[serde(default)]
    pub diagnostics: DiagnosticsSection,
    /// Vouchers that let somebody in while the hub does not answer.
    #[serde(default)]
    pub vouchers: VouchersSection,
    /// How staff and service segments reach the data centre.
    #[serde(default)]
    pub tunnel: TunnelSection,
    /// The program that the box should run.
    #[serde(default)]
    pub update: UpdateSection,
}
