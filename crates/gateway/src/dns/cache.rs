//! Answers that were heard, kept for as long as they say, and a while longer in need.
//!
//! Two generations: when the young one is full it becomes the old one. What is asked
//! for moves to the young one, so what nobody asks for falls out after two rounds.

use kulkul_wire::dns::{Answer, RecordType};
use std::collections::BTreeMap;

/// Answers in one generation; about 300 bytes each.
const GENERATION: usize = 2_000;
/// The longest that an answer is kept, in seconds.
const MOST_S: u32 = 3_600;
/// The longest that "there is no such thing" is kept, in seconds.
const NONE_S: u32 = 120;
/// How long a stale answer may stand in while no upstream answers (RFC 8767), in milliseconds.
const STALE_MS: i64 = 6 * 3_600_000;
/// The time to live of a stale answer, in seconds (RFC 8767, section 4).
const STALE_TTL_S: u32 = 30;

type Key = (String, u16);

/// Kept answers by name and kind.
#[derive(Debug, Default)]
pub struct Cache {
    young: BTreeMap<Key, Kept>,
    old: BTreeMap<Key, Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Answer,
    heard_ms: i64,
    until_ms: i64,
}

impl Cache {
    /// Keeps an answer heard at `now_ms` (monotonic).
    pub fn keep(&mut self, name: &str, kind: RecordType, answer: &Answer, now_ms: i64) {
        let keep_ms = i64::from(answer.keep_s(MOST_S, NONE_S)) * 1000;
        let kept =
            Kept { answer: answer.clone(), heard_ms: now_ms, until_ms: now_ms.saturating_add(keep_ms) };
        self.put((name.to_owned(), kind.into()), kept);
    }

    /// An answer that is still good at `now_ms`, its times counted down.
    pub fn find(&mut self, name: &str, kind: RecordType, now_ms: i64) -> Option<Answer> {
        let kept = self.get(name, kind)?;
        (now_ms < kept.until_ms).then(|| {
            let age_s = u32::try_from(now_ms.saturating_sub(kept.heard_ms) / 1000).unwrap_or(u32::MAX);
            aged(kept.answer, |ttl| ttl.saturating_sub(age_s).max(1))
        })
    }

    /// An answer whose time is over, for when no upstream answers.
    pub fn find_stale(&mut self, name: &str, kind: RecordType, now_ms: i64) -> Option<Answer> {
        let kept = self.get(name, kind)?;
        (now_ms < kept.until_ms.saturating_add(STALE_MS)).then(|| aged(kept.answer, |_| STALE_TTL_S))
    }

    fn get(&mut self, name: &str, kind: RecordType) -> Option<Kept> {
        let key = (name.to_owned(), u16::from(kind));
        if let Some(kept) = self.young.get(&key) {
            return Some(kept.clone());
        }
        let kept = self.old.remove(&key)?;
        self.put(key, kept.clone());
        Some(kept)
    }

    fn put(&mut self, key: Key, kept: Kept) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, kept);
    }
}

fn aged(mut answer: Answer, ttl: impl Fn(u32) -> u32) -> Answer {
    for record in answer.records.iter_mut().chain(&mut answer.authority) {
        record.ttl = ttl(record.ttl);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::dns::{ResponseCode, address_record};

    fn answer(ttl: u32) -> Answer {
        Answer {
            code: ResponseCode::NoError,
            records: vec![address_record("a.", "203.0.113.1".parse().unwrap(), ttl).unwrap()],
            authority: Vec::new(),
            truncated: false,
        }
    }

    #[test]
    fn an_answer_counts_down_ends_and_stands_in_when_stale() {
        let mut cache = Cache::default();
        cache.keep("a.", RecordType::A, &answer(60), 1_000);
        assert_eq!(cache.find("a.", RecordType::A, 31_000).unwrap().records[0].ttl, 30);
        assert!(cache.find("a.", RecordType::AAAA, 1_000).is_none());
        assert!(cache.find("a.", RecordType::A, 61_000).is_none());
        assert_eq!(cache.find_stale("a.", RecordType::A, 61_000).unwrap().records[0].ttl, STALE_TTL_S);
        assert!(cache.find_stale("a.", RecordType::A, 61_000 + STALE_MS).is_none());
    }

    #[test]
    fn it_stays_small_and_keeps_what_is_asked_for() {
        let mut cache = Cache::default();
        cache.keep("asked.", RecordType::A, &answer(3_600), 0);
        for n in 0..20_000 {
            cache.keep(&format!("n{n}."), RecordType::A, &answer(3_600), 0);
            if n % 500 == 0 {
                assert!(cache.find("asked.", RecordType::A, 1).is_some(), "{n}");
            }
        }
        assert!(cache.young.len() + cache.old.len() <= 2 * GENERATION);
    }
}
