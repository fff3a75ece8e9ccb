//! Vouchers, accounts and roaming as boxes ask for them, and what their journals tell of it.

use super::*;
use crate::access::accounts::{self, Change, NewAccount};
use crate::access::api::BatchIn;
use crate::access::settle::settle;
use crate::access::vouchers::{self, Made, Which};
use crate::fleet::enrol;
use crate::staff::Actor;
use kulkul_model::admission::{Basis, FindingKind, Token16};
use kulkul_model::voucher::VoucherState;
use kulkul_store::{access, voucher};
use kulkul_wire::link::desired::{RevokedSection, VouchersSection};
use kulkul_wire::link::{Admit, Grant, Proof};

const HOUR: i64 = 3_600_000;
const OTHER: Mac = Mac([2, 0, 0, 0, 0, 2]);

async fn batch(h: &House, place: Option<&str>, devices: u16) -> Made {
    let new = BatchIn {
        label: "Galungan".to_owned(),
        site: place.map(site),
        count: 3,
        minutes: 60,
        begin_before: None,
        devices: Some(devices),
        down_kbps: Some(2_000),
        up_kbps: None,
    };
    vouchers::make(&h.hub, &Actor::command_line(), new.order(h.now())).await.unwrap()
}

async fn order(h: &House) {
    let ways = serde_json::json!({ "ways_in": ["click_through", "voucher", "account"] });
    let fields = ways.as_object().unwrap().clone();
    let by = Actor::command_line();
    crate::fleet::orders::set(&h.hub, &by, "access", &crate::fleet::orders::Scope::Regency, fields)
        .await
        .unwrap();
    crate::fleet::follower::refresh_all(&h.hub).await.unwrap();
}

impl House {
    async fn admit(&self, b: &Box_, device: Mac, proof: Proof) -> Answer {
        let ask = Admit { device, terms: Some(1), proof };
        self.ask(b, Method::POST, "/link/v1/admit", &serde_json::to_vec(&ask).unwrap()).await
    }

    async fn granted(&self, b: &Box_, device: Mac, proof: Proof) -> Grant {
        let answer = self.admit(b, device, proof).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        serde_json::from_slice(&answer.body).unwrap()
    }

    async fn tells(&self, b: &mut Box_, entries: &[Entry]) {
        let stamp = Stamp { boot: BootId([1; 16]), mono_ms: 1_000, wall: Some(self.now()) };
        for entry in entries {
            let sealed = b.seal_at(entry, stamp);
            let answer = self.deliver(&b.enrolled.gateway, &[&sealed.bytes]).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        }
    }

    async fn beats(&self, b: &Box_) {
        let beat = Beat {
            boot: BootId([1; 16]),
            mono_ms: 5,
            wall_ms: None,
            desired: None,
            journal_head: b.head.seq,
            minutes: Vec::new(),
            people: 1,
            checkpoint: None,
        };
        let answer = self.ask(b, Method::POST, "/link/v1/beat", &serde_json::to_vec(&beat).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
    }

    pub(super) fn pass(&self, ms: i64) {
        self.hand.set(self.now().plus_ms(ms));
    }

    /// A section of the desired state that the box at the place would be given now.
    async fn given<T: serde::de::DeserializeOwned>(&self, place: &str, name: &str) -> T {
        serde_json::from_value(self.section(place, name).await).unwrap()
    }

    async fn findings(&self) -> Vec<(FindingKind, String)> {
        let mut tx = self.hub.store().reader().await.unwrap();
        let all = access::findings(&mut tx, &access::newest(), true, 100).await.unwrap();
        all.into_iter().map(|f| (f.kind, f.site.to_string())).collect()
    }

    async fn state(&self, made: &Made, position: usize) -> VoucherState {
        let mut tx = self.hub.store().reader().await.unwrap();
        let v = voucher::list(&mut tx, &made.batch.id, 0, 10).await.unwrap().remove(position);
        VoucherState::of(&v.batch.terms, v.begun, v.revoked_at, self.now())
    }
}

fn code(made: &Made, n: usize) -> Proof {
    Proof::Voucher { code: made.codes[n].shown().to_lowercase() }
}

fn began(n: u8, mac: Mac, way_in: WayIn, basis: Option<Basis>) -> Entry {
    Entry::SessionStart(SessionStart {
        session: SessionId([n; 16]),
        mac,
        addresses: Vec::new(),
        way_in,
        terms: Some(1),
        language: "id".to_owned(),
        limit_ms: 2 * 3_600_000,
        basis,
    })
}

fn ended(n: u8, age_ms: u64) -> Entry {
    let reason = StopReason::LoggedOut;
    Entry::SessionStop(SessionStop { session: SessionId([n; 16]), age_ms, usage: usage(5), reason })
}

#[tokio::test]
async fn a_voucher_is_granted_booked_and_used_up() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let elsewhere = h.enrolled(2, "BJ-002").await;
        let made = batch(&h, Some("BJ-001"), 1).await;
        assert_eq!(h.state(&made, 0).await, VoucherState::Unused);

        let grant = h.granted(&b, MAC, code(&made, 0)).await;
        assert_eq!((grant.left_ms, grant.devices, grant.down_kbps), (Some(3_600_000), Some(1), Some(2_000)));
        let full = h.admit(&b, OTHER, code(&made, 0)).await;
        assert_eq!(full.code(), "voucher-devices", "granted a moment ago");
        assert_eq!(full.json()["devices"], "1", "the box makes a sentence of its own of it");
        assert_eq!(h.admit(&elsewhere, MAC, code(&made, 1)).await.code(), "voucher-elsewhere");
        h.granted(&b, MAC, code(&made, 0)).await;
        let typo = made.codes[0].bare().replace(&made.codes[0].bare()[..1], "U");
        assert_eq!(h.admit(&b, MAC, Proof::Voucher { code: typo }).await.code(), "voucher-mistyped");
        let stranger = kulkul_model::voucher::VoucherCode::from_bits(7).shown();
        assert_eq!(h.admit(&b, MAC, Proof::Voucher { code: stranger }).await.code(), "voucher-unknown");

        h.tells(&mut b, &[began(1, MAC, WayIn::Voucher, Some(Basis::Grant(grant.id)))]).await;
        assert_eq!(h.state(&made, 0).await, VoucherState::Running(h.now().plus_ms(HOUR)));
        h.pass(HOUR / 2);
        assert_eq!(h.admit(&b, OTHER, code(&made, 0)).await.code(), "voucher-devices");
        h.tells(&mut b, &[ended(1, 1_800_000)]).await;
        let again = h.granted(&b, OTHER, code(&made, 0)).await;
        assert_eq!(again.left_ms, Some(1_800_000), "another device, once the first has left");
        h.pass(HOUR / 2);
        assert_eq!(h.admit(&b, MAC, code(&made, 0)).await.code(), "voucher-used-up");
        h.pass(91 * 24 * HOUR);
        assert_eq!(h.admit(&b, MAC, code(&made, 1)).await.code(), "voucher-expired");
        h.beats(&b).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 0);
        assert_eq!(h.findings().await, []);
    })
    .await;
}

#[tokio::test]
async fn a_double_use_over_two_boxes_is_found_and_the_later_one_ended() {
    on_a_hub(|h| async move {
        let mut a = h.enrolled(1, "BJ-001").await;
        order(&h).await;
        let made = batch(&h, Some("BJ-001"), 1).await;
        let known: VouchersSection = h.given("BJ-001", "vouchers").await;
        assert_eq!((known.count(), known.batches[0].down_kbps), (3, Some(2_000)));
        let digest = kulkul_proof::slow::voucher(&made.codes[0], known.salt.unwrap()).unwrap();
        assert_eq!(known.find(digest).unwrap().begun, None);

        // Two devices at once by one voucher, while the box was on its own.
        let by = Some(Basis::Voucher(digest));
        h.tells(&mut a, &[began(1, MAC, WayIn::Voucher, by)]).await;
        h.pass(60_000);
        h.tells(&mut a, &[began(2, OTHER, WayIn::Voucher, by)]).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 0, "the box has not said that this is all");
        h.beats(&a).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 1);
        assert_eq!(h.findings().await, [(FindingKind::DoubleUse, "BJ-001".to_owned())]);
        let revoked: RevokedSection = h.given("BJ-001", "revoked").await;
        let ended_now: Vec<_> = revoked.sessions.iter().map(|s| s.session).collect();
        assert_eq!(ended_now, [SessionId([2; 16])], "the later one");
        h.beats(&a).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 0, "found once");

        // A voucher that was revoked in between, one that is used up, and one that nobody made.
        let other = kulkul_proof::slow::voucher(&made.codes[1], known.salt.unwrap()).unwrap();
        let id = {
            let mut tx = h.hub.store().reader().await.unwrap();
            voucher::by_offline(&mut tx, other).await.unwrap().unwrap().id
        };
        vouchers::revoke(&h.hub, &Actor::command_line(), Which::One(id)).await.unwrap();
        assert_eq!(h.given::<VouchersSection>("BJ-001", "vouchers").await.count(), 2);
        h.pass(2 * HOUR);
        let unknown = Some(Basis::Voucher(Token16([9; 16])));
        h.tells(
            &mut a,
            &[
                ended(1, 60_000),
                ended(2, 60_000),
                began(3, MAC, WayIn::Voucher, Some(Basis::Voucher(other))),
                began(4, OTHER, WayIn::Voucher, by),
                began(5, OTHER, WayIn::Voucher, unknown),
                began(6, OTHER, WayIn::Voucher, Some(Basis::Grant(Token16([8; 16])))),
            ],
        )
        .await;
        h.beats(&a).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 2, "what nobody made was found when it came");
        let mut kinds: Vec<FindingKind> = h.findings().await.into_iter().map(|f| f.0).collect();
        kinds.sort_unstable();
        let want = [FindingKind::DoubleUse, FindingKind::Revoked, FindingKind::UsedUp];
        assert_eq!(kinds, [&want[..], &[FindingKind::Unknown, FindingKind::Unknown]].concat());
    })
    .await;
}

#[tokio::test]
async fn two_places_at_once_are_found_whichever_box_tells_first() {
    on_a_hub(|h| async move {
        let (mut a, mut b) = (h.enrolled(1, "BJ-001").await, h.enrolled(2, "BJ-002").await);
        let new =
            NewAccount { name: "wayan.sudana".into(), secret: Some("hujan123".into()), ..Default::default() };
        let (account, drawn) = accounts::add(&h.hub, &Actor::command_line(), new).await.unwrap();
        assert_eq!(drawn, None);
        let by = Some(Basis::Account(account.id));
        let start = h.now();
        let at = |ms: i64| Stamp { boot: BootId([1; 16]), mono_ms: 1_000, wall: Some(start.plus_ms(ms)) };
        h.pass(3 * HOUR);
        // The box at the second place was on its own for two hours and tells first.
        let entries = [
            b.seal_at(&began(2, OTHER, WayIn::Account, by), at(HOUR / 2)),
            b.seal_at(&ended(2, 3_600_000), at(HOUR * 3 / 2)),
        ];
        let bytes: Vec<&[u8]> = entries.iter().map(|e| e.bytes.as_slice()).collect();
        assert_eq!(h.deliver(&b.enrolled.gateway, &bytes).await.status, StatusCode::OK);
        h.beats(&b).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 0, "nothing else is known yet");
        let entries =
            [a.seal_at(&began(1, MAC, WayIn::Account, by), at(0)), a.seal_at(&ended(1, 3_600_000), at(HOUR))];
        let bytes: Vec<&[u8]> = entries.iter().map(|e| e.bytes.as_slice()).collect();
        assert_eq!(h.deliver(&a.enrolled.gateway, &bytes).await.status, StatusCode::OK);
        h.beats(&a).await;
        assert_eq!(settle(&h.hub).await.unwrap(), 1);
        assert_eq!(h.findings().await, [(FindingKind::DoubleUse, "BJ-002".to_owned())], "the later session");
    })
    .await;
}

#[tokio::test]
async fn an_account_lets_in_until_it_is_disabled_and_wrong_secrets_are_bounded() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        order(&h).await;
        let by = Actor::command_line();
        let new = NewAccount { name: "Wayan.Sudana".into(), session_minutes: Some(30), ..Default::default() };
        let (account, secret) = accounts::add(&h.hub, &by, new.clone()).await.unwrap();
        assert_eq!(accounts::add(&h.hub, &by, new).await.unwrap_err().code(), "account-taken");
        let secret = secret.unwrap();
        let show = |secret: &str| Proof::Account { name: " wayan.sudana".into(), secret: secret.into() };
        let grant = h.granted(&b, MAC, show(&secret)).await;
        assert_eq!((grant.account, grant.left_ms), (Some(account.id), Some(1_800_000)));
        h.tells(&mut b, &[began(1, MAC, WayIn::Account, Some(Basis::Grant(grant.id)))]).await;
        assert_eq!(h.admit(&b, OTHER, show(&secret)).await.code(), "account-devices");

        h.pass(1_000);
        accounts::change(&h.hub, &by, "wayan.sudana", Change::Disable).await.unwrap();
        assert_eq!(h.admit(&b, MAC, show(&secret)).await.code(), "account-disabled");
        let revoked: RevokedSection = h.given("BJ-001", "revoked").await;
        assert_eq!(revoked.sessions[0].session, SessionId([1; 16]), "who was online is put out");
        assert_eq!(revoked.accounts[0].account, account.id, "and the box forgets the secret");

        let nobody = Proof::Account { name: "nyoman".into(), secret: "hujan123".into() };
        assert_eq!(h.admit(&b, MAC, nobody).await.code(), "account-wrong");
        for _ in 0..10 {
            assert_eq!(h.admit(&b, MAC, show("salah")).await.code(), "account-wrong");
        }
        assert_eq!(h.admit(&b, MAC, show(&secret)).await.status, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}

#[tokio::test]
async fn somebody_who_roams_is_granted_what_is_left() {
    on_a_hub(|h| async move {
        let (mut a, b) = (h.enrolled(1, "BJ-001").await, h.enrolled(2, "BJ-002").await);
        assert_eq!(h.admit(&b, MAC, Proof::Roam).await.code(), "roam-none");
        h.tells(&mut a, &[began(1, MAC, WayIn::ClickThrough, None)]).await;
        assert_eq!(h.admit(&a, MAC, Proof::Roam).await.code(), "roam-none", "it is there already");
        assert_eq!(h.admit(&b, OTHER, Proof::Roam).await.code(), "roam-none");
        h.pass(20 * 60_000);
        let grant = h.granted(&b, MAC, Proof::Roam).await;
        let left = 2 * 3_600_000 - 20 * 60_000;
        assert_eq!((grant.way_in, grant.left_ms, grant.terms), (WayIn::ClickThrough, Some(left), Some(1)));
        let ask = Admit { device: MAC, terms: Some(2), proof: Proof::Roam };
        let answer = h.ask(&b, Method::POST, "/link/v1/admit", &serde_json::to_vec(&ask).unwrap()).await;
        assert_eq!(answer.code(), "roam-none", "other terms hold here");

        // A voucher of everywhere moves with the device; one of a place stays there.
        let (everywhere, local) = (batch(&h, None, 1).await, batch(&h, Some("BJ-001"), 1).await);
        for (made, n, device, moves) in [(&everywhere, 3, Mac([3; 6]), true), (&local, 4, Mac([4; 6]), false)]
        {
            let grant = h.granted(&a, device, code(made, 0)).await;
            h.tells(&mut a, &[began(n, device, WayIn::Voucher, Some(Basis::Grant(grant.id)))]).await;
            h.pass(10 * 60_000);
            let answer = h.admit(&b, device, Proof::Roam).await;
            assert_eq!(answer.status == StatusCode::OK, moves, "{}", answer.json());
        }
        h.tells(&mut a, &[ended(1, 9)]).await;
        assert_eq!(h.admit(&b, MAC, Proof::Roam).await.code(), "roam-none", "it has ended");
    })
    .await;
}

#[tokio::test]
async fn a_revoked_box_takes_its_vouchers_with_it() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        order(&h).await;
        let (made, everywhere) = (batch(&h, Some("BJ-001"), 1).await, batch(&h, None, 1).await);
        let before: VouchersSection = h.given("BJ-001", "vouchers").await;
        assert_eq!(before.count(), 3, "only those of the place");
        let id = b.enrolled.gateway.clone();
        assert!(enrol::revoke(&h.hub, &id, &site("BJ-001"), "cli".into(), "stolen".into()).await.unwrap());
        assert_eq!(h.findings().await, [(FindingKind::Void, "BJ-001".to_owned())]);
        assert_eq!(h.state(&made, 0).await, VoucherState::Revoked);
        assert_eq!(h.state(&everywhere, 0).await, VoucherState::Unused);
        let new = h.enrolled(3, "BJ-001").await;
        assert_eq!(h.admit(&new, MAC, code(&made, 0)).await.code(), "voucher-revoked");
        batch(&h, Some("BJ-001"), 1).await;
        let after: VouchersSection = h.given("BJ-001", "vouchers").await;
        assert_eq!(after.count(), 3);
        assert_ne!(after.salt, before.salt, "what the thief has fits nothing any more");
    })
    .await;
}
