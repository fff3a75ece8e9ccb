//! While the hub does not answer: what the box decides by itself.

use super::*;

/// A later run of the machine: its monotonic time begins anew, its clock may be unset.
fn later(house: &mut House, boot: u8, wall: Option<Moment>) {
    (house.clock, house.hand) = Clock::simulated(wall.unwrap_or(Moment::EPOCH), BootId([boot; 16]));
}

#[tokio::test]
async fn a_voucher_lets_in_and_is_used_up_over_restarts() {
    let mut house = house();
    let access = house.open();
    let pass = voucher(&access, 1, 1).await.unwrap();
    assert_eq!((pass.basis, pass.way_in), (Basis::Voucher(digest(1)), WayIn::Voucher));
    let own = Own { holder: Some(digest(1)), limit_ms: Some(HOUR_MS), down_kbps: None, up_kbps: Some(512) };
    assert_eq!((pass.own, pass.devices), (own, Some(1)));
    house.hand.pass(HOUR / 4);
    let left = |pass: Result<Pass, Refusal>| pass.unwrap().own.limit_ms.unwrap();
    assert_eq!(left(voucher(&access, 2, 1).await), HOUR_MS / 4 * 3);

    later(&mut house, 6, Some(BUILT_AT.plus_ms(HOUR / 2)));
    assert_eq!(left(voucher(&house.open(), 1, 1).await), HOUR_MS / 2);
    later(&mut house, 7, None);
    assert_eq!(left(voucher(&house.open(), 1, 1).await), HOUR_MS, "nobody knows how long it was");
    later(&mut house, 8, Some(BUILT_AT.plus_ms(HOUR)));
    let access = house.open();
    assert_eq!(why(voucher(&access, 1, 1).await), "voucher-used-up");
    assert_eq!(why(voucher(&access, 1, 9).await), "hub-silent", "perhaps the hub knows it");
    let text = house.file("vouchers.json");
    assert!(!text.contains(code(1).bare()) && !text.contains(&code(1).shown()), "{text}");
}

#[tokio::test]
async fn what_the_hub_knew_counts_too() {
    let house = house();
    let access = house.open();
    house.hand.pass(HOUR / 2);
    let pass = voucher(&access, 1, 2).await.unwrap();
    assert_eq!(pass.own.limit_ms, Some(HOUR_MS / 2), "begun elsewhere half an hour ago");
    house.says(|_| {
        let left_ms = Some(HOUR_MS / 4);
        Ok(Grant { holder: Some(digest(1)), left_ms, ..grant(WayIn::Voucher) })
    });
    voucher(&access, 1, 1).await.unwrap();
    house.is_silent();
    assert_eq!(voucher(&house.open(), 1, 1).await.unwrap().own.limit_ms, Some(HOUR_MS / 4));
    house.hand.pass(100 * HOUR);
    assert_eq!(why(voucher(&house.open(), 1, 3).await), "voucher-expired");
    assert_eq!(why(voucher(&house.open(), 1, 2).await), "voucher-used-up", "it was begun in time");
}

#[tokio::test]
async fn a_book_that_cannot_be_written_lets_nobody_in() {
    let house = house();
    let access = house.open();
    std::fs::create_dir(house.dir.path().join("vouchers.json.half")).unwrap();
    assert_eq!(why(voucher(&access, 1, 1).await), "gateway-busy");
    std::fs::remove_dir(house.dir.path().join("vouchers.json.half")).unwrap();
    voucher(&access, 1, 1).await.unwrap();
}

#[tokio::test]
async fn so_many_come_in_within_an_hour() {
    let house = house();
    let access = house.open();
    house.order(|d| d.access.offline_per_hour = 2);
    voucher(&access, 1, 1).await.unwrap();
    voucher(&access, 2, 2).await.unwrap();
    assert_eq!(why(voucher(&access, 3, 3).await), "admit-too-often");
    assert!(!house.file("vouchers.json").contains(&digest(3).to_string()), "it was not begun");
    house.says(|_| Ok(grant(WayIn::Voucher)));
    voucher(&access, 3, 3).await.unwrap();
    house.is_silent();
    house.hand.pass(HOUR);
    voucher(&access, 3, 3).await.unwrap();
}

#[tokio::test]
async fn a_book_forgets_vouchers_that_the_place_has_no_more() {
    let house = house();
    let access = house.open();
    voucher(&access, 1, 1).await.unwrap();
    voucher(&access, 1, 3).await.unwrap();
    let (seen, stop) = (watch::Sender::new(HubSeen::default()), CancellationToken::new());
    let keeping = tokio::spawn(access.clone().keep(seen.subscribe(), stop.clone()));
    house.order(|d| d.vouchers.batches[0].digests.0.truncate(32));
    let machine = Clock::machine();
    let gone = async {
        while house.file("vouchers.json").contains(&digest(3).to_string()) {
            machine.sleep_ms(5).await;
        }
    };
    machine.at_most(10_000, gone).await.unwrap();
    assert!(house.file("vouchers.json").contains(&digest(1).to_string()));
    stop.cancel();
    keeping.await.unwrap();
    house.order(|d| d.vouchers.salt = None);
    assert_eq!(why(voucher(&access, 1, 1).await), "hub-silent");
}

#[tokio::test]
async fn an_account_that_came_in_here_before_comes_in_again() {
    let house = house();
    let access = house.open();
    assert_eq!(why(account(&access, SECRET).await), "hub-silent");
    house.says(|ask| {
        let Proof::Account { name, secret } = &ask.proof else { panic!("another proof") };
        assert_eq!(name, "wayan");
        if secret == SECRET { Ok(of_account()) } else { Err(refused(403, "account-wrong")) }
    });
    assert_eq!(account(&access, SECRET).await.unwrap().basis, Basis::Grant(GRANT));
    assert_eq!(why(account(&access, "salah-salah").await), "account-wrong");
    house.is_silent();
    let access = house.open();
    let pass = account(&access, SECRET).await.unwrap();
    assert_eq!((pass.basis, pass.way_in, pass.devices), (Basis::Account(ACCOUNT), WayIn::Account, Some(1)));
    assert_eq!((pass.own.holder, pass.own.limit_ms), (Some(ACCOUNT), Some(HOUR_MS)));
    assert_eq!(why(account(&access, "salah-salah").await), "hub-silent");
    let other = access.account(device(1), "nyoman", SECRET.to_owned(), None).await;
    assert_eq!(why(other), "hub-silent");
    assert!(!house.file("accounts.json").contains(SECRET));
    house.hand.pass(i64::try_from(KEPT_MS).unwrap());
    assert_eq!(why(account(&house.open(), SECRET).await), "hub-silent");
}

#[tokio::test]
async fn an_account_that_was_revoked_since_is_forgotten() {
    let house = house();
    let access = house.open();
    let revoked = |since: Moment| RevokedAccount { account: ACCOUNT, since };
    house.says(|_| Ok(of_account()));
    account(&access, SECRET).await.unwrap();
    house.is_silent();
    house.order(|d| d.revoked.accounts = vec![revoked(BUILT_AT.plus_ms(-1))]);
    account(&access, SECRET).await.unwrap();
    house.order(|d| d.revoked.accounts = vec![revoked(BUILT_AT)]);
    assert_eq!(why(account(&access, SECRET).await), "hub-silent");

    house.order(|d| d.revoked.accounts.clear());
    house.says(|_| Err(refused(403, "account-disabled")));
    assert_eq!(why(account(&access, SECRET).await), "account-disabled");
    house.is_silent();
    assert_eq!(why(account(&access, SECRET).await), "hub-silent", "what the hub says counts at once");
}
