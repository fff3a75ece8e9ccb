//! DHCP and router advertisements on a real link: dnsmasq and our own sender on one
//! side, dhclient and rdisc6 in another namespace on the other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

#[path = "../../sim/src/street/ground.rs"]
mod ground;

use kulkul_gateway::again::Again;
use kulkul_gateway::clock::Clock;
use kulkul_gateway::config::Config;
use kulkul_gateway::{advert, dhcp, kept};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const URI: &str = "https://bj-001.example.org/captive/api";
/// Set in the process that plays the box inside its namespace.
const INSIDE: &str = "KULKUL_TEST_LAN_DATA";

fn run(line: &str) -> Output {
    let mut words = line.split(' ');
    Command::new(words.next().unwrap()).args(words).output().unwrap()
}

fn must(line: &str) -> String {
    let done = run(line);
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn missing() -> Option<String> {
    let root = rustix_is_root();
    let tools = ["ip", "dnsmasq", "dhclient", "rdisc6"];
    let absent: Vec<&str> = tools
        .into_iter()
        .filter(|t| !["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|d| Path::new(d).join(t).exists()))
        .collect();
    if !root {
        return Some("not root".to_owned());
    }
    if !absent.is_empty() {
        return Some(format!("missing: {}", absent.join(", ")));
    }
    let probe = format!("kk-portal-{}-probe", std::process::id());
    let can = run(&format!("ip netns add {probe}")).status.success();
    run(&format!("ip netns del {probe}"));
    (!can).then(|| "no network namespaces here".to_owned())
}

fn rustix_is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0)
}

/// Two namespaces with a cable between them; gone when dropped.
struct Street {
    gateway: String,
    device: String,
}

impl Street {
    fn build() -> Street {
        let pid = std::process::id();
        let street =
            Street { gateway: format!("kk-portal-{pid}-gw"), device: format!("kk-portal-{pid}-dev") };
        let (gw, dev) = (&street.gateway, &street.device);
        must(&format!("ip netns add {gw}"));
        must(&format!("ip netns add {dev}"));
        must(&format!("ip -n {gw} link add lan0 type veth peer name eth0 netns {dev}"));
        must(&format!("ip -n {gw} addr add 10.77.0.1/16 dev lan0"));
        must(&format!("ip -n {gw} addr add fd77::1/64 dev lan0 nodad"));
        for (ns, link) in [(gw, "lo"), (gw, "lan0"), (dev, "lo"), (dev, "eth0")] {
            must(&format!("ip -n {ns} link set {link} up"));
        }
        street
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        run(&format!("ip netns del {}", self.device));
        run(&format!("ip netns del {}", self.gateway));
    }
}

fn until(what: &str, mut look: impl FnMut() -> Option<String>) -> String {
    let clock = Clock::machine();
    let end = clock.mono_ms() + 90_000;
    let mut last = None;
    while clock.mono_ms() < end {
        last = look();
        if let Some(found) = last {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{what}: not within 90 s ({last:?})")
}

/// The box's side: not a test of its own, the other one starts it inside a namespace.
#[tokio::test]
async fn plays_the_box() {
    let Ok(data) = std::env::var(INSIDE) else { return };
    let text = format!(
        "hub = \"https://hub.test\"\ndata = \"{data}\"\n[uplink]\ninterface = \"wan0\"\nnat6 = true\n[[segment]]\nname = \"public\"\nkind = \"public\"\ninterface = \"lan0\"\naddress4 = \"10.77.0.1/16\"\naddress6 = \"fd77::1/64\"\ndhcp = true\n"
    );
    let config = Arc::new(Config::parse(&text, []).unwrap());
    let (_told, captive) = watch::channel(Some(URI.to_owned()));
    let (failed, _failures) = mpsc::channel(4);
    let (clock, stop) = (Clock::machine(), CancellationToken::new());
    let ending = async {
        while !Path::new(&data).join("stop").exists() {
            clock.sleep_ms(20).await;
        }
        stop.cancel();
    };
    let dhcp = dhcp::keep(config.clone(), captive.clone(), clock.clone(), failed, Again::new(stop.clone()));
    let advert = advert::run(config.clone(), captive, clock.clone(), stop.clone());
    let (served, (), ()) = tokio::join!(dhcp, advert, ending);
    served.unwrap();
}

#[test]
fn a_device_gets_an_address_a_router_and_the_portals_uri() {
    if let Some(why) = missing() {
        return ground::skip("a_device_gets_an_address_a_router_and_the_portals_uri", &why);
    }
    let street = Street::build();
    let data = tempfile::tempdir().unwrap();
    let start = || {
        Command::new("ip")
            .args(["netns", "exec", &street.gateway])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "plays_the_box"])
            .env(INSIDE, data.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let program = dhcp::program(data.path());
    let dnsmasq = || kept::running(&program.pid_file, &program.mark).map(|pid| pid.to_string());
    let mut gateway = start();
    let first = until("dnsmasq", dnsmasq);

    // IPv4: address, router, resolver, option 114.
    let dir = data.path().display();
    std::fs::write(
        data.path().join("dhclient.conf"),
        "option captive-portal code 114 = text;\nrequest subnet-mask, routers, domain-name-servers, captive-portal;\n",
    )
    .unwrap();
    let leases = data.path().join("dev.leases");
    let dev = &street.device;
    let ask = format!(
        "ip netns exec {dev} dhclient -4 -1 -n -d -sf /bin/true -cf {dir}/dhclient.conf -lf {dir}/dev.leases -pf {dir}/dev.pid eth0"
    );
    let mut words = ask.split(' ');
    let mut client = Command::new(words.next().unwrap())
        .args(words.filter(|w| *w != "-n"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lease = until("a lease", || {
        std::fs::read_to_string(&leases).ok().filter(|t| t.contains("fixed-address 10.77."))
    });
    client.kill().unwrap();
    client.wait().unwrap();
    for part in ["option routers 10.77.0.1;", "option domain-name-servers 10.77.0.1;", URI] {
        assert!(lease.contains(part), "{part} is missing in {lease}");
    }
    let kept_leases = std::fs::read_to_string(data.path().join("leases")).unwrap();
    assert!(kept_leases.contains(" 10.77."), "dnsmasq keeps leases on disk: {kept_leases}");

    // IPv6: an answered solicitation with prefix, resolver and option 37.
    let advert = until("a router advertisement", || {
        let said = run(&format!("ip netns exec {dev} rdisc6 -1 -r 1 -w 2000 eth0"));
        Some(String::from_utf8_lossy(&said.stdout).into_owned()).filter(|t| t.contains("Prefix"))
    });
    for part in ["fd77::/64", "Recursive DNS server     : fd77::1", "1800 (0x00000708) seconds"] {
        assert!(advert.contains(part), "{part} is missing in {advert}");
    }
    until("an address of the device's own making", || {
        Some(must(&format!("ip -n {dev} -6 addr show dev eth0")))
            .filter(|t| t.contains("fd77::") || t.contains("fd77:"))
    });
    until("a default route", || {
        Some(must(&format!("ip -n {dev} -6 route show default"))).filter(|t| t.contains("via fe80::"))
    });

    // A gateway that is killed leaves dnsmasq; the next run replaces it.
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    assert_eq!(dnsmasq().as_ref(), Some(&first), "people keep their addresses meanwhile");
    let mut gateway = start();
    let second = until("a new dnsmasq", || dnsmasq().filter(|pid| *pid != first));
    run(&format!("kill -9 {second}"));
    until("dnsmasq after a kill", || dnsmasq().filter(|pid| *pid != second));

    // A proper stop ends dnsmasq and takes leave of the devices.
    std::fs::write(data.path().join("stop"), "").unwrap();
    assert!(gateway.wait().unwrap().success());
    assert_eq!(dnsmasq(), None);
    until("the default route to go", || {
        Some(must(&format!("ip -n {dev} -6 route show default"))).filter(|t| !t.contains("via fe80::"))
    });
}
