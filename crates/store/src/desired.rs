//! Desired states: the newest signed manifest of each gateway, and its blobs.

use crate::{StoreError, Tx, area, args, category, site, statements};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_wire::link::{Digest, Version};

statements! {
    /// A gateway's newest.
    FIND = "SELECT epoch, counter, content, manifest FROM desired WHERE gateway = $1";
    /// Versions of all gateways in use.
    VERSIONS = "SELECT d.gateway, d.epoch, d.counter FROM desired d JOIN gateway g ON g.id = d.gateway
                WHERE g.revoked_at_ms IS NULL AND d.gateway > $1 ORDER BY d.gateway LIMIT $2";
    /// Replaces a gateway's.
    PUT = "INSERT INTO desired (gateway, epoch, counter, content, manifest) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (gateway) DO UPDATE SET epoch = excluded.epoch, counter = excluded.counter,
               content = excluded.content, manifest = excluded.manifest";
    /// One blob.
    BLOB = "SELECT bytes FROM blob WHERE sha256 = $1";
    /// Keeps a blob; one that is there is young again, at most once a day.
    PUT_BLOB = "INSERT INTO blob (sha256, bytes, made_at_ms) VALUES ($1, $2, $3)
                ON CONFLICT (sha256) DO UPDATE SET made_at_ms = excluded.made_at_ms
                WHERE blob.made_at_ms < excluded.made_at_ms - 86400000";
    /// Manifests of gateways in use.
    MANIFESTS = "SELECT d.gateway, d.manifest FROM desired d JOIN gateway g ON g.id = d.gateway
                 WHERE g.revoked_at_ms IS NULL AND d.gateway > $1 ORDER BY d.gateway LIMIT $2";
    /// Old blobs by digest.
    BLOBS_BEFORE = "SELECT sha256 FROM blob WHERE made_at_ms < $1 AND sha256 > $2 ORDER BY sha256 LIMIT $3";
    /// Drops a blob that is still old.
    DROP_BLOB = "DELETE FROM blob WHERE sha256 = $1 AND made_at_ms < $2";
}

/// A gateway's newest desired state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub version: Version,
    /// Digest of its list of sections.
    pub content: Digest,
    /// The signed manifest.
    pub manifest: Vec<u8>,
}

/// What the register says of a place, for its box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Key of its category.
    pub category: String,
    /// The category's name in Bahasa Indonesia.
    pub category_id: String,
    /// The category's name in English.
    pub category_en: String,
    /// Names of its areas, from the regency down.
    pub area_path: Vec<String>,
    /// Codes of the areas that it lies in, from the regency down.
    pub areas: Vec<AreaCode>,
    /// What the line gives to the place, kbit/s: the site's own profile, else its category's.
    pub down_kbps: Option<u32>,
    /// What the line takes from the place, kbit/s.
    pub up_kbps: Option<u32>,
}

/// A gateway's newest desired state.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, gateway: &GatewayId) -> Result<Option<Kept>, StoreError> {
    let Some(row) = tx.fetch_optional(FIND, args![gateway.as_str()]).await? else { return Ok(None) };
    Ok(Some(Kept {
        version: Version { epoch: row.get("epoch")?, counter: row.get("counter")? },
        content: Digest(row.get("content")?),
        manifest: row.get("manifest")?,
    }))
}

/// Up to `limit` gateways in use after `after`, with the version of each.
///
/// # Errors
/// `StoreError` of the database.
pub async fn versions(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<(GatewayId, Version)>, StoreError> {
    let rows = tx.fetch_all(VERSIONS, args![after, limit]).await?;
    rows.iter()
        .map(|row| {
            let version = Version { epoch: row.get("epoch")?, counter: row.get("counter")? };
            Ok((row.read("gateway", GatewayId::parse)?, version))
        })
        .collect()
}

/// Replaces a gateway's desired state.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, gateway: &GatewayId, kept: &Kept) -> Result<(), StoreError> {
    let Version { epoch, counter } = kept.version;
    let values = args![gateway.as_str(), epoch, counter, &kept.content.0, &kept.manifest];
    tx.execute(PUT, values).await.map(drop)
}

/// A blob's bytes.
///
/// # Errors
/// `StoreError` of the database.
pub async fn blob(tx: &mut Tx, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    tx.fetch_optional(BLOB, args![&digest.0]).await?.map(|row| row.get("bytes")).transpose()
}

/// Keeps a blob under its digest.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put_blob(tx: &mut Tx, bytes: &[u8], now: Moment) -> Result<Digest, StoreError> {
    let digest = Digest::of(bytes);
    tx.execute(PUT_BLOB, args![&digest.0, bytes, now]).await?;
    Ok(digest)
}

/// Up to `limit` gateways in use after `after`, with the signed manifest of each.
///
/// # Errors
/// `StoreError` of the database.
pub async fn manifests(
    tx: &mut Tx,
    after: &str,
    limit: u32,
) -> Result<Vec<(GatewayId, Vec<u8>)>, StoreError> {
    let rows = tx.fetch_all(MANIFESTS, args![after, limit]).await?;
    rows.iter().map(|row| Ok((row.read("gateway", GatewayId::parse)?, row.get("manifest")?))).collect()
}

/// Up to `limit` blobs after `after` that were last named or sent before `before`, by digest.
///
/// # Errors
/// `StoreError` of the database.
pub async fn blobs_before(
    tx: &mut Tx,
    before: Moment,
    after: &Digest,
    limit: u32,
) -> Result<Vec<Digest>, StoreError> {
    let rows = tx.fetch_all(BLOBS_BEFORE, args![before, &after.0, limit]).await?;
    rows.iter().map(|row| row.get("sha256").map(Digest)).collect()
}

/// Drops a blob unless it was named or sent since `before`; how many went.
///
/// # Errors
/// `StoreError` of the database.
pub async fn drop_blob(tx: &mut Tx, digest: &Digest, before: Moment) -> Result<u64, StoreError> {
    tx.execute(DROP_BLOB, args![&digest.0, before]).await
}

/// What the register says of a place.
///
/// # Errors
/// `StoreError` of the database.
pub async fn place(tx: &mut Tx, site: &SiteCode) -> Result<Option<Place>, StoreError> {
    let Some(found) = site::find(tx, site).await? else { return Ok(None) };
    let Some(kind) = category::all(tx).await?.into_iter().find(|c| c.key == found.category) else {
        return Ok(None);
    };
    let (mut area_path, mut areas) = (Vec::new(), Vec::new());
    let mut next = Some(found.area);
    while let Some(code) = next.take() {
        if let Some(area) = area::find(tx, &code).await?
            && area_path.len() < 8
        {
            area_path.push(area.name);
            areas.push(area.code);
            next = area.parent;
        }
    }
    area_path.reverse();
    areas.reverse();
    Ok(Some(Place {
        name: found.name,
        category: kind.key.to_string(),
        category_id: kind.name_id,
        category_en: kind.name_en,
        area_path,
        areas,
        down_kbps: found.down_kbps.or(kind.down_kbps),
        up_kbps: found.up_kbps.or(kind.up_kbps),
    }))
}
