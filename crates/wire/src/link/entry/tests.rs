use super::*;
use crate::link::desired::Version;
use kulkul_model::Moment;
use kulkul_model::admission::Token16;
use kulkul_model::diagnostic::{DiagnosticId, DiagnosticOutcome};
use kulkul_model::gateway::UpdateStep;

fn by(basis: Basis) -> Entry {
    Entry::SessionStart(SessionStart {
        session: SessionId([9; 16]),
        mac: Mac([3; 6]),
        addresses: Vec::new(),
        way_in: WayIn::Voucher,
        terms: Some(2),
        language: "en".into(),
        limit_ms: 3_600_000,
        basis: Some(basis),
    })
}

fn all() -> Vec<Entry> {
    let usage = Usage { up_bytes: 1, down_bytes: u64::MAX, up_packets: 3, down_packets: 4 };
    let session = SessionId([5; 16]);
    let version = Version { epoch: 1, counter: 2 };
    let at = Stamp { boot: super::super::BootId([1; 16]), mono_ms: 5, wall: Some(Moment::from_ms(6)) };
    let capabilities = Capabilities {
        version: "0.1.0".into(),
        target: "x86_64-linux-gnu".into(),
        cake: true,
        ..Capabilities::default()
    };
    vec![
        Entry::Started(Started { capabilities: capabilities.clone(), program: None }),
        Entry::Started(Started { capabilities, program: Some(Digest([4; 32])) }),
        Entry::Event(Event::Update {
            program: Digest([4; 32]),
            step: UpdateStep::Undone,
            reason: "the portal does not answer".into(),
        }),
        Entry::SessionStart(SessionStart {
            session,
            mac: Mac([2; 6]),
            addresses: vec!["10.77.0.9".parse().unwrap(), "fd77::9".parse().unwrap()],
            way_in: WayIn::ClickThrough,
            terms: Some(1),
            language: "id".into(),
            limit_ms: 43_200_000,
            basis: None,
        }),
        by(Basis::Grant(Token16([6; 16]))),
        by(Basis::Voucher(Token16([7; 16]))),
        by(Basis::Account(Token16([8; 16]))),
        Entry::SessionInterim(SessionInterim { session, age_ms: 60_000, usage }),
        Entry::SessionStop(SessionStop { session, age_ms: 1, usage, reason: StopReason::Idle }),
        Entry::Consent(Consent { terms: 1, count: 30 }),
        Entry::Hour { service: vec![1, 2], usage: vec![] },
        Entry::Gap(Gap { from: 3, to: 9, reason: GapReason::Corrupt, resume: Some(Digest([8; 32])) }),
        Entry::Gap(Gap { from: 3, to: 3, reason: GapReason::Refused, resume: None }),
        Entry::KeyRotated(PublicKey([4; 32])),
        Entry::Anchor(Anchor { at }),
        Entry::Report(Report {
            number: 12,
            kind: ReportKind::EquipmentDamaged,
            text: "Kabel di atas pintu putus.\nSejak kemarin".into(),
            language: "id".into(),
        }),
        Entry::CertificateRequest(CertificateRequest { csr: vec![0x30, 0x03, 1, 2, 3] }),
        Entry::Other { code: 999, parts: vec![vec![0x80]] },
        Entry::Event(Event::UplinkLost),
        Entry::Event(Event::UplinkBack { lost_ms: 9 }),
        Entry::Event(Event::PowerBack { last_alive: None }),
        Entry::Event(Event::PowerBack { last_alive: Some(Moment::from_ms(-1)) }),
        Entry::Event(Event::DesiredApplied { version }),
        Entry::Event(Event::DesiredRefused { version, reason: "no".into() }),
        Entry::Event(Event::ClockStepped { from: Moment::EPOCH, to: Moment::from_ms(7) }),
        Entry::Event(Event::RulesetHealed { what: "set auth4".into() }),
        Entry::Event(Event::DiskFull { dropped: 3 }),
        Entry::Event(Event::PartRestarted { part: "dnsmasq".into() }),
        Entry::Event(Event::ListTaken { list: "ads".into(), names: 2_000_000 }),
        Entry::Event(Event::ConnectionLog { log: "flow".into(), days: 30 }),
        Entry::Event(Event::ConnectionsAsked {
            at: Moment::from_ms(1_800_000_000_000),
            port: Some(51_234),
            reason: "B/17/2026".into(),
            found: 1,
        }),
        Entry::Event(Event::ConnectionsLost { why: "the disk".into() }),
        Entry::Diagnostic(Diagnostic {
            id: DiagnosticId([3; 16]),
            outcome: DiagnosticOutcome::Refused,
            took_ms: 12,
            text: "the target is at the place".into(),
        }),
        Entry::Event(Event::ListRefused { list: "ads".into(), reason: "another digest".into() }),
        Entry::Event(Event::AccessPointLost { mac: Mac([2; 6]), left: 1 }),
        Entry::Event(Event::AccessPointBack { mac: Mac([2; 6]), lost_ms: 180_000 }),
        Entry::Event(Event::AddressesScarce { segment: "public".into(), held: 9, room: 10 }),
        Entry::Event(Event::AddressesFree { segment: "public".into() }),
        Entry::Event(Event::TunnelUp { lost_ms: 90_000 }),
        Entry::Event(Event::TunnelDown { why: "nothing comes".into() }),
        Entry::TunnelEnd(TunnelEnd {
            key: [5; 32],
            networks: vec![("service".into(), "10.88.3.0/24".parse().unwrap())],
        }),
        Entry::Event(Event::Other { name: "meteor".into() }),
    ]
}

fn read(kind: Kind, parts: &[Vec<u8>]) -> Result<Entry, Malformed> {
    Entry::decode(kind, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn every_kind_reads_back() {
    for entry in all() {
        assert_eq!(read(entry.kind(), &entry.encode()).as_ref(), Ok(&entry));
        assert_eq!(Kind::from_code(entry.kind().code()), entry.kind());
    }
}

#[test]
fn a_session_of_the_first_version_has_no_basis_and_one_of_a_newer_is_left_aside() {
    let start = |n: u64| {
        let mut p = Put::new();
        p.array(n).bytes(&[9; 16]).bytes(&[3; 6]).array(0).text("voucher").null().text("id").u64(60_000);
        p
    };
    let basis = |p: Put| match read(Kind::SessionStart, &[p.done()]) {
        Ok(Entry::SessionStart(s)) => s.basis,
        other => panic!("{other:?}"),
    };
    assert_eq!(basis(start(7)), None);
    let mut newer = start(9);
    newer.array(3).u64(9).bytes(&[1; 16]).bool(true);
    newer.text("more");
    assert_eq!(basis(newer), None, "of a newer version");
    let mut known = start(8);
    known.array(2).u64(2).bytes(&[1; 16]);
    assert_eq!(basis(known), Some(Basis::Voucher(Token16([1; 16]))));
}

#[test]
fn a_start_of_the_first_version_reads_with_less() {
    let mut p = Put::new();
    p.array(7).text("0.1.0").text("5.15.0").bool(false).bool(true).bool(true).bool(true).bool(true);
    let Ok(Entry::Started(old)) = read(Kind::Started, &[p.done()]) else { panic!("not read") };
    assert!(old.capabilities.cake && old.capabilities.ipv6);
    assert!(!old.capabilities.probed, "what an older box did not tell is not known");
}

#[test]
fn a_newer_version_may_add_fields_but_not_take_them_away() {
    for entry in all() {
        if matches!(entry, Entry::Hour { .. } | Entry::Other { .. }) {
            continue;
        }
        let part = entry.encode().remove(0);
        let mut longer = part.clone();
        longer[0] += 1;
        longer.extend([0x61, b'x']);
        assert_eq!(read(entry.kind(), &[longer]).as_ref(), Ok(&entry));
        if part[0] > 0x81 {
            let mut shorter = part.clone();
            shorter[0] -= 1;
            assert!(read(entry.kind(), &[shorter]).is_err());
        }
    }
}

#[test]
fn a_report_is_bounded_and_a_kind_of_a_newer_version_is_other() {
    let report = |kind: &str, text: &str, language: &str| {
        let mut p = Put::new();
        p.array(4).u64(1).text(kind).text(text).text(language);
        read(Kind::Report, &[p.done()])
    };
    let Ok(Entry::Report(new)) = report("too_bright", "x", "id") else { panic!("not read") };
    assert_eq!(new.kind, ReportKind::Other);
    assert!(report("slow", &"é".repeat(1_000), "id").is_ok());
    assert!(report("slow", &"é".repeat(1_001), "id").is_err());
    assert!(report("slow", "x", &"i".repeat(36)).is_err());
}

#[test]
fn an_older_hub_takes_a_report_as_something_that_it_does_not_know() {
    let entry = Entry::Report(Report {
        number: 1,
        kind: ReportKind::Slow,
        text: String::new(),
        language: "en".into(),
    });
    // What a version without this kind makes of the number.
    let Ok(Entry::Other { code, parts }) = read(Kind::Other(11), &entry.encode()) else { panic!("not read") };
    assert_eq!((code, parts), (11, entry.encode()));
}
