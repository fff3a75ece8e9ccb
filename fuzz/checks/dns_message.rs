use kulkul_wire::advert::{self, Advert};
use kulkul_wire::dns::{self, RecordType, ResponseCode};
use kulkul_wire::echo::Echo;

/// Any bytes in each of these places; what is read is written again.
pub fn check(bytes: &[u8]) {
    if let Ok(ask) = dns::read_ask(bytes) {
        let answer = dns::answer(&ask, ResponseCode::ServFail, &[], &[], dns::PLAIN_LIMIT);
        assert!(answer.len() <= dns::PLAIN_LIMIT);
        assert!(dns::read_ask(&answer).is_err(), "an answer is no question");
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
    let _ = advert::is_solicitation(bytes, true);
    let _ = Echo { id, seq: 1, mark: 7 }.is_answered_by(bytes, false, true, true);
}
