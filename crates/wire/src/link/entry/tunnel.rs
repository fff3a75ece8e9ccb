//! What a box tells of its end of the tunnel: its public key and the networks behind it.

use crate::link::cbor::{Malformed, Put, Take};
use ipnet::IpNet;

/// Networks that a place may have of a kind that uses the tunnel.
const MOST_NETWORKS: u64 = 64;

/// The box's end of the tunnel, told at each start of a box that has segments for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelEnd {
    /// The public key; the private one never leaves the box.
    pub key: [u8; 32],
    /// The kind of each segment that could use the tunnel (`staff`, `service`), and its network.
    pub networks: Vec<(String, IpNet)>,
}

pub(super) fn put(p: &mut Put, end: &TunnelEnd) {
    p.array(2).bytes(&end.key).array(end.networks.len() as u64);
    for (kind, net) in &end.networks {
        p.array(2).text(kind).text(&net.to_string());
    }
}

pub(super) fn take(t: &mut Take<'_>) -> Result<TunnelEnd, Malformed> {
    let key = t.fixed()?;
    let count = t.list(MOST_NETWORKS)?;
    let mut networks = Vec::new();
    for _ in 0..count {
        let fields = t.array(2)?;
        let kind = t.text()?.to_owned();
        let net = t.text()?.parse().map_err(|_| t.bad())?;
        t.skip(fields - 2)?;
        networks.push((kind, net));
    }
    Ok(TunnelEnd { key, networks })
}
