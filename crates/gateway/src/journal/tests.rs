//! The journal under power cuts, damage, full disks and clocks that jump.

use super::*;
use kulkul_model::Moment;
use kulkul_model::session::{SessionId, Usage};
use kulkul_proof::{Chain, Head, Verdict, Verifier};
use kulkul_wire::link::{Consent, Event, GapReason, Kind, SessionInterim};
use proptest::prelude::*;

const GATEWAY: u128 = 7;

/// A clock that tests set.
#[derive(Clone, Default)]
struct Time(Arc<Mutex<Stamp>>);

impl Time {
    fn set(&self, mono_ms: u64, wall: Option<i64>) {
        let mut stamp = self.0.lock().unwrap();
        stamp.mono_ms = mono_ms;
        stamp.wall = wall.map(Moment::from_ms);
    }

    fn reboot(&self) {
        let mut stamp = self.0.lock().unwrap();
        *stamp = Stamp { boot: BootId([stamp.boot.0[0] + 1; 16]), mono_ms: 0, wall: None };
    }
}

fn options(disk: &Memory, limit: usize) -> Options {
    let mut n = 0u8;
    Options {
        disk: Arc::new(disk.clone()),
        signer: Signer::from_seed(&[1; 32]),
        gateway: GatewayId::from_bits(GATEWAY),
        salts: Box::new(move || {
            n = n.wrapping_add(1);
            [n; 16]
        }),
        limit,
    }
}

fn journal(disk: &Memory, time: &Time) -> Journal {
    let time = time.clone();
    Journal::open(options(disk, LIMIT), Arc::new(move || *time.0.lock().unwrap())).unwrap()
}

fn count(n: u64) -> Entry {
    Entry::Consent(Consent { terms: 1, count: n })
}

fn interim(n: u8) -> Entry {
    Entry::SessionInterim(SessionInterim { session: SessionId([n; 16]), age_ms: 1, usage: Usage::default() })
}

fn chain(head: Head) -> Chain {
    let key = Verifier::new(&Signer::from_seed(&[1; 32]).public()).unwrap();
    Chain::new(&GatewayId::from_bits(GATEWAY), key, head)
}

/// Delivers everything from number `from` on and gives the entries that a hub accepts.
async fn deliver(journal: &Journal, chain: &mut Chain) -> Vec<(Header, Option<Entry>)> {
    let mut got = Vec::new();
    while chain.head().seq < journal.head() {
        let batch = journal.unsent(chain.head().seq + 1, 4_096).await.unwrap();
        assert!(!batch.is_empty(), "stuck at {}", chain.head().seq);
        for stored in batch {
            match chain.take(&stored.sealed) {
                Verdict::Accept(o) => got.push((o.header, o.entry)),
                other => panic!("entry {}: {other:?}", stored.seq),
            }
        }
    }
    got
}

fn kinds(got: &[(Header, Option<Entry>)]) -> Vec<Kind> {
    got.iter().map(|(h, _)| h.kind).collect()
}

#[tokio::test]
async fn the_power_may_go_at_any_byte() {
    let disk = Memory::default();
    disk.record();
    let time = Time::default();
    let j = journal(&disk, &time);
    let mut synced = vec![(disk.written(), 0)];
    for n in 1..=6 {
        let seq = j.append(count(n)).await.unwrap();
        synced.push((disk.written(), seq));
    }
    for at in 0..=disk.written() {
        let safe = synced.iter().rfind(|(bytes, _)| *bytes <= at).map_or(0, |(_, seq)| *seq);
        let after = disk.cut(at);
        let j = journal(&after, &time);
        assert_eq!(j.head(), safe, "cut at byte {at}");
        assert_eq!(j.append(count(99)).await.unwrap(), safe + 1);
        let got = deliver(&j, &mut chain(Head::default())).await;
        assert_eq!(got.len() as u64, safe + 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_flipped_bit_loses_one_entry_and_says_so(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (disk, time) = (Memory::default(), Time::default());
            let j = journal(&disk, &time);
            for n in 1..=5 {
                j.append(count(n)).await.unwrap();
            }
            drop(j);
            let name = disk.list().unwrap().into_iter().find(|n| n.starts_with("seg-")).unwrap();
            let length = disk.read(&name).unwrap().len();
            disk.flip(&name, at.index(length), bit);
            let j = journal(&disk, &time);
            // Damage in the last record cannot be told from a torn tail.
            let last = j.head();
            assert!(last >= 4);
            let got = deliver(&j, &mut chain(Head::default())).await;
            let gaps = got.iter().filter(|(h, _)| h.kind == Kind::Gap).count();
            assert_eq!(gaps, usize::from(last == 5));
            assert_eq!(got.len() as u64, last);
        });
    }
}

#[tokio::test]
async fn a_clock_that_jumps_a_year_is_an_event() {
    let (disk, time) = (Memory::default(), Time::default());
    let j = journal(&disk, &time);
    time.set(1_000, Some(1_000_000));
    j.append(count(1)).await.unwrap();
    time.set(2_000, Some(1_001_500));
    j.append(count(2)).await.unwrap();
    let year = 365 * 86_400_000;
    time.set(3_000, Some(1_002_000 + year));
    j.append(count(3)).await.unwrap();
    let got = deliver(&j, &mut chain(Head::default())).await;
    assert_eq!(kinds(&got), [Kind::Consent, Kind::Consent, Kind::Event, Kind::Consent]);
    let (from, to) = (Moment::from_ms(1_002_500), Moment::from_ms(1_002_000 + year));
    assert_eq!(got[2].1, Some(Entry::Event(Event::ClockStepped { from, to })));
    assert_eq!(got[1].0.stamp.wall, Some(Moment::from_ms(1_001_500)), "nothing is rewritten");
}

#[tokio::test]
async fn entries_before_the_clock_was_set_are_dated_once_for_each_run() {
    let (disk, time) = (Memory::default(), Time::default());
    let j = journal(&disk, &time);
    time.set(1_000, None);
    j.append(count(1)).await.unwrap();
    time.set(5_000, Some(1_800_000_000_000));
    j.append(count(2)).await.unwrap();
    time.set(6_000, Some(1_800_000_001_000));
    j.append(count(3)).await.unwrap();
    time.reboot();
    j.append(count(4)).await.unwrap();
    drop(j);
    let j = journal(&disk, &time);
    time.set(9_000, Some(1_800_000_900_000));
    j.append(count(5)).await.unwrap();
    let got = deliver(&j, &mut chain(Head::default())).await;
    use Kind::{Anchor, Consent};
    assert_eq!(kinds(&got), [Consent, Anchor, Consent, Consent, Consent, Anchor, Consent]);
    assert_eq!(got[0].0.stamp.wall, None);
}

#[tokio::test]
async fn a_full_disk_drops_interims_first_and_hours_never() {
    let (disk, time) = (Memory::default(), Time::default());
    let limit = 1_600_000;
    let make = |disk: &Memory| {
        let time = time.clone();
        Journal::open(options(disk, limit), Arc::new(move || *time.0.lock().unwrap())).unwrap()
    };
    let j = make(&disk);
    let hour = || Entry::Hour { service: vec![7; 600], usage: vec![8; 400] };
    let mut refused = 0;
    for n in 0..5_000u32 {
        let entry = if n % 10 == 0 { hour() } else { interim(n as u8) };
        let is_hour = n % 10 == 0;
        match j.append(entry).await {
            Ok(_) => {}
            Err(JournalError::Full) if !is_hour => refused += 1,
            Err(e) => panic!("entry {n}: {e}"),
        }
        assert!(disk.used() <= limit, "{} at {n}", disk.used());
    }
    let mut hub = chain(Head::default());
    let got = deliver(&j, &mut hub).await;
    assert!(got.iter().filter(|(h, _)| h.kind == Kind::Hour).all(|(_, e)| *e == Some(hour())));
    assert_eq!(got.iter().filter(|(h, _)| h.kind == Kind::Hour).count(), 500);
    let bare = got.iter().filter(|(h, e)| h.kind == Kind::SessionInterim && e.is_none()).count();
    assert!(bare > 0 && refused > 0, "{bare} dropped, {refused} refused");
    // The hub takes what there is; then there is room, and the loss is told.
    j.held_through(j.head()).await.unwrap();
    for n in 0..40 {
        j.append(count(n)).await.unwrap();
    }
    let told = deliver(&j, &mut hub).await;
    let told = told
        .iter()
        .any(|(_, e)| matches!(e, Some(Entry::Event(Event::DiskFull { dropped })) if *dropped > 0));
    assert!(told, "a disk that was full is told once there is room");
}

#[tokio::test]
async fn a_disk_without_a_byte_refuses_and_goes_on_later() {
    let (disk, time) = (Memory::default(), Time::default());
    let j = journal(&disk, &time);
    j.append(count(1)).await.unwrap();
    disk.set_room(Some(disk.used() - 512 * 1024 + 100));
    let mut full = false;
    for n in 0..20 {
        full |= j.append(count(n)).await.is_err();
    }
    assert!(full);
    let head = j.head();
    disk.set_room(None);
    assert_eq!(j.append(count(3)).await.unwrap(), head + 1);
    deliver(&j, &mut chain(Head::default())).await;
    drop(j);
    assert_eq!(journal(&disk, &time).head(), head + 1);
}

#[tokio::test]
async fn what_the_hub_holds_stays_a_week_and_may_be_asked_for_again() {
    let (disk, time) = (Memory::default(), Time::default());
    let day = 86_400_000;
    time.set(0, Some(0));
    let j = journal(&disk, &time);
    // Two segments and a bit.
    let large = || Entry::Hour { service: vec![1; 30_000], usage: vec![2; 1_000] };
    for _ in 0..20 {
        j.append(large()).await.unwrap();
    }
    j.held_through(20).await.unwrap();
    assert_eq!(j.held(), 20);
    assert_eq!(j.unsent(1, usize::MAX).await.unwrap().len(), 20, "a restored hub may ask again");
    time.set(8 * day as u64, Some(8 * day));
    j.append(count(1)).await.unwrap();
    j.held_through(21).await.unwrap();
    let again = j.unsent(1, usize::MAX).await.unwrap();
    assert!(again.len() < 20);
    // The hub that forgot gets a gap for what is gone, and then the rest.
    let got = deliver(&j, &mut chain(Head::default())).await;
    let Some(Entry::Gap(gap)) = &got[0].1 else { panic!("{:?}", got[0]) };
    assert_eq!((gap.from, gap.reason), (1, GapReason::Dropped));
    drop(j);
    assert_eq!(journal(&disk, &time).held(), 21);
}

#[tokio::test]
async fn a_refused_entry_is_bridged() {
    let (disk, time) = (Memory::default(), Time::default());
    let j = journal(&disk, &time);
    for n in 1..=4 {
        j.append(count(n)).await.unwrap();
    }
    j.refuse(2).await;
    let got = deliver(&j, &mut chain(Head::default())).await;
    assert_eq!(kinds(&got), [Kind::Consent, Kind::Gap, Kind::Consent, Kind::Consent]);
}

#[tokio::test]
async fn a_box_that_was_rolled_back_goes_on_after_a_gap() {
    let (disk, time) = (Memory::default(), Time::default());
    let j = journal(&disk, &time);
    j.append(count(1)).await.unwrap();
    j.held_through(9).await.unwrap();
    assert_eq!(j.append(count(2)).await.unwrap(), 11);
    let mut hub = chain(Head { seq: 9, hash: kulkul_wire::link::Digest([9; 32]) });
    assert_eq!(kinds(&deliver(&j, &mut hub).await), [Kind::Gap, Kind::Consent]);
}

#[tokio::test]
async fn those_who_wait_share_a_sync_and_keep_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut made = options(&Memory::default(), LIMIT);
    made.disk = Arc::new(crate::disk::Files::open(dir.path()).unwrap());
    let j = Journal::open(made, Arc::new(Stamp::default)).unwrap();
    let waiting: Vec<_> = (0..200)
        .map(|n| {
            let j = j.clone();
            tokio::spawn(async move { j.append(count(n)).await.unwrap() })
        })
        .collect();
    let mut numbers = Vec::new();
    for w in waiting {
        numbers.push(w.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    assert_eq!(deliver(&j, &mut chain(Head::default())).await.len(), 200);
}
