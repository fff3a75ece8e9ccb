use super::*;
use proptest::prelude::*;

fn a(name: &str, ip: &str, ttl: u32) -> Record {
    address_record(name, ip.parse().unwrap(), ttl).unwrap()
}

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    ask(name, kind, 0x1234).unwrap().1
}

#[test]
fn a_question_is_answered_with_its_own_id_and_spelling() {
    let (_, bytes) = ask("example.org.", RecordType::A, u128::MAX - 0xffff + 7).unwrap();
    let asked = read_ask(&bytes).unwrap();
    assert_eq!((asked.id, asked.name.as_str(), asked.limit), (7, "example.org.", UDP_LIMIT));
    let bytes =
        answer(&asked, ResponseCode::NoError, &[a("example.org.", "203.0.113.1", 60)], &[], asked.limit);
    let message = Message::from_vec(&bytes).unwrap();
    assert_eq!(message.queries[0].name().to_ascii(), "EXAMPLE.ORG.");
    assert_eq!(message.answers.len(), 1);
}

#[test]
fn an_answer_to_something_else_is_not_an_answer() {
    let (sent, bytes) = ask("example.org.", RecordType::A, 0xabcd_1234).unwrap();
    let asked = read_ask(&bytes).unwrap();
    let good = answer(&asked, ResponseCode::NoError, &[], &[], 512);
    assert!(read_answer(&good, &sent).is_some());
    let (other_id, _) = ask("example.org.", RecordType::A, 0xabcd_1235).unwrap();
    assert!(read_answer(&good, &other_id).is_none());
    let (other_case, _) = ask("example.org.", RecordType::A, 0xabc0_1234).unwrap();
    assert!(read_answer(&good, &other_case).is_none());
    let (other_kind, _) = ask("example.org.", RecordType::AAAA, 0xabcd_1234).unwrap();
    assert!(read_answer(&good, &other_kind).is_none());
    assert!(read_answer(&bytes, &sent).is_none(), "a question is no answer");
}

#[test]
fn strange_questions_get_a_code_or_silence() {
    assert_eq!(read_ask(b"").unwrap_err(), Bad::Silent);
    let good = question("example.org.", RecordType::A);
    assert_eq!(read_ask(&good[..11]).unwrap_err(), Bad::Silent);
    let code = |bytes: &[u8]| match read_ask(bytes).unwrap_err() {
        Bad::Reply { id: 0x1234, code } => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(&good[..20]), ResponseCode::FormErr);
    let mut update = good.clone();
    update[2] |= 5 << 3;
    assert_eq!(code(&update), ResponseCode::NotImp);
    let mut is_answer = good.clone();
    is_answer[2] |= 0x80;
    assert_eq!(read_ask(&is_answer).unwrap_err(), Bad::Silent);
    assert_eq!(code(&question("example.org.", RecordType::ANY)), ResponseCode::NotImp);
    assert_eq!(code(&question("example.org.", RecordType::AXFR)), ResponseCode::NotImp);
}

#[test]
fn what_does_not_fit_is_cut_and_marked() {
    let asked = read_ask(&question("example.org.", RecordType::A)).unwrap();
    let many: Vec<Record> = (0..100).map(|n| a("example.org.", &format!("203.0.113.{n}"), 60)).collect();
    let cut = answer(&asked, ResponseCode::NoError, &many, &[], PLAIN_LIMIT);
    assert!(cut.len() <= PLAIN_LIMIT);
    assert!(Message::from_vec(&cut).unwrap().metadata.truncation);
    let whole = answer(&asked, ResponseCode::NoError, &many, &[], 65_535);
    assert_eq!(Message::from_vec(&whole).unwrap().answers.len(), 100);
}

#[test]
fn outside_names_do_not_point_inside() {
    for inside in [
        "10.0.0.1",
        "172.31.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::1",
        "::",
        "fd77::1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "224.0.0.1",
    ] {
        assert!(is_inside(inside.parse().unwrap()), "{inside}");
    }
    for outside in ["203.0.113.1", "100.128.0.1", "172.32.0.1", "2001:db8::1", "64:ff9b::cb00:7101"] {
        assert!(!is_inside(outside.parse().unwrap()), "{outside}");
    }
    let mut mixed = Answer {
        code: ResponseCode::NoError,
        records: vec![a("x.", "10.77.0.1", 60), a("x.", "203.0.113.1", 30)],
        authority: Vec::new(),
        truncated: false,
    };
    assert!(mixed.without(is_inside));
    assert_eq!(mixed.addresses().collect::<Vec<_>>(), ["203.0.113.1".parse::<IpAddr>().unwrap()]);
    assert_eq!(mixed.keep_s(3600, 60), 30);
    assert!(!mixed.without(is_inside));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(asked) = read_ask(&bytes) {
            prop_assert!(answer(&asked, ResponseCode::ServFail, &[], &[], PLAIN_LIMIT).len() <= PLAIN_LIMIT);
        }
        let (sent, _) = ask("example.org.", RecordType::A, 0).unwrap();
        let _ = read_answer(&bytes, &sent);
    }

    #[test]
    fn a_good_question_with_a_changed_byte_is_read_without_harm(at in 0usize..40, to in any::<u8>()) {
        let mut bytes = question("www.example.org.", RecordType::HTTPS);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to;
        }
        if let Ok(asked) = read_ask(&bytes) {
            prop_assert!(read_ask(&answer(&asked, ResponseCode::NoError, &[], &[], 512)).is_err());
        }
    }
}
