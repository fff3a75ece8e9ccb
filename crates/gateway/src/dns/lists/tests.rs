use super::*;
use crate::dns::filter::{Filter, Verdict};
use kulkul_wire::link::desired::{ListFormat, Text};
use std::sync::Mutex;

fn list(key: &str, text: &str) -> BlockList {
    BlockList {
        key: key.to_owned(),
        name: Text::new("Daftar", "List"),
        sha256: Digest::of(text.as_bytes()),
        bytes: text.len() as u64,
        format: ListFormat::Plain,
        dated: kulkul_model::Moment::EPOCH,
        appeal: Text::default(),
    }
}

fn wanted(lists: Vec<BlockList>) -> FilterSection {
    FilterSection { lists, ..FilterSection::default() }
}

/// A hub that has these texts; how often it was asked is counted.
fn hub(texts: &[&str]) -> (Fetch, Arc<Mutex<u32>>) {
    let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let fetch: Fetch = Arc::new(move |list, path| {
        *count.lock().unwrap() += 1;
        let found =
            texts.iter().find(|t| Digest::of(t.as_bytes()) == list.sha256 || t.len() as u64 == list.bytes);
        let done = match found {
            Some(text) => std::fs::write(path, text).map_err(|e| e.to_string()),
            None => Err("not there".to_owned()),
        };
        Box::pin(async move { done })
    });
    (fetch, asked)
}

fn verdict(lists: &Lists, data: &Path, name: &str) -> String {
    let settings = lists.tell.borrow().settings(data);
    let (held, lying) = (Filter::open(&settings, None), Filter::lying(&settings));
    assert_eq!(held.verdict(name), lying.verdict(name), "{name}");
    match held.verdict(name) {
        Verdict::Open => "open".to_owned(),
        Verdict::NoName => "no name".to_owned(),
        Verdict::Blocked(list) => list.to_owned(),
    }
}

#[tokio::test]
async fn a_list_is_fetched_made_kept_and_replaced() {
    let data = tempfile::tempdir().unwrap();
    let (first, second) = ("ads.example\n*.track.example\n", "other.example\n");
    let (fetch, asked) = hub(&[first, second]);
    let open = |fetch| Lists::open(data.path(), fetch, Journal::in_memory(), Clock::machine()).unwrap();
    let mut lists = open(Some(fetch));
    assert!(lists.settle(&wanted(vec![list("ads", first)])).await);
    assert_eq!(verdict(&lists, data.path(), "ads.example."), "ads");
    assert_eq!(verdict(&lists, data.path(), "a.track.example."), "ads");
    assert_eq!(verdict(&lists, data.path(), "b.ads.example."), "open");
    assert_eq!(verdict(&lists, data.path(), "mask.icloud.com."), "no name");
    // The next start has no hub.
    let mut lists = open(None);
    assert_eq!(verdict(&lists, data.path(), "ads.example."), "ads");
    assert!(!lists.settle(&wanted(vec![list("ads", second)])).await, "tried again later");
    assert_eq!(verdict(&lists, data.path(), "ads.example."), "ads", "the last good one stays");
    let (fetch, _) = hub(&[first, second]);
    let mut lists = open(Some(fetch));
    let mut section = wanted(vec![list("ads", second)]);
    section.allow = vec!["*.other.example".to_owned()];
    section.block = vec!["*.mine.example".to_owned()];
    section.strict = true;
    assert!(lists.settle(&section).await);
    assert_eq!(verdict(&lists, data.path(), "ads.example."), "open");
    assert_eq!(verdict(&lists, data.path(), "other.example."), "open", "what is allowed wins");
    assert_eq!(verdict(&lists, data.path(), "a.mine.example."), "own");
    assert_eq!(verdict(&lists, data.path(), "dns.google."), "around");
    lists.sweep(Some(&section));
    let left = std::fs::read_dir(data.path().join("lists")).unwrap().count();
    assert_eq!(left, 2, "one set, and what is in force");
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_once_and_the_last_good_one_stays() {
    let data = tempfile::tempdir().unwrap();
    let good = "ads.example\n";
    let (page, forged, many) = ("<html>\n<p>gone\n", "evil.example\n", "a.example\nb.example\nc.example\n");
    let (fetch, asked) = hub(&[good, page, forged, many]);
    let mut lists = Lists::open(data.path(), Some(fetch), Journal::in_memory(), Clock::machine()).unwrap();
    lists.most_names = 2;
    assert!(lists.settle(&wanted(vec![list("ads", good)])).await);
    let mut other = list("ads", forged);
    other.sha256 = Digest([7; 32]);
    let mut large = list("ads", "x");
    large.bytes = u64::MAX / 4;
    let mut key = list("ads", many);
    key.key = "../ads".to_owned();
    for bad in [list("ads", page), other, large, list("ads", many), key] {
        let before = *asked.lock().unwrap();
        for _ in 0..2 {
            assert!(lists.settle(&wanted(vec![bad.clone()])).await, "settled: not tried again");
        }
        assert!(*asked.lock().unwrap() <= before + 1);
        if bad.key == "ads" {
            assert_eq!(verdict(&lists, data.path(), "ads.example."), "ads");
        }
        assert_eq!(verdict(&lists, data.path(), "evil.example."), "open");
    }
    let texts = std::fs::read_dir(data.path().join("lists")).unwrap();
    assert!(texts.flatten().all(|f| f.path().extension() != Some("text".as_ref())));
}
