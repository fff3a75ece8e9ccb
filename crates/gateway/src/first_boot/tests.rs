use super::*;
use crate::clock::BUILT_AT;
use kulkul_model::session::Mac;
use kulkul_wire::link::BootId;
use tokio_util::sync::CancellationToken;

const SETTINGS: &str = r#"
hub = "https://hub.example.go.id"
data = "DATA"
[uplink]
interface = "wan0"
ssh = true
[[segment]]
name = "public"
kind = "public"
interface = "lan0"
address4 = "10.77.0.1/16"
"#;

fn device(n: u8) -> Device {
    Device::Mac(Mac([2, 0, 0, 0, 0, n]))
}

fn boot(data: &Path, clock: &Clock) -> FirstBoot {
    let text = SETTINGS.replace("DATA", &data.display().to_string());
    let config = Arc::new(Config::parse(&text, []).unwrap());
    let again = Again::new(CancellationToken::new());
    FirstBoot::open(config, Capabilities::default(), String::new(), clock.clone(), again).unwrap()
}

#[test]
fn only_the_code_on_the_box_opens_it_and_guesses_are_few() {
    let data = tempfile::tempdir().unwrap();
    let (clock, hand) = Clock::simulated(BUILT_AT, BootId([1; 16]));
    let code = label(data.path()).unwrap();
    let boot = boot(data.path(), &clock);
    let typed = format!(" {} ", code.shown().to_ascii_lowercase());
    let pass = boot.unlock(&typed, device(1)).unwrap();
    assert!(boot.holds(&pass, device(1)));
    assert!(!boot.holds(&pass, device(2)), "a pass is for the device that typed the code");
    assert!(!boot.holds("", device(1)) && !boot.holds(&"0".repeat(32), device(1)));
    for guess in ["", "0000-0000", "ZZZZ-ZZZZ", "not a code", "7KQ4-M2XP"] {
        assert_eq!(boot.unlock(guess, device(3)), Err(Shut::Wrong), "{guess}");
    }
    assert_eq!(boot.unlock(&typed, device(1)), Err(Shut::TooMany), "not even the right one now");
    hand.pass(TEN_MINUTES_MS);
    assert!(boot.unlock(&typed, device(1)).is_ok());
    // Another label makes the old one void.
    let other = label(data.path()).unwrap();
    assert_eq!(boot.unlock(&typed, device(1)), Err(Shut::Wrong));
    assert!(boot.unlock(other.bare(), device(1)).is_ok());
    let kept = std::fs::read_to_string(data.path().join(CODE)).unwrap();
    assert!(!kept.contains(other.bare()), "the code itself is nowhere on the disk");
}

#[test]
fn a_box_without_a_code_makes_one() {
    let data = tempfile::tempdir().unwrap();
    let (clock, _hand) = Clock::simulated(BUILT_AT, BootId([1; 16]));
    boot(data.path(), &clock);
    assert_eq!(std::fs::read_to_string(data.path().join(CODE)).unwrap().len(), 64);
}

#[test]
fn a_way_out_is_kept_only_when_it_fits_and_over_the_keys_of_the_provider_alone() {
    let data = tempfile::tempdir().unwrap();
    let (clock, _hand) = Clock::simulated(BUILT_AT, BootId([1; 16]));
    let boot = boot(data.path(), &clock);
    let way = |kind: &str| WayOut { kind: kind.to_owned(), ..WayOut::default() };
    let why = |way: &WayOut| boot.set_way_out(way).unwrap_err().to_string();
    let fixed = WayOut {
        address4: "203.0.113.10/24".to_owned(),
        gateway4: " 203.0.113.1".to_owned(),
        dns: "203.0.113.53, 2001:db8::53".to_owned(),
        ..way("static")
    };
    for (odd, wanted) in [
        (way("carrier pigeon"), "kind"),
        (WayOut { vlan: "many".to_owned(), ..way("dhcp") }, "vlan"),
        (WayOut { vlan: "5000".to_owned(), ..way("dhcp") }, "vlan"),
        (WayOut { address4: "203.0.113".to_owned(), ..fixed.clone() }, "address4"),
        (way("static"), "address4"),
        (WayOut { password: "rahasia".to_owned(), ..way("pppoe") }, "user"),
    ] {
        assert!(why(&odd).contains(wanted), "{odd:?}: {}", why(&odd));
        for file in [local::FILE, PASSWORD] {
            assert!(!data.path().join(file).exists(), "nothing is kept of what does not fit");
        }
    }
    boot.set_way_out(&fixed).unwrap();
    let file = data.path().join("gateway.toml");
    std::fs::write(&file, SETTINGS.replace("DATA", &data.path().display().to_string())).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!(config.uplink.address4, Some("203.0.113.10/24".parse().unwrap()));
    assert_eq!(config.uplink.dns.len(), 2);
    assert!(config.uplink.ssh && config.uplink.interface == "wan0", "what is the machine's stays");
    // The next kind takes the place of the last one whole.
    let dial = WayOut { user: "badung@isp".to_owned(), password: "rahasia".to_owned(), ..way("pppoe") };
    boot.set_way_out(&dial).unwrap();
    let config = Config::load(&file).unwrap();
    assert_eq!((config.uplink.address4, config.uplink.user.as_deref()), (None, Some("badung@isp")));
    let password = config.uplink.password_file.unwrap();
    assert_eq!(std::fs::read_to_string(&password).unwrap(), "rahasia\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(password).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // What does not fit any more is left aside; the box is not stranded.
    std::fs::write(data.path().join(local::FILE), "[portal]\nhttp_port = 1\n").unwrap();
    assert!(Config::load(&file).unwrap().uplink.user.is_none());
}
