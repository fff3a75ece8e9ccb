//! What broken and hostile clients send: each gets an answer or an end, and nobody else notices.

use super::house::{House, header, status};
use kulkul_gateway::portal::listen;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn a_megabyte_of_headers_is_told_431() {
    let house = House::open().await;
    let long = format!("GET / HTTP/1.1\r\nHost: portal.test\r\nX-Long: {}\r\n\r\n", "a".repeat(1_000_000));
    assert_eq!(status(&house.send(long.as_bytes()).await), "431");
    let many = format!("GET / HTTP/1.1\r\nHost: portal.test\r\n{}\r\n", "X: y\r\n".repeat(200_000));
    assert_eq!(status(&house.send(many.as_bytes()).await), "431");
    let target = format!("GET /{} HTTP/1.1\r\nHost: portal.test\r\n\r\n", "a".repeat(1_000_000));
    assert!(matches!(status(&house.send(target.as_bytes()).await), "414" | "431"));
    let cookie = format!(
        "GET / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\nCookie: a={}\r\n\r\n",
        "b".repeat(12_000)
    );
    assert_eq!(status(&house.send(cookie.as_bytes()).await), "200", "a big cookie is ignored");
    assert_eq!(status(&house.get("/").await), "200");
}

#[tokio::test]
async fn odd_requests_are_answered() {
    let house = House::open().await;
    let zone = "GET / HTTP/1.1\r\nHost: [fe80::1%25lan0]\r\n\r\n";
    for (request, expected) in [
        // Nothing here names an agent, as devices' own probes often do not.
        ("GET / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "200"),
        ("HEAD / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "200"),
        ("GET / HTTP/1.0\r\n\r\n", "302"),
        ("GET / HTTP/1.0\r\nHost: portal.test\r\n\r\n", "200"),
        ("GET / HTTP/1.1\r\n\r\n", "302"),
        (zone, "302"),
        ("GET /?lang=%zz&to=%ff%00 HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "200"),
        ("GET /%zz HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "404"),
        ("GET /../../etc/passwd HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "404"),
        ("PUT / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "405"),
        ("DELETE /accept HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "405"),
        ("GET /accept HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "303"),
        ("OPTIONS * HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n", "404"),
        ("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", "302"),
        ("GET / HTTP/1.1\r\nHost: portal.test\r\nHost: b\r\nConnection: close\r\n\r\n", "200"),
        ("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "400"),
        ("\0\0\0\0\r\n\r\n", "400"),
        ("GET / HTTP/9.9\r\n\r\n", "400"),
        ("POST /accept HTTP/1.1\r\nHost: portal.test\r\nContent-Length: -1\r\n\r\n", "400"),
        ("POST /accept HTTP/1.1\r\nHost: portal.test\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"),
        (
            "POST /accept HTTP/1.1\r\nHost: portal.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\ntoken\r\n0\r\n\r\n",
            "403",
        ),
    ] {
        let answer = house.send(request.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{request:?} -> {answer:.200}");
    }
    let head = house.send(b"HEAD / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n").await;
    assert!(head.ends_with("\r\n\r\n"), "HEAD has no body");
    assert!(header(&head, "content-length").unwrap().parse::<u32>().unwrap() > 3_000);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let house = House::open().await;
    let mut all = String::new();
    for lang in ["id", "en", "id"] {
        all.push_str(&format!("GET /privacy?lang={lang} HTTP/1.1\r\nHost: portal.test\r\n\r\n"));
    }
    all.push_str("GET /nowhere HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n");
    let answers = house.send(all.as_bytes()).await;
    let langs: Vec<&str> =
        answers.split("<html lang=\"").skip(1).map(|p| p.split('"').next().unwrap()).collect();
    assert_eq!(langs, ["id", "en", "id", "id"]);
    assert!(answers.contains("HTTP/1.1 404"));
}

#[tokio::test]
async fn ten_thousand_half_open_connections_hold_little_and_shut_nobody_out() {
    let house = House::open().await;
    let mut held = Vec::new();
    for n in 0..10_000u32 {
        let mut stream = house.connect().await;
        if stream.write_all(b"GET / HT").await.is_ok() && n % 100 == 0 {
            held.push(stream);
        }
    }
    assert!(house.crowd.count() <= listen::MOST_EACH, "{}", house.crowd.count());
    // Another address is served while this one has used up its share.
    let other = tokio::net::TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(house.at).await.unwrap();
    other.write_all(b"GET / HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut page = String::new();
    other.read_to_string(&mut page).await.unwrap();
    assert_eq!(status(&page), "200");
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_is_let_go() {
    let house = House::open().await;
    let mut slow = house.connect().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHost: portal.test\r\n").await.unwrap();
    let mut end = [0; 512];
    let drip = async {
        loop {
            // One byte now and then must not win more time than the head has in all.
            tokio::select! {
                got = slow.read(&mut end) => if !matches!(got, Ok(1..)) { break },
                () = house.clock.sleep_ms(700) => {
                    // It may be closed already; the next read tells.
                    let _ = slow.write_all(b"X").await;
                }
            }
        }
    };
    assert!(house.clock.at_most(14_000, Box::pin(drip)).await.is_some(), "still open after 14 s");
    drop(slow);
    let emptied = async {
        while house.crowd.count() > 0 {
            house.clock.sleep_ms(10).await;
        }
    };
    assert!(house.clock.at_most(5_000, Box::pin(emptied)).await.is_some(), "its place is free again");
}
