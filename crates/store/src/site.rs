//! Sites: the register's rows, found by code, searched, paged by key.

use crate::args::Value;
use crate::import::{self, Write};
use crate::{Row, StoreError, Tx, area, args, statements};
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::geometry::Point;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use std::collections::BTreeSet;

/// The columns of a site, in a statement.
macro_rules! columns {
    () => {
        "code, category, name, area, lat, lon, position_quality, position_basis, name_quality, source, \
         official_id, address, stage, down_kbps, up_kbps, upstream, revision"
    };
}

/// The filters of a search: an empty text filters nothing.
macro_rules! filters {
    () => {
        " WHERE ($1 = '' OR category = $1)
            AND ($2 = '' OR area IN (
                WITH RECURSIVE below (code) AS (
                    SELECT area.code FROM area WHERE area.code = $2
                    UNION
                    SELECT area.code FROM area JOIN below ON area.parent = below.code
                )
                SELECT below.code FROM below))
            AND ($3 = '' OR stage = $3)
            AND ($4 = '' OR search LIKE $4 ESCAPE '\\')"
    };
}

statements! {
    /// Writes a new site.
    INSERT = concat!("INSERT INTO site (", columns!(), ", search)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)");
    /// Writes a site, whether it was there or not.
    PUT = concat!("INSERT INTO site (", columns!(), ", search)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (code) DO UPDATE SET category = excluded.category, name = excluded.name,
            area = excluded.area, lat = excluded.lat, lon = excluded.lon,
            position_quality = excluded.position_quality, position_basis = excluded.position_basis,
            name_quality = excluded.name_quality, source = excluded.source,
            official_id = excluded.official_id, address = excluded.address, stage = excluded.stage,
            down_kbps = excluded.down_kbps, up_kbps = excluded.up_kbps, upstream = excluded.upstream,
            revision = excluded.revision, search = excluded.search");
    /// Changes a site that still has the revision that the editor saw.
    UPDATE = "UPDATE site SET category = $2, name = $3, area = $4, lat = $5, lon = $6,
            position_quality = $7, position_basis = $8, name_quality = $9, source = $10,
            official_id = $11, address = $12, stage = $13, down_kbps = $14, up_kbps = $15,
            upstream = $16, revision = $17, search = $18
        WHERE code = $1 AND revision = $17 - 1";
    /// One site.
    FIND = concat!("SELECT ", columns!(), " FROM site WHERE code = $1");
    /// A part of all sites, after a code.
    AFTER = concat!("SELECT ", columns!(), " FROM site WHERE code > $1 ORDER BY code LIMIT $2");
    /// Sites that match, by code, after a code.
    SEARCH_BY_CODE = concat!("SELECT ", columns!(), " FROM site", filters!(),
        " AND code > $5 ORDER BY code LIMIT $6");
    /// Sites that match, by name and then code, after both.
    SEARCH_BY_NAME = concat!("SELECT ", columns!(), " FROM site", filters!(),
        " AND (name, code) > ($5, $6) ORDER BY name, code LIMIT $7");
    /// How many sites match.
    COUNT = concat!("SELECT COUNT(*) AS n FROM site", filters!());
}

/// What a list of sites is narrowed to; empty fields narrow nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Only this category.
    pub category: Option<CategoryKey>,
    /// Only this area and all below it.
    pub area: Option<AreaCode>,
    /// Only this stage.
    pub stage: Option<Stage>,
    /// Only sites with this text in name, code or address, in any case.
    pub text: Option<String>,
}

/// The order of a list and where it goes on: the key of the last site shown.
#[derive(Clone, Debug, PartialEq)]
pub enum After {
    /// By code; empty for the beginning.
    Code(String),
    /// By name and then code; empty for the beginning.
    Name(String, String),
}

/// Writes a new site.
///
/// # Errors
/// `is_duplicate` when the code is taken, `is_broken_reference` when area or category is missing.
pub async fn insert(tx: &mut Tx, site: &Site) -> Result<(), StoreError> {
    tx.execute(INSERT, values(site)).await.map(drop)
}

/// Writes a site, new or changed, whatever revision is stored.
///
/// # Errors
/// `is_broken_reference` when area or category is missing.
pub async fn put(tx: &mut Tx, site: &Site) -> Result<(), StoreError> {
    tx.execute(PUT, values(site)).await.map(drop)
}

/// Writes a changed site; false when the stored revision is not the one before `site.revision`.
///
/// # Errors
/// `is_broken_reference` when area or category is missing.
pub async fn update(tx: &mut Tx, site: &Site) -> Result<bool, StoreError> {
    Ok(tx.execute(UPDATE, values(site)).await? == 1)
}

/// One site by its code.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, code: &SiteCode) -> Result<Option<Site>, StoreError> {
    if let Some(Write::Site(site)) = import::told(tx, "site", code.as_str()).await? {
        return Ok(Some(site));
    }
    tx.fetch_optional(FIND, args![code.as_str()]).await?.as_ref().map(read).transpose()
}

/// Up to `limit` sites by code, those after `after`; begin with an empty text.
///
/// # Errors
/// `StoreError` of the database.
pub async fn after(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Site>, StoreError> {
    let stored =
        tx.fetch_all(AFTER, args![after, limit]).await?.iter().map(read).collect::<Result<_, _>>()?;
    let pick = |write| if let Write::Site(site) = write { Some(site) } else { None };
    import::over(tx, "site", (after, limit), stored, |s: &Site| s.code.to_string(), pick).await
}

/// All sites by code, for the board and for checks.
///
/// # Errors
/// `StoreError` of the database.
pub async fn all(tx: &mut Tx) -> Result<Vec<Site>, StoreError> {
    // A driver's row is many times a site: some at a time keeps the peak small.
    const PAGE: u32 = 500;
    let mut all: Vec<Site> = Vec::new();
    loop {
        let from = all.last().map_or(String::new(), |s| s.code.to_string());
        let page = after(tx, &from, PAGE).await?;
        let full = page.len() == PAGE as usize;
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

/// Up to `limit` sites that match, in the order and after the key of `after`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn search(
    tx: &mut Tx,
    filter: &Filter,
    after: &After,
    limit: u32,
) -> Result<Vec<Site>, StoreError> {
    if import::applying(tx).await?.is_some() {
        let mut found = matching(tx, filter).await?;
        match after {
            After::Code(code) => found.retain(|s| s.code.as_str() > code.as_str()),
            After::Name(name, code) => {
                found.retain(|s| (s.name.as_str(), s.code.as_str()) > (name.as_str(), code.as_str()));
                found.sort_by(|a, b| (&a.name, &a.code).cmp(&(&b.name, &b.code)));
            }
        }
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        return Ok(found);
    }
    let mut values = narrowed(filter);
    let rows = match after {
        After::Code(code) => {
            values.extend(args![code.as_str(), limit]);
            tx.fetch_all(SEARCH_BY_CODE, values).await?
        }
        After::Name(name, code) => {
            values.extend(args![name.as_str(), code.as_str(), limit]);
            tx.fetch_all(SEARCH_BY_NAME, values).await?
        }
    };
    rows.iter().map(read).collect()
}

/// How many sites match.
///
/// # Errors
/// `StoreError` of the database.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<u64, StoreError> {
    if import::applying(tx).await?.is_some() {
        return Ok(matching(tx, filter).await?.len() as u64);
    }
    tx.fetch_one(COUNT, narrowed(filter)).await?.get("n")
}

/// As the statements' filters, for the seconds in which a decided import lies beside the table.
async fn matching(tx: &mut Tx, filter: &Filter) -> Result<Vec<Site>, StoreError> {
    let mut below: BTreeSet<AreaCode> = filter.area.iter().cloned().collect();
    let areas = if below.is_empty() { Vec::new() } else { area::all(tx).await? };
    loop {
        let known = below.len();
        let inside = areas.iter().filter(|a| a.parent.as_ref().is_some_and(|p| below.contains(p)));
        let inside: Vec<AreaCode> = inside.map(|a| a.code.clone()).collect();
        below.extend(inside);
        if below.len() == known {
            break;
        }
    }
    let text = filter.text.as_deref().map(|t| t.trim().to_lowercase()).unwrap_or_default();
    let mut all = all(tx).await?;
    all.retain(|s| {
        filter.category.as_ref().is_none_or(|c| s.category == *c)
            && (filter.area.is_none() || below.contains(&s.area))
            && filter.stage.is_none_or(|stage| s.stage == stage)
            && searched(s).contains(&text)
    });
    Ok(all)
}

fn narrowed(filter: &Filter) -> Vec<Value> {
    args![
        filter.category.as_ref().map_or("", |c| c.as_str()),
        filter.area.as_ref().map_or("", |a| a.as_str()),
        filter.stage.map_or("", Stage::as_str),
        filter.text.as_deref().map_or_else(String::new, pattern),
    ]
}

/// A LIKE pattern for "contains", in which the text's own signs mean themselves.
fn pattern(text: &str) -> String {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return text;
    }
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What a search for a text looks at.
fn searched(site: &Site) -> String {
    format!("{} {} {}", site.name, site.code, site.address.as_deref().unwrap_or_default()).to_lowercase()
}

fn values(site: &Site) -> Vec<Value> {
    args![
        site.code.as_str(),
        site.category.as_str(),
        site.name.as_str(),
        site.area.as_str(),
        site.position.lat,
        site.position.lon,
        site.position_quality.as_str(),
        site.position_basis.as_deref(),
        site.name_quality.as_str(),
        site.source.as_str(),
        site.official_id.as_deref(),
        site.address.as_deref(),
        site.stage.as_str(),
        site.down_kbps,
        site.up_kbps,
        site.upstream.as_deref(),
        site.revision,
        searched(site),
    ]
}

fn read(row: &Row) -> Result<Site, StoreError> {
    Ok(Site {
        code: row.read("code", SiteCode::parse)?,
        category: row.read("category", CategoryKey::parse)?,
        name: row.get("name")?,
        area: row.read("area", AreaCode::parse)?,
        position: Point { lat: row.get("lat")?, lon: row.get("lon")? },
        position_quality: row.named("position_quality", PositionQuality::parse)?,
        position_basis: row.get("position_basis")?,
        name_quality: row.named("name_quality", NameQuality::parse)?,
        source: row.get("source")?,
        official_id: row.get("official_id")?,
        address: row.get("address")?,
        stage: row.named("stage", Stage::parse)?,
        down_kbps: row.get("down_kbps")?,
        up_kbps: row.get("up_kbps")?,
        upstream: row.get("upstream")?,
        revision: row.get("revision")?,
    })
}
