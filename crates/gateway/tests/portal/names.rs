//! The pages about names that are not answered.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

use super::house::{House, body, header, status};
use kulkul_gateway::dns::lists::{Held, InForce};
use kulkul_gateway::portal::blocked::Filtered;
use kulkul_model::Moment;
use kulkul_wire::blocklist::{Builder, Reach};
use kulkul_wire::link::Digest;
use kulkul_wire::link::desired::{BlockList, ListFormat, Text};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// One list with `*.ads.example`, and the place's own `games.example`.
pub fn filtered(data: &Path) -> Filtered {
    let list = BlockList {
        key: "ads".to_owned(),
        name: Text::new("Iklan <b>", "Advertising <b>"),
        sha256: Digest([5; 32]),
        bytes: 1,
        format: ListFormat::Plain,
        dated: Moment::parse("2026-11-01T00:00:00+08:00").unwrap(),
        appeal: Text::new("Diskominfo, 0361 123456", "Diskominfo, 0361 123456"),
    };
    let in_force = InForce {
        lists: vec![Held { list: list.clone(), names: 1 }],
        block: vec!["games.example".to_owned()],
        ..InForce::default()
    };
    std::fs::create_dir_all(data.join("lists")).unwrap();
    let path = in_force.settings(data).lists[0].path.clone();
    let mut builder = Builder::new(Cursor::new(Vec::new()));
    builder.add("ads.example", Reach::Both).unwrap();
    builder.finish(std::fs::File::create(path).unwrap(), [5; 32]).unwrap();
    Filtered::new(watch::channel(Arc::new(in_force)).1, data.to_owned())
}

#[tokio::test]
async fn under_a_blocked_name_stands_why() {
    let house = House::at("2026-11-24T10:00", serde_json::json!({})).await;
    for online in [false, true] {
        if online {
            house.door.let_in(house.clock.now());
        }
        let ask = |host: &str| format!("GET /x?y=1 HTTP/1.1\r\nHost: {host}\r\nAccept-Language: en\r\n\r\n");
        let answer = house.send(ask("banner.ads.example:80").as_bytes()).await;
        assert_eq!(status(&answer), "403");
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        let page = body(&answer);
        assert!(page.contains("banner.ads.example is not opened at this place"), "{page}");
        assert!(page.contains("Advertising &#60;b&#62;") && page.contains("1 Nov 2026"), "{page}");
        assert!(
            page.contains("Diskominfo, 0361 123456") && page.contains("href=\"http://portal.test/?lang=en\"")
        );
        assert!(!page.contains("<script") && page.len() < 50_000);
        let own = house.send(ask("games.example").as_bytes()).await;
        assert!(body(&own).contains("games.example is not opened"), "{own}");
        assert_eq!(status(&house.send(ask("open.example").as_bytes()).await), "302");
        assert_eq!(status(&house.send(ask("a.games.example").as_bytes()).await), "302");
    }
    let id = house.send(b"GET / HTTP/1.1\r\nHost: ads.example\r\nAccept-Language: id\r\n\r\n").await;
    assert!(body(&id).contains("ads.example tidak dibuka di tempat ini"), "{id}");
}

#[tokio::test]
async fn names_are_looked_up_for_whoever_got_no_page() {
    let house = House::at("2026-11-24T10:00", serde_json::json!({})).await;
    let page = house.get("/names?lang=en").await;
    assert_eq!(status(&page), "200");
    assert!(body(&page).contains("look its name up here"), "{page}");
    for name in ["x.ads.example", "https%3A%2F%2Fx.ads.example%2Fa%3Fb", "X.ADS.example"] {
        let page = house.get(&format!("/names?lang=en&name={name}")).await;
        assert!(body(&page).contains("x.ads.example is not opened at this place"), "{page}");
    }
    let page = house.get("/names?lang=en&name=open.example").await;
    assert!(body(&page).contains("open.example is on no list of this place"), "{page}");
    let page = house.get("/names?lang=en&name=%3Cscript%3E").await;
    assert!(!body(&page).contains("<script"), "{page}");
    let page = house.send(b"POST /names HTTP/1.1\r\nHost: portal.test\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(status(&page), "405");
}
