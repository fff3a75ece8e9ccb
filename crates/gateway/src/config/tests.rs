use super::*;

const SMALLEST: &str = r#"
hub = "https://hub.example.go.id"
claim = "7KQ4-M2XP"
data = "/var/lib/kulkul-gateway"
[uplink]
interface = "wan0"
[[segment]]
name = "public"
kind = "public"
interface = "lan0"
address4 = "10.77.0.1/16"
address6 = "fd77::1/64"
dhcp = true
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, []).map_err(|e| e.to_string())
}

#[test]
fn the_smallest_configuration_is_enough() {
    let c = parse(SMALLEST).unwrap();
    assert_eq!(c.segments[0].kind, Kind::Public);
    assert_eq!(c.segments[0].address4.unwrap().to_string(), "10.77.0.1/16");
    assert_eq!((c.portal.http_port, c.portal.https_port, c.dns.port), (8080, 8443, 5300));
    assert!(!c.uplink.nat6 && !c.uplink.ssh);
}

#[test]
fn errors_name_the_key_and_the_mend() {
    let table = [
        ("hub =", "hbu =", "unknown key \"hbu\"; did you mean \"hub\"?"),
        ("dhcp = true", "dchp = true", "did you mean \"segment.dhcp\"?"),
        ("interface = \"wan0\"", "interfase = \"wan0\"", "did you mean \"uplink.interface\"?"),
        ("https://hub", "hub", "is not an address such as https://"),
        ("wan0", "lan0", "\"lan0\" is the uplink already"),
        ("10.77.0.1/16", "10.77.0.0/16", "is the network itself"),
        ("10.77.0.1/16", "10.77.0.1/33", "address4"),
        ("\"lan0\"", "\"lan 0\"", "is not an interface's name"),
        ("kind = \"public\"", "kind = \"guest\"", "unknown variant `guest`"),
        ("[uplink]", "[portal]\ncert = \"a.pem\"\n[uplink]", "cert and key go together"),
    ];
    for (from, to, wanted) in table {
        let error = parse(&SMALLEST.replacen(from, to, 1)).expect_err(to);
        assert!(error.contains(wanted), "{to}: {error}");
    }
}

#[test]
fn segments_keep_apart_from_each_other_and_from_the_uplink() {
    let second = "[[segment]]\nname = \"staff\"\nkind = \"staff\"\ninterface = \"lan1\"\naddress4 = \"10.77.9.1/24\"\n";
    let error = parse(&format!("{SMALLEST}{second}")).unwrap_err();
    assert!(error.contains("10.77.9.1/24 overlaps 10.77.0.1/16 of segment \"public\""), "{error}");
    let c = parse(SMALLEST).unwrap();
    let nets = |text: &str| vec![text.parse::<ipnet::IpNet>().unwrap()];
    assert!(c.check_uplink(&nets("10.77.4.7/24")).is_err(), "the uplink's network lies inside the place's");
    assert!(c.check_uplink(&nets("10.0.0.7/8")).is_err(), "the place's network lies inside the uplink's");
    assert!(c.check_uplink(&nets("192.168.1.7/24")).is_ok());
    assert!(c.check_uplink(&nets("fe80::1/64")).is_ok());
}

#[test]
fn the_environment_wins_and_is_checked_too() {
    let env = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
    let c = Config::parse(SMALLEST, env("KULKUL_UPLINK__INTERFACE", "ppp0")).unwrap();
    assert_eq!(c.uplink.interface, "ppp0");
    let c = Config::parse(SMALLEST, env("KULKUL_DNS__UPSTREAMS", "[\"203.0.113.53:53\"]")).unwrap();
    assert_eq!(c.dns.upstreams.len(), 1);
    assert_eq!(
        Config::parse(SMALLEST, env("KULKUL_CLAIM", "AAAA-BBBB")).unwrap().claim.unwrap(),
        "AAAA-BBBB"
    );
    let error = Config::parse(SMALLEST, env("KULKUL_UPLINK__INTERFASE", "x")).unwrap_err().to_string();
    assert!(error.contains("KULKUL_UPLINK__INTERFACE"), "{error}");
    assert!(Config::parse(SMALLEST, env("KULKUL_LOG", "debug")).is_ok());
}
