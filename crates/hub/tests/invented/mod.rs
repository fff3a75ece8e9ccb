//! A board made of the real register and invented states, the same every time.
//!
//! The north's fibre is cut, some places are off for reasons of their own, schools
//! of one village are closed, one site is silent. Nothing here is random.

use kulkul_hub::map::Land;
use kulkul_hub::watch::board::{Board, SiteNow};
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::category::{Category, CategoryKey};
use kulkul_model::geometry::{Point, Shape};
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_model::state::{Expected, Observed, Sign};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

fn data(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/badung").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn rows(file: &str) -> Vec<BTreeMap<String, String>> {
    let text = data(file);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let record =
        |r: csv::StringRecord| head.iter().map(str::to_owned).zip(r.iter().map(str::to_owned)).collect();
    reader.records().map(|r| record(r.unwrap())).collect()
}

fn point(row: &BTreeMap<String, String>) -> Point {
    Point { lat: row["lat"].parse().unwrap(), lon: row["lon"].parse().unwrap() }
}

fn areas() -> BTreeMap<AreaCode, Arc<Area>> {
    let area = |row: BTreeMap<String, String>| Area {
        code: AreaCode::parse(&row["code"]).unwrap(),
        name: row["name"].clone(),
        kind: AreaKind::parse(&row["kind"]).unwrap(),
        local_kind: row["kind"].clone(),
        parent: (row["kind"] != "kabupaten").then(|| AreaCode::parse(&row["parent_code"]).unwrap()),
        bps_code: Some(row["bps_code"].clone()).filter(|c| !c.is_empty()),
        centre: point(&row),
    };
    rows("areas.csv").into_iter().map(area).map(|a| (a.code.clone(), Arc::new(a))).collect()
}

fn shapes() -> BTreeMap<AreaCode, Shape> {
    let file: serde_json::Value = serde_json::from_str(&data("boundaries.geojson")).unwrap();
    let read = |feature: &serde_json::Value| {
        let code = AreaCode::parse(feature["properties"]["code"].as_str().unwrap()).unwrap();
        let coordinates = feature["geometry"]["coordinates"].clone();
        let polygons = if feature["geometry"]["type"] == "Polygon" {
            vec![serde_json::from_value(coordinates).unwrap()]
        } else {
            serde_json::from_value(coordinates).unwrap()
        };
        (code, Shape { polygons })
    };
    file["features"].as_array().unwrap().iter().map(read).collect()
}

fn categories() -> Vec<Arc<Category>> {
    let category = |(rank, row): (usize, BTreeMap<String, String>)| {
        let owed = match row["category"].as_str() {
            "kantor_camat" => Some(60_000),
            "kantor_desa" => Some(30_000),
            "sd_negeri" | "smp_negeri" | "puskesmas" | "pustu" => Some(15_000),
            _ => None,
        };
        Arc::new(Category {
            key: CategoryKey::parse(&row["category"]).unwrap(),
            prefix: row["prefix"].clone(),
            name_id: row["name_id"].clone(),
            name_en: row["name_en"].clone(),
            rank: u32::try_from(rank).unwrap(),
            within: None,
            down_kbps: owed,
            up_kbps: owed.map(|d| d / 2),
            hides_presence: matches!(row["category"].as_str(), "sd_negeri" | "smp_negeri"),
        })
    };
    rows("categories.csv").into_iter().enumerate().map(category).collect()
}

fn site(row: &BTreeMap<String, String>) -> Site {
    let some = |name: &str| Some(row[name].clone()).filter(|v| !v.is_empty());
    Site {
        code: SiteCode::parse(&row["site_code"]).unwrap(),
        category: CategoryKey::parse(&row["category"]).unwrap(),
        name: row["name"].clone(),
        area: AreaCode::parse(&row["area_code"]).unwrap(),
        position: point(row),
        position_quality: match row["quality"].as_str() {
            "sourced" => PositionQuality::Sourced,
            _ => PositionQuality::Approximate,
        },
        position_basis: some("coord_basis"),
        name_quality: match row["quality"].as_str() {
            "placeholder" => NameQuality::Placeholder,
            _ => NameQuality::Sourced,
        },
        source: row["source"].clone(),
        official_id: some("official_id"),
        address: some("address"),
        stage: Stage::InService,
        down_kbps: None,
        up_kbps: None,
        upstream: None,
        revision: 1,
    }
}

/// A number that follows from a code alone; spreads states over sites.
fn spread(code: &SiteCode) -> u64 {
    code.as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
        >> 7
}

/// The state of a site, by its place and its code.
fn now(site: Site, at: Moment) -> SiteNow {
    let n = spread(&site.code);
    let minutes = |m: u64| at.plus_ms(-60_000 * i64::try_from(m).unwrap());
    let in_petang = site.area.as_str().starts_with("51.03.04");
    let is_school = site.code.as_str().starts_with("SD");
    let (observed, since) = match n % 1000 {
        _ if in_petang && n.is_multiple_of(5) => (Observed::Up, minutes(n % 9000)),
        _ if in_petang => (Observed::Down, minutes(85 - n % 4)),
        0..=9 => (Observed::Down, minutes(30 + n % 4000)),
        10..=33 => (Observed::Degraded, minutes(12 + n % 700)),
        34..=46 => (Observed::Unknown, minutes(n % 3000)),
        _ => (Observed::Up, minutes(n % 20_000)),
    };
    let (expected, stage) = match () {
        () if is_school && site.area.as_str() == "51.03.02.2009" => (Expected::Closed, Stage::InService),
        () if n % 1000 > 995 => (Expected::NotInService, Stage::Installed),
        () => (Expected::Open, Stage::InService),
    };
    let idle = expected == Expected::NotInService;
    let observed = if idle { Observed::Unknown } else { observed };
    let seen = observed != Observed::Unknown;
    // One that works as far as anybody knows has just fallen silent.
    let quiet = observed == Observed::Up && site.code.as_str() == "BJ-100";
    SiteNow {
        observed,
        expected,
        sign: Sign::of(observed, expected),
        since: (!idle).then_some(since),
        seen_at: if idle {
            None
        } else {
            Some(match () {
                () if quiet => minutes(2),
                () if seen => at.plus_ms(-20_000),
                () => since,
            })
        },
        silent: quiet || (observed == Observed::Down && n.is_multiple_of(2)),
        people_online: u32::try_from(n % 37).unwrap(),
        rtt_us: (observed == Observed::Up || observed == Observed::Degraded)
            .then(|| u32::try_from(4_000 + n % 60_000).unwrap()),
        site: Arc::new(Site { stage, ..site }),
    }
}

/// The board at a moment, over the whole register.
#[must_use]
pub fn board(version: u64, at: Moment) -> Board {
    let areas = areas();
    let mut board = Board {
        version,
        at,
        register_version: 1,
        land: Arc::new(Land::new(&areas, shapes())),
        areas,
        categories: categories(),
        ..Board::default()
    };
    for row in rows("sites.csv") {
        let now = now(site(&row), at);
        board.sites.insert(now.site.code.clone(), now);
    }
    count(&mut board);
    board
}

/// Counts the board's sites anew, after some of them changed.
pub fn count(board: &mut Board) {
    board.tally = Default::default();
    board.by_area.clear();
    board.by_category.clear();
    let sites: Vec<(AreaCode, String, Sign)> =
        board.sites.values().map(|s| (s.site.area.clone(), s.site.category.to_string(), s.sign)).collect();
    for (area, category, sign) in sites {
        board.tally.add(sign);
        board.by_category.entry(category).or_default().add(sign);
        let codes: BTreeSet<AreaCode> = board.path(&area).iter().map(|a| a.code.clone()).collect();
        for code in codes {
            board.by_area.entry(code).or_default().add(sign);
        }
    }
}
