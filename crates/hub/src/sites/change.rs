//! Changing a site: what staff may set, the rules it must keep, two editors at once.
//!
//! A change names the revision that its editor saw; when another change came first
//! nothing is written, and the editor is shown both.

use crate::Hub;
use crate::staff::actor::{Actor, noted};
use crate::web::Problem;
use crate::web::problem::Fault;
use kulkul_model::Refusal;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::geometry::Point;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_store::{Lane, StoreError, audit, setting, site};
use serde::{Deserialize, Deserializer, Serialize};

/// The setting that counts the register's changes; the board follows it.
const REGISTER_VERSION: &str = "register_version";

/// What to change; absent fields stay, `null` empties one that may be empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// The revision that the editor saw.
    pub revision: Option<i64>,
    /// Its name.
    pub name: Option<String>,
    /// The village that it lies in.
    #[schema(value_type = Option<String>)]
    pub area: Option<AreaCode>,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// How well the coordinate is known.
    #[schema(value_type = Option<String>)]
    pub position_quality: Option<PositionQuality>,
    /// How far it has come.
    #[schema(value_type = Option<String>)]
    pub stage: Option<Stage>,
    /// How the coordinate was made.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub position_basis: Option<Option<String>>,
    /// Street address.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub address: Option<Option<String>>,
    /// The code that another register gives it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub official_id: Option<Option<String>>,
    /// What it hangs on.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub upstream: Option<Option<String>>,
    /// Capacity down, kbit/s; null takes the category's.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    pub down_kbps: Option<Option<u32>>,
    /// Capacity up, kbit/s; null takes the category's.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    pub up_kbps: Option<Option<u32>>,
}

/// Reads a field that is there, `null` included, so that absent and empty differ.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

/// A site to add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// Its key, such as `BJ-380`.
    #[schema(value_type = String)]
    pub code: SiteCode,
    /// Its category.
    #[schema(value_type = String)]
    pub category: CategoryKey,
    /// Its name.
    pub name: String,
    /// The village that it lies in.
    #[schema(value_type = String)]
    pub area: AreaCode,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// How well the coordinate is known.
    #[schema(value_type = String)]
    pub position_quality: PositionQuality,
    /// Where the facts come from.
    pub source: String,
    /// Street address.
    #[serde(default)]
    pub address: Option<String>,
    /// What it hangs on.
    #[serde(default)]
    pub upstream: Option<String>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is stored.
    Saved(Box<Site>),
    /// Somebody else changed the site first; this is how it is now.
    Conflict(Box<Site>),
}

impl Change {
    /// The site as it would be.
    #[must_use]
    pub fn applied(&self, site: &Site) -> Site {
        let mut new = site.clone();
        let text =
            |t: &Option<String>| t.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        if let Some(name) = &self.name {
            name.trim().clone_into(&mut new.name);
            if new.name != site.name {
                // Somebody who knows the place wrote its name.
                new.name_quality = NameQuality::Sourced;
            }
        }
        if let Some(area) = &self.area {
            new.area = area.clone();
        }
        new.position =
            Point { lat: self.lat.unwrap_or(site.position.lat), lon: self.lon.unwrap_or(site.position.lon) };
        new.position_quality = self.position_quality.unwrap_or(site.position_quality);
        new.stage = self.stage.unwrap_or(site.stage);
        if let Some(basis) = &self.position_basis {
            new.position_basis = text(basis);
        }
        if let Some(address) = &self.address {
            new.address = text(address);
        }
        if let Some(official_id) = &self.official_id {
            new.official_id = text(official_id);
        }
        if let Some(upstream) = &self.upstream {
            new.upstream = text(upstream);
        }
        new.down_kbps = self.down_kbps.unwrap_or(site.down_kbps);
        new.up_kbps = self.up_kbps.unwrap_or(site.up_kbps);
        new
    }
}

/// Changes a site.
///
/// # Errors
/// `site-unknown`, `not-operator`, `not-your-area`, `revision-needed`, or a fault for each wrong field.
pub async fn change(hub: &Hub, by: &Actor, code: &SiteCode, change: &Change) -> Result<Outcome, Problem> {
    let unknown = || Refusal::new(404, "site-unknown").with("site", code);
    let stored = site::find(&mut hub.store().reader().await?, code).await?.ok_or_else(unknown)?;
    by.may_operate(&stored.area)?;
    let seen = change.revision.ok_or_else(|| Refusal::new(428, "revision-needed"))?;
    if seen != stored.revision {
        return Ok(Outcome::Conflict(Box::new(stored)));
    }
    let mut new = change.applied(&stored);
    if new == stored {
        return Ok(Outcome::Saved(Box::new(stored)));
    }
    by.may_operate(&new.area)?;
    check(hub, &new).await?;
    new.revision = stored.revision + 1;
    let now = hub.clock().now();
    let mut entry = by.did(now, "edit", "site", code);
    (entry.before, entry.after) = (noted(&stored), noted(&new));
    let writing = new.clone();
    let saved = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                let saved = site::update(tx, &writing).await?;
                if saved {
                    setting::bump(tx, REGISTER_VERSION).await?;
                    audit::append(tx, &entry).await?;
                }
                Ok::<_, StoreError>(saved)
            })
        })
        .await?;
    if saved {
        return Ok(Outcome::Saved(Box::new(new)));
    }
    let stored = site::find(&mut hub.store().reader().await?, code).await?.ok_or_else(unknown)?;
    Ok(Outcome::Conflict(Box::new(stored)))
}

/// Adds a site that is planned.
///
/// # Errors
/// `site-taken`, `not-operator`, `not-your-area`, or a fault for each wrong field.
pub async fn add(hub: &Hub, by: &Actor, new: NewSite) -> Result<Site, Problem> {
    by.may_operate(&new.area)?;
    let site = Site {
        code: new.code,
        category: new.category,
        name: new.name.trim().to_owned(),
        area: new.area,
        position: Point { lat: new.lat, lon: new.lon },
        position_quality: new.position_quality,
        position_basis: None,
        name_quality: NameQuality::Sourced,
        source: new.source,
        official_id: None,
        address: new.address,
        stage: Stage::Planned,
        down_kbps: None,
        up_kbps: None,
        upstream: new.upstream,
        revision: 1,
    };
    check(hub, &site).await?;
    let mut entry = by.did(hub.clock().now(), "add", "site", &site.code);
    entry.after = noted(&site);
    let writing = site.clone();
    let written = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                site::insert(tx, &writing).await?;
                setting::bump(tx, REGISTER_VERSION).await?;
                audit::append(tx, &entry).await.map(drop)
            })
        })
        .await;
    match written {
        Ok(()) => Ok(site),
        Err(e) if e.is_duplicate() => Err(Refusal::new(409, "site-taken").with("site", &site.code).into()),
        Err(e) => Err(e.into()),
    }
}

/// Refuses a site that breaks the register's rules, with a fault for each field.
async fn check(hub: &Hub, site: &Site) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let chars = site.name.chars().count();
    if !(1..=120).contains(&chars) {
        faults.push(Fault::new("/name", "site-name"));
    }
    for (pointer, rate) in [("/down_kbps", site.down_kbps), ("/up_kbps", site.up_kbps)] {
        if rate.is_some_and(|r| !(64..=10_000_000).contains(&r)) {
            faults.push(Fault::new(pointer, "site-rate"));
        }
    }
    let mut tx = hub.store().reader().await?;
    if kulkul_store::area::find(&mut tx, &site.area).await?.is_none() {
        faults.push(Fault::new("/area", "area-unknown").with("area", &site.area));
    }
    let Point { lat, lon } = site.position;
    if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
        faults.push(Fault::new("/lat", "site-position"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::faults(faults)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_stays_and_null_empties() {
        let site: Site = serde_json::from_value(serde_json::json!({
            "code": "BJ-001", "category": "banjar", "name": "A", "area": "51.03.01.1002",
            "position": {"lat": -8.6, "lon": 115.2}, "position_quality": "approximate", "position_basis": null,
            "name_quality": "placeholder", "source": "x", "official_id": null, "address": "Jalan Raya",
            "stage": "planned", "down_kbps": 1000, "up_kbps": null, "upstream": null, "revision": 3
        }))
        .unwrap();
        let change = |text: &str| serde_json::from_str::<Change>(text).unwrap().applied(&site);
        assert_eq!(change("{}"), site);
        let new = change(r#"{"address": null, "down_kbps": null, "name": " Bale Banjar Bindu "}"#);
        assert_eq!((new.address, new.down_kbps, new.name.as_str()), (None, None, "Bale Banjar Bindu"));
        assert_eq!(new.name_quality, NameQuality::Sourced);
        assert!(serde_json::from_str::<Change>(r#"{"nmae": "x"}"#).is_err());
    }
}
