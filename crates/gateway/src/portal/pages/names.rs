//! The pages about names that are not answered.

use super::{Frame, View, rendered};
use crate::portal::blocked::Why;
use crate::portal::form::encode;
use crate::words::Lang;
use askama::Template;
use kulkul_wire::link::desired::Text;

#[derive(Template)]
#[template(path = "portal/names.html")]
struct Names<'a> {
    frame: Frame<'a>,
    lines: Vec<String>,
    /// What is in the form's field; none leaves the form out.
    field: Option<&'a str>,
    label: &'a str,
    send: &'a str,
    back_href: String,
    back: &'a str,
}

/// What a text says in a language, else in the other.
fn said(text: &Text, lang: Lang) -> &str {
    let of = |code: &str| text.0.get(code).map(String::as_str).filter(|t| !t.is_empty());
    of(lang.code()).or_else(|| of("id")).or_else(|| of("en")).unwrap_or_default()
}

impl<'a> View<'a> {
    /// The page that stands under a blocked name; `portal` is where the portal itself is.
    #[must_use]
    pub fn blocked(&self, why: &Why, portal: &str) -> String {
        let name = encode(&why.name);
        let other = format!("{portal}/names?lang={}&name={name}", self.other().code());
        rendered(&Names {
            frame: self.frame(self.word("names-blocked-heading"), other),
            lines: self.why(why),
            field: None,
            label: "",
            send: "",
            back_href: format!("{portal}/?lang={}", self.lang.code()),
            back: self.word("names-portal"),
        })
    }

    /// The page on which a name is looked up.
    #[must_use]
    pub fn look_up(&self, name: &str, why: Option<&Why>) -> String {
        let lines = match why {
            Some(why) => self.why(why),
            None if name.is_empty() => vec![self.word("names-lead").to_owned()],
            None => vec![self.words.with(self.lang, "names-open", &[("name", name)])],
        };
        let other = format!("/names?lang={}&name={}", self.other().code(), encode(name));
        rendered(&Names {
            frame: self.frame(self.word("names-heading"), other),
            lines,
            field: Some(name),
            label: self.word("names-label"),
            send: self.word("names-send"),
            back_href: format!("/?lang={}", self.lang.code()),
            back: self.word("portal-back"),
        })
    }

    fn why(&self, why: &Why) -> Vec<String> {
        let with = |key: &'a str, args: &[(&str, &str)]| self.words.with(self.lang, key, args);
        let Some(list) = &why.list else { return vec![with("names-blocked-here", &[("name", &why.name)])] };
        let year = self.face.zone.civil(list.dated).year().to_string();
        let day = self.day(list.dated);
        let of = said(&list.name, self.lang);
        let args = [("name", why.name.as_str()), ("list", of), ("day", &day), ("year", &year)];
        let appeal = said(&list.appeal, self.lang);
        let appeal = if appeal.is_empty() {
            self.word("names-appeal-here").to_owned()
        } else {
            with("names-appeal", &[("where", appeal)])
        };
        vec![with("names-blocked", &args), appeal]
    }
}
