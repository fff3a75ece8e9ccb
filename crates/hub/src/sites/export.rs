//! Exporting sites, areas and boundaries, so that an import reads them back unchanged.
//!
//! Spreadsheets run a text that begins with `=`, `+`, `-` or `@` as a formula; such
//! a text gets an apostrophe before it (`guard`), which an import takes away again.

use super::import::guard;
use crate::watch::board::SiteNow;
use kulkul_model::Zone;
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::geometry::{Point, Shape};
use kulkul_model::site::Site;
use kulkul_store::{Store, StoreError, area, boundary, site};
use serde_json::{Map, Value, json};

/// Sites that are read in one transaction.
const PAGE: u32 = 500;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated text, UTF-8 (RFC 4180).
    Csv,
    /// A workbook of one sheet.
    Xlsx,
    /// Features with points or polygons (RFC 7946).
    GeoJson,
}

impl Format {
    /// Reads `csv`, `xlsx` or `geojson`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "csv" => Some(Format::Csv),
            "xlsx" => Some(Format::Xlsx),
            "geojson" => Some(Format::GeoJson),
            _ => None,
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::GeoJson => "application/geo+json",
        }
    }
}

/// An export that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error("exporting: {0}")]
    Store(#[from] StoreError),
    /// The file could not be written.
    #[error("exporting: {0}")]
    File(String),
}

/// One cell.
enum Cell {
    Text(String),
    Number(f64),
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Cell::Empty, Cell::from)
    }
}

impl From<Option<u32>> for Cell {
    fn from(number: Option<u32>) -> Self {
        number.map_or(Cell::Empty, |n| Cell::Number(f64::from(n)))
    }
}

struct Row {
    cells: Vec<Cell>,
    position: Point,
}

const SITE_COLUMNS: [&str; 16] = [
    "site_code",
    "category",
    "name",
    "area_code",
    "lat",
    "lon",
    "source",
    "position_quality",
    "name_quality",
    "official_id",
    "address",
    "coord_basis",
    "stage",
    "down_kbps",
    "up_kbps",
    "upstream",
];

/// What is observed, beside what the register keeps; an import passes over it.
pub(super) const STATE_COLUMNS: [&str; 4] = ["observed", "expected", "since", "seen_at"];

const AREA_COLUMNS: [&str; 7] = ["code", "name", "kind", "parent_code", "lat", "lon", "bps_code"];

/// All sites as a file.
///
/// # Errors
/// `ExportError`.
pub async fn sites(store: &Store, format: Format) -> Result<Vec<u8>, ExportError> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        // A transaction for each page: none lives as long as the whole export.
        let page = site::after(&mut store.reader().await?, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.code.to_string();
        rows.extend(page.iter().map(of_site));
    }
    file(format, "sites", &SITE_COLUMNS, &rows)
}

/// Sites as they stand on the board, with what is observed there.
///
/// # Errors
/// `ExportError::File`.
pub fn with_states(sites: &[&SiteNow], zone: &Zone, format: Format) -> Result<Vec<u8>, ExportError> {
    let columns: Vec<&str> = SITE_COLUMNS.into_iter().chain(STATE_COLUMNS).collect();
    let row = |now: &&SiteNow| {
        let mut row = of_site(&now.site);
        row.cells.extend([
            now.observed.as_str().into(),
            now.expected.as_str().into(),
            now.since.map(|at| zone.rfc3339(at)).as_deref().into(),
            now.seen_at.map(|at| zone.rfc3339(at)).as_deref().into(),
        ]);
        row
    };
    file(format, "sites", &columns, &sites.iter().map(row).collect::<Vec<_>>())
}

/// All areas as a file; GeoJSON has their centres.
///
/// # Errors
/// `ExportError`.
pub async fn areas(store: &Store, format: Format) -> Result<Vec<u8>, ExportError> {
    let areas = area::all(&mut store.reader().await?).await?;
    let rows: Vec<Row> = areas.iter().map(of_area).collect();
    file(format, "areas", &AREA_COLUMNS, &rows)
}

/// All boundaries as GeoJSON.
///
/// # Errors
/// `ExportError`.
pub async fn boundaries(store: &Store) -> Result<Vec<u8>, ExportError> {
    let shapes = boundary::all(&mut store.reader().await?).await?;
    let feature = |(code, shape): &(AreaCode, Shape)| {
        json!({
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {"type": "MultiPolygon", "coordinates": shape.polygons},
        })
    };
    collection(shapes.iter().map(feature).collect())
}

fn of_site(s: &Site) -> Row {
    Row {
        position: s.position,
        cells: vec![
            s.code.as_str().into(),
            s.category.as_str().into(),
            s.name.as_str().into(),
            s.area.as_str().into(),
            Cell::Number(s.position.lat),
            Cell::Number(s.position.lon),
            s.source.as_str().into(),
            s.position_quality.as_str().into(),
            s.name_quality.as_str().into(),
            s.official_id.as_deref().into(),
            s.address.as_deref().into(),
            s.position_basis.as_deref().into(),
            s.stage.as_str().into(),
            s.down_kbps.into(),
            s.up_kbps.into(),
            s.upstream.as_deref().into(),
        ],
    }
}

fn of_area(a: &Area) -> Row {
    Row {
        position: a.centre,
        cells: vec![
            a.code.as_str().into(),
            a.name.as_str().into(),
            a.local_kind.as_str().into(),
            a.parent.as_ref().map(AreaCode::as_str).into(),
            Cell::Number(a.centre.lat),
            Cell::Number(a.centre.lon),
            a.bps_code.as_deref().into(),
        ],
    }
}

fn file(format: Format, sheet: &str, columns: &[&str], rows: &[Row]) -> Result<Vec<u8>, ExportError> {
    match format {
        Format::Csv => csv_file(columns, rows),
        Format::Xlsx => xlsx_file(sheet, columns, rows).map_err(|e| ExportError::File(e.to_string())),
        Format::GeoJson => collection(rows.iter().map(|row| feature(columns, row)).collect()),
    }
}

fn csv_file(columns: &[&str], rows: &[Row]) -> Result<Vec<u8>, ExportError> {
    let failed = |e: csv::Error| ExportError::File(e.to_string());
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(columns).map_err(failed)?;
    for row in rows {
        let cells = row.cells.iter().map(|cell| match cell {
            Cell::Text(text) => guard(text),
            Cell::Number(n) => n.to_string(),
            Cell::Empty => String::new(),
        });
        out.write_record(cells).map_err(failed)?;
    }
    out.into_inner().map_err(|e| ExportError::File(e.to_string()))
}

fn xlsx_file(sheet: &str, columns: &[&str], rows: &[Row]) -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let page = book.add_worksheet().set_name(sheet)?;
    for (column, name) in (0u16..).zip(columns) {
        page.write_string(0, column, *name)?;
    }
    for (at, row) in (1u32..).zip(rows) {
        for (column, cell) in (0u16..).zip(&row.cells) {
            match cell {
                Cell::Text(text) => page.write_string(at, column, guard(text))?,
                Cell::Number(n) => page.write_number(at, column, *n)?,
                Cell::Empty => continue,
            };
        }
    }
    page.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

fn feature(columns: &[&str], row: &Row) -> Value {
    let mut properties = Map::new();
    for (name, cell) in columns.iter().zip(&row.cells).filter(|(name, _)| !matches!(**name, "lat" | "lon")) {
        let value = match cell {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Number(n) => Value::from(*n),
            Cell::Empty => Value::Null,
        };
        properties.insert((*name).to_owned(), value);
    }
    json!({
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": [row.position.lon, row.position.lat]},
    })
}

fn collection(features: Vec<Value>) -> Result<Vec<u8>, ExportError> {
    let all = json!({"type": "FeatureCollection", "features": features});
    serde_json::to_vec(&all).map_err(|e| ExportError::File(e.to_string()))
}
