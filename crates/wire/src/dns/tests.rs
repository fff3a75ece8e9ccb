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
        ..Answer::default()
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

fn alias(name: &str, to: &str) -> Record {
    let to = hickory_proto::rr::rdata::CNAME(Name::from_ascii(to).unwrap());
    Record::from_rdata(Name::from_ascii(name).unwrap(), 60, RData::CNAME(to))
}

fn heard(records: &[Record]) -> Answer {
    let (sent, bytes) = ask("example.org.", RecordType::A, 0xabcd_1234).unwrap();
    let asked = read_ask(&bytes).unwrap();
    read_answer(&answer(&asked, ResponseCode::NoError, records, &[], 4_096), &sent).unwrap()
}

#[test]
fn aliases_are_followed_and_what_does_not_belong_is_left_out() {
    let good = heard(&[
        alias("example.org.", "cdn.example.net."),
        a("cdn.example.net.", "203.0.113.1", 60),
        a("bank.example.", "203.0.113.66", 60),
    ]);
    assert_eq!(good.addresses().map(|ip| ip.to_string()).collect::<Vec<_>>(), ["203.0.113.1"]);
    let circle = heard(&[
        alias("example.org.", "b.example.org."),
        alias("b.example.org.", "example.org."),
        a("example.org.", "203.0.113.1", 60),
    ]);
    assert_eq!((circle.code, circle.records.len()), (ResponseCode::ServFail, 0));
    let itself = heard(&[alias("example.org.", "EXAMPLE.org.")]);
    assert_eq!(itself.code, ResponseCode::ServFail);
    let mut long: Vec<_> =
        (0..20).map(|i| alias(&format!("n{i}.example."), &format!("n{}.example.", i + 1))).collect();
    long.push(alias("example.org.", "n0.example."));
    assert_eq!(heard(&long).code, ResponseCode::ServFail);
    assert!(heard(&[a("other.example.", "203.0.113.1", 60)]).records.is_empty());
}

#[test]
fn a_glance_sees_what_the_whole_reading_sees() {
    let wants = Wants { dnssec: true, unchecked: true, authentic: true };
    let (_, bytes) = ask_for("Some.Example.ORG.", RecordType::AAAA, wants, 0xf0f0_1234).unwrap();
    let (glance, asked) = (Glance::of(&bytes).unwrap(), read_ask(&bytes).unwrap());
    assert_eq!((glance.wants, asked.wants), (wants, wants));
    assert_eq!((glance.limit, glance.kind), (asked.limit, u16::from(asked.kind)));
    let key = glance.key(wants).unwrap();
    assert_eq!(key.bytes(), asked.key(wants).unwrap().bytes());
    assert_eq!(key.name(&mut [0; 255]), Some("some.example.org."));
    for other in [Wants::default(), Wants { dnssec: true, ..Wants::default() }] {
        assert_ne!(glance.key(other).unwrap().bytes(), key.bytes());
    }
    for i in 0..bytes.len() {
        assert!(Glance::of(&bytes[..i]).is_none(), "cut at {i}");
    }
}

#[test]
fn kept_bytes_become_the_answer_of_whoever_asks() {
    let said = Answer {
        records: vec![alias("example.org.", "a.example.org."), a("a.example.org.", "203.0.113.1", 300)],
        authentic: true,
        ..Answer::default()
    };
    let ready = said.ready("example.org.", RecordType::A).unwrap();
    let (sent, bytes) = ask("example.org.", RecordType::A, 0x5a5a_5a5a_77aa).unwrap();
    let (glance, mut out) = (Glance::of(&bytes).unwrap(), Vec::new());
    ready.write(&glance, glance.limit, |ttl| ttl.saturating_sub(100).max(1), &mut out);
    let read = read_answer(&out, &sent).unwrap();
    assert_eq!(read.records.iter().map(|r| r.ttl).collect::<Vec<_>>(), [1, 200]);
    assert!(!read.authentic, "not asked for");
    assert_eq!(read.addresses().next(), Some("203.0.113.1".parse().unwrap()));
    ready.write(&glance, 40, |ttl| ttl, &mut out);
    assert!(read_answer(&out, &sent).unwrap().truncated);
    let again = Answer::kept(&ready, &glance.key(Wants::default()).unwrap(), |ttl| ttl).unwrap();
    assert_eq!((again.records.len(), again.authentic), (2, true));
}

#[test]
fn a_blocked_name_has_an_address_and_says_which_list() {
    let (sent, bytes) = ask("ads.example.", RecordType::A, 0x77aa).unwrap();
    let (glance, mut out) = (Glance::of(&bytes).unwrap(), Vec::new());
    glance.blocked(0, Some("10.77.0.1".parse().unwrap()), 60, "ads", &mut out);
    let read = read_answer(&out, &sent).unwrap();
    assert_eq!(read.addresses().next(), Some("10.77.0.1".parse().unwrap()));
    let edns = Message::from_vec(&out).unwrap().edns.unwrap();
    let option = edns.option(hickory_proto::rr::rdata::opt::EdnsCode::Unknown(15)).cloned();
    let said = hickory_proto::rr::rdata::opt::EdnsOption::Unknown(15, b"\x00\x0fads".to_vec());
    assert_eq!(option, Some(said));
    glance.blocked(3, None, 0, "", &mut out);
    assert_eq!(read_answer(&out, &sent).unwrap().code, ResponseCode::NXDomain);
}
