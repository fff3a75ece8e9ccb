//! The tunnel on the street: a real `wireguard-go` in a data centre of its own, and who gets there.

use super::town::{Town, accept, box_program, fetch, log_of, start_gateway, town_with};
use kulkul_sim::street::ground::{Place, Running, skip, until, wire};
use kulkul_sim::street::layout::Street;
use kulkul_sim::street::person::hidden;
use kulkul_sim::street::roles;
use std::path::Path;
use std::process::Stdio;

const CAMERA: &str = "02:00:00:00:00:c1";
const SERVER4: &str = "10.200.0.1";
const SERVER6: &str = "fd20::1";
/// The data centre's end, as the world reaches it.
const END: &str = "198.51.101.2:51820";

const SEGMENTS: &str = "[[segment]]\nname = \"desk\"\nkind = \"staff\"\ninterface = \"lan1\"\naddress4 = \"10.78.0.1/24\"\n\
     [[segment]]\nname = \"cameras\"\nkind = \"service\"\ninterface = \"lan2\"\naddress4 = \"10.79.0.1/24\"\naddress6 = \"fd79::1/64\"\n";

/// A data centre behind the world, a desk and a camera behind the box.
struct Yard {
    centre: Place,
    desk: Place,
    camera: Place,
    key: String,
    wireguard: Option<Running>,
    _pages: Vec<Running>,
}

/// What `wg` says to these words, told by a file where it reads one.
fn wg(words: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut child = std::process::Command::new("wg")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "wg {words:?}");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

impl Yard {
    fn lay(street: &Street) -> Self {
        let place = |n: &str| Place::new(&format!("tun-{n}")).unwrap();
        let (centre, desk, camera) = (place("centre"), place("desk"), place("camera"));
        wire(&street.gateway, "lan1", &desk, "eth0").unwrap();
        wire(&street.gateway, "lan2", &camera, "eth0").unwrap();
        wire(&street.world, "dc0", &centre, "eth0").unwrap();
        for (place, words) in [
            (&street.world, "addr add 198.51.101.1/24 dev dc0".to_owned()),
            (&centre, "addr add 198.51.101.2/24 dev eth0".to_owned()),
            (&centre, "route add default via 198.51.101.1".to_owned()),
            (&desk, "addr add 10.78.0.9/24 dev eth0".to_owned()),
            (&desk, "route add default via 10.78.0.1".to_owned()),
            (&camera, format!("link set eth0 address {CAMERA}")),
            (&camera, "addr add 10.79.0.9/24 dev eth0".to_owned()),
            (&camera, "addr add fd79::9/64 dev eth0 nodad".to_owned()),
            (&camera, "route add default via 10.79.0.1".to_owned()),
            (&camera, "-6 route add default via fd79::1".to_owned()),
        ] {
            place.ip(&words).unwrap();
        }
        // Whatever is for the data centre's own ranges and arrives at the provider in the clear.
        let watch = format!(
            "add table inet leak; add chain inet leak in {{ type filter hook prerouting priority -300; }}; \
             add rule inet leak in ip daddr {SERVER4}/16 counter; add rule inet leak in ip6 daddr {SERVER6}/32 counter"
        );
        let done = street.world.command("nft").arg(&watch).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let key = wg(&["genkey"], "");
        let file = street.dir.path().join("centre.key");
        std::fs::write(&file, &key).unwrap();
        let page = |place: &Place, at: &str| {
            let mut command = roles::command(place, "page", &format!("{at} {}", at.replace(' ', "")));
            Running::start(command.stdout(Stdio::null())).unwrap()
        };
        let pages =
            vec![page(&camera, "10.79.0.9:80"), page(&centre, "[::]:80"), page(&desk, "10.78.0.9:80")];
        Yard { centre, desk, camera, key: wg(&["pubkey"], &key), wireguard: None, _pages: pages }
    }

    /// Starts the data centre's end with the settings that the hub made for it.
    fn start(&mut self, street: &Street) {
        let dir = street.dir.path();
        let log = std::fs::File::create(dir.join("wireguard.log")).unwrap();
        let mut command = self.centre.command("wireguard-go");
        command.args(["-f", "wg0"]).env("LOG_LEVEL", "verbose").stdout(log.try_clone().unwrap()).stderr(log);
        self.wireguard = Some(Running::start(&mut command).unwrap());
        let key = dir.join("centre.key").display().to_string();
        until("the data centre's end is there", 30, || {
            self.centre.run(&format!("wg set wg0 private-key {key} listen-port 51820")).ok()
        });
        self.centre.run(&format!("wg addconf wg0 {}", dir.join("peers.conf").display())).unwrap();
        for words in [
            "addr add 10.200.0.1/16 dev wg0",
            "addr add fd20::1/48 dev wg0 nodad",
            "link set wg0 mtu 1420 up",
            "route add 10.201.0.0/24 dev wg0",
            "-6 route add fd21::/64 dev wg0",
            "route add 10.79.0.0/24 dev wg0",
            "-6 route add fd79::/64 dev wg0",
        ] {
            self.centre.ip(words).unwrap();
        }
    }

    fn order(&self, key: &str) -> String {
        format!(
            r#"{{"endpoint": "{END}", "key": "{key}", "prefixes": ["10.200.0.0/16", "fd20::/48"],
                "pools": ["10.201.0.0/24", "fd21::/64"], "keepalive_s": 5}}"#
        )
    }
}

fn gets(place: &Place, url: &str) -> Option<()> {
    place.run(&format!("curl -s -g -m 2 {url}")).ok()?.starts_with("hello").then_some(())
}

/// Presses the button of the box's own page from the desk.
fn accept_at(place: &Place) -> Option<()> {
    let page = place.run("curl -s -m 5 http://10.78.0.1/").ok()?;
    let form = format!("token={}&terms={}&lang=id", hidden(&page, "token")?, hidden(&page, "terms")?);
    let done =
        place.run(&format!("curl -s -m 5 -o /dev/null -w %{{http_code}} -d {form} http://10.78.0.1/accept"));
    (done.ok()? == "303").then_some(())
}

impl Town {
    fn tunnel(&self) -> serde_json::Value {
        self.status().unwrap_or_default()["tunnel"].clone()
    }

    /// The data centre's settings as the hub's API gives them.
    fn peers(&self, token: &str) -> String {
        let mut command = self.street.hub.command("curl");
        command.args(["-s", "-m", "10", "-H", &format!("Authorization: Bearer {token}")]);
        let out = command.arg(format!("{}/api/v1/tunnel/peers", self.prepared.url)).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn is_up(&self, wanted: bool) -> Option<()> {
        let tunnel = self.tunnel();
        (tunnel["ordered"] == true && tunnel["up"] == wanted).then_some(())
    }

    /// Packets for the data centre that the provider has seen in the clear.
    fn leaked(&self) -> u64 {
        let text = self.street.world.run("nft list chain inet leak in").unwrap();
        let counts =
            text.lines().filter_map(|l| l.split("packets ").nth(1)?.split(' ').next()?.parse::<u64>().ok());
        let all: Vec<u64> = counts.collect();
        assert_eq!(all.len(), 2, "{text}");
        all.iter().sum()
    }

    fn doctor(&self) -> String {
        let mut command = self.street.gateway.command(&box_program());
        command.args(["gateway", "doctor", "--config"]).arg(&self.config).env("LC_ALL", "en_US.UTF-8");
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    }
}

fn is_there(program: &str) -> bool {
    ["/usr/bin", "/usr/sbin", "/bin"].iter().any(|d| Path::new(d).join(program).exists())
}

#[test]
fn staff_and_cameras_reach_the_data_centre_with_the_hub_away_and_nobody_else_does() {
    let test = "staff_and_cameras_reach_the_data_centre_with_the_hub_away_and_nobody_else_does";
    if !is_there("wireguard-go") || !is_there("wg") || !Path::new("/dev/net/tun").exists() {
        return skip(test, "wireguard-go, wg or /dev/net/tun is not there");
    }
    let mut yard = None;
    let Some(mut town) = town_with(test, "tun", |street| {
        yard = Some(Yard::lay(street));
        SEGMENTS.to_owned()
    }) else {
        return;
    };
    let mut yard = yard.unwrap();
    town.order("access", &format!(r#"{{"allowed": ["{CAMERA}"]}}"#));
    let of_box = until("the box has a key", 60, || {
        town.tunnel()["public_key"].as_str().filter(|k| k.len() == 44).map(str::to_owned)
    });
    let private = std::fs::read_to_string(town.street.dir.path().join("gateway/tunnel.key")).unwrap();
    assert_eq!(wg(&["pubkey"], &private), of_box, "as wg works it out");
    accept(&town.street, "10.77.0.1");
    until("the phone is online", 60, || {
        fetch(&town.street, "-m 2", "http://203.0.113.1/").1.starts_with("hello").then_some(())
    });
    until("the desk is let in", 60, || accept_at(&yard.desk));
    let server4 = format!("http://{SERVER4}/");
    let server6 = format!("http://[{SERVER6}]/");

    // A wrong key: it stays down, says what to do, and nothing takes another way.
    let wrong = wg(&["pubkey"], &wg(&["genkey"], ""));
    town.order("tunnel", &yard.order(&wrong));
    let token = town.token();
    let peers = until("the hub knows the box as a peer", 60, || {
        Some(town.peers(&token)).filter(|p| p.contains(&of_box) && p.contains("10.201.0.2/32"))
    });
    assert!(peers.contains("AllowedIPs = 10.201.0.2/32, fd21::2/128, 10.79.0.0/24, fd79::/64"), "{peers}");
    std::fs::write(town.street.dir.path().join("peers.conf"), peers).unwrap();
    yard.start(&town.street);
    until("the box says that it is down", 90, || town.is_up(false));
    until("the journal has it", 60, || log_of(&town.street).contains("does not answer").then_some(()));
    let said = town.doctor();
    assert!(said.contains("The tunnel to the data centre is down") && said.contains(&of_box), "{said}");
    for _ in 0..3 {
        assert_eq!(gets(&yard.camera, &server4), None);
        assert_eq!(gets(&yard.camera, &server6), None);
        assert_eq!(gets(&yard.desk, &server4), None);
    }
    assert_eq!(town.leaked(), 0, "in the clear at the provider's");

    // The right one: the camera and the desk get there, and the data centre gets to the camera.
    town.order("tunnel", &yard.order(&yard.key));
    until("the tunnel is up", 90, || town.is_up(true));
    until("the camera reaches the server", 30, || gets(&yard.camera, &server4));
    until("the camera reaches it over IPv6", 30, || gets(&yard.camera, &server6));
    until("the desk reaches the server", 30, || gets(&yard.desk, &server4));
    until("the hub shows it as up", 60, || {
        let told = town.api(&token, "GET", "/tunnel", &serde_json::Value::Null).1;
        (told["items"][0]["up"] == true).then_some(())
    });
    until("the data centre reaches the camera", 30, || gets(&yard.centre, "http://10.79.0.9/"));
    assert!(
        town.doctor().contains("The tunnel to the data centre (198.51.101.2:51820) is up"),
        "{}",
        town.doctor()
    );
    // Whole packets of the largest size, and a stranger to whom nothing is closed but this.
    let large = "ping -n -q -c 3 -i 0.2 -M do -s 1392 10.200.0.1";
    assert!(yard.camera.run(large).unwrap().contains(" 0% packet loss"));
    assert_eq!(gets(&town.street.phone, &server4), None, "people never get there");
    yard.centre.ip("route add 10.78.0.0/24 dev wg0").unwrap();
    yard.centre.ip("route add 10.77.0.0/16 dev wg0").unwrap();
    let set = format!(
        "wg set wg0 peer {of_box} allowed-ips 10.201.0.2/32,fd21::2/128,10.79.0.0/24,fd79::/64,10.78.0.0/24,10.77.0.0/16"
    );
    yard.centre.run(&set).unwrap();
    assert_eq!(gets(&yard.centre, "http://10.78.0.9/"), None, "nothing begins at the desk from there");
    assert!(yard.centre.run("ping -c 2 -i 0.2 -W 1 10.77.0.9").is_err(), "nor at the phone");
    assert!(yard.centre.run("curl -s -m 2 http://10.79.0.1/").is_err(), "nor at the box");
    until("the camera is still reached", 30, || gets(&yard.centre, "http://10.79.0.9/"));
    // A device that nobody put on the list is refused; a flushed table is put right.
    yard.camera.ip("link set eth0 address 02:00:00:00:00:c2").unwrap();
    assert_eq!(gets(&yard.camera, &server4), None, "a device that is not on the list");
    yard.camera.ip(&format!("link set eth0 address {CAMERA}")).unwrap();
    town.street.gateway.run("nft flush ruleset").unwrap();
    until("the table is back", 60, || town.street.gateway.run("nft list chain inet kulkul service_in").ok());
    until("the camera reaches the server again", 30, || gets(&yard.camera, &server4));

    // The hub away and the box started again: the orders lie on the box.
    town.hub.kill();
    town.gateway.kill();
    for _ in 0..3 {
        assert_eq!(gets(&yard.camera, &server4), None, "without the program there is no tunnel");
    }
    assert_eq!(town.leaked(), 0, "and no other way");
    town.gateway = start_gateway(&town.street, &town.config);
    until("the tunnel is up", 60, || town.is_up(true));
    until("the camera reaches the server without a hub", 30, || gets(&yard.camera, &server4));
    until("the desk reaches the server without a hub", 30, || gets(&yard.desk, &server4));

    // The data centre's end is started again: it comes back by itself, nobody asked from here.
    yard.wireguard = None;
    until("the box notices", 60, || town.is_up(false));
    assert_eq!(gets(&yard.camera, &server4), None);
    yard.start(&town.street);
    until("the tunnel is up again", 60, || town.is_up(true));
    until("the data centre reaches the camera again", 30, || gets(&yard.centre, "http://10.79.0.9/"));
    until("and the camera the server", 30, || gets(&yard.camera, &server4));
    assert_eq!(town.leaked(), 0, "in the clear at the provider's, all the while");
    assert_eq!(gets(&town.street.phone, &server4), None, "people never get there");
}
