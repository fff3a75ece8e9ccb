use super::*;
use crate::link::desired::ListFormat;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::io::Cursor;

fn texts(format: ListFormat, text: &str) -> (Vec<(String, Reach)>, Report) {
    let mut all = Vec::new();
    let report = read(text.as_bytes(), format, |name, reach| {
        all.push((name.to_owned(), reach));
        Ok(())
    });
    (all, report.unwrap())
}

fn set(names: &[(String, Reach)]) -> Set<Vec<u8>> {
    let mut builder = Builder::new(Cursor::new(Vec::new()));
    for (name, reach) in names {
        builder.add(name, *reach).unwrap();
    }
    let mut out = Cursor::new(Vec::new());
    let header = builder.finish(&mut out, [7; 32]).unwrap();
    assert_eq!(header.length(), out.get_ref().len() as u64);
    let set = Set::open(out.into_inner()).unwrap();
    assert_eq!(*set.header(), header);
    set
}

fn has(set: &Set<Vec<u8>>, name: &str) -> bool {
    set.has(&Trail::of(name)).unwrap()
}

#[test]
fn each_format_is_read_for_what_it_means() {
    let (plain, report) = texts(
        ListFormat::Plain,
        "\u{feff}# a list\r\nAds.Example.COM\r\n*.track.example # why\n||banner.example^\n\nm\u{fc}nchen.example\n! note\n",
    );
    let of = |name: &str, reach| (name.to_owned(), reach);
    assert_eq!(
        plain,
        [
            of("ads.example.com", Reach::Itself),
            of("track.example", Reach::Both),
            of("banner.example", Reach::Both),
            of("xn--mnchen-3ya.example", Reach::Itself)
        ]
    );
    assert_eq!((report.lines, report.names, report.other, report.bad), (7, 4, 3, 0));
    let (hosts, report) = texts(
        ListFormat::Hosts,
        "127.0.0.1 localhost\n::1%lo0 ip6-localhost\n0.0.0.0 a.example b.example # c.example\n0.0.0.0 0.0.0.0\nads.example\n",
    );
    assert_eq!(hosts, [of("a.example", Reach::Itself), of("b.example", Reach::Itself)]);
    assert_eq!((report.other, report.bad, report.first_bad), (3, 1, vec![5]));
    let (rpz, report) = texts(
        ListFormat::Rpz,
        "$TTL 300\n@ SOA localhost. root.localhost. (\n 1 ; serial\n 2 3 4 5 )\n  NS localhost.\n\
         bad.example CNAME .\n*.bad.example 60 IN CNAME *.\ngood.bad.example CNAME rpz-passthru.\n\
         24.0.0.0.10.rpz-ip CNAME .\n$ORIGIN rpz.test.\nsink.example.rpz.test. A 127.0.0.1\n\
         elsewhere.test. CNAME .\nworse.example\n",
    );
    assert_eq!(
        rpz,
        [
            of("bad.example", Reach::Itself),
            of("bad.example", Reach::Below),
            of("sink.example", Reach::Itself)
        ]
    );
    assert_eq!((report.bad, report.first_bad), (1, vec![13]));
}

#[test]
fn bad_lines_are_counted_and_the_first_are_named() {
    let long = "x".repeat(100_000);
    let text =
        format!("ok.example\n*\n*.\n.\n1.2.3.4\ntwo words.example\n{long}\nlast.example\n-\u{0}.example");
    let (names, report) = texts(ListFormat::Plain, &text);
    assert_eq!(names.len(), 2);
    assert_eq!((report.lines, report.bad, report.first_bad.clone()), (9, 7, vec![2, 3, 4, 5, 6]));
    assert!(!report.is_list(), "more bad lines than names");
    let (_, report) = texts(ListFormat::Plain, "<html>\n<p>Not found\n");
    assert!(!report.is_list());
    let mut bytes = b"a.example\n\xff\xfe.example\n".to_vec();
    bytes.extend_from_slice(&[0xff; 10]);
    let report = read(bytes.as_slice(), ListFormat::Plain, |_, _| Ok(())).unwrap();
    assert_eq!((report.names, report.bad), (1, 2));
}

#[test]
fn a_star_takes_in_what_is_below_and_a_name_itself_only() {
    let of = |name: &str, reach| (name.to_owned(), reach);
    let set = set(&[
        of("one.example", Reach::Itself),
        of("below.example", Reach::Below),
        of("both.example", Reach::Both),
        of("twice.example", Reach::Below),
        of("twice.example", Reach::Itself),
        of("zip", Reach::Both),
    ]);
    assert_eq!((set.header().count, set.header().names), (5, 6));
    for name in ["one.example", "one.example.", "a.below.example", "a.b.below.example", "both.example"] {
        assert!(has(&set, name), "{name}");
    }
    for name in ["x.both.example", "twice.example", "x.twice.example", "zip", "a.zip"] {
        assert!(has(&set, name), "{name}");
    }
    for name in ["a.one.example", "below.example", "example", "notone.example", "zipa", "", "."] {
        assert!(!has(&set, name), "{name}");
    }
}

#[test]
fn a_damaged_set_is_refused() {
    let names: Vec<_> = (0..500).map(|i| (format!("n{i}.example"), Reach::Itself)).collect();
    let good = set(&names).into_bytes();
    for i in 0..good.len() {
        let mut bytes = good.clone();
        bytes[i] ^= 1 << (i % 8);
        // The digest of the text, and the count of its names, are not the set's to check.
        let free = (16..24).contains(&i) || (32..64).contains(&i);
        assert_eq!(Set::open(bytes).is_ok(), free, "byte {i}");
        assert!(Set::open(good[..i].to_vec()).is_err(), "cut at {i}");
    }
}

#[test]
fn many_names_are_found_again_and_others_are_not() {
    let names: Vec<_> =
        (0..60_000).map(|i| (format!("n{i}.zone{}.example", i % 97), Reach::Itself)).collect();
    let set = set(&names);
    assert!(set.memory() < 60_000 * 2, "{}", set.memory());
    assert!(set.header().length() < 60_000 * 7);
    assert!(names.iter().all(|(name, _)| has(&set, name)));
    let wrong = (0..200_000).filter(|i| has(&set, &format!("m{i}.zone{}.example", i % 97))).count();
    assert_eq!(wrong, 0);
    let bytes = set.into_bytes();
    let seen = |name: &str| glimpse(&bytes, &Trail::of(name)).unwrap();
    assert!(seen("n5.zone5.example") && !seen("m5.zone5.example") && !seen("x.n5.zone5.example"));
}

#[test]
fn digests_are_those_of_the_files_that_lie_on_disks() {
    let digest = |name: &str| format!("{:016x}", Trail::of(name).itself());
    insta::assert_snapshot!(
        [digest("example"), digest("ads.example"), digest("a-rather-long-label.ads.example")].join(" "),
        @"36fbfd8ba7d61b7c f9e5cb340518be53 7755f73f919f5053"
    );
}

fn label() -> impl Strategy<Value = String> {
    "[a-d]{1,2}"
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(label(), 1..5).prop_map(|l| l.join("."))
}

proptest! {
    #[test]
    fn a_set_answers_as_a_plain_one_does(
        names in prop::collection::vec((name(), 0..3_u8), 0..80),
        asked in prop::collection::vec(name(), 0..80),
    ) {
        let reach = |n: u8| [Reach::Itself, Reach::Below, Reach::Both][usize::from(n)];
        let names: Vec<_> = names.into_iter().map(|(name, n)| (name, reach(n))).collect();
        let found = set(&names);
        let exact: BTreeSet<&str> = names.iter().filter(|n| n.1 != Reach::Below).map(|n| n.0.as_str()).collect();
        let below: BTreeSet<&str> = names.iter().filter(|n| n.1 != Reach::Itself).map(|n| n.0.as_str()).collect();
        for name in names.iter().map(|n| &n.0).chain(&asked) {
            let parents = name.match_indices('.').map(|(i, _)| &name[i + 1..]);
            let plain = exact.contains(name.as_str()) || parents.into_iter().any(|p| below.contains(p));
            prop_assert_eq!(has(&found, name), plain, "{}", name);
        }
    }

    #[test]
    fn what_is_tidy_stays_so(name in "\\PC{0,80}") {
        if let Ok(tidied) = tidy(&name) {
            prop_assert_eq!(tidy(&tidied), Ok(tidied.clone()));
        }
    }
}
