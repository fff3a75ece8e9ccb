//! Serves the public pages with invented states, for the browser tests and for looking at them.
//!
//! `cargo run -p kulkul-hub --example pages -- 127.0.0.1:8080`. Every ten seconds one
//! site in Kuta goes off or on again, so that live pages have something to show.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

#[path = "../tests/invented/mod.rs"]
mod invented;

use kulkul_hub::{Clock, Config, Hub};
use kulkul_model::site::SiteCode;
use kulkul_model::state::{Observed, Sign};
use kulkul_store::Store;

#[tokio::main]
async fn main() {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let folder = tempfile::tempdir().expect("a temporary directory");
    let store =
        Store::open(&format!("sqlite://{}/kulkul.db", folder.path().display())).await.expect("a store");
    store.migrate().await.expect("tables");
    let config = Config::defaults(folder.path()).expect("settings");
    let hub = Hub::start(config, Clock::machine(), store).expect("a hub");
    hub.set_board(invented::board(1, hub.clock().now()));
    let listener = tokio::net::TcpListener::bind(&listen).await.expect("a free address");
    println!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(change(hub.clone()));
    axum::serve(listener, hub.router()).await.expect("serving");
}

/// Turns one site off and on again, for ever.
async fn change(hub: Hub) {
    let code = SiteCode::parse("LK-001").expect("a code");
    let mut version = 1;
    loop {
        hub.clock().sleep_ms(10_000).await;
        version += 1;
        let now = hub.clock().now();
        let mut board = invented::board(version, now);
        if let Some(site) = board.sites.get_mut(&code) {
            site.observed = if version % 2 == 0 { Observed::Down } else { Observed::Up };
            site.since = Some(now);
            site.sign = Sign::of(site.observed, site.expected);
        }
        invented::count(&mut board);
        hub.set_board(board);
    }
}
