use kulkul_wire::advert::{self, Advert};
use kulkul_wire::dns::update::{self, Algorithm, Change, UpdateKey};
use kulkul_wire::dns::{self, Answer, Glance, Ready, RecordType, ResponseCode};
use kulkul_wire::echo::Echo;

/// Any bytes in each of these places; what is read is written again.
pub fn check(bytes: &[u8]) {
    if let Ok(ask) = dns::read_ask(bytes) {
        let answer = dns::answer(&ask, ResponseCode::ServFail, &[], &[], dns::PLAIN_LIMIT);
        assert!(answer.len() <= dns::PLAIN_LIMIT);
        assert!(dns::read_ask(&answer).is_err(), "an answer is no question");
    }
    if let Some(glance) = Glance::of(bytes) {
        let (key, mut out) = (glance.key(glance.wants), Vec::new());
        // Options that the whole reading takes apart are not looked at.
        if let Ok(ask) = dns::read_ask(bytes) {
            assert_eq!(
                (ask.wants, ask.limit, u16::from(ask.kind)),
                (glance.wants, glance.limit, glance.kind)
            );
            assert_eq!(key.map(|k| k.bytes().to_vec()), ask.key(ask.wants).map(|k| k.bytes().to_vec()));
        }
        let _ = key.and_then(|k| k.name(&mut [0; 255]).map(str::len));
        glance.blocked(0, None, 60, "list", &mut out);
        assert!(Glance::of(&out).is_none(), "an answer is no question");
    }
    if let Some(ready) = Ready::of(bytes)
        && let Some((_, question)) = dns::ask("example.org.", RecordType::A, 7)
        && let Some(glance) = Glance::of(&question)
        && let Some(key) = glance.key(glance.wants)
    {
        let mut out = Vec::new();
        ready.write(&glance, dns::UDP_LIMIT, |ttl| ttl / 2, &mut out);
        assert!(out.len() <= dns::UDP_LIMIT);
        let _ = Answer::kept(&ready, &key, |ttl| ttl);
    }
    let id = bytes.first_chunk().map_or(0, |b| u16::from_be_bytes(*b));
    if let Some((sent, _)) = dns::ask("example.org.", RecordType::HTTPS, u128::from(id))
        && let Some(mut answer) = dns::read_answer(bytes, &sent)
    {
        answer.without(dns::is_inside);
        assert!(answer.addresses().all(|ip| !dns::is_inside(ip)));
        assert!((1..=3_600).contains(&answer.keep_s(3_600, 120)));
    }
    if let Some(advert) = Advert::decode(bytes) {
        let _ = advert.encode();
    }
    if let Some((sent, _)) = update::write("b", "a.b", Change::Clear, &update_key(), (id, 7)) {
        assert!(update::read(bytes, &sent, 7).is_err(), "nobody else has the key");
    }
    let _ = advert::is_solicitation(bytes, true);
    let _ = Echo { id, seq: 1, mark: 7 }.is_answered_by(bytes, false, true, true);
}

fn update_key() -> UpdateKey {
    UpdateKey { name: "k".to_owned(), algorithm: Algorithm::Sha256, secret: vec![7; 32].into() }
}
