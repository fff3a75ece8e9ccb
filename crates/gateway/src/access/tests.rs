use super::*;
use crate::clock::{BUILT_AT, BootId, Hand};
use crate::link::LinkError;
use crate::sessions::Own;
use kulkul_model::Moment;
use kulkul_model::admission::Basis;
use kulkul_wire::link::desired::OfflineBatch;
use std::sync::atomic::{AtomicUsize, Ordering};

mod alone;
mod roaming;

const SALT: Token16 = Token16([7; 16]);
const GRANT: Token16 = Token16([9; 16]);
const ACCOUNT: Token16 = Token16([8; 16]);
const HOUR_MS: u64 = 3_600_000;
const HOUR: i64 = 3_600_000;
const SECRET: &str = "hujan123";

fn device(n: u8) -> Mac {
    Mac([2, 0, 0, 0, 0, n])
}

fn code(n: u64) -> VoucherCode {
    VoucherCode::from_bits(n)
}

fn digest(n: u64) -> Token16 {
    slow::voucher(&code(n), SALT).unwrap()
}

fn grant(way_in: WayIn) -> Grant {
    Grant {
        id: GRANT,
        way_in,
        holder: None,
        account: None,
        left_ms: Some(HOUR_MS),
        devices: Some(1),
        down_kbps: Some(2_000),
        up_kbps: None,
        expires: None,
        begun: None,
        terms: None,
    }
}

fn of_account() -> Grant {
    Grant { holder: Some(ACCOUNT), account: Some(ACCOUNT), ..grant(WayIn::Account) }
}

fn refused(status: u16, code: &str) -> LinkError {
    let about = [("devices".to_owned(), "2".to_owned()), ("type".to_owned(), "urn:x".to_owned())].into();
    LinkError::Refused {
        status,
        code: code.to_owned(),
        detail: String::new(),
        expected: None,
        now: None,
        about,
    }
}

type Says = Box<dyn FnMut(&Admit) -> Result<Grant, LinkError> + Send>;

/// A box and a fake hub: a function in its place, without a network between.
struct House {
    dir: tempfile::TempDir,
    clock: Clock,
    hand: Hand,
    desired: watch::Sender<Option<Arc<Desired>>>,
    says: Arc<Mutex<Option<Says>>>,
    asked: Arc<AtomicUsize>,
}

/// A box whose place has the vouchers 1, 2 and 3; the fake hub is silent.
fn house() -> House {
    let (clock, hand) = Clock::simulated(BUILT_AT, BootId([5; 16]));
    let json = serde_json::json!({
        "version": {"epoch": 1, "counter": 1},
        "site": {"code": "BJ-001", "name": "Banjar"},
        "access": {"ways_in": ["click_through", "voucher", "account"]},
    });
    let mut wish: Desired = serde_json::from_value(json).unwrap();
    let digests = Blob((1..=3).flat_map(|n| digest(n).0).collect());
    wish.vouchers.salt = Some(SALT);
    wish.vouchers.batches = vec![OfflineBatch {
        lasts_ms: HOUR_MS,
        begin_before: BUILT_AT.plus_ms(100 * HOUR),
        devices: 1,
        down_kbps: None,
        up_kbps: Some(512),
        digests,
        begun: vec![(1, BUILT_AT)],
    }];
    House {
        dir: tempfile::tempdir().unwrap(),
        clock,
        hand,
        desired: watch::Sender::new(Some(Arc::new(wish))),
        says: Arc::default(),
        asked: Arc::default(),
    }
}

impl House {
    fn open(&self) -> Access {
        let (says, asked) = (self.says.clone(), self.asked.clone());
        let hub: AskHub = Arc::new(move |ask| {
            asked.fetch_add(1, Ordering::Relaxed);
            let answer = says.lock().unwrap().as_mut().map(|says| says(&ask));
            Box::pin(async move { answer.unwrap_or(Err(LinkError::Silent)) })
        });
        Access::open(Parts {
            hub: Some(hub),
            desired: self.desired.subscribe(),
            clock: self.clock.clone(),
            data: self.dir.path().to_owned(),
            salts: || Ok([3; 16]),
        })
        .unwrap()
    }

    /// What the fake hub says from now on.
    fn says(&self, says: impl FnMut(&Admit) -> Result<Grant, LinkError> + Send + 'static) {
        *self.says.lock().unwrap() = Some(Box::new(says));
    }

    fn is_silent(&self) {
        *self.says.lock().unwrap() = None;
    }

    fn order(&self, change: impl FnOnce(&mut Desired)) {
        self.desired.send_modify(|d| {
            let mut wish = Desired::clone(d.as_ref().unwrap());
            change(&mut wish);
            *d = Some(Arc::new(wish));
        });
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }
}

async fn voucher(access: &Access, n: u8, which: u64) -> Result<Pass, Refusal> {
    access.voucher(device(n), &code(which).shown(), Some(1)).await
}

async fn account(access: &Access, secret: &str) -> Result<Pass, Refusal> {
    access.account(device(1), " Wayan ", secret.to_owned(), Some(1)).await
}

fn why<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

#[tokio::test]
async fn the_hub_is_asked_first_and_its_words_are_passed_on() {
    let house = house();
    let access = house.open();
    house.says(|ask| {
        assert_eq!((ask.device, ask.terms), (device(1), Some(1)));
        let Proof::Voucher { code: shown } = &ask.proof else { panic!("another proof") };
        match shown {
            s if *s == code(1).shown() => Ok(Grant { holder: Some(digest(1)), ..grant(WayIn::Voucher) }),
            _ => Err(refused(403, "voucher-devices")),
        }
    });
    let pass = voucher(&access, 1, 1).await.unwrap();
    assert_eq!((pass.basis, pass.way_in, pass.devices), (Basis::Grant(GRANT), WayIn::Voucher, Some(1)));
    assert_eq!((pass.own.limit_ms, pass.own.down_kbps), (Some(HOUR_MS), Some(2_000)));
    assert!(house.file("vouchers.json").contains(&digest(1).to_string()), "begun for the box too");
    let refusal = voucher(&access, 1, 4).await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.status, refusal.args),
        ("voucher-devices", 403, vec![("devices", "2".to_owned())])
    );
    assert_eq!(why(access.voucher(device(1), "28T5-CY4T-NKFF", None).await), "voucher-mistyped");
    assert_eq!(house.asked(), 2, "who mistypes bothers nobody");

    // What is about the box and not about the person is silence.
    for odd in [refused(401, "signature-stale"), refused(404, "http-404"), refused(500, "voucher-unknown")] {
        let mut odd = Some(odd);
        house.says(move |_| Err(odd.take().unwrap()));
        assert_eq!(voucher(&access, 1, 3).await.unwrap().basis, Basis::Voucher(digest(3)));
    }
}

#[tokio::test]
async fn ways_that_are_closed_ask_nobody() {
    let house = house();
    let access = house.open();
    house.order(|d| d.access.ways_in = vec![WayIn::ClickThrough]);
    assert_eq!(why(voucher(&access, 1, 1).await), "way-in-closed");
    assert_eq!(why(account(&access, SECRET).await), "way-in-closed");
    assert_eq!(house.asked(), 0);
}

#[tokio::test]
async fn guesses_are_bounded_and_who_has_something_good_is_not() {
    let house = house();
    let access = house.open();
    house.says(|ask| match &ask.proof {
        Proof::Voucher { code: shown } if *shown == code(1).shown() => Ok(grant(WayIn::Voucher)),
        _ => Err(refused(403, "voucher-unknown")),
    });
    for _ in 0..3 * MOST_EACH {
        voucher(&access, 1, 1).await.unwrap();
    }
    for n in 0..MOST_EACH {
        assert_eq!(why(voucher(&access, 1, 10 + n as u64).await), "voucher-unknown");
    }
    let asked = house.asked();
    assert_eq!(why(voucher(&access, 1, 1).await), "admit-too-often");
    assert_eq!(why(account(&access, SECRET).await), "admit-too-often", "for accounts too");
    assert_eq!(house.asked(), asked);
    voucher(&access, 2, 1).await.unwrap();
    house.hand.pass(10 * 60_000);
    voucher(&access, 1, 1).await.unwrap();
}

#[tokio::test]
async fn a_hub_that_hangs_is_waited_for_two_seconds() {
    let house = house();
    let hub: AskHub = Arc::new(|_| Box::pin(std::future::pending()));
    let access = Access::open(Parts {
        hub: Some(hub),
        desired: house.desired.subscribe(),
        clock: house.clock.clone(),
        data: house.dir.path().to_owned(),
        salts: || Ok([3; 16]),
    })
    .unwrap();
    let asking = tokio::spawn(async move { voucher(&access, 1, 1).await });
    let waited = async {
        while !asking.is_finished() {
            house.hand.pass(100);
            tokio::task::yield_now().await;
        }
    };
    let machine = Clock::machine();
    machine.at_most(10_000, waited).await.unwrap();
    assert_eq!(asking.await.unwrap().unwrap().basis, Basis::Voucher(digest(1)));
    assert!(house.clock.mono_ms() >= ADMIT_MS);
}

#[tokio::test]
async fn a_box_that_is_refused_for_good_forgets_everything() {
    let house = house();
    let access = house.open();
    let (seen, stop) = (watch::Sender::new(HubSeen::default()), CancellationToken::new());
    let keeping = tokio::spawn(access.clone().keep(seen.subscribe(), stop.clone()));
    voucher(&access, 1, 1).await.unwrap();
    house.says(|_| Ok(of_account()));
    account(&access, SECRET).await.unwrap();
    assert!(!house.file("vouchers.json").is_empty() && !house.file("accounts.json").is_empty());
    house.is_silent();
    seen.send_modify(|s| s.refused = true);
    let machine = Clock::machine();
    let gone = async {
        while !house.file("accounts.json").is_empty() || !house.file("vouchers.json").is_empty() {
            machine.sleep_ms(5).await;
        }
    };
    machine.at_most(10_000, gone).await.unwrap();
    assert_eq!(why(voucher(&access, 1, 1).await), "way-in-closed", "the list that it has lets nobody in");
    stop.cancel();
    keeping.await.unwrap();

    // Whoever asks at that moment is told so by the hub itself.
    let access = house.open();
    house.says(|_| Err(refused(403, "gateway-revoked")));
    assert_eq!(why(account(&access, SECRET).await), "way-in-closed");
    house.is_silent();
    assert_eq!(why(voucher(&access, 1, 1).await), "way-in-closed");
}
