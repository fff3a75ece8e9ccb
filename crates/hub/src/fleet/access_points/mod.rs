//! Access points: the register of a place's radios, and what its box says of them.
//!
//! Every change is audited by device. Which of them answers is the box's word, by events
//! of its journal; what that means for the place is `watch`'s matter.

pub mod api;
pub mod pages;

use super::orders;
use crate::Hub;
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use crate::web::problem::Fault;
use kulkul_model::session::Mac;
use kulkul_model::site::{Site, SiteCode};
use kulkul_model::{Moment, Refusal};
use kulkul_store::access_point::{self, AccessPoint};
use kulkul_store::{Lane, StoreError, Tx, audit, setting, site};
use kulkul_wire::link::desired::MOST_ACCESS_POINTS;
use kulkul_wire::link::{Entry, Event};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// An access point as staff give it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Given {
    /// Its hardware address, such as `02:00:00:00:00:a1`.
    pub mac: String,
    /// What people call it, at most 60 characters.
    pub name: String,
    /// Its address where it has a fixed one; else the box learns it.
    pub address: Option<String>,
}

/// What to do to a place's list.
#[derive(Clone, Debug)]
pub enum Change {
    /// Replace it.
    All(Vec<Given>),
    /// Add one, or change the one with that hardware address.
    Put(Given),
    /// Take one off it.
    Remove(String),
}

type Checked = BTreeMap<Mac, (String, Option<IpAddr>)>;

/// Reads what was given; every fault at its field below `at`.
fn check(given: &[Given], at: &str) -> Result<Checked, Problem> {
    let (mut faults, mut all) = (Vec::new(), Checked::new());
    let mut wrong = |i: usize, field: &str, code| {
        let pointer = if at.is_empty() { format!("/{field}") } else { format!("/{at}/{i}/{field}") };
        faults.push(Fault::new(pointer, code));
    };
    for (i, a) in given.iter().enumerate() {
        let name: String = a.name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            wrong(i, "name", "access-point-name");
        }
        let address = a.address.as_deref().map(str::trim).filter(|t| !t.is_empty());
        let read = address.map(str::parse::<IpAddr>).transpose();
        if read.is_err() {
            wrong(i, "address", "access-point-address");
        }
        match Mac::parse(a.mac.trim()) {
            Ok(mac) if mac.0[0] & 1 == 0 && mac.0 != [0; 6] => {
                if all.insert(mac, (name, read.unwrap_or_default())).is_some() {
                    wrong(i, "mac", "access-point-twice");
                }
            }
            // A group's address is nobody's own.
            _ => wrong(i, "mac", "access-point-mac"),
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(Problem::faults(faults)) }
}

/// The site with this code.
pub(super) async fn place(hub: &Hub, code: &str) -> Result<Site, Problem> {
    let unknown = || Problem::from(Refusal::new(404, "site-unknown").with("site", code));
    let code = SiteCode::parse(code).map_err(|_| unknown())?;
    site::find(&mut hub.store().reader().await?, &code).await?.ok_or_else(unknown)
}

/// The access points of a place, by hardware address.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(hub: &Hub, code: &SiteCode) -> Result<Vec<AccessPoint>, StoreError> {
    access_point::of_site(&mut hub.store().reader().await?, code).await
}

/// Changes a place's list on behalf of staff who look after it; gives it as it is then.
///
/// # Errors
/// Faults by field; `access-points-many`, `access-point-elsewhere`, `access-point-unknown`, `site-unknown`,
/// `not-operator`, `not-your-area`.
pub async fn change(hub: &Hub, by: &Actor, code: &str, change: Change) -> Result<Vec<AccessPoint>, Problem> {
    let place = place(hub, code).await?;
    by.may_operate(&place.area)?;
    let (wanted, gone) = match change {
        Change::All(given) => (check(&given, "items")?, None),
        Change::Put(one) => (check(std::slice::from_ref(&one), "")?, Some(BTreeSet::new())),
        Change::Remove(mac) => {
            let unknown = |_| Refusal::new(404, "access-point-unknown").with("mac", &mac);
            (Checked::new(), Some(BTreeSet::from([Mac::parse(&mac).map_err(unknown)?])))
        }
    };
    let (by, now, code) = (by.clone(), hub.clock().now(), place.code);
    let done = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let before = access_point::of_site(tx, &code).await?;
            let gone = gone.unwrap_or_else(|| {
                before.iter().map(|a| a.mac).filter(|m| !wanted.contains_key(m)).collect()
            });
            let all: BTreeSet<Mac> = before.iter().map(|a| a.mac).chain(wanted.keys().copied()).collect();
            if all.difference(&gone).count() > MOST_ACCESS_POINTS {
                let refusal = Refusal::new(422, "access-points-many").with("most", MOST_ACCESS_POINTS);
                return Ok::<_, StoreError>(Err(refusal));
            }
            for mac in wanted.keys() {
                if let Some(other) = access_point::site_of(tx, *mac).await?.filter(|s| *s != code) {
                    let refusal = Refusal::new(409, "access-point-elsewhere");
                    return Ok(Err(refusal.with("mac", mac).with("site", other)));
                }
            }
            let changed = apply(tx, (&by, now, &code), &before, wanted, &gone).await?;
            if changed > 0 {
                setting::bump(tx, orders::COUNTER).await?;
            }
            access_point::of_site(tx, &code).await.map(Ok)
        })
    });
    Ok(done.await??)
}

/// Writes what differs, each with its line in the audit; gives how many.
async fn apply(
    tx: &mut Tx,
    (by, now, code): (&Actor, Moment, &SiteCode),
    before: &[AccessPoint],
    wanted: Checked,
    gone: &BTreeSet<Mac>,
) -> Result<usize, StoreError> {
    let told =
        |a: &AccessPoint| noted(&serde_json::json!({ "site": code, "name": a.name, "address": a.address }));
    let mut changed = 0;
    for mac in gone {
        let Some(old) = before.iter().find(|a| a.mac == *mac) else { continue };
        access_point::remove(tx, code, *mac).await?;
        let entry = audit::Entry {
            before: told(old),
            // The place stands in `after`, so that the line has a link.
            after: noted(&serde_json::json!({ "site": code })),
            ..by.did(now, "remove", "access_point", mac)
        };
        audit::append(tx, &entry).await?;
        changed += 1;
    }
    for (mac, (name, address)) in wanted {
        let old = before.iter().find(|a| a.mac == mac);
        if old.is_some_and(|o| o.name == name && o.address == address) {
            continue;
        }
        let new = AccessPoint { site: code.clone(), mac, name, address, added_at: now, lost_at: None };
        access_point::put(tx, &new).await?;
        let entry = audit::Entry {
            before: old.and_then(told),
            after: told(&new),
            ..by.did(now, if old.is_some() { "edit" } else { "add" }, "access_point", mac)
        };
        audit::append(tx, &entry).await?;
        changed += 1;
    }
    Ok(changed)
}

/// Takes what a box says of its access points; within the write that keeps the entry.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(tx: &mut Tx, site: &SiteCode, at: Moment, entry: &Entry) -> Result<(), StoreError> {
    match entry {
        Entry::Event(Event::AccessPointLost { mac, .. }) => {
            access_point::lost(tx, site, *mac, Some(at)).await
        }
        Entry::Event(Event::AccessPointBack { mac, .. }) => access_point::lost(tx, site, *mac, None).await,
        _ => Ok(()),
    }
}
