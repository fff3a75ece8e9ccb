//! `kulkul check`: what is wrong with this machine, the configuration, the database.
//!
//! Changes nothing. Each finding is said with its mend; 0 only when there is none.

use crate::ending::{Ending, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;
use crate::{runtime, screen};
use kulkul_hub::clock::Clock;
use kulkul_hub::config::Config;
use kulkul_hub::open_files;
use kulkul_model::Moment;
use kulkul_store::{Store, StoreError, site, staff};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Say what is wrong with this machine, the configuration and the database
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kulkul check --config hub.toml && kulkul hub --config hub.toml")]
pub struct Args {
    #[command(flatten)]
    which: WhichHub,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    what: String,
    mend: &'static str,
}

/// No machine that runs this program can have an earlier time.
const OLDEST_TIME: &str = "2026-11-01T00:00:00Z";
const LEAST_FREE_BYTES: u64 = 1024 * 1024 * 1024;

impl Args {
    /// Looks at everything and prints what it found.
    ///
    /// # Errors
    /// The configuration cannot be read at all: exit code 2.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        let config = self.which.config()?;
        runtime::run(async {
            let mut found = Vec::new();
            machine(&config, Clock::machine().now(), &mut found);
            settings(&config, &mut found);
            database(&config, &mut found).await;
            for finding in &found {
                screen::line(format!("{}: {}", finding.what, finding.mend))?;
            }
            if found.is_empty() {
                screen::line("all is well")?;
                return Ok(Ending::Done);
            }
            Ok(Ending::No)
        })
    }
}

fn machine(config: &Config, now: Moment, found: &mut Vec<Finding>) {
    let mut say = |what: String, mend| found.push(Finding { what, mend });
    if Moment::parse(OLDEST_TIME).is_ok_and(|oldest| now < oldest) {
        say(format!("the clock says {now}"), "set it, and let NTP keep it");
    }
    let wanted = config.limits.connections;
    let fits = open_files::make_room(wanted);
    if fits < wanted {
        say(
            format!("files for {fits} connections at once may be open, limits.connections wants {wanted}"),
            "raise ulimit -n (LimitNOFILE= in the service), or lower limits.connections",
        );
    }
    match rustix::fs::statvfs(nearest_directory(&config.data)) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free < LEAST_FREE_BYTES {
                let what = format!("{} MB are free for {}", free / 1_048_576, config.data.display());
                say(what, "make room, or choose another directory with the key data");
            }
        }
        Err(e) => {
            say(format!("{}: {e}", config.data.display()), "choose another directory with the key data")
        }
    }
}

/// The directory itself, or the nearest above it that is there.
fn nearest_directory(path: &Path) -> &Path {
    path.ancestors().find(|p| p.is_dir()).unwrap_or_else(|| Path::new("/"))
}

fn settings(config: &Config, found: &mut Vec<Finding>) {
    let mut say = |what: String, mend| found.push(Finding { what, mend });
    let running = answers(config.admin_listen);
    if !config.is_https() && !config.listen.ip().is_loopback() {
        say(
            format!("{} is served without TLS: passwords and claims travel in the clear", config.listen),
            "set tls.acme, or tls.cert and tls.key, or set public_url to the https address of the proxy before it",
        );
    }
    for (key, address) in [("listen", config.listen), ("admin_listen", config.admin_listen)] {
        if !running && let Err(e) = TcpListener::bind(address) {
            let what = format!("{key} = \"{address}\" cannot be used ({e})");
            say(what, "stop the program that has it, or choose another address");
        }
    }
    if let Some(tls) = config.tls.as_ref().filter(|tls| !tls.acme) {
        for file in [&tls.cert, &tls.key] {
            if let Err(e) = std::fs::read(file) {
                say(format!("{}: {e}", file.display()), "correct tls.cert and tls.key");
            }
        }
        if std::fs::metadata(&tls.key).is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
            say(format!("others may read {}", tls.key.display()), "chmod 600 it");
        }
    }
}

/// Whether a hub answers at its admin address.
fn answers(admin: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let patience = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&admin, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(
            format!("GET /healthz HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

async fn database(config: &Config, found: &mut Vec<Finding>) {
    let url = config.database_url();
    let mut say = |what: String, mend| found.push(Finding { what, mend });
    let store = match Store::open_reader(&url).await {
        Ok(store) => store,
        Err(e) => {
            let what = format!("{e}");
            return say(what, "run kulkul migrate to make it, or correct the keys data and database");
        }
    };
    match store.lacking().await {
        Ok(lacking) if lacking.is_empty() => {
            if let Err(e) = content(&store, found).await {
                found.push(Finding { what: e.to_string(), mend: "see what the database itself says" });
            }
        }
        Ok(lacking) => say(format!("the database lacks {}", lacking.join(", ")), "run kulkul migrate"),
        Err(e) => say(e.to_string(), "see what the database itself says"),
    }
    store.stop().await;
}

/// What must be in a database before anybody can work with it.
async fn content(store: &Store, found: &mut Vec<Finding>) -> Result<(), StoreError> {
    let mut tx = store.reader().await?;
    if site::count(&mut tx, &site::Filter::default()).await? == 0 {
        let mend = "kulkul import areas, categories and sites; data/badung has them for Badung";
        found.push(Finding { what: "the register has no places".to_owned(), mend });
    }
    if staff::admins(&mut tx).await? == 0 {
        let mend = "kulkul staff add NAME --role admin";
        found.push(Finding { what: "nobody can administer this hub".to_owned(), mend });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_from_1970_and_an_open_address_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::defaults(directory.path()).unwrap();
        config.limits.connections = usize::MAX / 2;
        config.listen = "0.0.0.0:0".parse().unwrap();
        config.public_url = "http://hub.example.go.id".to_owned();
        let mut found = Vec::new();
        machine(&config, Moment::EPOCH, &mut found);
        settings(&config, &mut found);
        let all = found.iter().map(|f| f.what.as_str()).collect::<Vec<_>>().join("\n");
        for part in ["the clock says 1970", "at once may be open", "without TLS"] {
            assert!(all.contains(part), "{part} is not in: {all}");
        }
    }

    #[tokio::test]
    async fn a_missing_and_an_empty_database_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::defaults(directory.path()).unwrap();
        let mut found = Vec::new();
        database(&config, &mut found).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let store = Store::open(&config.database_url()).await.unwrap();
        found.clear();
        database(&config, &mut found).await;
        assert!(found[0].what.contains("lacks 0001"), "{found:?}");
        store.migrate().await.unwrap();
        found.clear();
        database(&config, &mut found).await;
        let all = found.iter().map(|f| f.what.as_str()).collect::<Vec<_>>();
        assert_eq!(all, ["the register has no places", "nobody can administer this hub"]);
        store.stop().await;
    }
}
