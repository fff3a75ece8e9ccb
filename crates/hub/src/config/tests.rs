//! The table of keys is sound, and mistakes are told.

use super::{Config, print_config};

fn read(text: &str) -> Result<Config, String> {
    Config::read(text, "hub.toml", []).map_err(|e| e.to_string())
}

#[test]
fn the_printed_file_is_the_defaults() {
    let printed = print_config();
    insta::assert_snapshot!(printed);
    let config = read(&printed).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", read("").unwrap()));
}

#[test]
fn the_smallest_file_of_the_manual_is_read() {
    let config = read(
        "listen = \"0.0.0.0:8443\"\npublic_url = \"https://hub.example.go.id/\"\ndata = \"/var/lib/kulkul\"\n\
         database = \"sqlite\"\n[tls]\ncert = \"hub.pem\"\nkey = \"hub-key.pem\"\n[radius]\n\
         auth = \"0.0.0.0:1812\"\nacct = \"0.0.0.0:1813\"\n",
    )
    .unwrap();
    assert_eq!(config.public_url, "https://hub.example.go.id");
    assert!(config.is_https());
    assert_eq!(config.database_url(), "sqlite:///var/lib/kulkul/kulkul.db");
}

#[test]
fn mistakes_name_the_key_and_the_mend() {
    let table = [
        ("lisen = \"x\"", "unknown key \"lisen\" in hub.toml; did you mean \"listen\"?"),
        (
            "[tls]\ncertificate = \"x\"",
            "unknown key \"tls.certificate\" in hub.toml; did you mean \"tls.cert\"?",
        ),
        ("[tls]\ncert = \"x\"", "hub.toml: tls needs both cert and key"),
        ("zone = \"Asia/Atlantis\"", "hub.toml: \"Asia/Atlantis\" is not a time zone such as Asia/Makassar"),
        ("database = \"mysql://x\"", "hub.toml: database is sqlite or postgres://..."),
        (
            "[tls]\nacme = true",
            "hub.toml: tls.acme needs public_url with a name, such as https://hub.example.go.id",
        ),
        (
            "[tls]\nacme = true\ncert = \"x\"",
            "hub.toml: tls.acme and tls.cert are two ways to the same; set one",
        ),
        (
            "[acme.dns]\nserver = \"ns1.example.go.id:53\"",
            "hub.toml: acme.dns.server needs acme.dns.key_file",
        ),
        (
            "[acme.dns]\nserver = \"ns1.example.go.id\"\nkey_file = \"k\"",
            "hub.toml: acme.dns.server is host and port, such as ns1.example.go.id:53",
        ),
        (
            "[portal]\ndomain = \"wifi.example.go.id\"\n[acme.dns]\nserver = \"ns1:53\"\nkey_file = \"k\"\nzone = \"other.id\"",
            "hub.toml: portal.domain wifi.example.go.id is not in acme.dns.zone other.id",
        ),
        (
            "[acme]\nhook = \"/bin/hook\"\ndirectory = \"http://ca\"",
            "hub.toml: acme.directory begins with https://",
        ),
    ];
    for (text, want) in table {
        assert_eq!(read(text).unwrap_err(), want);
    }
    assert!(read("listen = 8080").unwrap_err().contains("listen"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Config::read("listen = \"0.0.0.0:1\"", "hub.toml", pairs)
    };
    let config = env(&[
        ("KULKUL_LISTEN", "127.0.0.1:9999"),
        ("KULKUL_SIGN_IN__IDLE_HOURS", "3"),
        ("KULKUL_PROXY__TRUSTED", "[\"10.0.0.0/8\"]"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:9999");
    assert_eq!(config.sign_in.idle_hours, 3);
    assert_eq!(config.proxy.trusted.len(), 1);
    let wrong = env(&[("KULKUL_LISTN", "x")]).unwrap_err().to_string();
    assert_eq!(wrong, "unknown key \"listn\" in the environment; did you mean \"listen\"?");
}

#[test]
fn the_zone_is_the_portals_domain_unless_it_is_said() {
    let text =
        "[portal]\ndomain = \"wifi.example.go.id\"\n[acme.dns]\nserver = \"ns1:53\"\nkey_file = \"k\"\n";
    assert_eq!(read(text).unwrap().acme.dns.zone, "wifi.example.go.id");
    let config = read(&format!("{text}zone = \"Example.go.id\"")).unwrap();
    assert_eq!(config.acme.dns.zone, "example.go.id");
    assert!(config.acme.has_dns() && !read("").unwrap().acme.has_dns());
}
