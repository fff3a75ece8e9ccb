//! Words and their use: both languages say the same things, all that is asked for is there.

use super::language::Lang;
use super::words::Words;
use std::collections::BTreeSet;
use std::path::Path;

/// The text of every source and template of the workspace, tests left out.
fn sources() -> Vec<String> {
    sources_of("..")
}

fn sources_of(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | "tests" | "fuzz" | "node_modules" | "snapshots") {
                    walk(&path, out);
                }
            } else if matches!(path.extension().and_then(|e| e.to_str()), Some("rs" | "html"))
                && !matches!(name.as_str(), "tests.rs" | "words_test.rs")
            {
                out.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut out);
    out
}

/// The literals that follow `call` in a text: `.t("` gives the keys of fixed sentences.
fn after<'t>(text: &'t str, call: &str) -> Vec<&'t str> {
    text.split(call).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn looks_like_a_key(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[test]
fn both_languages_have_the_same_keys() {
    let words = Words::load().unwrap();
    let keys = |lang| words.keys(lang).iter().cloned().collect::<BTreeSet<_>>();
    let (id, en) = (keys(Lang::Id), keys(Lang::En));
    assert_eq!(id.difference(&en).collect::<Vec<_>>(), Vec::<&String>::new(), "only in Indonesian");
    assert_eq!(en.difference(&id).collect::<Vec<_>>(), Vec::<&String>::new(), "only in English");
    assert_eq!(id.len(), words.keys(Lang::Id).len(), "a key is there twice");
}

#[test]
fn every_key_that_is_asked_for_has_words() {
    let words = Words::load().unwrap();
    let mut missing = BTreeSet::new();
    // The gateway's refusals are for programs; what its portal says has a test of its own.
    for text in sources_of("src").into_iter().chain(sources_of("templates")) {
        for call in [".t(\"", ".n(\"", "w.a(\"", "w.with(\""] {
            missing.extend(
                after(&text, call)
                    .into_iter()
                    .filter(|k| looks_like_a_key(k) && !words.has(k))
                    .map(str::to_owned),
            );
        }
        for call in [
            "Refusal::new(400, \"",
            "Refusal::new(401, \"",
            "Refusal::new(403, \"",
            "Refusal::new(404, \"",
            "Refusal::new(409, \"",
            "Refusal::new(422, \"",
            "Refusal::new(428, \"",
            "Refusal::new(429, \"",
        ] {
            missing.extend(
                after(&text, call).into_iter().map(|c| format!("refusal-{c}")).filter(|k| !words.has(k)),
            );
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn no_words_are_left_over() {
    let words = Words::load().unwrap();
    let sources = sources();
    let literals: BTreeSet<&str> = sources.iter().flat_map(|t| t.split('"')).collect();
    let mut families: BTreeSet<String> = BTreeSet::new();
    for text in &sources {
        for call in [".of(\"", "known(on, \""] {
            families.extend(after(text, call).into_iter().map(|f| format!("{f}-")));
        }
    }
    // `format!("portal-{name}")` makes keys too.
    families.extend(literals.iter().filter_map(|l| l.split_once("-{")).map(|(f, _)| format!("{f}-")));
    let used = |key: &str| {
        literals.contains(key)
            || key.strip_prefix("refusal-").is_some_and(|code| literals.contains(code))
            || families.iter().any(|f| f != "refusal-" && key.starts_with(f.as_str()))
    };
    let left: Vec<&String> = words.keys(Lang::Id).iter().filter(|k| !used(k)).collect();
    assert_eq!(left, Vec::<&String>::new());
}
