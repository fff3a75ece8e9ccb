//! Boundaries: the shapes of areas, as JSON polygons of [longitude, latitude] rings.

use crate::import::{self, Write};
use crate::{Json, Row, StoreError, Tx, args, statements};
use kulkul_model::area::AreaCode;
use kulkul_model::geometry::Shape;

statements! {
    /// Writes an area's shape, whether it had one or not.
    PUT = "INSERT INTO boundary (area, polygons) VALUES ($1, $2)
           ON CONFLICT (area) DO UPDATE SET polygons = excluded.polygons";
    /// One area's shape.
    FIND = "SELECT area, polygons FROM boundary WHERE area = $1";
    /// All shapes: some hundreds.
    ALL = "SELECT area, polygons FROM boundary ORDER BY area";
}

/// Writes the shape of an area.
///
/// # Errors
/// `is_broken_reference` when the area is missing.
pub async fn put(tx: &mut Tx, area: &AreaCode, shape: &Shape) -> Result<(), StoreError> {
    let text = serde_json::to_string(&shape.polygons)
        .map_err(|e| StoreError::Value { column: "polygons".to_owned(), reason: e.to_string() })?;
    tx.execute(PUT, args![area.as_str(), Json(text)]).await.map(drop)
}

/// The shape of an area, if it has one.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, area: &AreaCode) -> Result<Option<Shape>, StoreError> {
    if let Some(Write::Boundary { shape, .. }) = import::told(tx, "boundary", area.as_str()).await? {
        return Ok(Some(shape));
    }
    let row = tx.fetch_optional(FIND, args![area.as_str()]).await?;
    row.as_ref().map(read).transpose().map(|found| found.map(|(_, shape)| shape))
}

/// All shapes in the order of their areas' codes.
///
/// # Errors
/// `StoreError` of the database.
pub async fn all(tx: &mut Tx) -> Result<Vec<(AreaCode, Shape)>, StoreError> {
    let stored = tx.fetch_all(ALL, args![]).await?.iter().map(read).collect::<Result<_, _>>()?;
    let pick = |write| if let Write::Boundary { area, shape } = write { Some((area, shape)) } else { None };
    let key = |row: &(AreaCode, Shape)| row.0.to_string();
    import::over(tx, "boundary", ("", u32::MAX), stored, key, pick).await
}

fn read(row: &Row) -> Result<(AreaCode, Shape), StoreError> {
    let Json(text) = row.get("polygons")?;
    let polygons = serde_json::from_str(&text)
        .map_err(|e| StoreError::Value { column: "polygons".to_owned(), reason: e.to_string() })?;
    Ok((row.read("area", AreaCode::parse)?, Shape { polygons }))
}
