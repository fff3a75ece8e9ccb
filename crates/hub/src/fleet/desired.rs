//! Desired states: built from the register and settings, signed, and waited for.
//!
//! The version counts up only when the content changes. What differs from the
//! defaults is said by `orders`; the line's rates are those of the site's profile, else
//! of its category's.

use super::orders::{FleetOrder, HoursOrder, Orders, Scope, Section as Named, TunnelOrder};
use super::{Keys, KeysError, Known, certificates, diagnostics, tunnel, updates};
use crate::Hub;
use crate::access::sections;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Zone};
use kulkul_proof::manifest;
use kulkul_store::desired::{Kept, Place};
use kulkul_store::{StoreError, Tx, access_point, certificate, desired, setting};
use kulkul_wire::link::desired::{
    AccessPoint, AccessSection, CertificateSection, ConnectionsSection, FilterSection, FleetSection,
    LineSection, NetworkSection, PlanSection, PortalSection, SiteSection, Text,
};
use kulkul_wire::link::{Digest, Manifest, Section, Version};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What the portal says unless a setting says otherwise.
const PORTAL: &str = include_str!("portal.json");

/// What every desired state is built from, apart from the register.
pub struct Source {
    keys: Arc<Keys>,
    public_url: String,
    zone: String,
    agency: String,
    portal_domain: Option<String>,
}

impl Source {
    /// The hub's own.
    ///
    /// # Errors
    /// `KeysError` names the file.
    pub fn of(hub: &Hub) -> Result<Self, KeysError> {
        let config = hub.config();
        Ok(Source {
            keys: hub.fleet().keys()?,
            public_url: config.public_url.clone(),
            zone: config.zone.clone(),
            agency: config.name.agency.clone(),
            portal_domain: config.portal.domain.clone(),
        })
    }
}

/// A gateway's desired state after a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The newest.
    pub version: Version,
    /// Whether this look made it.
    pub changed: bool,
}

/// Builds a gateway's desired state and keeps it when it differs from the last.
///
/// # Errors
/// `StoreError` of the database; `Value` when a setting is not the JSON of its section.
pub async fn refresh(
    tx: &mut Tx,
    source: &Source,
    gateway: &GatewayId,
    site: &SiteCode,
    now: Moment,
) -> Result<Refreshed, StoreError> {
    let mut sections = Vec::new();
    for (name, body) in build(tx, source, (gateway, site), now).await? {
        let sha256 = desired::put_blob(tx, &body, now).await?;
        sections.push(Section { name: name.to_owned(), sha256, bytes: body.len() as u64 });
    }
    let epoch = setting::counter(tx, "desired_epoch").await?;
    let held = desired::find(tx, gateway).await?;
    // The digest is over a manifest without what changes by itself.
    let blank = Manifest {
        gateway: gateway.clone(),
        version: Version::default(),
        issued_at: Moment::EPOCH,
        sections,
    };
    // Another key of the hub signs anew: what the former one signed may count no more.
    let mut told = blank.encode();
    told.extend_from_slice(&source.keys.desired().public().0);
    let content = Digest::of(&told);
    if let Some(held) = held.as_ref().filter(|h| h.content == content && h.version.epoch == epoch) {
        return Ok(Refreshed { version: held.version, changed: false });
    }
    let counter = held.map_or(0, |h| h.version.counter) + 1;
    let version = Version { epoch, counter };
    let manifest = Manifest { version, issued_at: now, ..blank };
    let kept = Kept { version, content, manifest: manifest::sign(source.keys.desired(), &manifest) };
    desired::put(tx, gateway, &kept).await?;
    Ok(Refreshed { version, changed: true })
}

async fn build(
    tx: &mut Tx,
    source: &Source,
    (gateway, site): (&GatewayId, &SiteCode),
    now: Moment,
) -> Result<Vec<(&'static str, Vec<u8>)>, StoreError> {
    let place = desired::place(tx, site).await?;
    let radios = access_point::of_site(tx, site).await?.into_iter();
    let radios = radios.map(|a| AccessPoint { mac: a.mac, name: a.name, address: a.address }).collect();
    let orders = Orders::read(tx).await?;
    let scopes = place.as_ref().map_or_else(|| vec![Scope::Regency], |p| Scope::chain(p, site));
    let update = updates::told::section(tx, (site, gateway), &scopes, now).await?;
    let held = Held { orders, scopes };
    let mut portal: PortalSection = held.section("portal", PORTAL)?;
    if portal.operator.0.is_empty() {
        portal.operator = Text::new(&source.agency, &source.agency);
    }
    let mut line: LineSection = held.section("line", "{}")?;
    let profile = place.as_ref().map(|p| (p.down_kbps, p.up_kbps)).unwrap_or_default();
    line.down_kbps = profile.0.or(line.down_kbps);
    line.up_kbps = profile.1.or(line.up_kbps);
    let fleet = FleetSection {
        controllers: held.section::<FleetOrder>("fleet", "{}")?.controllers,
        access_points: radios,
    };
    let odd = |column: &str, reason: String| StoreError::Value { column: column.to_owned(), reason };
    let order: HoursOrder = held.section("hours", "{}")?;
    let zone = Zone::named(&source.zone).map_err(|e| odd("zone", e.to_string()))?;
    let hours = order.section(now, &zone).map_err(|e| odd("desired.hours", e.to_string()))?;
    let certificate = certificate_section(tx, source, (gateway, site)).await?;
    let asked = diagnostics::section(tx, gateway, now).await?;
    let access: AccessSection = held.section("access", "{}")?;
    let revoked = sections::revoked(tx, site, &access, now).await?;
    let vouchers = sections::vouchers(tx, site, &access, now).await?;
    let tunnel = tunnel::section(tx, gateway, held.section::<TunnelOrder>("tunnel", "{}")?).await?;
    Ok(vec![
        ("site", json(&site_section(source, site, place))),
        ("portal", json(&portal)),
        ("access", json(&access)),
        ("plan", json(&held.section::<PlanSection>("plan", "{}")?)),
        ("network", json(&held.section::<NetworkSection>("network", "{}")?)),
        ("revoked", json(&revoked)),
        ("fleet", json(&fleet)),
        ("line", json(&line)),
        ("hours", json(&hours)),
        ("filter", json(&held.section::<FilterSection>("filter", "{}")?)),
        ("certificate", json(&certificate)),
        ("connections", json(&held.section::<ConnectionsSection>("connections", "{}")?)),
        ("diagnostics", json(&asked)),
        ("vouchers", json(&vouchers)),
        ("tunnel", json(&tunnel)),
        ("update", json(&update)),
    ])
}

/// The portal's public name and what was issued for it.
async fn certificate_section(
    tx: &mut Tx,
    source: &Source,
    (gateway, site): (&GatewayId, &SiteCode),
) -> Result<CertificateSection, StoreError> {
    let Some(domain) = &source.portal_domain else { return Ok(CertificateSection::default()) };
    let host = certificates::host(domain, site);
    let held = certificate::find(tx, gateway).await?.filter(|c| c.host == host);
    Ok(CertificateSection { host: Some(host), chain: held.and_then(|c| c.chain).unwrap_or_default() })
}

fn site_section(source: &Source, site: &SiteCode, place: Option<Place>) -> SiteSection {
    let place = place.unwrap_or(Place {
        name: site.to_string(),
        category: String::new(),
        category_id: String::new(),
        category_en: String::new(),
        area_path: Vec::new(),
        areas: Vec::new(),
        down_kbps: None,
        up_kbps: None,
    });
    SiteSection {
        code: site.clone(),
        name: place.name,
        area_path: place.area_path,
        category: place.category,
        category_name: Text::new(&place.category_id, &place.category_en),
        zone: source.zone.clone(),
        languages: vec!["id".to_owned(), "en".to_owned()],
        portal_host: source
            .portal_domain
            .as_ref()
            .map_or_else(|| "portal.kulkul.home.arpa".to_owned(), |domain| certificates::host(domain, site)),
        public_url: format!("{}/sites/{site}", source.public_url),
    }
}

/// What is ordered where a place stands.
struct Held {
    orders: Orders,
    scopes: Vec<Scope>,
}

impl Held {
    /// A section as it holds there.
    fn section<T: DeserializeOwned>(&self, name: &str, default: &str) -> Result<T, StoreError> {
        let odd = |reason: String| StoreError::Value { column: format!("desired.{name}"), reason };
        let named = Named::named(name).map_err(|e| odd(e.to_string()))?;
        let value = self.orders.at(&named, &self.scopes, default)?;
        serde_json::from_value(value).map_err(|e| odd(e.to_string()))
    }
}

fn json<T: Serialize>(section: &T) -> Vec<u8> {
    // Sections are plain data: numbers, texts and lists always have a JSON form.
    serde_json::to_vec(section).unwrap_or_default()
}

/// Waits until the newest version is another than `have`, at most `wait_ms`.
pub async fn wait_newer(hub: &Hub, gateway: &Known, have: Option<Version>, wait_ms: i64) {
    let mut newest = gateway.newest.subscribe();
    let other = |now: &Option<Version>| now.is_some() && *now != have;
    let over = async {
        tokio::select! {
            biased;
            () = hub.stop().cancelled() => {}
            () = hub.clock().sleep_ms(wait_ms) => {}
        }
    };
    tokio::select! {
        biased;
        // An error means that the gateway is forgotten; then there is nothing to wait for.
        _ = newest.wait_for(|now| other(now) || gateway.is_revoked()) => {}
        () = over => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_portal_has_five_lines_in_both_languages() {
        let portal: PortalSection = serde_json::from_str(PORTAL).unwrap();
        assert_eq!(portal.terms.len(), 5);
        for line in portal.terms.iter().chain([&portal.greeting]) {
            for language in ["id", "en"] {
                let text = line.0.get(language).unwrap();
                assert!((10..=120).contains(&text.chars().count()), "{text}");
            }
        }
    }
}
