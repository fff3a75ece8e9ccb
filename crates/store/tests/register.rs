//! Areas, boundaries, categories, sites and imports on both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::category::{Category, CategoryKey};
use kulkul_model::geometry::{Point, Shape};
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_store::site::{After, Filter};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, Store, StoreError, area, boundary, category, import, site};

fn place(code: &str, name: &str, area: &str) -> Site {
    Site {
        code: SiteCode::parse(code).unwrap(),
        category: CategoryKey::parse(if code.starts_with("BJ") { "banjar" } else { "sd_negeri" }).unwrap(),
        name: name.to_owned(),
        area: AreaCode::parse(area).unwrap(),
        position: Point { lat: -8.5, lon: 115.2 },
        position_quality: PositionQuality::Approximate,
        position_basis: None,
        name_quality: NameQuality::Sourced,
        source: "a test".to_owned(),
        official_id: None,
        address: (code == "SD-001").then(|| "Jl. 50%_Raya \\ No. 1".to_owned()),
        stage: if code == "BJ-002" { Stage::InService } else { Stage::Planned },
        down_kbps: Some(15_000),
        up_kbps: None,
        upstream: Some("FO-UTARA".to_owned()),
        revision: 1,
    }
}

fn zone(code: &str, kind: AreaKind, parent: Option<&str>) -> Area {
    Area {
        code: AreaCode::parse(code).unwrap(),
        name: format!("Area {code}"),
        kind,
        local_kind: "desa".to_owned(),
        parent: parent.map(|p| AreaCode::parse(p).unwrap()),
        bps_code: Some("5103".to_owned()),
        centre: Point { lat: -8.5, lon: 115.2 },
    }
}

fn kind(key: &str, prefix: &str, rank: u32) -> Category {
    Category {
        key: CategoryKey::parse(key).unwrap(),
        prefix: prefix.to_owned(),
        name_id: key.to_owned(),
        name_en: key.to_owned(),
        rank,
        within: None,
        down_kbps: Some(30_000),
        up_kbps: None,
        hides_presence: true,
    }
}

async fn fill(store: &Store) {
    store
        .write(Lane::Job, |tx| {
            Box::pin(async move {
                for (code, of, parent) in [
                    ("51.03", AreaKind::Regency, None),
                    ("51.03.01", AreaKind::District, Some("51.03")),
                    ("51.03.02", AreaKind::District, Some("51.03")),
                    ("51.03.01.1", AreaKind::Village, Some("51.03.01")),
                    ("51.03.02.1", AreaKind::Village, Some("51.03.02")),
                ] {
                    area::put(tx, &zone(code, of, parent)).await?;
                }
                category::put(tx, &kind("banjar", "BJ", 1)).await?;
                category::put(tx, &kind("sd_negeri", "SD", 0)).await?;
                for (code, name, village) in [
                    ("BJ-001", "Banjar Zebra", "51.03.01.1"),
                    ("BJ-002", "banjar apel", "51.03.01.1"),
                    ("BJ-003", "Banjar Apel", "51.03.02.1"),
                    ("SD-001", "SD Negeri Élok", "51.03.02.1"),
                ] {
                    site::insert(tx, &place(code, name, village)).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

async fn found(store: &Store, filter: Filter) -> Vec<String> {
    let mut tx = store.reader().await.unwrap();
    let sites = site::search(&mut tx, &filter, &After::Code(String::new()), 10).await.unwrap();
    assert_eq!(site::count(&mut tx, &filter).await.unwrap(), sites.len() as u64);
    sites.iter().map(|s| s.code.to_string()).collect()
}

#[tokio::test]
async fn a_register_goes_in_and_comes_back() {
    on_both(|store| async move {
        fill(&store).await;
        let mut tx = store.reader().await.unwrap();
        let code = SiteCode::parse("SD-001").unwrap();
        let site = site::find(&mut tx, &code).await.unwrap().unwrap();
        assert_eq!(site, place("SD-001", "SD Negeri Élok", "51.03.02.1"));
        assert_eq!(area::all(&mut tx).await.unwrap().len(), 5);
        let village = zone("51.03.01.1", AreaKind::Village, Some("51.03.01"));
        assert_eq!(area::find(&mut tx, &village.code).await.unwrap().unwrap(), village);
        let categories = category::all(&mut tx).await.unwrap();
        assert_eq!(categories, [kind("sd_negeri", "SD", 0), kind("banjar", "BJ", 1)]);
        drop(tx);

        let shape =
            Shape { polygons: vec![vec![vec![[115.1, -8.5], [115.2, -8.5], [115.2, -8.25], [115.1, -8.5]]]] };
        let (written, code) = (shape.clone(), village.code.clone());
        store
            .write(Lane::Job, move |tx| Box::pin(async move { boundary::put(tx, &code, &written).await }))
            .await
            .unwrap();
        let mut tx = store.reader().await.unwrap();
        assert_eq!(boundary::all(&mut tx).await.unwrap(), [(village.code.clone(), shape.clone())]);
        assert_eq!(boundary::find(&mut tx, &village.code).await.unwrap(), Some(shape));
    })
    .await;
}

#[tokio::test]
async fn a_search_narrows_and_signs_mean_themselves() {
    on_both(|store| async move {
        fill(&store).await;
        let text = |t: &str| Filter { text: Some(t.to_owned()), ..Filter::default() };
        assert_eq!(found(&store, Filter::default()).await.len(), 4);
        assert_eq!(found(&store, text("APEL")).await, ["BJ-002", "BJ-003"]);
        assert_eq!(found(&store, text("éLOK")).await, ["SD-001"]);
        assert_eq!(found(&store, text("sd-0")).await, ["SD-001"]);
        assert_eq!(found(&store, text("50%_r")).await, ["SD-001"]);
        assert_eq!(found(&store, text("raya \\ no")).await, ["SD-001"]);
        assert_eq!(found(&store, text("%")).await, ["SD-001"]);
        assert_eq!(found(&store, text("b_njar")).await, Vec::<String>::new());
        let area = |a: &str| Filter { area: AreaCode::parse(a).ok(), ..Filter::default() };
        assert_eq!(found(&store, area("51.03")).await.len(), 4);
        assert_eq!(found(&store, area("51.03.01")).await, ["BJ-001", "BJ-002"]);
        assert_eq!(found(&store, area("51.03.02.1")).await, ["BJ-003", "SD-001"]);
        assert_eq!(found(&store, area("99")).await, Vec::<String>::new());
        let stage = Filter { stage: Some(Stage::InService), ..Filter::default() };
        assert_eq!(found(&store, stage).await, ["BJ-002"]);
        let category = Filter { category: CategoryKey::parse("sd_negeri").ok(), ..area("51.03.02") };
        assert_eq!(found(&store, category).await, ["SD-001"]);
    })
    .await;
}

#[tokio::test]
async fn pages_follow_the_key_in_the_same_order_on_both() {
    on_both(|store| async move {
        fill(&store).await;
        let mut tx = store.reader().await.unwrap();
        let (mut after, mut seen) = (After::Name(String::new(), String::new()), Vec::new());
        loop {
            let page = site::search(&mut tx, &Filter::default(), &after, 1).await.unwrap();
            let Some(last) = page.last() else { break };
            after = After::Name(last.name.clone(), last.code.to_string());
            seen.push(last.name.clone());
        }
        // By bytes: capitals before small letters, on PostgreSQL too.
        assert_eq!(seen, ["Banjar Apel", "Banjar Zebra", "SD Negeri Élok", "banjar apel"]);
    })
    .await;
}

#[tokio::test]
async fn two_editors_notice_each_other() {
    on_both(|store| async move {
        fill(&store).await;
        let edit = |name: &'static str, revision: i64| {
            let site = Site { name: name.to_owned(), revision, ..place("BJ-001", "", "51.03.01.1") };
            store.write(Lane::Page, move |tx| Box::pin(async move { site::update(tx, &site).await }))
        };
        assert!(edit("First", 2).await.unwrap());
        assert!(!edit("Second", 2).await.unwrap());
        assert!(edit("Third", 3).await.unwrap());
        let lost = place("BJ-009", "x", "77");
        let error: StoreError = store
            .write(Lane::Page, move |tx| Box::pin(async move { site::insert(tx, &lost).await }))
            .await
            .unwrap_err();
        assert!(error.is_broken_reference(), "{error}");
    })
    .await;
}

#[tokio::test]
async fn an_import_is_staged_marked_and_taken_in_order() {
    on_both(|store| async move {
        let run = import::Run {
            id: "r1".to_owned(),
            at: Moment::from_ms(1),
            who: "made".to_owned(),
            file_name: "a.csv".to_owned(),
            applying: false,
            summary: "{}".to_owned(),
        };
        let rows: Vec<_> = (0..5)
            .map(|seq| import::Staged {
                seq,
                noun: "site".to_owned(),
                object: format!("BJ-{seq}"),
                body: format!("{seq}"),
                before: None,
            })
            .collect();
        store
            .write::<_, StoreError, _>(Lane::Job, move |tx| {
                Box::pin(async move {
                    import::add(tx, &run).await?;
                    import::add_rows(tx, "r1", &rows).await?;
                    assert_eq!(import::applying(tx).await?, None);
                    import::mark(tx, "r1").await?;
                    assert_eq!(import::applying(tx).await?.as_deref(), Some("r1"));
                    let next = import::next(tx, "r1", 3).await?;
                    assert_eq!(next.iter().map(|r| r.body.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
                    import::drop_rows(tx, "r1", 2).await?;
                    assert_eq!(import::next(tx, "r1", 3).await?.len(), 2);
                    assert!(import::all(tx).await?.iter().all(|r| r.applying));
                    import::drop_rows(tx, "r1", 9).await?;
                    import::drop_run(tx, "r1").await
                })
            })
            .await
            .unwrap();
        let mut tx = store.reader().await.unwrap();
        assert_eq!(import::all(&mut tx).await.unwrap(), []);
    })
    .await;
}
