use super::*;
use kulkul_model::measurement::{Pings, ProbeResult, Radios};

fn radio(name: &str, answers: bool) -> Shown {
    let mac = kulkul_model::session::Mac([2, 0, 0, 0, 0, 0xb2]);
    Shown { mac, name: name.to_owned(), address: None, answers, lost_since: None, router: false }
}

fn status() -> Status {
    let at = Moment::parse("2026-11-24T14:32:00+08:00").unwrap();
    let pings = Pings { sent: 5, lost: 0, rtt_us: 18_400 };
    Status {
        program: Running::default(),
        version: "0.1.0".to_owned(),
        capabilities: Capabilities {
            kernel: "6.12.5".to_owned(),
            probed: true,
            nat: true,
            htb: true,
            ..Capabilities::default()
        },
        since: Some(at.plus_ms(-3_600_000)),
        now: Some(at),
        site: Some("BJ-001".to_owned()),
        place: Some("Bale Banjar Bindu".to_owned()),
        desired: Some("1.17".to_owned()),
        hub: HubSeen { at: Some(at), trouble: None, held_through: 180, refused: false },
        people: 14,
        minute: Some(Minute {
            at,
            hub: pings,
            anchor_a: pings,
            anchor_b: pings,
            dns: ProbeResult::Good,
            dns_us: 9_000,
            http: ProbeResult::Good,
            http_us: 61_000,
            radios: Radios::default(),
        }),
        usage: None,
        access_points: vec![radio("Aula", true), radio("", false)],
        tunnel: TunnelState {
            ordered: true,
            up: true,
            handshake_s: Some(73),
            endpoint: "wg.badungkab.example:51820".to_owned(),
            at: Some("203.0.113.7:51820".parse().unwrap()),
            up_bytes: 4_100_000,
            down_bytes: 23_000_000,
            public_key: "OcWBw07cHxKVkNWMcPrA4Fye/G61rsIawwcEHd430Ao=".to_owned(),
            ..TunnelState::default()
        },
        certificate_until: None,
        journal_head: 184,
        hours: Some(Hours { open: true, until: Some(at.plus_ms(3_600_000)) }),
        share: Some(Line { down_kbps: Some(30_000), up_kbps: None, shared: true }),
        ways: vec![
            LineState {
                name: "uplink".to_owned(),
                interface: "wan0".to_owned(),
                kind: "dhcp".to_owned(),
                answers: Some(false),
                trouble: Some("no answer to DHCP".to_owned()),
                down_bytes: 81_234_567_890,
                ..LineState::default()
            },
            LineState {
                name: "backup".to_owned(),
                interface: "wwan0".to_owned(),
                kind: "static".to_owned(),
                owner: "Banjar Bindu".to_owned(),
                in_use: true,
                answers: Some(true),
                addresses: vec!["100.64.3.9/24".parse().unwrap()],
                up_bytes: 1_000_000,
                down_bytes: 23_400_000,
                ..LineState::default()
            },
        ],
        lists: vec![ListStatus { key: "ads".to_owned(), names: 2_000_000, dated: at }],
        blocked: Today {
            day: Some("2026-11-24".to_owned()),
            blocked: [("ads".to_owned(), 17), ("around".to_owned(), 3)].into(),
        },
    }
}

#[test]
fn the_words_are_as_they_were_reviewed() {
    let (words, zone) = (Words::builtin(), Zone::named("Asia/Makassar").unwrap());
    let empty = Status {
        capabilities: Capabilities { kernel: "6.12.5".to_owned(), ..Capabilities::default() },
        since: None,
        site: None,
        place: None,
        desired: None,
        hub: HubSeen { trouble: Some("connection refused".to_owned()), ..HubSeen::default() },
        minute: None,
        ways: Vec::new(),
        lists: Vec::new(),
        hours: None,
        share: None,
        tunnel: TunnelState {
            up: false,
            trouble: Some("wg.badungkab.example:51820 is not found".to_owned()),
            ..status().tunnel
        },
        blocked: Today::default(),
        ..status()
    };
    let all = Lang::ALL.map(|lang| {
        format!("{}\n{}", status().in_words(&words, lang, &zone), empty.in_words(&words, lang, &zone))
    });
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_answer_reads_back() {
    let text = serde_json::to_string(&status()).unwrap();
    assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status());
    let who: Question = serde_json::from_str(r#"{"ask":"who","ip":"fd77::9"}"#).unwrap();
    assert_eq!(who, Question::Who { ip: "fd77::9".parse().unwrap() });
}
