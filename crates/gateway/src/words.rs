//! The words that the box shows people, in both languages, embedded in the binary.
//!
//! Reads the part of Fluent that these files use: one message a line, indented
//! lines that continue it, comments, and `{ $name }`. It must never pull the whole
//! Fluent engine: a router has 16 MB for all of this program.

use std::collections::BTreeMap;

/// The languages that the box speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// Bahasa Indonesia, the first.
    Id,
    /// English.
    En,
}

impl Lang {
    /// Both languages, the first one first.
    pub const ALL: [Lang; 2] = [Lang::Id, Lang::En];

    /// The BCP 47 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Lang::Id => "id",
            Lang::En => "en",
        }
    }

    /// Reads a code such as `en`, `en-GB`, `id_ID.UTF-8` or the old `in`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split(['-', '_', '.']).next()?.to_ascii_lowercase().as_str() {
            "id" | "in" | "ms" | "ban" | "jv" => Some(Lang::Id),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// The language that an Accept-Language header likes best (RFC 9110, section 12.5.4).
    ///
    /// Somebody who reads neither is offered English: a tourist more likely knows it.
    #[must_use]
    pub fn accepted(header: Option<&str>) -> Self {
        let Some(header) = header.filter(|h| !h.trim().is_empty()) else { return Lang::Id };
        let mut best: Option<(f32, Lang)> = None;
        for part in header.split(',').take(32) {
            let mut fields = part.split(';');
            let tag = fields.next().unwrap_or_default().trim();
            let weight = fields
                .find_map(|f| f.trim().strip_prefix("q="))
                .and_then(|q| q.trim().parse::<f32>().ok())
                .unwrap_or(1.0);
            let Some(lang) = (if tag == "*" { Some(Lang::Id) } else { Lang::parse(tag) }) else { continue };
            if weight > 0.0 && best.is_none_or(|(w, _)| weight > w) {
                best = Some((weight, lang));
            }
        }
        best.map_or(Lang::En, |(_, lang)| lang)
    }

    /// The language of a shell, by LC_ALL, LC_MESSAGES and LANG in that order.
    #[must_use]
    pub fn of_shell(variable: impl Fn(&str) -> Option<String>) -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(variable)
            .find(|v| !v.is_empty())
            .and_then(|v| Lang::parse(&v))
            .unwrap_or(Lang::En)
    }
}

const FILES: [(Lang, &str); 8] = [
    (Lang::Id, include_str!("../../../words/id/portal.ftl")),
    (Lang::Id, include_str!("../../../words/id/doctor.ftl")),
    (Lang::Id, include_str!("../../../words/id/names.ftl")),
    (Lang::Id, include_str!("../../../words/id/first_boot.ftl")),
    (Lang::En, include_str!("../../../words/en/portal.ftl")),
    (Lang::En, include_str!("../../../words/en/doctor.ftl")),
    (Lang::En, include_str!("../../../words/en/names.ftl")),
    (Lang::En, include_str!("../../../words/en/first_boot.ftl")),
];

/// All messages in both languages.
#[derive(Clone, Debug, Default)]
pub struct Words {
    id: BTreeMap<String, String>,
    en: BTreeMap<String, String>,
}

impl Words {
    /// The words that are in the binary.
    #[must_use]
    pub fn builtin() -> Self {
        let mut words = Words::default();
        for (lang, text) in FILES {
            let into = match lang {
                Lang::Id => &mut words.id,
                Lang::En => &mut words.en,
            };
            read(text, into);
        }
        words
    }

    /// The message `key`, or the key itself when there is no such message.
    #[must_use]
    pub fn text<'a>(&'a self, lang: Lang, key: &'a str) -> &'a str {
        self.find(lang, key).unwrap_or(key)
    }

    /// The message with each `{ $name }` replaced by its value.
    #[must_use]
    pub fn with(&self, lang: Lang, key: &str, args: &[(&str, &str)]) -> String {
        let mut rest = self.text(lang, key);
        let mut out = String::with_capacity(rest.len() + 16);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((inside, then)) = after.split_once('}') else { break };
            let name = inside.trim().trim_start_matches('$');
            if let Some((_, value)) = args.iter().find(|(n, _)| *n == name) {
                out.push_str(value);
            }
            rest = then;
        }
        out.push_str(rest);
        out
    }

    /// The message `key` where there is one.
    #[must_use]
    pub fn find(&self, lang: Lang, key: &str) -> Option<&str> {
        let words = match lang {
            Lang::Id => &self.id,
            Lang::En => &self.en,
        };
        words.get(key).map(String::as_str)
    }
}

fn read(text: &str, into: &mut BTreeMap<String, String>) {
    let mut last: Option<String> = None;
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            last = None;
        } else if line.starts_with(' ') {
            if let Some(value) = last.as_ref().and_then(|key| into.get_mut(key)) {
                if !value.is_empty() {
                    value.push(' ');
                }
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim().to_owned();
            into.insert(key.clone(), value.trim().to_owned());
            last = Some(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        let words = Words::builtin();
        let keys = |m: &BTreeMap<String, String>| m.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&words.id), keys(&words.en));
        for (key, text) in &words.id {
            let names = |t: &str| {
                let mut n: Vec<String> = t
                    .split('{')
                    .skip(1)
                    .filter_map(|p| Some(p.split_once('}')?.0.trim().to_owned()))
                    .collect();
                n.sort();
                n
            };
            assert_eq!(names(text), names(&words.en[key]), "{key} has other arguments in English");
            assert!(!text.is_empty() && !words.en[key].is_empty(), "{key}");
        }
    }

    #[test]
    fn arguments_and_continuations_are_filled() {
        let mut id = BTreeMap::new();
        read("# c\na = Satu { $n } dua\n    tiga\nb = x\n", &mut id);
        let words = Words { id, en: BTreeMap::new() };
        assert_eq!(words.with(Lang::Id, "a", &[("n", "7")]), "Satu 7 dua tiga");
        assert_eq!(words.text(Lang::En, "a"), "a");
    }

    #[test]
    fn the_browser_chooses_the_language() {
        for (header, lang) in [
            (None, Lang::Id),
            (Some(""), Lang::Id),
            (Some("id-ID,id;q=0.9,en;q=0.8"), Lang::Id),
            (Some("en-US,en;q=0.9,id;q=0.8"), Lang::En),
            (Some("de-DE,de;q=0.9"), Lang::En),
            (Some("ja, id;q=0.3, en;q=0.2"), Lang::Id),
            (Some("en;q=0, id;q=0.1"), Lang::Id),
            (Some(";;;,,q=q="), Lang::En),
            (Some("*"), Lang::Id),
        ] {
            assert_eq!(Lang::accepted(header), lang, "{header:?}");
        }
        assert_eq!(Lang::of_shell(|n| (n == "LANG").then(|| "id_ID.UTF-8".to_owned())), Lang::Id);
        assert_eq!(Lang::of_shell(|_| None), Lang::En);
    }
}
