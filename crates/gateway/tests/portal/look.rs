//! How the pages look and how fast they are: run by hand or where a browser is installed.

use super::house::{House, status};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const BROWSER: &str = "/usr/bin/chromium";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phones_browser_draws_the_page_in_both_languages_and_schemes() {
    if !Path::new(BROWSER).exists() {
        eprintln!("skipped: {BROWSER} is not installed");
        return;
    }
    let house = House::open().await;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("portal");
    std::fs::create_dir_all(&pictures).unwrap();
    let port = house.at.port();
    for (page, path) in [("welcome", "/"), ("online", "/status"), ("privacy", "/privacy")] {
        if page == "online" {
            house.door.let_in(house.clock.now());
        }
        for lang in ["id", "en"] {
            for (scheme, setting) in [("light", 1), ("dark", 0)] {
                let file = pictures.join(format!("{page}-{lang}-{scheme}.png"));
                let _ = std::fs::remove_file(&file);
                let profile = tempfile::tempdir().unwrap();
                let drawn = tokio::process::Command::new(BROWSER)
                    .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
                    .args(["--window-size=500,980", "--no-first-run", "--disable-background-networking"])
                    .arg(format!("--blink-settings=preferredColorScheme={setting}"))
                    .arg(format!("--user-data-dir={}", profile.path().display()))
                    .arg(format!("--screenshot={}", file.display()))
                    .arg(format!("http://127.0.0.1:{port}{path}?lang={lang}&to=http%3A%2F%2Fexample.com%2F"))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .kill_on_drop(true)
                    .status();
                let drawn = house.clock.at_most(60_000, Box::pin(drawn)).await.unwrap().unwrap();
                assert!(drawn.success());
                assert!(file.metadata().unwrap().len() > 5_000, "{} is empty", file.display());
            }
        }
    }
    eprintln!("pictures: {}", pictures.display());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_gets_many_pages_a_second() {
    let house = House::open().await;
    let mut stream = house.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: portal.test\r\n\r\n";
    let mut buffer = vec![0; 64 * 1024];
    let mut fetch = async |stream: &mut tokio::net::TcpStream| {
        stream.write_all(request).await.unwrap();
        let mut length = 0;
        loop {
            length += stream.read(&mut buffer[length..]).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]);
            if text.ends_with("</html>\n") || text.ends_with("</html>") {
                assert_eq!(status(&text), "200");
                return length;
            }
        }
    };
    let size = fetch(&mut stream).await;
    let (count, began) = (5_000, house.clock.mono_us());
    for _ in 0..count {
        fetch(&mut stream).await;
    }
    let per_s = i64::from(count) * 1_000_000 / (house.clock.mono_us() - began).max(1);
    eprintln!("{per_s} pages/s of {size} bytes on one connection");
    // Far below what an optimized build gives; a page that is drawn each time falls under it.
    assert!(per_s > 300, "{per_s} pages/s");
}
