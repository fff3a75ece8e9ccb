//! Every bad input by name: the words that an official reads, in both languages.

use super::*;
use kulkul_store::testing::on_both;

/// A sound row of the village Kuta, to be spoilt.
const HEADER: &str = "site_code,category,name,area_code,lat,lon,quality,address\n";

async fn sites(store: &Store, lines: &str) -> String {
    badung(store, Some(Kind::Sites)).await;
    refused(store, Kind::Sites, format!("{HEADER}{lines}").as_bytes(), Lang::En).await
}

#[tokio::test]
async fn a_thoroughly_broken_file_is_explained_row_by_row() {
    const BROKEN: &str = "site_code,category,name,area_code,lat,lon,quality,address
SD-001,sd_negeri,Good,51.03.01.1002,-8.7265,115.1769,name-only,
SD-002,sd_negri,Category misspelt,51.03.01.1002,-8.7266,115.1769,name-only,
SD-003,sd_negeri,Swapped,51.03.01.1002,115.1769,-8.7267,name-only,
SD-004,sd_negeri,No minus,51.03.01.1002,8.7268,115.1769,name-only,
SD-005,sd_negeri,Other village,51.03.01.1002,-8.5466,115.1664,name-only,
SD-006,sd_negeri,Far away,51.03.01.1002,-6.2,106.8,name-only,
SD-007,sd_negeri,,51.03.01.1002,-8.7271,115.1769,name-only,
SM-008,sd_negeri,Wrong prefix,51.03.01.1002,-8.7272,115.1769,name-only,
BJ-009,banjar,Banjar in a kelurahan,51.03.01.1002,-8.7273,115.1769,name-only,
SD-010,sd_negeri,Area misspelt,51.03.01.1022,-8.7274,115.1769,name-only,
SD-011,sd_negeri,Area is a district,51.03.01,-8.7275,115.1769,name-only,
SD-001,sd_negeri,Code twice,51.03.01.1002,-8.7276,115.1769,name-only,
SD-013,sd_negeri,Same point,51.03.01.1002,-8.7265,115.1769,name-only,
SD-014,sd_negeri,Good,51.03.01.1002,-8.7277,115.1769,name-only,
SD-015,sd_negeri,Mangled number,51.03.01.1002,-8.727.800,\"115,1769\",name-only,
SD-016,sd_negeri,\"Two
lines\",51.03.01.1002,-8.7279,115.1769,name-only,
SD-017,sd_negeri,Quality,51.03.01.1002,-8.7280,115.1769,surveyed,
sd18,sd_negeri,Code,51.03.01.1002,-8.7281,115.1769,name-only,
SD-019,sd_negeri,Unquoted comma,51.03.01.1002,-8.7282,115.1769,name-only,Jl. Raya, Kuta
SD-020,sd_negeri,Short row
";
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        // Ragged rows make the columns of all rows doubtful, so they are told first and alone.
        let ragged = refused(&store, Kind::Sites, BROKEN.as_bytes(), Lang::En).await;
        insta::assert_snapshot!("ragged", ragged);
        let rest: Vec<&str> = BROKEN.lines().filter(|l| !l.contains("-019") && !l.contains("-020")).collect();
        let rest = rest.join("\n");
        insta::assert_snapshot!("broken_en", refused(&store, Kind::Sites, rest.as_bytes(), Lang::En).await);
        insta::assert_snapshot!("broken_id", refused(&store, Kind::Sites, rest.as_bytes(), Lang::Id).await);
    })
    .await;
}

#[tokio::test]
async fn a_sourced_place_may_lie_a_little_outside_its_simplified_village() {
    on_both(|store| async move {
        badung(&store, Some(Kind::Sites)).await;
        // Pantai Seseh's own point is 30 m outside Cemagi.
        let seed = String::from_utf8(builtin::badung()[4].bytes.to_vec()).unwrap();
        let row = seed.lines().find(|l| l.contains("Pantai Seseh")).unwrap();
        let file = |quality: &str| {
            format!("{}\n{}\n", seed.lines().next().unwrap(), row.replace(",sourced,", quality))
        };
        let text = refused(&store, Kind::Sites, file(",name-only,").as_bytes(), Lang::En).await;
        assert!(text.contains("m outside Cemagi, in Munggu"), "{text}");
        bring(&store, Kind::Sites, file(",sourced,").as_bytes()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn columns_are_missing_unknown_or_doubled() {
    on_both(|store| async move {
        let file =
            "site_code,category,nmae,area_code,lat,latitude,colour\nSD-001,sd_negeri,x,51.03,1,1,red\n";
        insta::assert_snapshot!(
            "columns_are_missing_unknown_or_doubled",
            refused(&store, Kind::Sites, file.as_bytes(), Lang::En).await
        );
    })
    .await;
}

#[tokio::test]
async fn many_faults_are_counted_and_some_are_shown() {
    let rows: &String =
        &(0..120).map(|n| format!("SD-{n},sd_negeri,Name {n},51.03.01.1002,x,115.1,name-only,\n")).collect();
    on_both(|store| async move {
        let text = sites(&store, rows).await;
        assert_eq!(text.lines().count(), 52);
        assert!(text.contains("... and 70 more."), "{text}");
        assert!(text.ends_with("test.csv: 120 faults. Nothing was changed."), "{text}");
    })
    .await;
}

#[tokio::test]
async fn files_that_are_no_tables_say_so() {
    on_both(|store| async move {
    let mut seen = String::new();
    let big = vec![b'a'; super::super::MOST_BYTES + 1];
    let cases: [(&str, &[u8]); 11] = [
        ("empty", b""),
        ("blank", b"\xef\xbb\xbf\r\n  \r\n"),
        ("binary", b"\x7fELF\x00\x01"),
        ("old excel", &[0xd0, 0xcf, 0x11, 0xe0, 0xa1]),
        ("not a workbook", b"PK\x03\x04 but no more"),
        ("open quote", b"site_code,name\nSD-001,\"Kuta\nSD-002,x\n"),
        ("not json", b"{\"type\": "),
        ("another json", b"{\"type\": \"Topology\"}"),
        ("a line", b"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{},\"geometry\":{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}}]}"),
        ("no features", b"{\"type\":\"FeatureCollection\",\"features\":[]}"),
        ("too big", &big),
    ];
    for (name, bytes) in cases {
        let text = refused(&store, Kind::Sites, bytes, Lang::En).await;
        seen.push_str(&format!("{name}: {}\n", text.lines().next().unwrap()));
    }
    insta::assert_snapshot!("files_that_are_no_tables_say_so", seen);
    }).await;
}

#[tokio::test]
async fn a_tree_of_areas_has_no_loops_and_known_parents() {
    on_both(|store| async move {
        let file = "code,name,kind,parent_code,lat,lon
51.03,Badung,kabupaten,51,-8.58,115.18
51.03.01,Kuta,kecamatan,51.30,-8.72,115.17
51.03.02,A,kecamatan,51.03.03,-8.72,115.17
51.03.03,B,kecamatan,51.03.02,-8.72,115.17
51.03.01.1002,Kuta,desa,51.03.01,-8.72,115.17
51.03.01.2003,Legian,kampung,51.03.01,-8.72,115.17
51.03.01.2004,Empty,desa,,-8.72,115.17
51.3.x,Code,desa,51.03.01,-8.72,115.17
";
        insta::assert_snapshot!(
            "a_tree_of_areas_has_no_loops_and_known_parents",
            refused(&store, Kind::Areas, file.as_bytes(), Lang::En).await
        );
    })
    .await;
}

#[tokio::test]
async fn shapes_are_closed_belong_to_an_area_and_hold_its_centre() {
    on_both(|store| async move {
    bring(&store, Kind::Areas, builtin::badung()[0].bytes).await.unwrap();
    let feature = |code: &str, ring: &str| {
        format!(
            "{{\"type\":\"Feature\",\"properties\":{{\"code\":\"{code}\"}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}}}"
        )
    };
    let file = |features: &[String]| {
        format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(","))
    };
    let square = "[[115,-9],[116,-9],[116,-8],[115,-8],[115,-9]]";
    let away = "[[1,1],[2,1],[2,2],[1,1]]";
    let mut seen = String::new();
    for features in [
        vec![feature("51.03.01", "[[115,-9],[116,-9],[116,-8]]")],
        vec![feature("51.03.01", "[[115,-9],[116,-9],[116,-8],[115,-8]]")],
        vec![feature("51.03.01", "[[115,-9],[116,-900],[116,-8],[115,-9]]")],
        vec![feature("51.03.01.1002", away), feature("51.99", square)],
        vec![feature("51.03.01", square), feature("51.03.01", square)],
    ] {
        seen.push_str(&refused(&store, Kind::Boundaries, file(&features).as_bytes(), Lang::En).await);
        seen.push_str("\n\n");
    }
    seen.push_str(&refused(&store, Kind::Boundaries, b"code,name\n51.03,x\n", Lang::En).await);
    insta::assert_snapshot!("shapes_are_closed_belong_to_an_area_and_hold_its_centre", seen);
    }).await;
}

#[tokio::test]
async fn categories_have_keys_prefixes_and_names() {
    on_both(|store| async move {
        let file = "category,prefix,name_id,name_en,within,hides_presence
banjar,BJ,Banjar,Hall,desa,ya
banjar,BJ,Banjar,Hall,desa,ya
lingkungan,BJ,Lingkungan,Ward,dusun,mungkin
Sekolah,SE,Sekolah,School,,no
puskesmas,pk,,Health centre,,no
";
        insta::assert_snapshot!(
            "categories_have_keys_prefixes_and_names",
            refused(&store, Kind::Categories, file.as_bytes(), Lang::En).await
        );
    })
    .await;
}

/// Every code that the register's files use has words in both languages.
#[test]
fn every_refusal_has_words() {
    let words = Words::load().unwrap();
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sites");
    let mut files = vec![room.join("check.rs"), room.join("edit.rs")];
    files.extend(std::fs::read_dir(room.join("import")).unwrap().map(|e| e.unwrap().path()));
    let mut seen = 0;
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        for mark in ["no(\"", "Refusal::new(404, \"", "Refusal::new(409, \"", "notes.push(\"", "fixed(\""] {
            for rest in text.split(mark).skip(1) {
                let code = rest.split('"').next().unwrap();
                assert!(words.has(&format!("refusal-{code}")), "{}: no words for {code}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 70, "only {seen} codes were found");
}
