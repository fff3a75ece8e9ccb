//! A hub on loopback over TLS with a register of one place, and what a box needs to enrol there.
#![allow(dead_code, reason = "each test program uses its own part")]

use kulkul_hub::fleet::follower;
use kulkul_hub::serve::{ServeError, Server};
use kulkul_hub::{Clock, Config, Hub};
use kulkul_model::site::SiteCode;
use kulkul_store::{Lane, Store, StoreError, args};
use std::net::TcpListener;
use std::path::Path;
use tokio::task::JoinHandle;

pub const SITE: &str = "BJ-001";

pub fn site() -> SiteCode {
    SiteCode::parse(SITE).unwrap()
}

/// A hub that serves on loopback over TLS.
pub struct House {
    pub hub: Hub,
    served: JoinHandle<()>,
}

impl House {
    pub async fn stop(self) {
        self.hub.stop().cancel();
        self.served.await.unwrap();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn certificates(dir: &Path) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let cert = cert.signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("ca.pem"), ca_pem).unwrap();
    std::fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A hub on a port that nobody else has, and the port.
pub async fn serve_anywhere(dir: &Path, store: &Store) -> (House, u16) {
    for _ in 0..20 {
        let port = free_port();
        if let Ok(house) = serve(dir, port, store.clone()).await {
            return (house, port);
        }
    }
    panic!("no port is free");
}

pub async fn serve(dir: &Path, port: u16, store: Store) -> Result<House, ServeError> {
    let mut config = Config::defaults(dir).unwrap();
    config.listen = ([127, 0, 0, 1], port).into();
    config.admin_listen = ([127, 0, 0, 1], 0).into();
    config.public_url = format!("https://127.0.0.1:{port}");
    config.data = dir.to_owned();
    config.tls =
        Some(kulkul_hub::config::Tls { cert: dir.join("cert.pem"), key: dir.join("key.pem"), acme: false });
    let hub = Hub::start(config, Clock::machine(), store).unwrap();
    let server = Server::bind(&hub).await?;
    follower::start(&hub).await.unwrap();
    Ok(House { hub, served: tokio::spawn(server.run()) })
}

pub async fn register(store: &Store) {
    let rows = [
        "INSERT INTO area (code, name, kind, local_kind, parent, bps_code, lat, lon)
         VALUES ('51.03', 'Badung', 'regency', 'kabupaten', NULL, NULL, -8.5, 115.1)",
        "INSERT INTO category (key, prefix, name_id, name_en, rank, within, down_kbps, up_kbps, hides_presence)
         VALUES ('banjar', 'BJ', 'Banjar', 'Banjar', 1, NULL, NULL, NULL, FALSE)",
        "INSERT INTO site (code, category, name, area, lat, lon, position_quality, position_basis,
             name_quality, source, official_id, address, stage, down_kbps, up_kbps, upstream, revision, search)
         VALUES ('BJ-001', 'banjar', 'Banjar Gaji', '51.03', -8.5, 115.1, 'surveyed', NULL, 'sourced',
             'test', NULL, NULL, 'accepted', NULL, NULL, NULL, 1, 'x')",
    ];
    store
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                for row in rows {
                    tx.execute(row, args![]).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

pub fn settings(data: &Path, claim: &str, root: &str) -> kulkul_gateway::config::Config {
    let text = format!(
        "hub = \"https://127.0.0.1\"\nhub_root = \"{root}\"\nclaim = \"{claim}\"\ndata = \"{}\"\n\
         [uplink]\ninterface = \"wan0\"\n[[segment]]\nname = \"public\"\nkind = \"public\"\n\
         interface = \"lan0\"\naddress4 = \"10.77.0.1/16\"\n",
        data.display()
    );
    let path = data.join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    kulkul_gateway::config::Config::load(&path).unwrap()
}

/// Waits until something holds, at most 30 s.
pub async fn until<T>(clock: &Clock, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(seen) = look().await {
            return seen;
        }
        clock.sleep_ms(50).await;
    }
    panic!("never: {what}");
}
