use super::*;
use crate::connections::files::FOLDER;
use std::fs;

const T: i64 = 1_800_000_000;
const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

fn at(s: i64) -> Moment {
    Moment::from_ms((T + s) * 1_000)
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 77, 0, last])
}

/// Writes a file that begins with its first record.
fn write(data: &Path, records: &[(i64, Record)]) {
    fs::create_dir_all(data.join(FOLDER)).unwrap();
    let bytes: Vec<u8> = records.iter().flat_map(|(s, r)| r.encode(at(*s))).collect();
    let name = format!("{:015}.log", at(records[0].0).ms());
    fs::write(data.join(FOLDER).join(name), bytes).unwrap();
}

fn session(number: u32, id: u8) -> Record {
    Record::Session { number, session: SessionId([id; 16]), mac: MAC }
}

fn ask(data: &Path, s: i64, port: Option<u16>) -> Vec<(u8, usize, usize)> {
    let found = find(data, Query { at: at(s), within_s: 2, port }).unwrap();
    found.iter().map(|f| (f.session.0[0], f.addresses.len(), f.connections.len())).collect()
}

fn began(id: u32, number: u32, port: u16) -> Record {
    Record::Began { id, number, protocol: 6, port }
}

#[test]
fn a_port_leads_to_the_session_that_went_out_by_it_then() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            (0, Record::Anew),
            (0, session(0, 1)),
            (0, Record::Has { number: 0, address: ip(1) }),
            (5, session(1, 2)),
            (5, Record::Has { number: 1, address: ip(2) }),
            (10, began(7, 0, 40_000)),
            (20, Record::Ended { id: 7 }),
            (30, began(8, 1, 40_000)),
            (30, began(9, 1, 41_000)),
            (50, Record::Over { number: 0 }),
        ],
    );
    let ask = |s, port| ask(dir.path(), s, port);
    assert_eq!(ask(15, Some(40_000)), [(1, 1, 1)]);
    assert_eq!(ask(26, Some(40_000)), [], "the port was free then");
    assert_eq!(ask(40, Some(40_000)), [(2, 1, 1)]);
    assert_eq!(ask(1_000, Some(41_000)), [(2, 1, 1)], "it lasts");
    assert_eq!(ask(40, None), [(1, 1, 0), (2, 1, 0)], "without a port everybody who was online");
    assert_eq!(ask(60, None), [(2, 1, 0)]);
    assert_eq!(ask(-60, None), []);
}

#[test]
fn an_address_is_one_sessions_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let has = |number| Record::Has { number, address: ip(1) };
    write(
        dir.path(),
        &[(0, Record::Anew), (0, session(0, 1)), (0, has(0)), (60, session(1, 2)), (60, has(1))],
    );
    assert_eq!(ask(dir.path(), 30, None), [(1, 1, 0)]);
    assert_eq!(ask(dir.path(), 90, None), [(2, 1, 0)]);
}

#[test]
fn files_go_on_where_the_one_before_ended_and_a_torn_one_says_too_little() {
    let dir = tempfile::tempdir().unwrap();
    let begin = |s: i64| {
        [
            (s, Record::Anew),
            (s, session(0, 1)),
            (s, Record::Has { number: 0, address: ip(1) }),
            (s + 1, began(7, 0, 40_000)),
        ]
    };
    // Closed in order, gone on with, torn by a power cut, begun anew an hour later.
    write(dir.path(), &[&begin(0)[..], &[(100, Record::Anew)]].concat());
    write(dir.path(), &[&begin(101)[..], &[(150, began(8, 0, 41_000))]].concat());
    write(dir.path(), &begin(3_600));
    let found = find(dir.path(), Query { at: at(120), within_s: 0, port: Some(40_000) }).unwrap();
    let span = Span { from: at(1), until: Some(at(150)) };
    assert_eq!(found[0].connections, [WentOut { protocol: 6, port: 40_000, span }]);
    assert_eq!(
        found[0].addresses,
        [Held { address: ip(1), span: Span { from: at(0), until: Some(at(150)) } }]
    );
    assert_eq!(ask(dir.path(), 1_000, Some(40_000)), [], "nobody knows what was while it was off");
    assert_eq!(ask(dir.path(), 3_700, Some(40_000)), [(1, 1, 1)]);
    assert_eq!(ask(dir.path(), 3_700, Some(41_000)), []);
}

#[test]
fn several_connections_by_one_port_are_one_span_until_the_last_ends() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[
            (0, Record::Anew),
            (0, session(0, 1)),
            (0, Record::Has { number: 0, address: ip(1) }),
            (10, began(7, 0, 40_000)),
            (12, began(8, 0, 40_000)),
            (20, Record::Ended { id: 7 }),
            (40, Record::Ended { id: 8 }),
        ],
    );
    assert_eq!(ask(dir.path(), 30, Some(40_000)), [(1, 1, 1)]);
    assert_eq!(ask(dir.path(), 60, Some(40_000)), []);
    assert_eq!(ask(&dir.path().join("nowhere"), 30, None), []);
}
