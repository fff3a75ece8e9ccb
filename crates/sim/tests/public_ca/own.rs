//! The hub's own certificate by ACME, in the handshake and in the DNS.

use super::*;
use kulkul_hub::serve::Server;

/// A hub that serves by a certificate of the authority, at the port that it looks at.
async fn serving(data: &Path, store: &Store, ca: &PublicCa, dns: bool) -> (Hub, tokio::task::JoinHandle<()>) {
    let (port, more) = (ca.ports.proof, if dns { ca.settings() } else { ca.settings_without_dns() });
    let text = format!(
        "listen = \"127.0.0.1:{port}\"\nadmin_listen = \"127.0.0.1:0\"\npublic_url = \"https://hub.{ZONE}\"\n\
         data = \"{}\"\n[tls]\nacme = true\n{more}",
        data.display()
    );
    let config = Config::read(&text, "hub.toml", []).unwrap();
    let hub = Hub::start(config, Clock::machine(), store.clone()).unwrap();
    let server = Server::bind(&hub).await.unwrap();
    (hub, tokio::spawn(server.run()))
}

/// The hub's page as somebody reads it who trusts the authority's root; its status, or what curl says.
fn visit(port: u16, root: &Path) -> Result<String, String> {
    let host = format!("hub.{ZONE}");
    let out = Command::new("curl")
        .args(["-s", "-S", "-m", "5", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--cacert"])
        .arg(root)
        .args([
            "--resolve",
            &format!("{host}:{port}:127.0.0.1"),
            &format!("https://{host}:{port}/about-nothing"),
        ])
        .output()
        .unwrap();
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&out.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_gets_its_own_certificate_with_and_without_dns() {
    let test = "the_hub_gets_its_own_certificate_with_and_without_dns";
    let Some(mut ca) = authority(test) else { return };
    let root = tempfile::NamedTempFile::new().unwrap();
    fs::write(root.path(), ca.root().unwrap()).unwrap();
    let clock = Clock::machine();
    for dns in [false, true] {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}", data.path().join("hub.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        let (hub, served) = serving(data.path(), &store, &ca, dns).await;
        let seen = house::until(&clock, "the hub has a certificate", async || {
            visit(ca.ports.proof, root.path()).ok()
        });
        let seen = seen.await;
        assert_eq!(seen, "404 2", "{}", ca.log());
        let kept = hub.own_certificate().unwrap().kept();
        assert!(kept.trouble().is_none() && kept.due_at > Some(clock.now()), "{kept:?}");
        // Nobody gets a proof that is not due, and the protocol leads to no page.
        let proof = Command::new("openssl")
            .args(["s_client", "-alpn", "acme-tls/1", "-servername", &format!("hub.{ZONE}"), "-connect"])
            .arg(format!("127.0.0.1:{}", ca.ports.proof))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert!(!proof.status.success(), "{}", String::from_utf8_lossy(&proof.stdout));
        hub.stop().cancel();
        served.await.unwrap();
        // Another start, the authority away: what is held is shown, and nothing is ordered.
        ca.stop_authority();
        let (hub, served) = serving(data.path(), &store, &ca, dns).await;
        house::until(&clock, "it is shown", async || visit(ca.ports.proof, root.path()).ok()).await;
        let mut tx = store.reader().await.unwrap();
        let orders: i64 =
            tx.fetch_one("SELECT COUNT(*) AS n FROM acme_order", args![]).await.unwrap().get("n").unwrap();
        drop(tx);
        assert_eq!(orders, 1);
        hub.stop().cancel();
        served.await.unwrap();
        ca.start_authority().unwrap();
        fs::write(root.path(), ca.root().unwrap()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_gets_no_certificate_says_why_and_waits() {
    let test = "a_hub_that_gets_no_certificate_says_why_and_waits";
    let Some(mut ca) = authority(test) else { return };
    ca.stop_authority();
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}", data.path().join("hub.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    let (hub, served) = serving(data.path(), &store, &ca, false).await;
    let own = hub.own_certificate().unwrap();
    let clock = Clock::machine();
    let trouble = house::until(&clock, "it is told", async || own.kept().trouble()).await;
    assert_eq!(trouble.kind, "silent", "{trouble:?}");
    let refused = visit(ca.ports.proof, ca.file("ca.pem").as_path()).unwrap_err();
    assert!(refused.contains("curl: (35)"), "nothing is shown rather than something wrong: {refused}");
    let tries = own.kept().tries;
    own.round(&hub, hub.acme().unwrap()).await;
    assert_eq!(own.kept().tries, tries, "it waits before it asks again");
    // Mended, and asked for by hand.
    ca.start_authority().unwrap();
    hub.acme().unwrap().hurry();
    own.hurry(clock.now());
    own.round(&hub, hub.acme().unwrap()).await;
    assert_eq!(own.kept().trouble(), None, "{}", ca.log());
    hub.stop().cancel();
    served.await.unwrap();
}
