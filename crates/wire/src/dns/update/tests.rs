//! Updates against answers that the test writes itself; real servers are asked in the sim's tests.

use super::*;
use proptest::prelude::*;

const AT: u64 = 1_795_000_000;

fn key() -> UpdateKey {
    UpdateKey {
        name: "Hub.Example.".to_owned(),
        algorithm: Algorithm::Sha256,
        secret: Zeroizing::new(vec![7; 32]),
    }
}

fn sent() -> (SentUpdate, Vec<u8>) {
    write("wifi.example", "_acme-challenge.BJ-001.wifi.example", Change::Set("abc"), &key(), (0x1234, AT))
        .unwrap()
}

/// A server's answer, signed as section 5.3 says unless `spoil` changes it afterwards.
fn answer(sent: &SentUpdate, code: u8, error: u16, signer: Option<&UpdateKey>) -> Vec<u8> {
    let mut message = 0x1234_u16.to_be_bytes().to_vec();
    message.extend([0x80 | UPDATE << 3, code]);
    message.extend([0; 8]);
    let key = signer.unwrap_or(&sent.key);
    let mut mac = Vec::new();
    if signer.is_some() {
        let length = u16::try_from(sent.mac.len()).unwrap().to_be_bytes();
        mac = key.sign(&[&length, &sent.mac, &message, &key.variables(AT, 300, error, &[]).unwrap()]);
    }
    let mut data = Vec::new();
    put_name(&mut data, key.algorithm.name()).unwrap();
    data.extend(time(AT));
    data.extend(300_u16.to_be_bytes());
    data.extend(u16::try_from(mac.len()).unwrap().to_be_bytes());
    data.extend(&mac);
    data.extend(0x1234_u16.to_be_bytes());
    data.extend(error.to_be_bytes());
    data.extend([0; 2]);
    put_record(&mut message, &key.name, (TSIG, NONE_LEFT, 0), &data).unwrap();
    message[11] = 1;
    message
}

#[test]
fn an_update_is_laid_out_as_the_standard_says() {
    let (_, bytes) = sent();
    assert_eq!(bytes[..12], [0x12, 0x34, 0x28, 0, 0, 1, 0, 0, 0, 2, 0, 1]);
    // The zone in lower case, SOA, IN.
    assert_eq!(&bytes[12..30], b"\x04wifi\x07example\x00\x00\x06\x00\x01");
    // All texts of the name go, then the one comes.
    let name = b"\x0f_acme-challenge\x06bj-001\x04wifi\x07example\x00";
    let gone = [name.as_slice(), &[0, 16, 0, 255, 0, 0, 0, 0, 0, 0]].concat();
    let set = [name.as_slice(), &[0, 16, 0, 1, 0, 0, 0, 1, 0, 4, 3, b'a', b'b', b'c']].concat();
    assert_eq!(bytes[30..30 + gone.len()], gone);
    assert_eq!(bytes[30 + gone.len()..30 + gone.len() + set.len()], set);
    let (_, cleared) = write("a.b", "x.a.b", Change::Clear, &key(), (1, AT)).unwrap();
    assert_eq!(cleared[8..10], [0, 1]);
}

#[test]
fn names_and_texts_that_cannot_be_written_are_none() {
    let long = "a".repeat(64);
    for name in [format!("{long}.b"), "a..b".to_owned(), vec!["abcdefgh"; 30].join(".")] {
        assert!(write("b", &name, Change::Clear, &key(), (1, AT)).is_none(), "{name}");
    }
    assert!(write("b", "a.b", Change::Set(&"x".repeat(256)), &key(), (1, AT)).is_none());
}

#[test]
fn only_an_answer_that_the_key_signed_is_a_success() {
    let (sent, _) = sent();
    let good = answer(&sent, 0, 0, Some(&key()));
    assert_eq!(read(&good, &sent, AT), Ok(()));
    assert_eq!(read(&good, &sent, AT + 300), Ok(()));
    assert_eq!(read(&good, &sent, AT + 301), Err(NotDone::Unsigned));
    let other = UpdateKey { secret: Zeroizing::new(vec![8; 32]), ..key() };
    assert_eq!(read(&answer(&sent, 0, 0, Some(&other)), &sent, AT), Err(NotDone::Unsigned));
    assert_eq!(read(&answer(&sent, 0, 0, None), &sent, AT), Err(NotDone::Unsigned));
    for at in 12..good.len() {
        let mut spoilt = good.clone();
        spoilt[at] ^= 1;
        // In place of the names that the answer repeats, ours are signed.
        let held = read(&spoilt, &sent, AT).is_ok();
        assert!(!held || (12..48).contains(&at), "byte {at} changed and nobody noticed");
    }
}

#[test]
fn what_a_server_says_is_told_apart() {
    let (sent, _) = sent();
    for (code, error, why) in [
        (9, 16, NotDone::WrongKey),
        (9, 17, NotDone::UnknownKey),
        (9, 18, NotDone::Clock),
        (5, 0, NotDone::Refused),
        (9, 0, NotDone::NotItsZone),
        (10, 0, NotDone::NotItsZone),
        (2, 0, NotDone::Code(2)),
    ] {
        assert_eq!(read(&answer(&sent, code, error, None), &sent, AT), Err(why));
    }
    // Another id, a question, nothing.
    let mut other = answer(&sent, 0, 0, Some(&key()));
    other[0] = 0;
    assert_eq!(read(&other, &sent, AT), Err(NotDone::Unreadable));
    assert_eq!(read(&sent.mac, &sent, AT), Err(NotDone::Unreadable));
    assert_eq!(read(&[], &sent, AT), Err(NotDone::Unreadable));
}

proptest! {
    #[test]
    fn a_strangers_bytes_are_never_a_success(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (sent, _) = sent();
        prop_assert!(read(&bytes, &sent, AT).is_err());
    }

    #[test]
    fn a_cut_answer_is_never_a_success(cut in 0_usize..500) {
        let (sent, _) = sent();
        let good = answer(&sent, 0, 0, Some(&key()));
        let cut = cut.min(good.len() - 1);
        prop_assert!(read(&good[..cut], &sent, AT).is_err());
    }
}
