use super::message::{ERROR, Messages};
use super::*;
use proptest::prelude::*;

fn mac() -> Mac {
    Mac([0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff])
}

/// The body of a message, as `nft --debug=mnl` printed it for the same element.
#[test]
fn an_element_is_encoded_as_nft_encodes_it() {
    let e = Element {
        set: Set::Auth4,
        key: Key::Device(mac(), "10.0.0.1".parse().unwrap()),
        left_ms: Some(60_000),
        extra: Extra::Counter(Counter { packets: 5, bytes: 77 }),
    };
    let (bytes, first, last) = tables::batch(&[Change::Add(e)], 100);
    assert_eq!((first, last), (101, 101));
    let messages: Vec<_> = Messages(&bytes).map(Result::unwrap).collect();
    assert_eq!(
        messages.iter().map(|m| (m.kind, m.seq)).collect::<Vec<_>>(),
        [(16, 100), (2572, 101), (17, 102)]
    );
    let body = hex::encode(messages[1].body);
    for (what, wanted) in [
        ("key", "1400018010000100aabbccddeeff00000a000001"),
        ("timeout", "0c000400000000000000ea60"),
        (
            "counter",
            "2c0007800c000100636f756e746572001c0002800c000100000000000000004d0c0002000000000000000005",
        ),
    ] {
        assert!(body.contains(wanted), "{what}: {body}");
    }
}

#[test]
fn a_cap_is_encoded_as_nft_encodes_it() {
    let e = Element {
        set: Set::CapDn4,
        key: Key::Address("10.0.0.1".parse().unwrap()),
        left_ms: None,
        extra: Extra::Cap { bytes_per_s: 125_000 },
    };
    let (bytes, ..) = tables::batch(&[Change::Add(e)], 1);
    let body = hex::encode(&bytes);
    assert!(
        body.contains("0a0001006c696d6974000000340002800c000100000000000001e8480c00020000000000000000010800030000007a12080004000000000108000500 00000001".replace(' ', "").as_str()),
        "{body}"
    );
}

#[test]
fn errors_carry_the_kernels_words() {
    let mut w = message::Writer::new();
    let m = w.begin(ERROR, 0x300, 7, &(-2i32).to_ne_bytes());
    // The echoed header of the request, then the text.
    let mut echoed = 40u32.to_ne_bytes().to_vec();
    echoed.extend_from_slice(&[0; 12]);
    let mut bytes = w.finish();
    bytes.extend_from_slice(&echoed);
    let mut w = message::Writer::new();
    w.put_text(1, "no such element");
    bytes.extend_from_slice(&w.finish());
    let len = (bytes.len() as u32).to_ne_bytes();
    bytes[..4].copy_from_slice(&len);
    let _ = m;
    let message = Messages(&bytes).next().unwrap().unwrap();
    assert_eq!(message.errno(), -2);
    assert_eq!(message.words().as_deref(), Some("no such element"));
}

#[test]
fn neighbours_are_read() {
    let mut w = message::Writer::new();
    let m = w.begin(28, 0, 1, &[2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 1]);
    w.put(1, &[10, 77, 0, 9]);
    w.put(2, &mac().0);
    w.end(m);
    let bytes = w.finish();
    let message = Messages(&bytes).next().unwrap().unwrap();
    let n = routes::neighbour_from(&message).unwrap().unwrap();
    assert_eq!((n.interface, n.ip, n.mac), (3, "10.77.0.9".parse().unwrap(), Some(mac())));
    let mut failed = bytes.clone();
    failed[24] = 0x20;
    let message = Messages(&failed).next().unwrap().unwrap();
    assert_eq!(routes::neighbour_from(&message).unwrap().unwrap().mac, None, "nobody answers there any more");
}

fn key() -> impl Strategy<Value = Key> {
    let mac = any::<[u8; 6]>().prop_map(Mac);
    let ip = any::<IpAddr>();
    prop_oneof![
        (mac.clone(), ip.clone()).prop_map(|(m, i)| Key::Device(m, i)),
        ip.prop_map(Key::Address),
        mac.prop_map(Key::Mac),
    ]
}

/// Reads everything that a decoder can read from any bytes.
fn read_all(bytes: &[u8]) {
    let mut out = Vec::new();
    for message in Messages(bytes).flatten() {
        let _ = message.words();
        let _ = tables::elements(&message, Set::Auth4, &mut out);
        let _ = tables::table_digest(&message);
        let _ = tables::generation_from(&message);
        for part in tables::Part::ALL {
            let _ = tables::lasting(&message, part);
        }
        let _ = routes::neighbour_from(&message);
        let _ = routes::address_from(&message);
    }
}

proptest! {
    #[test]
    fn elements_read_back(
        key in key(), left_ms in proptest::option::of(1u64..u64::MAX), packets: u64, bytes: u64, n in 1usize..20,
    ) {
        let extra = Extra::Counter(Counter { packets, bytes });
        let e = Element { set: Set::Auth6, key, left_ms, extra };
        let (data, first, last) = tables::batch(&vec![Change::Add(e); n], 9);
        prop_assert_eq!(last - first + 1, n as u32);
        let mut out = Vec::new();
        for m in Messages(&data) {
            tables::elements(&m.unwrap(), Set::Auth6, &mut out).unwrap();
        }
        prop_assert_eq!(out, vec![e; n]);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn a_changed_message_is_read_without_panic(at in 0usize..200, to: u8, cut in 0usize..200) {
        let e = Element { set: Set::Auth4, key: Key::Mac(mac()), left_ms: Some(1), extra: Extra::Cap { bytes_per_s: 9 } };
        let (mut data, ..) = tables::batch(&[Change::Add(e), Change::Remove(Set::Auth4, e.key)], 9);
        if let Some(b) = data.get_mut(at) { *b = to; }
        data.truncate(data.len().saturating_sub(cut));
        read_all(&data);
    }
}
