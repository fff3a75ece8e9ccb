//! The connection log on the street: what the kernel translated, asked at the box, and never where to.

use super::town::{Town, accept, box_program, fetch, log_of, town};
use kulkul_sim::street::ground::until;
use kulkul_sim::street::layout::{PHONE, PHONE4, WORLD4};
use kulkul_store::{gateway, journal};
use std::path::PathBuf;

/// The source port that the phone's connection and the box's own would both have.
const PORT: u16 = 45_000;

impl Town {
    fn log_files(&self) -> Vec<PathBuf> {
        let folder = self.street.dir.path().join("gateway/connections");
        let mut all: Vec<PathBuf> =
            std::fs::read_dir(folder).map(|d| d.map(|f| f.unwrap().path()).collect()).unwrap_or_default();
        all.sort();
        all
    }

    fn logged(&self) -> Vec<u8> {
        self.log_files().into_iter().flat_map(|f| std::fs::read(f).unwrap_or_default()).collect()
    }

    /// Asks the box's log about now; the exit code and what was found.
    fn asked(&self, port: Option<u16>) -> (Option<i32>, serde_json::Value) {
        let now = self.street.gateway.run("date -u +%Y-%m-%dT%H:%M:%SZ").unwrap();
        let mut command = self.street.gateway.command(&box_program());
        command.args(["gateway", "connections", "--json", "--within", "60", "--reason", "B/17/2026"]);
        command.args(["--at", now.trim(), "--config"]).arg(&self.config);
        if let Some(port) = port {
            command.args(["--port", &port.to_string()]);
        }
        let out = command.output().unwrap();
        (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_default())
    }

    /// Whether the hub holds an entry of the journal with these words.
    fn journal_says(&self, words: &str) -> Option<()> {
        let held = self.read(async |tx| {
            let id = gateway::list(tx, "", 10).await.ok()?.into_iter().next()?.id;
            journal::list(tx, &id, 1, 10_000).await.ok()
        })?;
        let words = words.as_bytes();
        held.iter().any(|(.., sealed)| sealed.windows(words.len()).any(|w| w == words)).then_some(())
    }

    /// The source port that the kernel gave the phone's connection from `PORT`.
    fn translated(&self) -> Option<u16> {
        let table = self.street.gateway.run("cat /proc/net/nf_conntrack").ok()?;
        let own = format!("src={PHONE4} dst={WORLD4} sport={PORT} ");
        let line = table.lines().find(|l| l.contains("tcp") && l.contains(&own))?.to_owned();
        line.rsplit_once("dport=")?.1.split(' ').next()?.parse().ok()
    }
}

#[test]
fn a_translated_port_leads_to_the_session_and_nothing_to_where_it_went() {
    let test = "a_translated_port_leads_to_the_session_and_nothing_to_where_it_went";
    let Some(town) = town(test, "connlog") else { return };
    let street = &town.street;
    let url = format!("http://{WORLD4}/");
    accept(street, "10.77.0.1");
    until("the phone is online", 60, || fetch(street, "-m 2", &url).1.starts_with("hello").then_some(()));
    assert!(town.log_files().is_empty(), "nothing is kept unless it is ordered");
    assert!(fetch(street, "", "http://10.77.0.1/privacy").1.contains("tidak menyimpan catatan sambungan"));
    assert_eq!(town.asked(None).0, Some(1), "the log has nobody");

    town.order("connections", r#"{"log": "flow", "keep_days": 7}"#);
    until("the portal says so", 60, || {
        let page = fetch(street, "", "http://10.77.0.1/privacy").1;
        (page.contains("selama 7 hari") && page.contains("CGNAT")).then_some(())
    });
    // The box's own connection takes the port first, so that the phone's gets another one outside.
    let from = format!("curl -s -m 5 --local-port {PORT} -o /dev/null {url}");
    street.gateway.run(&from).unwrap();
    let port = until("the kernel translates the phone's port", 60, || {
        street.phone.run(&from).ok();
        town.translated()
    });
    assert_ne!(port, PORT, "the test would show nothing of the translation");
    let found = until("the log leads to the phone", 60, || {
        let (code, found) = town.asked(Some(port));
        (code == Some(0)).then_some(found)
    });
    let all = found.as_array().unwrap();
    assert_eq!(all.len(), 1, "{found}\n{}", log_of(street));
    assert_eq!(all[0]["mac"], PHONE);
    assert_eq!(all[0]["connections"][0]["protocol"], 6, "{found}");
    let sessions = town.read(async |tx| {
        let all = kulkul_store::session::Filter::default();
        kulkul_store::session::list(tx, &all, &kulkul_store::session::newest(), 10).await.ok()
    });
    assert_eq!(all[0]["session"], sessions.unwrap()[0].id.to_string(), "as the hub knows it");
    // Neither as text nor as bytes of an address is there where it went to.
    let bytes = town.logged();
    let far = [203, 0, 113, 1];
    assert!(bytes.windows(4).any(|w| w == [10, 77, 0, 9]), "addresses of the place are there");
    assert!(!bytes.windows(4).any(|w| w == far) && !bytes.windows(9).any(|w| w == b"203.0.113"));
    assert_eq!(town.asked(Some(PORT)).0, Some(1), "the port inside leads to nobody outside");
    until("the journal tells of the switch", 60, || town.journal_says("connection_log"));
    until("the journal tells who asked and why", 60, || town.journal_says("B/17/2026"));

    // Off: what was written stays its days, nothing is added.
    town.order("connections", r#"{"log": "off", "keep_days": 7}"#);
    until("the portal says so", 60, || {
        fetch(street, "", "http://10.77.0.1/privacy").1.contains("tidak menyimpan catatan").then_some(())
    });
    let before = until("the file is closed", 60, || {
        let (a, found) = (town.logged(), town.asked(Some(port)).1);
        (found[0]["connections"][0]["until"].is_string()).then_some(a)
    });
    for _ in 0..3 {
        assert!(fetch(street, "-m 2", &url).1.starts_with("hello"), "nobody was dropped for any of it");
    }
    // Longer than the log's own buffer waits.
    until("a while has passed", 60, || street.gateway.run("sleep 6").ok());
    assert_eq!(town.logged(), before);
    assert!(!before.is_empty());
}
