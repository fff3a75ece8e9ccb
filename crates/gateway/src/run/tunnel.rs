//! Wiring of the tunnel: the box's key, the task that carries packets, what the hub is told.

use super::{GatewayError, House, part};
use crate::config::{Config, Kind};
use crate::tunnel::{Tunnel, TunnelState, could_be_used, key};
use ipnet::IpNet;
use kulkul_wire::link::{Entry, TunnelEnd};
use std::sync::Arc;
use tokio::sync::watch;

/// Before the task is started again that broke off, milliseconds.
const AGAIN_MS: i64 = 1_000;

/// Starts it where the place has segments that it could be for.
pub(super) async fn start(house: &House) -> Result<watch::Receiver<TunnelState>, GatewayError> {
    let (tell, state) = watch::channel(TunnelState::default());
    if !could_be_used(&house.config) {
        return Ok(state);
    }
    let own = key::own(&house.config.data).map_err(part("the tunnel's key"))?;
    let end = TunnelEnd { key: key::public(&own), networks: networks(&house.config) };
    if let Err(error) = house.journal.append(Entry::TunnelEnd(end)).await {
        tracing::error!(%error, "the hub is not told of the tunnel's key");
    }
    let tunnel = Tunnel {
        config: house.config.clone(),
        orders: house.supervisor.tunnel(),
        supervisor: house.supervisor.clone(),
        journal: house.journal.clone(),
        clock: house.clock.clone(),
        key: own,
        tell: Arc::new(tell),
    };
    let (clock, failed, stop) = (house.clock.clone(), house.failed.clone(), house.stop.clone());
    house.tasks.spawn(async move {
        // A packet that breaks the task off must not end the way of all others.
        while tokio::spawn(tunnel.clone().run(stop.clone())).await.is_err() {
            tracing::error!("the tunnel broke off; starting it again");
            // The journal may be busy: that it happened is in the log as well.
            let _ = failed.try_send("tunnel");
            clock.sleep_ms(AGAIN_MS).await;
        }
    });
    Ok(state)
}

/// The networks behind this box that a tunnel could lead to, with their kind.
fn networks(config: &Config) -> Vec<(String, IpNet)> {
    let named = |kind| match kind {
        Kind::Public => None,
        Kind::Staff => Some("staff"),
        Kind::Service => Some("service"),
    };
    let of = |s: &crate::config::Segment| {
        let kind = named(s.kind);
        s.networks().filter_map(move |n| Some((kind?.to_owned(), n.trunc()))).collect::<Vec<_>>()
    };
    config.segments.iter().flat_map(of).collect()
}
