//! Areas: the tree of regency, districts, villages and hamlets.

use crate::import::{self, Write};
use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::geometry::Point;

statements! {
    /// Writes an area, whether it was there or not; its parent must be there.
    PUT = "INSERT INTO area (code, name, kind, local_kind, parent, bps_code, lat, lon)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (code) DO UPDATE SET name = excluded.name, kind = excluded.kind,
               local_kind = excluded.local_kind, parent = excluded.parent,
               bps_code = excluded.bps_code, lat = excluded.lat, lon = excluded.lon";
    /// One area.
    FIND = "SELECT code, name, kind, local_kind, parent, bps_code, lat, lon FROM area WHERE code = $1";
    /// All areas: some hundreds.
    ALL = "SELECT code, name, kind, local_kind, parent, bps_code, lat, lon FROM area ORDER BY code";
}

/// Writes an area, new or changed.
///
/// # Errors
/// `is_broken_reference` when its parent is missing.
pub async fn put(tx: &mut Tx, area: &Area) -> Result<(), StoreError> {
    let values = args![
        area.code.as_str(),
        area.name.as_str(),
        area.kind.as_str(),
        area.local_kind.as_str(),
        area.parent.as_ref().map(AreaCode::as_str),
        area.bps_code.as_deref(),
        area.centre.lat,
        area.centre.lon,
    ];
    tx.execute(PUT, values).await.map(drop)
}

/// One area by its code.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, code: &AreaCode) -> Result<Option<Area>, StoreError> {
    if let Some(Write::Area(area)) = import::told(tx, "area", code.as_str()).await? {
        return Ok(Some(area));
    }
    tx.fetch_optional(FIND, args![code.as_str()]).await?.as_ref().map(read).transpose()
}

/// All areas in the order of their codes.
///
/// # Errors
/// `StoreError` of the database.
pub async fn all(tx: &mut Tx) -> Result<Vec<Area>, StoreError> {
    let stored = tx.fetch_all(ALL, args![]).await?.iter().map(read).collect::<Result<_, _>>()?;
    let pick = |write| if let Write::Area(area) = write { Some(area) } else { None };
    import::over(tx, "area", ("", u32::MAX), stored, |a: &Area| a.code.to_string(), pick).await
}

fn read(row: &Row) -> Result<Area, StoreError> {
    Ok(Area {
        code: row.read("code", AreaCode::parse)?,
        name: row.get("name")?,
        kind: row.named("kind", AreaKind::parse)?,
        local_kind: row.get("local_kind")?,
        parent: row.read_optional("parent", AreaCode::parse)?,
        bps_code: row.get("bps_code")?,
        centre: Point { lat: row.get("lat")?, lon: row.get("lon")? },
    })
}
