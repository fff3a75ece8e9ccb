//! The same table in every form that offices write, and decoders that never fall over.

use super::super::{csv, decode, table::guard};
use super::*;
use crate::sites::export::{self, Format};
use kulkul_model::site::{Site, SiteCode};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, StoreError, args, site};
use proptest::prelude::*;

const PLAIN: &str = "site_code,category,name,area_code,lat,lon,address\n\
    SD-901,sd_negeri,\"SD No. 1, Kuta\",51.03.01.1002,-8.7265,115.1769,\"Jl. \"\"Raya\"\"\"\n";

/// The site as it is after the file, which the register lacked before.
async fn read(store: &Store, bytes: &[u8]) -> Site {
    let gone = store.write::<_, StoreError, _>(Lane::Job, |tx| {
        Box::pin(async move { tx.execute("DELETE FROM site WHERE code = 'SD-901'", args![]).await })
    });
    gone.await.unwrap();
    match bring(store, Kind::Sites, bytes).await {
        Ok(report) => assert_eq!(report.added, 1),
        Err(e) => panic!("{e}"),
    }
    register(store).await.sites.remove(&SiteCode::parse("SD-901").unwrap()).unwrap()
}

#[tokio::test]
async fn every_habit_of_a_spreadsheet_is_understood() {
    on_both(|store| async move {
    badung(&store, Some(Kind::Sites)).await;
    let plain = read(&store, PLAIN.as_bytes()).await;
    assert_eq!((plain.name.as_str(), plain.address.as_deref()), ("SD No. 1, Kuta", Some("Jl. \"Raya\"")));
    let utf16 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(PLAIN.encode_utf16());
        units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    // As Excel with Indonesian settings writes it: semicolons and decimal commas.
    let semicolons = "site_code;category;name;area_code;lat;lon;address\r\nSD-901;sd_negeri;SD No. 1, Kuta;51.03.01.1002;-8,7265;115,1769;\"Jl. \"\"Raya\"\"\"\r\n";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("byte order mark", format!("\u{feff}{PLAIN}").into_bytes()),
        ("CRLF", PLAIN.replace('\n', "\r\n").into_bytes()),
        ("old Mac lines", PLAIN.replace('\n', "\r").into_bytes()),
        ("no line end", PLAIN.trim_end().as_bytes().to_vec()),
        ("blank lines and spaces", format!("\n{}\n\n", PLAIN.replace("51.03", " 51.03")).into_bytes()),
        ("UTF-16 LE", utf16(false)),
        ("UTF-16 BE", utf16(true)),
        ("semicolons", semicolons.as_bytes().to_vec()),
        ("sep=", format!("sep=;\r\n{semicolons}").into_bytes()),
        ("tabs", semicolons.replace(';', "\t").into_bytes()),
        (
            "Indonesian column names",
            PLAIN
                .replacen(
                    "site_code,category,name,area_code,lat,lon",
                    "Kode,Kategori,NAMA,Kode Wilayah,Lintang,Bujur",
                    1,
                )
                .into_bytes(),
        ),
        (
            "empty columns at the end",
            PLAIN.replace("address\n", "address,,\n").replace("\"\"\"\n", "\"\"\",,\n").into_bytes(),
        ),
    ];
    for (name, bytes) in cases {
        assert_eq!(read(&store, &bytes).await, plain, "{name}");
    }
    }).await;
}

#[tokio::test]
async fn windows_1252_is_read_and_said() {
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        let bytes: Vec<u8> = PLAIN
            .replace("Kuta\"", "Élok – é\"")
            .chars()
            .map(|c| match c {
                '–' => 0x96,
                c => u8::try_from(u32::from(c)).unwrap(),
            })
            .collect();
        let report = bring(&store, Kind::Sites, &bytes).await.unwrap();
        assert!(report.to_string().contains("Windows-1252"), "{report}");
        let sites = register(&store).await.sites;
        assert_eq!(sites[&SiteCode::parse("SD-901").unwrap()].name, "SD No. 1, Élok – é");
    })
    .await;
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_numbers_them() {
    let table = csv::decode(b"a,b\n\"1\n2\",x\n\n3,y\n").unwrap();
    let places: Vec<(u64, u64)> = table.records.iter().map(|r| (r.row, r.line)).collect();
    assert_eq!(places, [(2, 2), (4, 5)]);
}

#[tokio::test]
async fn exports_read_back_unchanged_and_run_no_formula() {
    on_both(|store| async move {
        badung(&store, None).await;
        let mut odd = register(&store).await.sites[&SiteCode::parse("OW-001").unwrap()].clone();
        odd.name = "=HYPERLINK(\"http://x\",\"y\")".to_owned();
        odd.address = Some("'-1+2".to_owned());
        odd.official_id = Some("@x".to_owned());
        odd.down_kbps = Some(20_000);
        store
            .write::<_, StoreError, _>(Lane::Job, move |tx| {
                Box::pin(async move { site::put(tx, &odd).await })
            })
            .await
            .unwrap();
        let before = register(&store).await;
        for format in [Format::Csv, Format::Xlsx, Format::GeoJson] {
            let bytes = export::sites(&store, format).await.unwrap();
            if format == Format::Csv {
                let text = String::from_utf8(bytes.clone()).unwrap();
                assert!(
                    text.contains("\"'=HYPERLINK") && text.contains(",''-1+2,") && text.contains(",'@x,")
                );
            }
            let report = bring(&store, Kind::Sites, &bytes).await.unwrap();
            assert_eq!((report.added, report.changed, report.unchanged), (0, 0, 987), "{format:?}");
            let bytes = export::areas(&store, format).await.unwrap();
            let report = bring(&store, Kind::Areas, &bytes).await.unwrap();
            assert_eq!((report.added, report.changed, report.unchanged), (0, 0, 70), "{format:?}");
        }
        let bytes = export::boundaries(&store).await.unwrap();
        assert_eq!(bring(&store, Kind::Boundaries, &bytes).await.unwrap().unchanged, 69);
        assert_eq!(register(&store).await, before);
    })
    .await;
}

#[test]
fn every_stored_hostile_file_is_answered() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut seen = 0;
    for target in ["csv_import", "geojson_import"] {
        for entry in std::fs::read_dir(corpus.join(target)).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            // Any answer is right; falling over is not.
            let _ = decode(&bytes);
            seen += 1;
        }
    }
    assert!(seen >= 12, "the corpus has only {seen} files");
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in "[\\[{\"a-c,;\\n\r\t'=\u{e9}0-9.}\\]:-]{0,200}") {
        let _ = decode(text.as_bytes());
    }

    #[test]
    fn what_a_writer_writes_is_read(cells in proptest::collection::vec("[a-z\",;\n\u{e9}=+@'-]{0,6}", 1..6)) {
        let mut out = ::csv::Writer::from_writer(Vec::new());
        let names: Vec<String> = (0..cells.len()).map(|n| format!("n{n}")).collect();
        out.write_record(&names).unwrap();
        let row: Vec<String> = cells.iter().map(|c| guard(c.trim())).collect();
        out.write_record(&row).unwrap();
        let table = csv::decode(&out.into_inner().unwrap()).unwrap();
        let wanted: Vec<String> = cells.iter().map(|c| c.trim().to_owned()).collect();
        if wanted.iter().any(|c| !c.is_empty()) {
            prop_assert_eq!(&table.records[0].cells, &wanted);
        }
    }
}

#[tokio::test]
async fn a_file_with_states_reads_back_and_changes_nothing() {
    on_both(|store| async move {
        badung(&store, None).await;
        let mut tx = store.reader().await.unwrap();
        let roster = crate::watch::assemble::Roster::load(&mut tx).await.unwrap();
        drop(tx);
        let board = roster.board(&crate::watch::live::Live::default(), 1, NOW);
        let zone = kulkul_model::Zone::named("Asia/Makassar").unwrap();
        let sites: Vec<_> = board.sites.values().collect();
        for format in [Format::Csv, Format::Xlsx, Format::GeoJson] {
            let file = export::with_states(&sites, &zone, format).unwrap();
            let report = bring(&store, Kind::Sites, &file).await.unwrap();
            assert_eq!((report.unchanged, report.added, report.changed), (987, 0, 0), "{format:?}");
        }
    })
    .await;
}
