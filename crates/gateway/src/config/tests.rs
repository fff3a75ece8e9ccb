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
    assert!(
        c.check_uplink("wan0", &nets("10.77.4.7/24")).is_err(),
        "the uplink's network lies inside the place's"
    );
    assert!(
        c.check_uplink("wan0", &nets("10.0.0.7/8")).is_err(),
        "the place's network lies inside the uplink's"
    );
    assert!(c.check_uplink("wan0", &nets("192.168.1.7/24")).is_ok());
    assert!(c.check_uplink("wan0", &nets("fe80::1/64")).is_ok());
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

/// The smallest configuration with other words for the uplink, and a backup.
fn with(uplink: &str, backup: &str) -> Result<Config, String> {
    parse(&SMALLEST.replacen("interface = \"wan0\"", &format!("{uplink}\n{backup}"), 1))
}

#[test]
fn a_way_out_is_named_by_what_packets_leave_by() {
    let plain = with("interface = \"wan0\"", "").unwrap();
    assert_eq!((plain.uplink.kind, plain.uplink.wire()), (UplinkKind::System, "wan0"));
    assert_eq!(plain.resolv_conf(), PathBuf::from("/etc/resolv.conf"));
    let c = with("interface = \"wan0\"\nkind = \"dhcp\"\nvlan = 20", "").unwrap();
    assert_eq!((c.uplink.interface.as_str(), c.uplink.wire()), ("wan0.20", "wan0"));
    assert_eq!(c.uplink.vlan_link(), Some(("wan0.20", "wan0", 20)));
    assert_eq!(c.resolv_conf(), PathBuf::from("/var/lib/kulkul-gateway/resolv.conf"));
    let dialled = "kind = \"pppoe\"\nuser = \"a@isp\"\npassword_file = \"/p\"";
    let backup = format!("[backup]\nowner = \"Banjar\"\ninterface = \"wan1\"\nvlan = 7\n{dialled}");
    let c = with("interface = \"wan0\"", &backup).unwrap();
    let second = c.lines().nth(1).unwrap();
    assert_eq!(
        (second.uplink.interface.as_str(), second.uplink.wire(), second.owner),
        ("ppp1", "wan1", "Banjar")
    );
    assert_eq!(second.uplink.vlan_link(), Some(("wan1.7", "wan1", 7)));
    assert_eq!(second.serves.len(), 3);
    let c = parse(&SMALLEST.replacen("interface = \"lan0\"", "interface = \"eth1\"\nvlan = 30", 1)).unwrap();
    assert_eq!((c.segments[0].interface.as_str(), c.segments[0].below.as_deref()), ("eth1.30", Some("eth1")));
}

#[test]
fn ways_out_that_cannot_be_say_why() {
    let wan = "interface = \"wan0\"";
    let fixed = "interface = \"wan0\"\nkind = \"static\"\naddress4 = \"198.51.100.9/24\"";
    let own = "[backup]\nowner = \"Banjar\"\ninterface = \"wan1\"";
    let table = [
        (format!("{wan}\nvlan = 4095"), "", "uplink.vlan: 4095 is no VLAN"),
        ("interface = \"a-long-name-15x\"\nvlan = 2".to_owned(), "", "rename a-long-name-15x"),
        (
            format!("{wan}\naddress4 = \"198.51.100.9/24\""),
            "",
            "uplink.address4: is for kind = \"static\" only",
        ),
        (format!("{wan}\nuser = \"a\""), "", "uplink.user: is for kind = \"pppoe\" only"),
        (format!("{wan}\nkind = \"static\""), "", "a static way needs address4"),
        (fixed.to_owned(), "", "uplink.gateway4: 198.51.100.9/24 leads nowhere without its router"),
        (format!("{fixed}\ngateway4 = \"203.0.113.1\""), "", "203.0.113.1 is not in 198.51.100.9/24"),
        (format!("{wan}\nkind = \"pppoe\""), "", "uplink.user: give the name"),
        (format!("{wan}\nkind = \"dchp\""), "", "unknown variant `dchp`"),
        (wan.to_owned(), "[backup]\ninterface = \"wan1\"", "missing field `owner`"),
        (
            wan.to_owned(),
            "[backup]\nowner = \"x\"\ninterface = \"wan0\"",
            "backup.interface: \"wan0\" is the uplink",
        ),
        (wan.to_owned(), "[backup]\nowner = \" \"\ninterface = \"wan1\"", "say whose line it is"),
    ];
    for (uplink, backup, wanted) in table {
        let error = with(&uplink, backup).expect_err(&uplink);
        assert!(error.contains(wanted), "{uplink} {backup}: {error}");
    }
    for (more, wanted) in [
        ("for = []", "name the kinds of segments"),
        ("for = [\"guests\"]", "unknown variant `guests`"),
        ("down_kbps = 0", "leave rates out"),
        ("return_after_s = 1", "is 5 to 86400 seconds"),
        ("onwer = \"x\"", "did you mean \"backup.owner\"?"),
    ] {
        let error = with(wan, &format!("{own}\n{more}")).expect_err(more);
        assert!(error.contains(wanted), "{more}: {error}");
    }
    let inside = fixed.replace("198.51.100.9/24", "10.77.3.9/24");
    let error = with(&format!("{inside}\ngateway4 = \"10.77.3.1\""), "").unwrap_err();
    assert!(error.contains("10.77.0.1/16 overlaps 10.77.3.9/24, which wan0 has"), "{error}");
}
