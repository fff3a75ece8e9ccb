//! Canaries: how the hub knows that it is blind itself.
//!
//! Each is an address that should always take a TCP connection. When there are some
//! and none answers, the hub is blind, and silence of places says nothing. Without
//! any the hub believes that it sees; the ICMP sweep is a later room's.

use crate::Hub;
use crate::clock::within;
use std::time::Duration;
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the hub can see anything at all.
pub async fn seeing(canaries: &[String]) -> bool {
    if canaries.is_empty() {
        return true;
    }
    let answers = canaries.iter().map(|address| async move {
        let connected = within(PATIENCE, TcpStream::connect(address.as_str())).await;
        matches!(connected, Some(Ok(_)))
    });
    futures_util::future::join_all(answers).await.contains(&true)
}

/// Looks once and tells the live states; from blind to seeing a new stretch begins.
pub async fn look(hub: &Hub) {
    let sees = seeing(&hub.config().watch.canaries).await;
    let now = hub.clock().now();
    let mut live = hub.watch().live();
    if sees != live.watching().is_some() {
        if sees {
            tracing::info!("the hub sees");
        } else {
            tracing::warn!("the hub is blind: no canary answers; silence of places says nothing");
        }
    }
    if sees {
        live.see(now);
    } else {
        live.go_blind();
    }
    hub.watch().metrics().seeing.set(i64::from(sees));
}
