//! The street's hub: a register, a certificate and a claim, made before the real program runs on them.

use super::layout::HUB4;
use crate::certificate::{self, NoCertificate};
use kulkul_hub::Hub;
use kulkul_hub::clock::Clock;
use kulkul_hub::config::Config;
use kulkul_hub::fleet::claims;
use kulkul_hub::sites::builtin;
use kulkul_hub::sites::import::{self, ImportOptions};
use kulkul_model::claim::ClaimCode;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_proof::local_code;
use kulkul_store::Store;
use std::io;
use std::path::{Path, PathBuf};

/// What a box and the hub's program need.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// hub.toml.
    pub config: PathBuf,
    /// The lines of gateway.toml that lead to this hub.
    pub top: String,
    /// Where pages and API answer.
    pub url: String,
}

/// Makes a hub's data in `dir` with the built-in register and a claim for `site`.
///
/// # Errors
/// What went wrong, in words.
pub async fn prepare(dir: &Path, site: &str) -> io::Result<Prepared> {
    let data = dir.join("hub");
    std::fs::create_dir_all(&data)?;
    let made =
        certificate::make(&data, vec![HUB4.to_owned()]).map_err(|e: NoCertificate| io::Error::other(e))?;
    let file = dir.join("hub.toml");
    let url = format!("http://{HUB4}:8080");
    let text = format!(
        "listen = \"{HUB4}:8080\"\npublic_url = \"{url}\"\ndata = \"{}\"\ndatabase = \"sqlite\"\nadmin_listen = \"127.0.0.1:9090\"\n\
         [link]\nlisten = \"{HUB4}:8443\"\nurl = \"https://{HUB4}:8443\"\ncert = \"{}\"\nkey = \"{}\"\n",
        data.display(),
        made.cert.display(),
        made.key.display()
    );
    std::fs::write(&file, text)?;
    let config = Config::load(Some(&file), []).map_err(io::Error::other)?;
    let clock = Clock::machine();
    let store = Store::open(&config.database_url()).await.map_err(io::Error::other)?;
    store.migrate().await.map_err(io::Error::other)?;
    let who = ImportOptions { dry_run: false, who: "street".to_owned() };
    for file in builtin::badung() {
        let bytes = file.bytes.to_vec();
        import::run(&store, file.kind, bytes, file.name, &who, clock.now())
            .await
            .map_err(io::Error::other)?;
    }
    let hub = Hub::start(config, clock, store.clone()).map_err(io::Error::other)?;
    hub.begin().await.map_err(io::Error::other)?;
    let site = SiteCode::parse(site).map_err(io::Error::other)?;
    let issued = claims::issue(&hub, site, "street".to_owned(), None).await.map_err(io::Error::other)?;
    hub.stop().cancel();
    store.stop().await;
    let top = format!(
        "hub = \"https://{HUB4}:8443\"\nhub_ca = \"{}\"\nclaim = \"{}\"",
        made.ca.display(),
        issued.code.shown()
    );
    Ok(Prepared { config: file, top, url })
}

/// What the hub's console would answer to a box's challenge, from the secrets of both in `dir`.
///
/// # Errors
/// A file that is missing or not as it should be.
pub fn local_answer(dir: &Path, challenge: &str) -> io::Result<String> {
    let odd = |what: &'static str| io::Error::other(what);
    let mut secret = [0; 32];
    let text = std::fs::read_to_string(dir.join("hub/keys/local.secret"))?;
    hex::decode_to_slice(text.trim(), &mut secret).map_err(io::Error::other)?;
    let text = std::fs::read_to_string(dir.join("gateway/link.json"))?;
    let link: serde_json::Value = serde_json::from_str(&text)?;
    let id = link.get("gateway").and_then(|id| id.as_str()).ok_or_else(|| odd("no gateway"))?;
    let id = GatewayId::parse(id).map_err(|_| odd("no gateway's id"))?;
    let challenge = ClaimCode::parse(challenge).map_err(io::Error::other)?;
    Ok(local_code::answer(&local_code::key(&secret, &id), &challenge).shown())
}
