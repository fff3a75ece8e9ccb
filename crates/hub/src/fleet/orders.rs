//! Orders: how places should be run, said once for the regency, a category, an area or a place.
//!
//! Each order is the fields of one section that differ from what holds above it: the
//! regency, then the place's category, then its areas from the district down, then the
//! place. They are settings of the database (`desired.plan@site:BJ-001`); `desired`
//! builds sections from them. Who may operate an area may order there.

pub mod api;
pub mod pages;
mod section;

pub use section::{FleetOrder, HoursOrder, SECTIONS, Section, TunnelOrder};

use crate::Hub;
use crate::staff::Actor;
use crate::web::Problem;
use crate::web::problem::Fault;
use kulkul_model::Refusal;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::SiteCode;
use kulkul_store::desired::Place;
use kulkul_store::{Lane, StoreError, Tx, area, audit, category, setting, site};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

const PREFIX: &str = "desired.";
/// The setting that counts changes of orders; the follower looks at it.
pub(super) const COUNTER: &str = "desired_settings";

/// Where an order holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Regency,
    /// At places of a category.
    Category(CategoryKey),
    /// At places in an area.
    Area(AreaCode),
    /// At one place.
    Site(SiteCode),
}

impl Scope {
    /// Reads `regency`, `category:KEY`, `area:CODE` or `site:CODE`.
    ///
    /// # Errors
    /// `orders-scope`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = || Refusal::new(422, "orders-scope").with("scope", text);
        match text.split_once(':') {
            None if text == "regency" => Ok(Scope::Regency),
            Some(("category", key)) => CategoryKey::parse(key).map(Scope::Category).map_err(|_| bad()),
            Some(("area", code)) => AreaCode::parse(code).map(Scope::Area).map_err(|_| bad()),
            Some(("site", code)) => SiteCode::parse(code).map(Scope::Site).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }

    fn key(&self, section: &Section) -> String {
        match self {
            Scope::Regency => format!("{PREFIX}{}", section.name),
            other => format!("{PREFIX}{}@{other}", section.name),
        }
    }

    /// The scopes of a place, the widest first.
    #[must_use]
    pub fn chain(place: &Place, code: &SiteCode) -> Vec<Scope> {
        let category = CategoryKey::parse(&place.category).ok().map(Scope::Category);
        let areas = place.areas.iter().cloned().map(Scope::Area);
        [Scope::Regency].into_iter().chain(category).chain(areas).chain([Scope::Site(code.clone())]).collect()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Regency => f.write_str("regency"),
            Scope::Category(key) => write!(f, "category:{key}"),
            Scope::Area(code) => write!(f, "area:{code}"),
            Scope::Site(code) => write!(f, "site:{code}"),
        }
    }
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Order {
    /// Which section it is of.
    pub section: String,
    /// Where it holds: `regency`, `category:KEY`, `area:CODE` or `site:CODE`.
    pub scope: String,
    /// The fields that it sets.
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
}

/// All orders of the database, by setting.
pub struct Orders(BTreeMap<String, String>);

impl Orders {
    /// Reads them.
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        setting::under(tx, PREFIX).await.map(Orders)
    }

    /// A section's fields as they hold at a place with these scopes, `default` below all.
    ///
    /// # Errors
    /// `Value` when a setting is no JSON object.
    pub fn at(&self, section: &Section, scopes: &[Scope], default: &str) -> Result<Value, StoreError> {
        let mut all = fields(section.name, default)?;
        for scope in scopes {
            let key = scope.key(section);
            if let Some(text) = self.0.get(&key) {
                all.extend(fields(&key, text)?);
            }
        }
        Ok(Value::Object(all))
    }

    fn list(&self) -> Vec<Order> {
        let one = |(key, text): (&String, &String)| {
            let (section, scope) =
                key.strip_prefix(PREFIX)?.split_once('@').unwrap_or((key.strip_prefix(PREFIX)?, "regency"));
            SECTIONS.iter().find(|s| s.name == section)?;
            let fields = fields(key, text).ok()?;
            Some(Order { section: section.to_owned(), scope: scope.to_owned(), fields })
        };
        self.0.iter().filter_map(one).collect()
    }
}

fn fields(key: &str, text: &str) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(text)
        .map_err(|e| StoreError::Value { column: key.to_owned(), reason: e.to_string() })
}

/// All orders, by section and scope.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(hub: &Hub) -> Result<Vec<Order>, StoreError> {
    Ok(Orders::read(&mut hub.store().reader().await?).await?.list())
}

/// Sets the fields of one section in one scope; what was set there before is replaced.
///
/// # Errors
/// Faults that point at the field; `orders-section`, `orders-scope`, `not-operator`, `not-your-area`.
pub async fn set(
    hub: &Hub,
    by: &Actor,
    section: &str,
    scope: &Scope,
    fields: Map<String, Value>,
) -> Result<(), Problem> {
    let section = Section::named(section)?;
    by.may_operate(&ground(hub, scope).await?)?;
    section.check(&fields)?;
    let text = serde_json::to_string(&fields).map_err(|e| Problem::fault(&e))?;
    write(hub, by, scope.key(&section), format!("{}@{scope}", section.name), Some(text)).await.map(drop)
}

/// Forgets what one scope says of a section; tells whether it said anything.
///
/// # Errors
/// As `set`.
pub async fn remove(hub: &Hub, by: &Actor, section: &str, scope: &Scope) -> Result<bool, Problem> {
    let section = Section::named(section)?;
    by.may_operate(&ground(hub, scope).await?)?;
    write(hub, by, scope.key(&section), format!("{}@{scope}", section.name), None).await
}

async fn write(
    hub: &Hub,
    by: &Actor,
    key: String,
    object: String,
    text: Option<String>,
) -> Result<bool, Problem> {
    let mut entry =
        by.did(hub.clock().now(), if text.is_some() { "edit" } else { "remove" }, "order", object);
    let done = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            entry.before = setting::find(tx, &key).await?;
            entry.after.clone_from(&text);
            if entry.before == entry.after {
                return Ok::<_, StoreError>(false);
            }
            match &text {
                Some(text) => setting::put(tx, &key, text).await?,
                None => drop(setting::remove(tx, &key).await?),
            }
            setting::bump(tx, COUNTER).await?;
            audit::append(tx, &entry).await?;
            Ok(true)
        })
    });
    Ok(done.await?)
}

/// The area that somebody must look after to order in a scope.
///
/// # Errors
/// `orders-nowhere` when the register has no such scope.
pub(super) async fn ground(hub: &Hub, scope: &Scope) -> Result<AreaCode, Problem> {
    let mut tx = hub.store().reader().await?;
    let unknown = || Problem::from(Refusal::new(404, "orders-nowhere").with("scope", scope));
    let regency = async |tx: &mut Tx| {
        let all = area::all(tx).await?;
        let root = all.into_iter().find(|a| a.parent.is_none()).map(|a| a.code);
        root.ok_or_else(unknown)
    };
    match scope {
        Scope::Regency => regency(&mut tx).await,
        Scope::Category(key) => {
            let known = category::all(&mut tx).await?.into_iter().any(|c| c.key == *key);
            if known { regency(&mut tx).await } else { Err(unknown()) }
        }
        Scope::Area(code) => area::find(&mut tx, code).await?.map(|a| a.code).ok_or_else(unknown),
        Scope::Site(code) => site::find(&mut tx, code).await?.map(|s| s.area).ok_or_else(unknown),
    }
}

/// A fault of a field of an order.
fn fault(field: &str, why: &str) -> Fault {
    Fault::new(format!("/{field}"), "orders-value").with("detail", why)
}
