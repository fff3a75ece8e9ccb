//! Access points: which radios stand at a place, and since when one does not answer.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::session::Mac;
use kulkul_model::site::SiteCode;
use std::net::IpAddr;

statements! {
    /// The access points of a site, by hardware address.
    OF_SITE = "SELECT site, mac, name, address, added_at_ms, lost_at_ms FROM access_point
               WHERE site = $1 ORDER BY mac LIMIT 256";
    /// The site that an access point stands at.
    FIND = "SELECT site FROM access_point WHERE mac = $1";
    /// Registers one, or changes its name and address.
    PUT = "INSERT INTO access_point (site, mac, name, address, added_at_ms) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (mac) DO UPDATE SET name = excluded.name, address = excluded.address";
    /// Takes one off the register.
    REMOVE = "DELETE FROM access_point WHERE site = $1 AND mac = $2";
    /// Says since when one does not answer.
    LOST = "UPDATE access_point SET lost_at_ms = $3 WHERE site = $1 AND mac = $2";
}

/// An access point as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPoint {
    /// Where it stands.
    pub site: SiteCode,
    /// Its hardware address.
    pub mac: Mac,
    /// What people call it.
    pub name: String,
    /// Its address where it has a fixed one.
    pub address: Option<IpAddr>,
    /// When it was registered.
    pub added_at: Moment,
    /// Since when it does not answer.
    pub lost_at: Option<Moment>,
}

/// The access points of a site, by hardware address.
///
/// # Errors
/// `StoreError` of the database.
pub async fn of_site(tx: &mut Tx, site: &SiteCode) -> Result<Vec<AccessPoint>, StoreError> {
    tx.fetch_all(OF_SITE, args![site.as_str()]).await?.iter().map(read).collect()
}

/// The site that an access point stands at, if it is registered.
///
/// # Errors
/// `StoreError` of the database.
pub async fn site_of(tx: &mut Tx, mac: Mac) -> Result<Option<SiteCode>, StoreError> {
    let row = tx.fetch_optional(FIND, args![mac.to_string()]).await?;
    row.as_ref().map(|row| row.read("site", SiteCode::parse)).transpose()
}

/// Registers one, or changes its name and address; it must not stand at another site.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, a: &AccessPoint) -> Result<(), StoreError> {
    let address = a.address.map(|ip| ip.to_string());
    tx.execute(PUT, args![a.site.as_str(), a.mac.to_string(), &a.name, address, a.added_at]).await.map(drop)
}

/// Takes one off the register; whether it was on it.
///
/// # Errors
/// `StoreError` of the database.
pub async fn remove(tx: &mut Tx, site: &SiteCode, mac: Mac) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE, args![site.as_str(), mac.to_string()]).await? > 0)
}

/// Says since when one does not answer; none when it does. One that is not registered is left aside.
///
/// # Errors
/// `StoreError` of the database.
pub async fn lost(tx: &mut Tx, site: &SiteCode, mac: Mac, since: Option<Moment>) -> Result<(), StoreError> {
    tx.execute(LOST, args![site.as_str(), mac.to_string(), since]).await.map(drop)
}

fn read(row: &Row) -> Result<AccessPoint, StoreError> {
    let address: Option<String> = row.get("address")?;
    Ok(AccessPoint {
        site: row.read("site", SiteCode::parse)?,
        mac: row.read("mac", Mac::parse)?,
        name: row.get("name")?,
        address: address.and_then(|a| a.parse().ok()),
        added_at: row.get("added_at_ms")?,
        lost_at: row.get("lost_at_ms")?,
    })
}
