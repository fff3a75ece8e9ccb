//! The tunnel to the data centre: which addresses boxes get in it, and what its other end must know.
//!
//! What is ordered is the section `tunnel` of the orders, with pools of addresses beside it. A
//! box tells its public key and its networks in the journal; from then on it has an
//! address of the pool, for good. The private keys of both ends are never here.

pub mod api;
pub mod pages;
mod peers;

pub use peers::{Left, Told, judge, text};

use super::orders::{self, TunnelOrder};
use crate::Hub;
use ipnet::IpNet;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_store::tunnel::{self, TunnelEnd};
use kulkul_store::{StoreError, Tx, setting};
use kulkul_wire::link::desired::TunnelSection;
use kulkul_wire::link::{Entry, Event};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Addresses of a pool that are tried; a larger one is not used up by any regency.
const MOST_TRIED: usize = 65_536;

/// A box's section, with its addresses; no tunnel where something of it is missing.
///
/// # Errors
/// `StoreError` of the database.
pub async fn section(
    tx: &mut Tx,
    gateway: &GatewayId,
    order: TunnelOrder,
) -> Result<TunnelSection, StoreError> {
    let TunnelOrder { mut section, pools } = order;
    if !section.is_on() {
        return Ok(TunnelSection::default());
    }
    // A box that told of no key has no segment that could use one, or is of an older version.
    let Some(end) = tunnel::find(tx, gateway).await? else { return Ok(TunnelSection::default()) };
    if section.addresses.is_empty() && !pools.is_empty() {
        let taken = tunnel::list(tx).await?.into_iter().filter(|e| e.gateway != *gateway);
        let taken: BTreeSet<IpAddr> = taken.flat_map(|e| e.addresses).collect();
        section.addresses = pools.iter().filter_map(|pool| allot(&end, pool, &taken)).collect();
    }
    if section.addresses != end.addresses {
        tunnel::give(tx, gateway, &section.addresses).await?;
    }
    // One that is not said whole is none: a box would refuse all else with it.
    Ok(if section.missing().is_none() { section } else { TunnelSection::default() })
}

/// The address that a box has in a pool, or the first that nobody has.
fn allot(end: &TunnelEnd, pool: &IpNet, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let own = end.addresses.iter().copied().find(|a| pool.contains(a) && !taken.contains(a));
    // The first of all is the data centre's own; of IPv6 the one before it stands for the range.
    let first = if pool.addr().is_ipv6() { 2 } else { 1 };
    own.or_else(|| pool.trunc().hosts().skip(first).take(MOST_TRIED).find(|a| !taken.contains(a)))
}

/// Takes what a box says of its end; within the write that keeps the entry.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(tx: &mut Tx, gateway: &GatewayId, at: Moment, entry: &Entry) -> Result<(), StoreError> {
    match entry {
        Entry::TunnelEnd(end) => {
            if tunnel::tell(tx, gateway, &end.key, &end.networks, at).await? {
                setting::bump(tx, orders::COUNTER).await?;
            }
            Ok(())
        }
        Entry::Event(Event::TunnelUp { .. }) => tunnel::changed(tx, gateway, true, at, None).await,
        Entry::Event(Event::TunnelDown { why }) => tunnel::changed(tx, gateway, false, at, Some(why)).await,
        _ => Ok(()),
    }
}

/// The ends of all boxes in use, each network with what speaks against it.
///
/// # Errors
/// `StoreError` of the database.
pub async fn ends(hub: &Hub) -> Result<Vec<Told>, StoreError> {
    let mut tx = hub.store().reader().await?;
    let all = tunnel::list(&mut tx).await?;
    drop(tx);
    Ok(judge(all, &reserved(hub).await?))
}

/// The settings of the data centre's end: every box as a peer, as `wg` reads them.
///
/// # Errors
/// `StoreError` of the database.
pub async fn export(hub: &Hub) -> Result<String, StoreError> {
    let board = hub.board();
    let name = |code: &kulkul_model::site::SiteCode| {
        board.sites.get(code).map(|s| s.site.name.clone()).unwrap_or_default()
    };
    Ok(text(&ends(hub).await?, name, &hub.zone().rfc3339(hub.clock().now())))
}

/// Ranges of the data centre and of the boxes' addresses, wherever they are ordered.
async fn reserved(hub: &Hub) -> Result<Vec<IpNet>, StoreError> {
    let all = orders::list(hub).await?;
    let mut nets = Vec::new();
    for order in all.into_iter().filter(|o| o.section == "tunnel") {
        let read: Result<TunnelOrder, _> = serde_json::from_value(serde_json::Value::Object(order.fields));
        if let Ok(order) = read {
            nets.extend(order.section.prefixes);
            nets.extend(order.pools);
        }
    }
    Ok(nets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(addresses: &[&str]) -> TunnelEnd {
        TunnelEnd {
            gateway: GatewayId::parse("gw-22222222222222222222222222").unwrap(),
            site: kulkul_model::site::SiteCode::parse("BJ-001").unwrap(),
            key: [1; 32],
            networks: Vec::new(),
            told_at: Moment::EPOCH,
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
            is_up: None,
            changed_at: None,
            why: None,
        }
    }

    #[test]
    fn a_box_keeps_its_address_and_a_new_one_gets_the_first_that_is_free() {
        let pool: IpNet = "10.201.0.0/29".parse().unwrap();
        let taken = |all: &[&str]| all.iter().map(|a| a.parse().unwrap()).collect::<BTreeSet<IpAddr>>();
        let got = |end: &TunnelEnd, all: &[&str]| allot(end, &pool, &taken(all)).map(|a| a.to_string());
        assert_eq!(got(&end(&[]), &[]).as_deref(), Some("10.201.0.2"));
        assert_eq!(got(&end(&[]), &["10.201.0.2", "10.201.0.3"]).as_deref(), Some("10.201.0.4"));
        assert_eq!(got(&end(&["10.201.0.6"]), &["10.201.0.2"]).as_deref(), Some("10.201.0.6"));
        assert_eq!(got(&end(&["10.99.0.6"]), &[]).as_deref(), Some("10.201.0.2"), "of another pool");
        let all = ["10.201.0.2", "10.201.0.3", "10.201.0.4", "10.201.0.5", "10.201.0.6"];
        assert_eq!(got(&end(&[]), &all), None, "the pool is used up");
        let six: IpNet = "fd21::/64".parse().unwrap();
        assert_eq!(allot(&end(&[]), &six, &taken(&[])), "fd21::2".parse().ok());
    }
}
