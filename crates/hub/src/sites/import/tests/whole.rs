//! Whole imports: the real files, again, only checked, interrupted, large.

use super::super::{apply, resume};
use super::*;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, StoreError, audit, desired, gateway, import, site};

#[tokio::test]
async fn the_built_in_register_is_sound_and_comes_in_whole() {
    on_both(|store| async move {
        badung(&store, None).await;
        let r = register(&store).await;
        assert_eq!((r.areas.len(), r.shapes.len(), r.categories.len(), r.sites.len()), (70, 69, 10, 987));
        let site = &r.sites[&SiteCode::parse("KC-001").unwrap()];
        assert_eq!(site.name, "Kantor Camat Kuta");
        assert_eq!((site.position_quality, site.stage), (PositionQuality::Approximate, Stage::Planned));
        let sourced = r.sites.values().filter(|s| s.position_quality == PositionQuality::Sourced).count();
        let placeholders = r.sites.values().filter(|s| s.name_quality == NameQuality::Placeholder).count();
        assert_eq!((sourced, placeholders), (9, 137));
        let schools: Vec<_> =
            r.categories.values().filter(|c| c.hides_presence).map(|c| c.prefix.as_str()).collect();
        assert_eq!(schools, ["SD", "SM"]);
        // Every count that the programme announced is met: importing the counts again says nothing.
        let counts = builtin::badung()[2];
        let report = bring(&store, counts.kind, counts.bytes).await.unwrap();
        assert_eq!(report.notes, []);
    })
    .await;
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    on_both(|store| async move {
        badung(&store, None).await;
        let before = register(&store).await;
        let sites = builtin::badung()[4];
        let report = bring(&store, Kind::Sites, sites.bytes).await.unwrap();
        assert_eq!((report.added, report.changed, report.unchanged), (0, 0, 987));
        assert_eq!(register(&store).await, before);
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    on_both(|store| async move {
    badung(&store, Some(Kind::Sites)).await;
    let before = register(&store).await;
    let options = ImportOptions { dry_run: true, who: "cli:test".to_owned() };
    let bytes = builtin::badung()[4].bytes.to_vec();
    let report = run(&store, Kind::Sites, bytes, "sites.csv", &options, NOW).await.unwrap();
    assert_eq!(
        report.to_string(),
        "sites.csv: the file is sound. It would add 987, change 0 and leave 0 as they are. Nothing was changed."
    );
    assert_eq!(register(&store).await, before);
    }).await;
}

#[tokio::test]
async fn what_staff_decided_stays() {
    on_both(|store| async move {
        badung(&store, None).await;
        let code = SiteCode::parse("BJ-001").unwrap();
        let mut edited = register(&store).await.sites[&code].clone();
        edited.stage = Stage::InService;
        edited.down_kbps = Some(20_000);
        edited.upstream = Some("FO-UTARA".to_owned());
        edited.position.lat += 0.0001;
        edited.position_quality = PositionQuality::Surveyed;
        edited.name = "Another name".to_owned();
        edited.revision = 2;
        let row = edited.clone();
        store
            .write::<_, StoreError, _>(Lane::Page, move |tx| {
                Box::pin(async move { site::put(tx, &row).await })
            })
            .await
            .unwrap();
        let report = bring(&store, Kind::Sites, builtin::badung()[4].bytes).await.unwrap();
        assert_eq!((report.changed, report.unchanged), (1, 986));
        let text = report.to_string();
        assert!(text.contains("left as they are: stage, down_kbps, up_kbps, upstream."), "{text}");
        assert!(text.contains("were kept: 1."), "{text}");
        let now = register(&store).await.sites[&code].clone();
        assert_ne!(now.name, edited.name);
        assert_eq!(
            (now.stage, now.down_kbps, now.upstream.clone()),
            (edited.stage, edited.down_kbps, edited.upstream)
        );
        assert_eq!((now.position, now.position_quality), (edited.position, PositionQuality::Surveyed));
        assert_eq!(now.revision, 3);
        // The audit has the change from what to what.
        let mut tx = store.reader().await.unwrap();
        let list = audit::list_object(&mut tx, "site", "BJ-001", i64::MAX, 9).await.unwrap();
        assert_eq!(list.len(), 1);
        assert!(list[0].1.before.as_ref().unwrap().contains("Another name"));
        assert_eq!(list[0].1.who, "cli:test");
    })
    .await;
}

#[tokio::test]
async fn an_import_that_was_decided_is_finished_after_a_stop_and_another_is_dropped() {
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        // A process that stopped right after deciding leaves this behind.
        let r = register(&store).await;
        let table = super::super::decode(builtin::badung()[4].bytes);
        let (plan, report) = super::super::check(Kind::Sites, &table, &r, "sites.csv");
        let staged = plan.staged().unwrap();
        let run_of = |id: &str| import::Run {
            id: id.to_owned(),
            at: NOW,
            who: "cli:test".to_owned(),
            file_name: "sites.csv".to_owned(),
            applying: false,
            summary: report.json(),
        };
        let (a, b) = (run_of("a"), run_of("b"));
        store
            .write::<_, StoreError, _>(Lane::Job, move |tx| {
                Box::pin(async move {
                    import::add(tx, &a).await?;
                    import::add_rows(tx, "a", &staged).await?;
                    import::mark(tx, "a").await?;
                    import::add(tx, &b).await?;
                    import::add_rows(tx, "b", &staged[..250]).await
                })
            })
            .await
            .unwrap();
        // What the decided import says already stands; anything else waits for it.
        let again = bring(&store, Kind::Sites, builtin::badung()[4].bytes).await.unwrap();
        assert_eq!((again.added, again.unchanged), (0, 987));
        let other = "site_code,category,name,area_code,lat,lon\nSD-901,sd_negeri,New,51.03.01.1002,-8.7265,115.1769\n";
        assert!(matches!(bring(&store, Kind::Sites, other.as_bytes()).await, Err(ImportError::Busy)));
        resume(&store).await.unwrap();
        let now = register(&store).await;
        assert_eq!(now.sites.len(), 987);
        assert_eq!(import::all(&mut store.reader().await.unwrap()).await.unwrap(), []);
    })
    .await;
}

/// What readers of the register get, by every way there is.
async fn seen(store: &Store) -> (Register, Vec<Site>, u64, Vec<Site>, Option<desired::Place>) {
    let mut tx = store.reader().await.unwrap();
    let whole = load(&mut tx).await.unwrap();
    let filter = site::Filter {
        area: Some(AreaCode::parse("51.03.04").unwrap()),
        category: Some(CategoryKey::parse("banjar").unwrap()),
        text: Some(" A".to_owned()),
        stage: Some(Stage::Planned),
    };
    let begin = site::After::Name(String::new(), String::new());
    let found = site::search(&mut tx, &filter, &begin, 20).await.unwrap();
    let count = site::count(&mut tx, &filter).await.unwrap();
    let page = site::after(&mut tx, "BJ-100", 10).await.unwrap();
    let place = desired::place(&mut tx, &SiteCode::parse("BJ-105").unwrap()).await.unwrap();
    (whole, found, count, page, place)
}

#[tokio::test]
async fn a_decided_import_is_seen_whole_before_its_rows_are_moved() {
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        let r = register(&store).await;
        let table = super::super::decode(builtin::badung()[4].bytes);
        let (plan, report) = super::super::check(Kind::Sites, &table, &r, "sites.csv");
        let before = seen(&store).await;
        let staged = plan.staged().unwrap();
        let run = import::Run {
            id: "a".to_owned(),
            at: NOW,
            who: "cli:test".to_owned(),
            file_name: "sites.csv".to_owned(),
            applying: false,
            summary: report.json(),
        };
        let write = store.write::<_, StoreError, _>(Lane::Job, move |tx| {
            Box::pin(async move {
                import::add(tx, &run).await?;
                import::add_rows(tx, "a", &staged).await
            })
        });
        write.await.unwrap();
        assert_eq!(seen(&store).await, before, "what is only staged is not seen");
        let decide = store.write::<_, StoreError, _>(Lane::Job, |tx| Box::pin(import::mark(tx, "a")));
        decide.await.unwrap();
        let decided = seen(&store).await;
        assert_eq!((decided.0.sites.len(), decided.1.len(), decided.3.len()), (987, 20, 10));
        assert!(decided.2 > 20);
        assert!(decided.4.is_some());
        // A place can be named by others at once, and what they write stays.
        let code = SiteCode::parse("BJ-105").unwrap();
        let named = code.clone();
        let write = store.write::<_, StoreError, _>(Lane::Page, move |tx| {
            Box::pin(async move {
                apply::move_now(tx, &named).await?;
                gateway::bring_into_service(tx, &named).await
            })
        });
        assert_eq!(write.await.unwrap().as_deref(), Some("planned"));
        let mut tx = store.reader().await.unwrap();
        assert_eq!(site::find(&mut tx, &code).await.unwrap().unwrap().stage, Stage::InService);
        drop(tx);
        let between = seen(&store).await;
        resume(&store).await.unwrap();
        assert_eq!(seen(&store).await, between, "moving the rows changes nothing that is seen");
        let others = |mut r: Register| {
            r.sites.remove(&code);
            r
        };
        assert_eq!(others(between.0), others(decided.0));
    })
    .await;
}

#[tokio::test]
async fn a_register_that_moved_is_checked_again() {
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        let r = register(&store).await;
        let table = super::super::decode(builtin::badung()[4].bytes);
        let (plan, report) = super::super::check(Kind::Sites, &table, &r, "sites.csv");
        let decision = apply::apply(&store, &plan, &report, "x", r.version - 1, NOW).await.unwrap();
        assert!(matches!(decision, apply::Decision::Moved));
        assert_eq!(register(&store).await, r);
        assert_eq!(import::all(&mut store.reader().await.unwrap()).await.unwrap(), []);
    })
    .await;
}

/// Twenty thousand sites, while a page writes too: no write waits for long.
#[tokio::test]
async fn an_import_of_20_000_sites_keeps_nobody_waiting() {
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        let r = register(&store).await;
        let villages: Vec<_> = r.areas.values().filter(|a| a.local_kind == "desa").collect();
        let mut csv = String::from("site_code,category,name,area_code,lat,lon\n");
        for n in 0..20_000 {
            let v = villages[n % villages.len()];
            let lat = v.centre.lat + f64::from(u32::try_from(n).unwrap()) * 1e-9;
            csv.push_str(&format!("BJ-{n},banjar,Banjar {n},{},{lat},{}\n", v.code, v.centre.lon));
        }
        let done = tokio_util::sync::CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "measures")]
        let clock = std::time::Instant::now;
        let page = tokio::spawn({
            let (store, done) = (store.clone(), done.clone());
            async move {
                let (mut longest, mut count) = (std::time::Duration::ZERO, 0u32);
                while !done.is_cancelled() {
                    let began = clock();
                    store
                        .write::<_, StoreError, _>(Lane::Page, |tx| {
                            Box::pin(kulkul_store::setting::bump(tx, "page"))
                        })
                        .await
                        .unwrap();
                    longest = longest.max(began.elapsed());
                    count += 1;
                }
                (longest, count)
            }
        });
        let began = clock();
        let report = bring(&store, Kind::Sites, csv.as_bytes()).await.unwrap();
        let took = began.elapsed();
        done.cancel();
        let (longest, count) = page.await.unwrap();
        println!("20,000 sites in {took:?}; {count} page writes meanwhile, the longest {longest:?}");
        assert_eq!(report.added, 20_000);
        assert_eq!(register(&store).await.sites.len(), 20_000);
    })
    .await;
}
