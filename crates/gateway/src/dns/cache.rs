//! Answers that were heard, kept for as long as they say, and a while longer in need.
//!
//! Two generations: when the young one is full it becomes the old one. What is asked
//! for moves to the young one, so what nobody asks for falls out after two rounds.
//! An answer is kept as the bytes that the next asker gets, so that most questions
//! are answered without reading records.

use kulkul_wire::dns::{Answer, Key, Ready};
use std::collections::HashMap;

/// Bytes of answers in one generation.
const GENERATION: usize = 768 * 1024;
/// The most answers in one generation.
const MOST: usize = 3_000;
/// What an answer takes beside its own bytes.
const BESIDE: usize = 128;
/// The longest that an answer is kept, in seconds.
const MOST_S: u32 = 3_600;
/// The longest that "there is no such thing" is kept, in seconds.
const NONE_S: u32 = 120;
/// How long a stale answer may stand in while no upstream answers (RFC 8767), in milliseconds.
const STALE_MS: i64 = 6 * 3_600_000;
/// The time to live of a stale answer, in seconds (RFC 8767, section 4).
const STALE_TTL_S: u32 = 30;

type Answers = HashMap<Box<[u8]>, Kept>;

/// Kept answers by name and kind.
#[derive(Debug, Default)]
pub struct Cache {
    young: Answers,
    old: Answers,
    /// Bytes of the young ones.
    bytes: usize,
}

/// An answer that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The answer.
    pub ready: Ready,
    /// The orders under which it was last found to be open to all; none where more than an answer is due.
    pub open_under: Option<u64>,
    heard_ms: i64,
    until_ms: i64,
}

impl Kept {
    /// A time of then as one of `now_ms`.
    pub fn count_down(&self, now_ms: i64) -> impl Fn(u32) -> u32 + use<> {
        let age_s = u32::try_from(now_ms.saturating_sub(self.heard_ms) / 1000).unwrap_or(u32::MAX);
        move |ttl| ttl.saturating_sub(age_s).max(1)
    }
}

impl Cache {
    /// Keeps an answer heard at `now_ms` (monotonic).
    pub fn keep(&mut self, key: &Key, answer: &Answer, ready: Ready, open_under: Option<u64>, now_ms: i64) {
        let keep_ms = i64::from(answer.keep_s(MOST_S, NONE_S)) * 1000;
        let kept = Kept { ready, open_under, heard_ms: now_ms, until_ms: now_ms.saturating_add(keep_ms) };
        self.put(key.bytes().into(), kept);
    }

    /// An answer that is still good at `now_ms`.
    pub fn find(&mut self, key: &Key, now_ms: i64) -> Option<&mut Kept> {
        self.get(key).filter(|kept| now_ms < kept.until_ms)
    }

    /// An answer whose time is over, for when no upstream answers.
    pub fn find_stale(&mut self, key: &Key, now_ms: i64) -> Option<Answer> {
        let kept = self.get(key).filter(|kept| now_ms < kept.until_ms.saturating_add(STALE_MS))?;
        Answer::kept(&kept.ready, key, |_| STALE_TTL_S)
    }

    fn get(&mut self, key: &Key) -> Option<&mut Kept> {
        if !self.young.contains_key(key.bytes()) {
            let (key, kept) = self.old.remove_entry(key.bytes())?;
            self.put(key, kept);
        }
        self.young.get_mut(key.bytes())
    }

    fn put(&mut self, key: Box<[u8]>, kept: Kept) {
        let size = key.len() + kept.ready.memory() + BESIDE;
        if self.bytes + size > GENERATION || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        self.young.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::dns::{RecordType, Wants, address_record};

    fn key(name: &str, kind: RecordType) -> Key {
        let labels = name.trim_end_matches('.').split('.').map(str::as_bytes);
        Key::of(labels, kind.into(), Wants::default()).unwrap()
    }

    fn keep(cache: &mut Cache, name: &str, ttl: u32, now: i64) {
        let records = vec![address_record(name, "203.0.113.1".parse().unwrap(), ttl).unwrap()];
        let answer = Answer { records, ..Answer::default() };
        let ready = answer.ready(name, RecordType::A).unwrap();
        cache.keep(&key(name, RecordType::A), &answer, ready, None, now);
    }

    #[test]
    fn an_answer_counts_down_ends_and_stands_in_when_stale() {
        let mut cache = Cache::default();
        keep(&mut cache, "a.", 60, 1_000);
        let a = key("a.", RecordType::A);
        let kept = cache.find(&a, 31_000).unwrap();
        let answer = Answer::kept(&kept.ready, &a, kept.count_down(31_000)).unwrap();
        assert_eq!(answer.records[0].ttl, 30);
        assert!(cache.find(&key("a.", RecordType::AAAA), 1_000).is_none());
        assert!(cache.find(&a, 61_000).is_none());
        assert_eq!(cache.find_stale(&a, 61_000).unwrap().records[0].ttl, STALE_TTL_S);
        assert!(cache.find_stale(&a, 61_000 + STALE_MS).is_none());
    }

    #[test]
    fn it_stays_small_and_keeps_what_is_asked_for() {
        let mut cache = Cache::default();
        keep(&mut cache, "asked.", 3_600, 0);
        for n in 0..20_000 {
            keep(&mut cache, &format!("n{n}."), 3_600, 0);
            if n % 500 == 0 {
                assert!(cache.find(&key("asked.", RecordType::A), 1).is_some(), "{n}");
            }
        }
        assert!(cache.young.len() + cache.old.len() <= 2 * MOST && cache.bytes <= GENERATION);
    }
}
