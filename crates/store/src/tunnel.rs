//! The boxes' ends of the tunnel: what each told of itself, which addresses it was given, how it is.

use crate::{Row, StoreError, Tx, args, statements};
use ipnet::IpNet;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use std::net::IpAddr;

statements! {
    /// A gateway's end.
    FIND = "SELECT t.gateway, g.site, t.public_key, t.networks, t.told_at_ms, t.address4, t.address6, t.is_up,
                t.changed_at_ms, t.why
            FROM tunnel_end t JOIN gateway g ON g.id = t.gateway WHERE t.gateway = $1";
    /// The ends of boxes in use, by place.
    LIST = "SELECT t.gateway, g.site, t.public_key, t.networks, t.told_at_ms, t.address4, t.address6, t.is_up,
                t.changed_at_ms, t.why
            FROM tunnel_end t JOIN gateway g ON g.id = t.gateway
            WHERE g.revoked_at_ms IS NULL ORDER BY g.site, t.gateway";
    /// Keeps what a box told; its addresses stay.
    TELL = "INSERT INTO tunnel_end (gateway, public_key, networks, told_at_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT (gateway) DO UPDATE SET public_key = excluded.public_key, networks = excluded.networks,
                told_at_ms = excluded.told_at_ms
            WHERE tunnel_end.public_key <> excluded.public_key OR tunnel_end.networks <> excluded.networks";
    /// Gives a box addresses.
    GIVE = "UPDATE tunnel_end SET address4 = $2, address6 = $3 WHERE gateway = $1";
    /// What the journal said of it last.
    CHANGED = "UPDATE tunnel_end SET is_up = $2, changed_at_ms = $3, why = $4 WHERE gateway = $1";
}

/// A box's end of the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelEnd {
    /// Whose it is.
    pub gateway: GatewayId,
    /// Where the box stands.
    pub site: SiteCode,
    /// Its public key.
    pub key: [u8; 32],
    /// Kinds of segments behind it with their networks, as it told.
    pub networks: Vec<(String, IpNet)>,
    /// When it told.
    pub told_at: Moment,
    /// The addresses that it was given, one of a family.
    pub addresses: Vec<IpAddr>,
    /// Whether the tunnel was up when the journal told last; none before.
    pub is_up: Option<bool>,
    /// When that began.
    pub changed_at: Option<Moment>,
    /// Why it is down, in English.
    pub why: Option<String>,
}

/// A gateway's end; none before it told of one.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, gateway: &GatewayId) -> Result<Option<TunnelEnd>, StoreError> {
    tx.fetch_optional(FIND, args![gateway.as_str()]).await?.as_ref().map(read).transpose()
}

/// The ends of all boxes in use, by place.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx) -> Result<Vec<TunnelEnd>, StoreError> {
    tx.fetch_all(LIST, args![]).await?.iter().map(read).collect()
}

/// Keeps what a box told; tells whether it was another than before.
///
/// # Errors
/// `StoreError` of the database.
pub async fn tell(
    tx: &mut Tx,
    gateway: &GatewayId,
    key: &[u8; 32],
    networks: &[(String, IpNet)],
    now: Moment,
) -> Result<bool, StoreError> {
    let networks: Vec<String> = networks.iter().map(|(kind, net)| format!("{kind} {net}")).collect();
    Ok(tx.execute(TELL, args![gateway.as_str(), key, networks.join("\n"), now]).await? > 0)
}

/// Gives a box addresses in the tunnel, for good.
///
/// # Errors
/// `StoreError` of the database.
pub async fn give(tx: &mut Tx, gateway: &GatewayId, addresses: &[IpAddr]) -> Result<(), StoreError> {
    let of = |six: bool| addresses.iter().find(|a| a.is_ipv6() == six).map(ToString::to_string);
    tx.execute(GIVE, args![gateway.as_str(), of(false), of(true)]).await.map(drop)
}

/// Keeps that it came up, or why it went down.
///
/// # Errors
/// `StoreError` of the database.
pub async fn changed(
    tx: &mut Tx,
    gateway: &GatewayId,
    is_up: bool,
    at: Moment,
    why: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(CHANGED, args![gateway.as_str(), is_up, at, why]).await.map(drop)
}

fn read(row: &Row) -> Result<TunnelEnd, StoreError> {
    let networks: String = row.get("networks")?;
    let network = |line: &str| {
        let (kind, net) = line.split_once(' ')?;
        Some((kind.to_owned(), net.parse().ok()?))
    };
    let addresses: [Option<String>; 2] = [row.get("address4")?, row.get("address6")?];
    Ok(TunnelEnd {
        gateway: row.read("gateway", GatewayId::parse)?,
        site: row.read("site", SiteCode::parse)?,
        key: row.get("public_key")?,
        networks: networks.lines().filter_map(network).collect(),
        told_at: row.get("told_at_ms")?,
        addresses: addresses.into_iter().flatten().filter_map(|a| a.parse().ok()).collect(),
        is_up: row.get("is_up")?,
        changed_at: row.get("changed_at_ms")?,
        why: row.get("why")?,
    })
}
