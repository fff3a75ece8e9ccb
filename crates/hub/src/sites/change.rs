//! Changing a site on behalf of staff: who may, in the form that console and API take.
//!
//! The register's own rules are `edit`'s. When another change came first nothing is
//! written, and the editor is shown both.

use super::edit::{self, EditError, Patch};
use crate::Hub;
use crate::staff::Actor;
use crate::web::Problem;
use crate::web::problem::Fault;
use kulkul_model::Refusal;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::geometry::Point;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_store::site;
use serde::{Deserialize, Deserializer, Serialize};

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
    /// The change as the register's rules take it.
    fn patch(&self, site: &Site) -> Patch {
        let named = self.name.as_deref().is_some_and(|n| n.trim() != site.name);
        let moved = self.lat.is_some() || self.lon.is_some();
        Patch {
            name: self.name.clone(),
            // Somebody who knows the place wrote its name.
            name_quality: named.then_some(NameQuality::Sourced),
            area: self.area.clone(),
            position: moved.then(|| Point {
                lat: self.lat.unwrap_or(site.position.lat),
                lon: self.lon.unwrap_or(site.position.lon),
            }),
            position_quality: self.position_quality,
            position_basis: self.position_basis.clone(),
            stage: self.stage,
            address: self.address.clone(),
            official_id: self.official_id.clone(),
            upstream: self.upstream.clone(),
            down_kbps: self.down_kbps,
            up_kbps: self.up_kbps,
            source: None,
        }
    }
}

/// Changes a site on behalf of staff.
///
/// # Errors
/// `site-unknown`, `not-operator`, `not-your-area`, `revision-needed`, or a fault for each wrong field.
pub async fn change(hub: &Hub, by: &Actor, code: &SiteCode, change: &Change) -> Result<Outcome, Problem> {
    let stored = find(hub, code).await?;
    by.may_operate(&stored.area)?;
    if let Some(area) = &change.area {
        by.may_operate(area)?;
    }
    let seen = change.revision.ok_or_else(|| Refusal::new(428, "revision-needed"))?;
    let now = hub.clock().now();
    match edit::edit(hub.store(), code, change.patch(&stored), seen, &by.who, now).await {
        Ok(site) => Ok(Outcome::Saved(Box::new(site))),
        Err(EditError::Refused(no)) if no.code == "site-changed" => {
            find(hub, code).await.map(|now| Outcome::Conflict(Box::new(now)))
        }
        Err(e) => Err(e.into()),
    }
}

async fn find(hub: &Hub, code: &SiteCode) -> Result<Site, Problem> {
    let stored = site::find(&mut hub.store().reader().await?, code).await?;
    stored.ok_or_else(|| Refusal::new(404, "site-unknown").with("site", code).into())
}

/// Adds a site that is planned.
///
/// # Errors
/// `site-exists`, `not-operator`, `not-your-area`, or a fault for each wrong field.
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
    Ok(edit::create(hub.store(), site, &by.who, hub.clock().now()).await?)
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Refused(no) => no.into(),
            EditError::Fields { fields, .. } => Problem::faults(
                fields
                    .into_iter()
                    .map(|(field, no)| Fault {
                        pointer: format!("/{}", member(field)),
                        code: no.code,
                        args: no.args,
                    })
                    .collect(),
            ),
            EditError::Store(error) => error.into(),
        }
    }
}

/// The API's name for a column of an import.
fn member(field: &str) -> &str {
    match field {
        "area_code" => "area",
        "site_code" => "code",
        "coord_basis" => "position_basis",
        other => other,
    }
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
        let change = |text: &str| serde_json::from_str::<Change>(text).unwrap().patch(&site).on(&site);
        assert_eq!(change("{}"), site);
        let new = change(r#"{"address": null, "down_kbps": null, "name": " Bale Banjar Bindu "}"#);
        assert_eq!((new.address, new.down_kbps, new.name.as_str()), (None, None, "Bale Banjar Bindu"));
        assert_eq!(new.name_quality, NameQuality::Sourced);
        assert!(serde_json::from_str::<Change>(r#"{"nmae": "x"}"#).is_err());
    }
}
