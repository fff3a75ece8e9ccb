//! The engine as its users see it: types, isolation, order, stopping, locking.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kulkul_store::testing::{Temporary, on_both, on_both_unmigrated};
use kulkul_store::{Json, Lane, Store, StoreError, args, statements};

/// Makes a table by hand, which only tests do.
async fn scratch(store: &Store, define: &'static str) {
    store
        .write(Lane::Job, move |tx| Box::pin(async move { tx.execute(define, args![]).await }))
        .await
        .unwrap();
}

async fn numbers(store: &Store) -> Vec<i64> {
    let mut tx = store.reader().await.unwrap();
    let rows = tx.fetch_all("SELECT n FROM scratch ORDER BY at", args![]).await.unwrap();
    rows.iter().map(|r| r.get("n").unwrap()).collect()
}

const NUMBERS: &str = "CREATE TABLE scratch (n BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL)";
const ADD: &str = "INSERT INTO scratch (n, at) VALUES ($1, (SELECT COUNT(*) FROM scratch))";

async fn add(store: &Store, lane: Lane, n: i64) -> Result<(), StoreError> {
    store.write(lane, move |tx| Box::pin(async move { tx.execute(ADD, args![n]).await.map(drop) })).await
}

#[tokio::test]
async fn every_statement_is_understood_by_both_databases() {
    on_both(|store| async move {
        for (noun, list) in statements::ALL {
            for (name, text) in *list {
                // A transaction each: PostgreSQL answers nothing more after an error.
                let mut tx = store.reader().await.unwrap();
                if let Err(e) = tx.prepare(text).await {
                    panic!("{noun}::{name} on {}: {e}", store.engine());
                }
            }
        }
    })
    .await;
}

#[test]
fn every_noun_lists_its_statements() {
    let listed: Vec<&str> = statements::ALL.iter().map(|(noun, _)| *noun).collect();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let Some(noun) = path.file_stem().and_then(|s| s.to_str()).filter(|_| path.is_file()) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        if noun != "statements" && text.lines().any(|l| l.starts_with("statements! {")) {
            assert!(listed.contains(&noun), "statements::ALL does not list {noun}");
        }
    }
}

#[tokio::test]
async fn types_go_in_and_come_back() {
    on_both_unmigrated(|store| async move {
        let define = if store.engine() == "SQLite" {
            "CREATE TABLE kinds (a INTEGER, b TEXT, c BLOB, d INTEGER, e TEXT, f REAL) STRICT"
        } else {
            "CREATE TABLE kinds (a BIGINT, b TEXT, c BYTEA, d BOOLEAN, e JSONB, f DOUBLE PRECISION)"
        };
        scratch(&store, define).await;
        const PUT: &str = "INSERT INTO kinds (a, b, c, d, e, f) VALUES ($1, $2, $3, $4, $5, $6)";
        store
            .write(Lane::Page, |tx| {
                Box::pin(async move {
                    let json = Json("{\"k\": [1, \"é\"]}".to_owned());
                    tx.execute(PUT, args![i64::MIN, "Bṛ. 'Gaji'", vec![0u8, 255], true, json, -8.726_291_5])
                        .await?;
                    tx.execute(
                        PUT,
                        args![
                            None::<i64>,
                            None::<&str>,
                            None::<&[u8]>,
                            None::<bool>,
                            None::<Json>,
                            None::<f64>
                        ],
                    )
                    .await
                })
            })
            .await
            .unwrap();
        let mut tx = store.reader().await.unwrap();
        let rows = tx.fetch_all("SELECT * FROM kinds ORDER BY a NULLS LAST", args![]).await.unwrap();
        let row = &rows[0];
        assert_eq!(row.get::<i64>("a").unwrap(), i64::MIN);
        assert_eq!(row.get::<String>("b").unwrap(), "Bṛ. 'Gaji'");
        assert_eq!(row.get::<Vec<u8>>("c").unwrap(), [0, 255]);
        assert_eq!(row.get::<[u8; 2]>("c").unwrap(), [0, 255]);
        assert!(row.get::<bool>("d").unwrap());
        let json: serde_json::Value = serde_json::from_str(&row.get::<Json>(4).unwrap().0).unwrap();
        assert_eq!(json, serde_json::json!({"k": [1, "é"]}));
        assert_eq!(row.get::<f64>("f").unwrap(), -8.726_291_5);
        assert!(matches!(row.get::<u32>("a"), Err(StoreError::Value { .. })));
        assert!(matches!(row.get::<i64>("zz"), Err(StoreError::Column { .. })));
        assert!(matches!(row.get::<String>("a"), Err(StoreError::Column { .. })));
        let row = &rows[1];
        assert_eq!(row.get::<Option<i64>>("a").unwrap(), None);
        assert_eq!(row.get::<Option<Json>>("e").unwrap(), None);
        assert!(row.get::<String>("b").is_err());
    })
    .await;
}

#[tokio::test]
async fn one_bad_item_fails_alone() {
    on_both_unmigrated(|store| async move {
        scratch(&store, NUMBERS).await;
        add(&store, Lane::Page, 100).await.unwrap();
        // Handed in together, so that they share groups; every third one is a duplicate.
        let all = (0..30).map(|n| add(&store, Lane::Journal, if n % 3 == 0 { 100 } else { n }));
        let answers = futures_util::future::join_all(all).await;
        for (n, answer) in answers.iter().enumerate() {
            match answer {
                Ok(()) => assert_ne!(n % 3, 0),
                Err(e) => assert!(n % 3 == 0 && e.is_duplicate(), "{n}: {e}"),
            }
        }
        assert_eq!(numbers(&store).await.len(), 21);
        // A part of an item that failed later is gone too.
        let half: Result<(), StoreError> = store
            .write(Lane::Page, |tx| {
                Box::pin(async move {
                    tx.execute(ADD, args![200i64]).await?;
                    tx.execute(ADD, args![100i64]).await.map(drop)
                })
            })
            .await;
        assert!(half.unwrap_err().is_duplicate());
        assert!(!numbers(&store).await.contains(&200));
    })
    .await;
}

#[tokio::test]
async fn a_panic_is_undone_and_the_writer_goes_on() {
    on_both_unmigrated(|store| async move {
        scratch(&store, NUMBERS).await;
        let (bad, good) = tokio::join!(
            store.write::<(), StoreError, _>(Lane::Access, |tx| {
                Box::pin(async move {
                    tx.execute(ADD, args![1i64]).await?;
                    panic!("deliberate")
                })
            }),
            add(&store, Lane::Access, 2)
        );
        assert!(matches!(bad, Err(StoreError::Panicked)));
        good.unwrap();
        assert_eq!(numbers(&store).await, [2]);
    })
    .await;
}

#[tokio::test]
async fn a_lane_keeps_its_order_and_access_goes_first() {
    on_both_unmigrated(|store| async move {
        scratch(&store, NUMBERS).await;
        // The writer has not run yet on this current-thread runtime when all are queued.
        let jobs = (0..20).map(|n| add(&store, Lane::Job, n));
        let people = (100..120).map(|n| add(&store, Lane::Access, n));
        let (a, b) =
            tokio::join!(futures_util::future::join_all(jobs), futures_util::future::join_all(people));
        assert!(a.iter().chain(&b).all(Result::is_ok));
        let order = numbers(&store).await;
        let of = |range: std::ops::Range<i64>| -> Vec<i64> {
            order.iter().copied().filter(|n| range.contains(n)).collect()
        };
        assert_eq!(of(0..20), (0..20).collect::<Vec<_>>());
        assert_eq!(of(100..120), (100..120).collect::<Vec<_>>());
        // Making the table took the jobs' turn of the first round; then eight of access, one of jobs.
        assert_eq!(order[..16], (100..116).collect::<Vec<_>>());
        assert_eq!(order[16..22], [0, 116, 117, 118, 119, 1]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_means_that_readers_see_it() {
    on_both_unmigrated(|store| async move {
        scratch(&store, NUMBERS).await;
        for n in 0..20 {
            add(&store, Lane::Page, n).await.unwrap();
            assert_eq!(numbers(&store).await.len(), usize::try_from(n).unwrap() + 1);
        }
        // One reader keeps its state of the database while others write.
        let mut tx = store.reader().await.unwrap();
        let count = "SELECT COUNT(*) AS n FROM scratch";
        assert_eq!(tx.fetch_one(count, args![]).await.unwrap().get::<i64>("n").unwrap(), 20);
        add(&store, Lane::Page, 20).await.unwrap();
        assert_eq!(tx.fetch_one(count, args![]).await.unwrap().get::<i64>("n").unwrap(), 20);
        // And a reader cannot write.
        drop(tx);
        let mut tx = store.reader().await.unwrap();
        assert!(tx.execute(ADD, args![21i64]).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_stop_does_what_was_handed_in_and_refuses_the_rest() {
    let temporary = Temporary::new().await;
    scratch(&temporary.store, NUMBERS).await;
    let store = temporary.store.clone();
    let handed: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { add(&store, Lane::Job, n).await })
        })
        .collect();
    while store.waiting()[3] < 50 && !handed.iter().all(|h| h.is_finished()) {
        tokio::task::yield_now().await;
    }
    store.stop().await;
    for task in handed {
        task.await.unwrap().unwrap();
    }
    assert!(matches!(add(&store, Lane::Job, 99).await, Err(StoreError::Stopping)));
    let again = Store::open(&temporary.url).await.unwrap();
    assert_eq!(numbers(&again).await.len(), 50);
    again.stop().await;
}

#[tokio::test]
async fn a_second_process_is_refused_and_a_reader_is_not() {
    let temporary = Temporary::migrated().await;
    // A second open in one process holds another file handle, as another process would.
    let Err(error) = Store::open(&temporary.url).await else { panic!("two writers") };
    assert!(matches!(error, StoreError::Locked { .. }));
    assert!(error.to_string().starts_with("another kulkul process already uses "), "{error}");
    let reader = Store::open_reader(&temporary.url).await.unwrap();
    let mut tx = reader.reader().await.unwrap();
    tx.fetch_all("SELECT name FROM migration ORDER BY name", args![]).await.unwrap();
    drop(tx);
    assert!(matches!(add(&reader, Lane::Page, 1).await, Err(StoreError::ReadOnly)));
    reader.stop().await;
    temporary.store.stop().await;
    Store::open(&temporary.url).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_lost_database_is_said_clearly_and_found_again() {
    on_both_unmigrated(|store| async move {
        if store.engine() == "SQLite" {
            return;
        }
        scratch(&store, NUMBERS).await;
        // The server ends the writer's connection in the middle of an item.
        let cut: Result<(), StoreError> = store
            .write(Lane::Page, |tx| {
                Box::pin(async move {
                    tx.execute(ADD, args![1i64]).await?;
                    tx.fetch_all("SELECT pg_terminate_backend(pg_backend_pid())", args![]).await.map(drop)
                })
            })
            .await;
        assert!(cut.is_err());
        add(&store, Lane::Page, 2).await.unwrap();
        assert_eq!(numbers(&store).await, [2]);
    })
    .await;
}
