//! A town on the street: the real hub and the real box, started, watched and ended by a test.
#![allow(dead_code, reason = "each test program uses its own part")]

use kulkul_sim::street::ground::{Running, permitted, skip, until};
use kulkul_sim::street::hub::{self, Prepared};
use kulkul_sim::street::layout::Street;
use kulkul_store::{Store, Tx, session};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The program: the one that `KULKUL` names, else the one that was built with this test.
pub fn kulkul() -> String {
    std::env::var("KULKUL").unwrap_or_else(|_| env!("CARGO_BIN_EXE_kulkul").to_owned())
}

/// The box's program: `KULKUL_GATEWAY` names a small build for routers, else it is the same one.
pub fn box_program() -> String {
    std::env::var("KULKUL_GATEWAY").unwrap_or_else(|_| kulkul())
}

/// The place where every street's box stands.
pub const SITE: &str = "BJ-001";

/// A street with everything running; fields end in this order.
pub struct Town {
    pub gateway: Running,
    pub hub: Running,
    pub prepared: Prepared,
    pub config: PathBuf,
    pub street: Street,
}

/// A town; nothing where the kernel forbids it.
pub fn town(test: &str, what: &str) -> Option<Town> {
    town_with(test, what, |_| String::new())
}

/// A town whose gateway.toml ends with more sections, made when the street is there.
pub fn town_with(test: &str, what: &str, sections: impl FnOnce(&Street) -> String) -> Option<Town> {
    if let Err(why) = permitted() {
        skip(test, &why);
        return None;
    }
    let mut street = Street::build(what).unwrap();
    street.start_world().unwrap();
    let prepared = runtime().block_on(hub::prepare(street.dir.path(), SITE)).unwrap();
    let hub = start_hub(&street, &prepared);
    let config = street.gateway_toml(&prepared.top, &sections(&street)).unwrap();
    let gateway = start_gateway(&street, &config);
    Some(Town { gateway, hub, prepared, config, street })
}

/// A town of what a test has started by itself.
pub fn town_of(street: Street, prepared: Prepared, config: PathBuf, gateway: Running, hub: Running) -> Town {
    Town { gateway, hub, prepared, config, street }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

pub fn start_hub(street: &Street, prepared: &Prepared) -> Running {
    let log = File::options().create(true).append(true).open(street.dir.path().join("hub.log")).unwrap();
    let mut command = street.hub.command(&kulkul());
    command.args(["hub", "--config"]).arg(&prepared.config).stderr(log);
    // What the tests are told by their environment is no key of the hub's settings.
    command.env_remove("KULKUL_GATEWAY").env_remove("KULKUL_REQUIRE_KERNEL");
    let hub = Running::start(&mut command).unwrap();
    until("the hub answers", 60, || {
        street.hub.run(&format!("curl -s -f -m 2 -o /dev/null {}/sites", prepared.url)).ok()
    });
    hub
}

impl Town {
    /// The site as the hub's API shows it.
    pub fn site(&self) -> serde_json::Value {
        let url = format!("curl -s -m 5 {}/api/v1/sites/{SITE}", self.prepared.url);
        serde_json::from_str(&self.street.hub.run(&url).unwrap_or_default()).unwrap_or_default()
    }

    pub fn observed(&self, wanted: &str) -> Option<()> {
        (self.site()["observed"] == wanted).then_some(())
    }

    /// How many sessions the hub holds; none when they cannot be read just now.
    pub fn sessions(&self) -> Option<usize> {
        self.book().map(|all| all.len())
    }

    /// Why and with how many bytes sessions ended, oldest first.
    pub fn stopped(&self) -> Vec<(String, u64)> {
        let mut all = self.book().unwrap_or_default();
        all.sort_by_key(|s| s.began_at);
        let end = |s: &session::Session| {
            let reason = s.ended?.as_str().to_owned();
            Some((reason, s.usage.up_bytes + s.usage.down_bytes))
        };
        all.iter().filter_map(end).collect()
    }

    fn book(&self) -> Option<Vec<session::Session>> {
        self.read(async |tx| {
            session::list(tx, &session::Filter::default(), &session::newest(), 1_000).await.ok()
        })
    }

    /// Reads what the hub holds; none when it cannot be read just now.
    ///
    /// The hub locks its database, so a copy is read; one that was torn by a write is tried again.
    pub fn read<T>(&self, look: impl AsyncFnOnce(&mut Tx) -> Option<T>) -> Option<T> {
        let (data, copy) = (self.street.dir.path().join("hub"), tempfile::tempdir().unwrap());
        for name in ["kulkul.db", "kulkul.db-wal"] {
            std::fs::copy(data.join(name), copy.path().join(name)).ok();
        }
        runtime().block_on(async {
            let store =
                Store::open(&format!("sqlite://{}", copy.path().join("kulkul.db").display())).await.ok()?;
            let mut tx = store.reader().await.ok()?;
            let seen = look(&mut tx).await;
            drop(tx);
            store.stop().await;
            seen
        })
    }
}

pub fn start_gateway(street: &Street, config: &Path) -> Running {
    let log = File::options().create(true).append(true).open(street.dir.path().join("gateway.log")).unwrap();
    let mut command = street.gateway.command(&box_program());
    command.args(["gateway", "--config"]).arg(config).env("KULKUL_LOG", "info").stderr(log);
    let gateway = Running::start(&mut command).unwrap();
    let ready = || {
        let page = street.phone.run("curl -s -m 2 -o /dev/null -w %{http_code} http://10.77.0.1/").ok()?;
        (page == "200").then_some(())
    };
    let died = std::panic::catch_unwind(|| until("the portal answers", 90, ready)).is_err();
    assert!(!died, "the gateway did not come up:\n{}", log_of(street));
    gateway
}

pub fn log_of(street: &Street) -> String {
    std::fs::read_to_string(street.dir.path().join("gateway.log")).unwrap_or_default()
}

/// Fetches an address from the phone: status, effective location, body.
pub fn fetch(street: &Street, extra: &str, url: &str) -> (String, String) {
    let out = street.phone.command("curl");
    let mut out = out;
    let out = out
        .args(["-s", "-m", "5", "-w", "\n%{http_code} %{redirect_url}"])
        .args(extra.split_whitespace())
        .arg(url);
    let text = String::from_utf8_lossy(&out.output().unwrap().stdout).into_owned();
    let (body, last) = text.rsplit_once('\n').unwrap_or(("", &text));
    (last.trim().to_owned(), body.to_owned())
}

/// Reads the welcome page and presses its button; nothing when there is none or it does not let in.
pub fn try_accept(street: &Street, portal: &str) -> Option<()> {
    let (_, page) = fetch(street, "-g", &format!("http://{portal}/"));
    let field = |name| kulkul_sim::street::person::hidden(&page, name);
    let form = format!("token={}&terms={}&lang=id", field("token")?, field("terms")?);
    let (status, _) = fetch(street, &format!("-g -d {form}"), &format!("http://{portal}/accept"));
    status.starts_with("303").then_some(())
}

/// Reads the welcome page and presses its button, as `curl` over the given family.
pub fn accept(street: &Street, portal: &str) {
    let (_, page) = fetch(street, "-g", &format!("http://{portal}/"));
    let field =
        |name| kulkul_sim::street::person::hidden(&page, name).unwrap_or_else(|| panic!("no {name}: {page}"));
    let form = format!("token={}&terms={}&lang=id", field("token"), field("terms"));
    let (status, body) = fetch(street, &format!("-g -d {form}"), &format!("http://{portal}/accept"));
    assert!(status.starts_with("303"), "{status} {body}\n{}", log_of(street));
}
