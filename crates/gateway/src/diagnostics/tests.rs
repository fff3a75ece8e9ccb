use super::*;
use crate::clock::{BootId, Hand};
use kulkul_wire::link::desired::DiagnosticsSection;
use serde_json::json;

const NOW: Moment = Moment::from_ms(1_800_000_000_000);

struct House {
    dir: tempfile::TempDir,
    hand: Hand,
    clock: Clock,
    journal: Journal,
    desired: watch::Sender<Option<Arc<Desired>>>,
}

fn config(data: &Path) -> Config {
    let text = format!(
        "hub = \"https://hub.test\"\ndata = \"{}\"\n[uplink]\ninterface = \"w\"\n[[segment]]\nname = \"p\"\nkind = \"public\"\n\
         interface = \"l\"\naddress4 = \"10.77.0.1/16\"\naddress6 = \"fd77::1/64\"\n",
        data.display()
    );
    Config::parse(&text, []).unwrap()
}

fn house() -> House {
    let (clock, hand) = Clock::simulated(NOW, BootId::default());
    let (dir, journal) = (tempfile::tempdir().unwrap(), Journal::in_memory());
    House { dir, hand, clock, journal, desired: watch::channel(None).0 }
}

fn ask(id: u8, kind: &str, target: Option<&str>, minutes: i64) -> DiagnosticAsk {
    DiagnosticAsk {
        id: DiagnosticId([id; 16]),
        kind: kind.to_owned(),
        target: target.map(str::to_owned),
        until: NOW.plus_ms(minutes * 60_000),
    }
}

impl House {
    fn order(&self, asks: Vec<DiagnosticAsk>) {
        let mut desired: Desired = serde_json::from_value(json!({
            "version": {"epoch": 1, "counter": 1}, "site": {"code": "BJ-001", "name": "x"}
        }))
        .unwrap();
        desired.diagnostics = DiagnosticsSection { asks };
        self.desired.send_replace(Some(Arc::new(desired)));
    }

    fn start(&self) -> Diagnostics {
        let config = Arc::new(config(self.dir.path()));
        Diagnostics::new(config, self.desired.subscribe(), self.journal.clone(), self.clock.clone())
    }
}

#[tokio::test]
async fn an_ask_is_done_once_even_over_a_restart_and_never_after_its_end() {
    let house = house();
    let mut box_ = house.start();
    assert!(box_.due().is_empty());
    house.order(vec![
        ask(1, "log", None, 10),
        ask(2, "log", None, -1),
        ask(3, "ping", Some("10.77.0.9"), 10),
    ]);
    let due = box_.due();
    assert_eq!(due.iter().map(|a| a.id.0[0]).collect::<Vec<_>>(), [1, 3], "one is over");
    for ask in &due {
        box_.answer(ask).await;
    }
    assert_eq!(house.journal.head(), 2);
    assert!(box_.due().is_empty());
    assert!(house.start().due().is_empty(), "not after a restart either");
    house.order(vec![ask(4, "log", None, 10)]);
    house.hand.pass(11 * 60_000);
    assert!(box_.due().is_empty(), "its time is over");
}

#[tokio::test]
async fn nothing_is_begun_while_nobody_knows_the_time() {
    let house = house();
    house.hand.step(Moment::from_ms(5_000));
    house.order(vec![ask(1, "log", None, 10)]);
    assert!(house.start().due().is_empty());
}

#[tokio::test]
async fn peoples_devices_and_what_is_no_target_are_refused() {
    let house = house();
    let config = config(house.dir.path());
    for (kind, target) in [
        ("ping", "10.77.0.9"),
        ("trace", "10.77.255.255"),
        ("ping", "fd77::9"),
        ("ping", "::ffff:10.77.0.9"),
        ("ping", "127.0.0.1"),
        ("ping", "224.0.0.1"),
        ("ping", "255.255.255.255"),
        ("ping", "fe80::1"),
        ("ping", "$(reboot)"),
        ("log", "203.0.113.1"),
        ("shell", "reboot"),
    ] {
        let (outcome, text) = look(&config, &house.clock, &ask(1, kind, Some(target), 10)).await;
        assert_eq!(outcome, DiagnosticOutcome::Refused, "{kind} {target}: {text}");
    }
    assert!(is_outside(&config, "203.0.113.1".parse().unwrap()));
    assert!(is_outside(&config, "192.168.1.1".parse().unwrap()), "the provider's modem may be asked");
}

#[test]
fn a_delegated_network_of_the_place_is_the_place() {
    let held = "20010db8007700000000000000000001 02 40 00 80     lan0\n\
                20010db8000200000000000000000001 03 40 00 80     wan0\nodd line\n";
    let beside = |ip: &str| is_beside(held, &["lan0"], ip.parse().unwrap());
    assert!(beside("2001:db8:77::9") && !beside("2001:db8:77:1::9") && !beside("2001:db8:2::1"));
}

#[test]
fn an_answer_is_bounded_at_a_whole_sign() {
    let text = bounded("é".repeat(LONGEST_ANSWER));
    assert_eq!(text.len(), LONGEST_ANSWER);
    assert_eq!(bounded("short".to_owned()), "short");
}
