//! Words: every sentence that a person reads, by key and language (Fluent).
//!
//! Messages without arguments are formatted once at start; a page that uses only
//! those costs a look-up each. A key without words shows itself, and a test fails.

use super::language::Lang;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../words"]
struct Files;

/// The words cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("words/{file}: {detail}")]
pub struct WordsError {
    file: String,
    detail: String,
}

/// All words in both languages.
pub struct Words {
    id: Book,
    en: Book,
}

struct Book {
    bundle: FluentBundle<FluentResource>,
    fixed: BTreeMap<String, String>,
    keys: Vec<String>,
}

impl Words {
    /// Reads the words that are built into the program.
    ///
    /// # Errors
    /// `WordsError` names the file with a mistake in it.
    pub fn load() -> Result<Self, WordsError> {
        Ok(Words { id: Book::load(Lang::Id)?, en: Book::load(Lang::En)? })
    }

    fn book(&self, lang: Lang) -> &Book {
        match lang {
            Lang::Id => &self.id,
            Lang::En => &self.en,
        }
    }

    /// A sentence without arguments.
    #[must_use]
    pub fn text<'a>(&'a self, lang: Lang, key: &'a str) -> &'a str {
        self.book(lang).fixed.get(key).map_or(key, String::as_str)
    }

    /// A sentence with arguments.
    #[must_use]
    pub fn with(&self, lang: Lang, key: &str, args: &[(&str, FluentValue<'_>)]) -> String {
        let args: FluentArgs<'_> = args.iter().map(|(k, v)| (*k, v.clone())).collect();
        self.book(lang).format(key, Some(&args)).unwrap_or_else(|| key.to_owned())
    }

    /// Whether both languages have this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.id.bundle.has_message(key) && self.en.bundle.has_message(key)
    }

    /// All keys of a language, in the order of the files.
    #[must_use]
    pub fn keys(&self, lang: Lang) -> &[String] {
        &self.book(lang).keys
    }
}

impl Book {
    fn load(lang: Lang) -> Result<Self, WordsError> {
        let tag = lang.tag();
        let id = tag.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // Isolation marks are for mixed writing directions; here they would only break comparisons.
        bundle.set_use_isolating(false);
        let mut keys = Vec::new();
        let mut files: Vec<String> = Files::iter().map(|f| f.into_owned()).collect();
        files.sort();
        for file in files.into_iter().filter(|f| f.ends_with(".ftl") && f.starts_with(&format!("{tag}/"))) {
            let wrong = |detail: String| WordsError { file: file.clone(), detail };
            let bytes = Files::get(&file).map(|f| f.data.into_owned()).unwrap_or_default();
            let text = String::from_utf8(bytes).map_err(|e| wrong(e.to_string()))?;
            let resource = FluentResource::try_new(text).map_err(|(_, e)| wrong(format!("{e:?}")))?;
            keys.extend(resource.entries().filter_map(|e| match e {
                fluent_syntax::ast::Entry::Message(m) => Some(m.id.name.to_owned()),
                _ => None,
            }));
            bundle.add_resource(resource).map_err(|e| wrong(format!("{e:?}")))?;
        }
        let mut book = Book { bundle, fixed: BTreeMap::new(), keys };
        book.fixed =
            book.keys.iter().filter_map(|k| book.format(k, None).map(|text| (k.clone(), text))).collect();
        Ok(book)
    }

    /// The formatted message; none when it is missing or an argument is.
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        // With arguments a partly filled sentence is better than a bare key.
        (errors.is_empty() || args.is_some()).then_some(text)
    }
}

/// Words in the reader's language, as templates use them: `{{ w.t("site-since") }}`.
#[derive(Clone)]
pub struct W {
    words: Arc<Words>,
    lang: Lang,
}

impl W {
    /// Binds words to a language.
    #[must_use]
    pub fn new(words: Arc<Words>, lang: Lang) -> Self {
        W { words, lang }
    }

    /// The words of both languages.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// The language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// A sentence without arguments.
    #[must_use]
    pub fn t<'a>(&'a self, key: &'a str) -> &'a str {
        self.words.text(self.lang, key)
    }

    /// A word of a family: `w.of("stage", "planned")` is `stage-planned`; `_` becomes `-`.
    #[must_use]
    pub fn of(&self, family: &str, member: &str) -> String {
        let key = format!("{family}-{}", member.replace('_', "-"));
        self.t(&key).to_owned()
    }

    /// A sentence with a number `$n` in it, by which it may choose its form.
    #[must_use]
    pub fn n(&self, key: &str, n: impl Into<FluentValue<'static>>) -> String {
        self.words.with(self.lang, key, &[("n", n.into())])
    }

    /// A sentence with one text argument.
    #[must_use]
    pub fn a(&self, key: &str, name: &str, value: impl std::fmt::Display) -> String {
        self.words.with(self.lang, key, &[(name, FluentValue::from(value.to_string()))])
    }

    /// A sentence with text arguments.
    #[must_use]
    pub fn with(&self, key: &str, args: &[(&str, &str)]) -> String {
        let args: Vec<_> = args.iter().map(|(k, v)| (*k, FluentValue::from(*v))).collect();
        self.words.with(self.lang, key, &args)
    }
}
