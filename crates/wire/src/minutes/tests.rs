use super::*;
use proptest::prelude::*;

const HOUR: Moment = Moment::from_ms(1_795_500_000_000);

/// A small generator, so that the sizes printed here are the same every day.
struct Dice(u64);
impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn typical(seed: u64) -> (Vec<Minute>, Vec<UsageMinute>) {
    let mut d = Dice(seed);
    let pings = |d: &mut Dice, around: u64, jitter: u64| Pings {
        sent: 5,
        lost: u8::from(d.below(40) == 0),
        rtt_us: (around + d.below(jitter) + d.below(jitter)) as u32,
    };
    (0..60)
        .map(|m| {
            let at = HOUR.plus_ms(m * 60_000);
            let service = Minute {
                at,
                hub: pings(&mut d, 8_000, 1_500),
                anchor_a: pings(&mut d, 21_000, 3_000),
                anchor_b: pings(&mut d, 34_000, 3_000),
                dns: ProbeResult::Good,
                dns_us: (9_000 + d.below(12_000)) as u32,
                http: ProbeResult::Good,
                http_us: (60_000 + d.below(60_000)) as u32,
                radios: Radios::default(),
            };
            let people = 8 + d.below(12);
            let usage = UsageMinute {
                at,
                people: people as u32,
                begun: d.below(4) as u32,
                down_bytes: people * (300_000 + d.below(900_000)),
                up_bytes: people * (40_000 + d.below(90_000)),
                load_centi: (20 + d.below(40)) as u32,
            };
            (service, usage)
        })
        .unzip()
}

#[test]
fn an_hour_is_small() {
    let (mut service, mut usage) = (0, 0);
    for seed in 0..100 {
        let (s, u) = typical(seed);
        service += encode_service(HOUR, &s).unwrap().len();
        usage += encode_usage(HOUR, &u).unwrap().len();
    }
    let per_minute = |total: usize| total as f64 / 6000.0;
    println!("service {:.1}, usage {:.1} bytes a site-minute", per_minute(service), per_minute(usage));
    assert!(per_minute(service) < 10.5, "{}", per_minute(service));
    assert!(per_minute(usage) < 8.5, "{}", per_minute(usage));
    // A quiet hour costs hardly more than its head.
    let calm: Vec<UsageMinute> =
        (0..60).map(|m| UsageMinute { at: HOUR.plus_ms(m * 60_000), ..UsageMinute::default() }).collect();
    assert_eq!(encode_usage(HOUR, &calm).unwrap().len(), HEAD + CRC + 5 * 2);
}

#[test]
fn the_bytes_of_a_block_stay_what_they_are() {
    // What gateways signed last year must decode next year.
    let (service, _) = typical(7);
    let block = encode_service(HOUR, &service[..2]).unwrap();
    assert_eq!(
        hex::encode(&block),
        concat!(
            "010100079c3e0300000000000000050000008c4a0800d305000000b1b9010bf307",
            "0005000000a797020af002000100de720d004073020100f880050fcb750000bbb48465",
        ),
    );
}

#[test]
fn access_points_are_two_columns_more_and_only_where_there_are_some() {
    let (mut service, _) = typical(3);
    let plain = encode_service(HOUR, &service).unwrap();
    for (i, minute) in service.iter_mut().enumerate() {
        minute.radios = Radios { known: 2, seen: if i < 30 { 2 } else { 1 } };
    }
    let block = encode_service(HOUR, &service).unwrap();
    assert_eq!((plain[0], block[0]), (1, 2));
    assert!(block.len() <= plain.len() + 12, "{} more bytes", block.len() - plain.len());
    assert_eq!(decode_service(&block), Ok((HOUR, service.clone())));
    let more = Minute { radios: Radios { known: 1, seen: 2 }, ..service[0] };
    assert_eq!(encode_service(HOUR, &[more]), Err(MinutesError::Value { column: 14 }));
    // The same hour in two spellings would be two records of it: two columns of zeros are refused.
    let mut body = plain[..plain.len() - CRC].to_vec();
    body[0] = 2;
    body.extend([0; 4]);
    body.extend(crc32fast::hash(&body).to_be_bytes());
    assert_eq!(decode_service(&body), Err(MinutesError::Version(2)));
    body[1] = 2;
    body.truncate(body.len() - CRC);
    body.extend(crc32fast::hash(&body).to_be_bytes());
    assert_eq!(decode_usage(&body), Err(MinutesError::Version(2)));
}

#[test]
fn broken_blocks_are_refused_by_name() {
    let (service, usage) = typical(1);
    let good = encode_service(HOUR, &service).unwrap();
    assert_eq!(head(&good).unwrap().n, 60);
    assert_eq!(head(&good).unwrap().hour, HOUR);
    assert_eq!(decode_service(&[]), Err(MinutesError::Length));
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    assert_eq!(decode_service(&flipped), Err(MinutesError::Crc));
    assert_eq!(decode_usage(&good), Err(MinutesError::Kind(1)));
    let sealed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut body = good[..good.len() - CRC].to_vec();
        change(&mut body);
        let crc = crc32fast::hash(&body);
        body.extend(crc.to_be_bytes());
        decode_service(&body)
    };
    assert_eq!(sealed(&|b| b[0] = 3), Err(MinutesError::Version(3)));
    assert!(sealed(&|b| b[0] = 2).is_err(), "the columns of version 2 are missing");
    assert_eq!(sealed(&|b| b[1] = 3), Err(MinutesError::Kind(3)));
    assert_eq!(sealed(&|b| b[13] = 0xff), Err(MinutesError::Length), "a 64th minute");
    assert_eq!(sealed(&|b| b.push(0)), Err(MinutesError::Length), "a byte left over");
    assert_eq!(sealed(&|b| b.truncate(40)), Err(MinutesError::Length));
    // `sent` is 5 in every minute: base 5, width 0. Base 4 and width 1 would say the same.
    assert_eq!((good[HEAD], good[HEAD + 1]), (5, 0));
    let wide = sealed(&|b| {
        b[HEAD] = 4;
        b[HEAD + 1] = 1;
        b.splice(HEAD + 2..HEAD + 2, [0xff; 8]);
    });
    assert!(wide.is_err(), "{wide:?}");
    let long_base = sealed(&|b| {
        b.splice(HEAD..HEAD + 1, [0x85, 0x00]);
    });
    assert_eq!(long_base, Err(MinutesError::Spelling { column: 0 }));
    assert!(matches!(
        encode_service(HOUR, &[service[3], service[2]]),
        Err(MinutesError::Minute(at)) if at == service[2].at
    ));
    assert_eq!(encode_usage(HOUR, &[usage[3], usage[3]]), Err(MinutesError::Minute(usage[3].at)));
    assert!(encode_service(HOUR.plus_ms(1), &service).is_err());
    assert!(encode_service(HOUR.plus_ms(-3_600_000), &service).is_err());
    let lost = Minute { hub: Pings { sent: 1, lost: 2, rtt_us: 0 }, ..service[0] };
    assert_eq!(encode_service(HOUR, &[lost]), Err(MinutesError::Value { column: 1 }));
}

#[test]
fn the_corpus_of_the_fuzz_target_is_read_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/minutes");
    let mut good = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let again = match (decode_service(&bytes), decode_usage(&bytes)) {
            (Ok((hour, rows)), _) => encode_service(hour, &rows),
            (_, Ok((hour, rows))) => encode_usage(hour, &rows),
            _ => continue,
        };
        assert_eq!(again.as_deref(), Ok(&bytes[..]), "{}", path.display());
        good.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    good.sort();
    assert_eq!(good, ["no-minutes", "two-minutes"]);
}

fn pings() -> impl Strategy<Value = Pings> {
    (any::<u8>(), any::<u8>(), any::<u32>()).prop_map(|(a, b, rtt_us)| Pings {
        sent: a.max(b),
        lost: a.min(b),
        rtt_us,
    })
}

fn result() -> impl Strategy<Value = ProbeResult> {
    (0u64..4).prop_map(|n| result_of(n).unwrap())
}

fn service_minute() -> impl Strategy<Value = Minute> {
    let radios = (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Radios { known: a.max(b), seen: a.min(b) });
    let radios = prop_oneof![Just(Radios::default()), radios];
    (pings(), pings(), pings(), result(), any::<u32>(), result(), any::<u32>(), radios).prop_map(
        |(hub, anchor_a, anchor_b, dns, dns_us, http, http_us, radios)| Minute {
            at: HOUR,
            hub,
            anchor_a,
            anchor_b,
            dns,
            dns_us,
            http,
            http_us,
            radios,
        },
    )
}

fn usage_minute() -> impl Strategy<Value = UsageMinute> {
    (any::<u32>(), any::<u32>(), any::<u64>(), any::<u64>(), any::<u32>()).prop_map(
        |(people, begun, down_bytes, up_bytes, load_centi)| UsageMinute {
            at: HOUR,
            people,
            begun,
            down_bytes,
            up_bytes,
            load_centi,
        },
    )
}

proptest! {
    #[test]
    fn every_hour_comes_back(
        service in prop::collection::vec(prop::option::of(service_minute()), 0..=60),
        usage in prop::collection::vec(prop::option::of(usage_minute()), 0..=60),
        hour in any::<u32>(),
    ) {
        let hour = Moment::from_ms(i64::from(hour) * HOUR_MS);
        let at = |m: usize| hour.plus_ms(m as i64 * MINUTE_MS);
        let service: Vec<Minute> = service.into_iter().enumerate()
            .filter_map(|(m, v)| v.map(|v| Minute { at: at(m), ..v })).collect();
        let usage: Vec<UsageMinute> = usage.into_iter().enumerate()
            .filter_map(|(m, v)| v.map(|v| UsageMinute { at: at(m), ..v })).collect();
        let block = encode_service(hour, &service).unwrap();
        prop_assert!(block.len() <= MAX_BYTES);
        prop_assert_eq!(decode_service(&block), Ok((hour, service)));
        let block = encode_usage(hour, &usage).unwrap();
        prop_assert_eq!(decode_usage(&block), Ok((hour, usage)));
    }

    #[test]
    fn what_decodes_is_spelled_in_the_one_way(mut body in prop::collection::vec(any::<u8>(), 0..200), version in 1u8..3, kind in 1u8..3) {
        // A right head and checksum, so that the columns are what is tried.
        if let Some(front) = body.get_mut(..2) {
            front.copy_from_slice(&[version, kind]);
        }
        if let Some(top) = body.get_mut(8..14) {
            top.fill(0);
        }
        let crc = crc32fast::hash(&body);
        body.extend(crc.to_be_bytes());
        if let Ok((hour, minutes)) = decode_service(&body) {
            prop_assert_eq!(encode_service(hour, &minutes).unwrap(), body.clone());
        }
        if let Ok((hour, minutes)) = decode_usage(&body) {
            prop_assert_eq!(encode_usage(hour, &minutes).unwrap(), body);
        }
    }
}
