//! The place's access points, for the status.

use crate::access_points::Shown;
use crate::words::{Lang, Words};

/// What each is called, and for those without a name their hardware address.
pub(crate) fn names<'a>(all: impl Iterator<Item = &'a Shown>) -> String {
    let name = |s: &Shown| if s.name.is_empty() { s.mac.to_string() } else { s.name.clone() };
    all.map(name).collect::<Vec<_>>().join(", ")
}

pub(super) fn in_words(all: &[Shown], words: &Words, lang: Lang) -> String {
    if all.is_empty() {
        return words.text(lang, "status-radios-none").to_owned();
    }
    let missing = names(all.iter().filter(|s| !s.answers));
    let (known, seen) = (all.len().to_string(), all.iter().filter(|s| s.answers).count().to_string());
    let with = [("known", known.as_str()), ("seen", &seen), ("missing", &missing)];
    let key = if missing.is_empty() { "status-radios-all" } else { "status-radios-some" };
    words.with(lang, key, &with)
}
