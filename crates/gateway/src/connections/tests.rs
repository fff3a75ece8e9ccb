use super::*;
use crate::clock::{BootId, Hand};
use kulkul_model::Moment;

const NOW: Moment = Moment::from_ms(1_800_000_000_000);
const SESSION: SessionId = SessionId([1; 16]);
const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

struct House {
    dir: tempfile::TempDir,
    hand: Hand,
    journal: Journal,
    log: Log,
}

fn house(start: Moment) -> House {
    let dir = tempfile::tempdir().unwrap();
    let (clock, hand) = Clock::simulated(start, BootId::default());
    let journal = Journal::in_memory();
    let (log, _) = Log::new(dir.path().to_owned(), Vec::new(), clock, journal.clone());
    House { dir, hand, journal, log }
}

fn ordered(log: ConnectionLog) -> Told {
    Told::Ordered(ConnectionsSection { log, ..ConnectionsSection::default() })
}

impl House {
    fn files(&self) -> usize {
        files::parts(self.dir.path()).unwrap().len()
    }

    fn online(&self, at: Moment) -> Vec<(SessionId, Vec<Held>)> {
        let found = find(self.dir.path(), Query { at, within_s: 0, port: None }).unwrap();
        found.into_iter().map(|f| (f.session, f.addresses)).collect()
    }
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 77, 0, last])
}

#[tokio::test]
async fn off_writes_nothing_and_turning_it_off_deletes_nothing() {
    let mut house = house(NOW);
    house.log.take(Told::Everybody(vec![(SESSION, MAC, vec![ip(1)])]));
    house.log.take(ordered(ConnectionLog::Off));
    house.log.tick().await;
    assert!(!house.dir.path().join("connections").exists(), "not even a folder");
    house.log.take(ordered(ConnectionLog::Lease));
    house.hand.pass(10_000);
    house.log.take(ordered(ConnectionLog::Off));
    house.log.take(Told::Has(SESSION, MAC, ip(2)));
    house.hand.pass(10_000);
    house.log.tick().await;
    let span = Span { from: NOW, until: Some(NOW.plus_ms(10_000)) };
    assert_eq!(house.online(NOW.plus_ms(5_000)), [(SESSION, vec![Held { address: ip(1), span }])]);
    assert_eq!(house.online(NOW.plus_ms(15_000)), [], "nothing was written after it was off");
    house.hand.pass(30 * 86_400_000);
    house.log.tick().await;
    assert_eq!(house.files(), 1, "its days are not over yet");
    house.hand.pass(21_700_000);
    house.log.tick().await;
    assert_eq!(house.files(), 0, "though it is off, what is too old goes");
}

#[tokio::test]
async fn an_address_that_goes_to_another_session_and_a_session_that_ends_are_told() {
    let mut house = house(NOW);
    house.log.take(ordered(ConnectionLog::Lease));
    let other = SessionId([2; 16]);
    house.log.take(Told::Has(SESSION, MAC, ip(1)));
    house.hand.pass(60_000);
    house.log.take(Told::Has(other, MAC, ip(1)));
    house.hand.pass(60_000);
    house.log.take(Told::Over(other));
    house.log.tick().await;
    let who = |s: i64| house.online(NOW.plus_ms(s * 1_000)).into_iter().map(|o| o.0.0[0]).collect::<Vec<_>>();
    assert_eq!((who(30), who(90), who(150)), (vec![1], vec![2], vec![]));
}

#[tokio::test]
async fn nothing_is_written_while_nobody_knows_the_time_and_a_step_begins_anew() {
    let mut house = house(Moment::from_ms(5_000));
    house.log.take(Told::Everybody(vec![(SESSION, MAC, vec![ip(1)])]));
    house.log.take(ordered(ConnectionLog::Lease));
    house.log.tick().await;
    assert_eq!(house.files(), 0);
    house.hand.step(NOW);
    house.log.tick().await;
    assert_eq!(house.online(NOW).len(), 1, "who is online then is told at its first line");
    house.hand.pass(60_000);
    house.hand.step(NOW.plus_ms(86_400_000));
    house.log.take(Told::Over(SESSION));
    house.log.tick().await;
    assert_eq!(house.online(NOW.plus_ms(43_200_000)), [], "no span goes over a step");
    assert_eq!(house.files(), 2);
}

#[tokio::test]
async fn a_question_is_noted_before_it_is_answered() {
    let mut house = house(NOW);
    house.log.take(ordered(ConnectionLog::Lease));
    house.log.take(Told::Has(SESSION, MAC, ip(1)));
    house.log.tick().await;
    let query = Query { at: NOW, within_s: 2, port: None };
    let head = house.journal.head();
    let found = ask(house.dir.path().to_owned(), &house.journal, query, "B/17".to_owned()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(house.journal.head(), head + 1);
}
