//! GeoJSON (RFC 7946): a collection of features as a table, with points or shapes.

use super::fault::Fault;
use super::table::{MOST_COLUMNS, MOST_ROWS, Record, Table};
use crate::sites::check::no;
use kulkul_model::geometry::{Polygon, Shape};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Collection {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    properties: Option<serde_json::Map<String, Value>>,
    #[serde(default)]
    geometry: Option<Geometry>,
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    // A third number is a height, which nobody asks for here.
    Point(Vec<f64>),
    Polygon(Vec<Vec<Vec<f64>>>),
    MultiPolygon(Vec<Vec<Vec<Vec<f64>>>>),
}

/// Reads a table: the properties are columns, a point adds `lat` and `lon`.
///
/// # Errors
/// One `Fault` when the file cannot be read as features at all.
pub fn decode(bytes: &[u8]) -> Result<Table, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let collection: Collection = serde_json::from_slice(bytes).map_err(|e| {
        let line = u64::try_from(e.line()).unwrap_or(0);
        Fault { line, ..Fault::file(no("geojson-broken").with("detail", e)) }
    })?;
    if collection.kind != "FeatureCollection" {
        return Err(Fault::file(no("geojson-kind").with("kind", collection.kind)));
    }
    if collection.features.is_empty() {
        return Err(Fault::file(no("file-empty")));
    }
    if collection.features.len() > MOST_ROWS {
        return Err(Fault::file(no("file-too-long").with("most", MOST_ROWS)));
    }
    let mut table = Table::default();
    for (feature, row) in collection.features.into_iter().zip(1..) {
        let mut record = Record { row, line: row, ..Record::default() };
        let mut put = |name: &str, text: String| -> Result<(), Fault> {
            let at = match table.columns.iter().position(|c| c == name) {
                Some(at) => at,
                None if table.columns.len() == MOST_COLUMNS => {
                    let said = no("row-too-wide").with("n", MOST_COLUMNS + 1).with("most", MOST_COLUMNS);
                    return Err(Fault::row(row, row, said));
                }
                None => {
                    table.columns.push(name.to_owned());
                    table.columns.len() - 1
                }
            };
            record.cells.resize(record.cells.len().max(at + 1), String::new());
            if let Some(cell) = record.cells.get_mut(at) {
                *cell = text;
            }
            Ok(())
        };
        for (name, value) in feature.properties.unwrap_or_default() {
            // The geometry says where it is; a copy in the properties could only disagree.
            let twice =
                matches!(feature.geometry, Some(Geometry::Point(_))) && (name == "lat" || name == "lon");
            if !twice {
                put(&name, shown(&value))?;
            }
        }
        match feature.geometry {
            Some(Geometry::Point(at)) => {
                let [lon, lat, ..] = at.as_slice() else {
                    return Err(Fault::row(row, row, no("geojson-point")));
                };
                put("lat", lat.to_string())?;
                put("lon", lon.to_string())?;
            }
            Some(Geometry::Polygon(rings)) => record.shape = Some(shape(vec![rings], row)?),
            Some(Geometry::MultiPolygon(polygons)) => record.shape = Some(shape(polygons, row)?),
            None => {}
        }
        table.records.push(record);
    }
    let width = table.columns.len();
    for record in &mut table.records {
        record.cells.resize(width, String::new());
    }
    Ok(table)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => s.trim().to_owned(),
        // 15000.0 is a whole number to a person.
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), |f| f.to_string()),
        other => other.to_string(),
    }
}

fn shape(polygons: Vec<Vec<Vec<Vec<f64>>>>, row: u64) -> Result<Shape, Fault> {
    let ring = |ring: Vec<Vec<f64>>| {
        let points: Option<Vec<[f64; 2]>> = ring
            .iter()
            .map(|p| match p.as_slice() {
                [lon, lat, ..] if lon.abs() <= 180.0 && lat.abs() <= 90.0 => Some([*lon, *lat]),
                _ => None,
            })
            .collect();
        let points = points.ok_or_else(|| Fault::row(row, row, no("geojson-point")))?;
        // RFC 7946, 3.1.6: four or more positions, the first and last the same.
        if points.len() < 4 || points.first() != points.last() {
            return Err(Fault::row(row, row, no("ring-open")));
        }
        Ok(points)
    };
    let polygons: Result<Vec<Polygon>, Fault> =
        polygons.into_iter().map(|p| p.into_iter().map(ring).collect()).collect();
    let polygons = polygons?;
    if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
        return Err(Fault::row(row, row, no("ring-open")));
    }
    Ok(Shape { polygons })
}
