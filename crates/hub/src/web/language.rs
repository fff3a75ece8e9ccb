//! The reader's language: `?lang`, then the cookie, then `Accept-Language`, then Indonesian.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, COOKIE};
use http::request::Parts;
use std::convert::Infallible;

/// The cookie that remembers a choice made by `?lang`.
pub const COOKIE_NAME: &str = "kulkul_lang";

/// A language that pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Lang {
    /// Bahasa Indonesia.
    #[default]
    Id,
    /// English.
    En,
}

impl Lang {
    /// Both languages, the first one first.
    pub const ALL: [Lang; 2] = [Lang::Id, Lang::En];

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::Id => "id",
            Lang::En => "en",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Lang::Id => Lang::En,
            Lang::En => Lang::Id,
        }
    }

    /// Reads a tag such as `id`, `en-GB`.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or("");
        match primary.trim().to_ascii_lowercase().as_str() {
            // "in" is Java's old tag for Indonesian, still sent by some phones.
            "id" | "in" | "ms" | "ban" | "jv" | "su" => Some(Lang::Id),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// The choice in a query string, if it names one of ours.
    #[must_use]
    pub fn asked(query: Option<&str>) -> Option<Self> {
        form_urlencoded::parse(query?.as_bytes())
            .find(|(k, _)| k == "lang")
            .and_then(|(_, v)| Lang::parse(&v))
    }

    /// The language for a request.
    #[must_use]
    pub fn choose(query: Option<&str>, headers: &HeaderMap) -> Self {
        Self::asked(query)
            .or_else(|| cookie(headers, COOKIE_NAME).and_then(Lang::parse))
            .or_else(|| Self::preferred(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?))
            .unwrap_or_default()
    }

    /// The best of an `Accept-Language` list (RFC 9110, 12.5.4); a visitor whose
    /// languages are all foreign gets English.
    fn preferred(header: &str) -> Option<Self> {
        let mut best: Option<(u32, Lang)> = None;
        for item in header.split(',').take(20) {
            let mut parts = item.split(';');
            let tag = parts.next().unwrap_or("").trim();
            let q = parts
                .find_map(|p| p.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.parse::<f64>().unwrap_or(0.0).clamp(0.0, 1.0));
            let q = (q * 1000.0) as u32;
            if q == 0 || tag.is_empty() || tag == "*" {
                continue;
            }
            let lang = Lang::parse(tag).unwrap_or(Lang::En);
            if best.is_none_or(|(had, _)| q > had) {
                best = Some((q, lang));
            }
        }
        best.map(|(_, lang)| lang)
    }
}

/// The value of a cookie, as the browser sent it.
#[must_use]
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(k, _)| *k == name).map(|(_, v)| v))
}

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts
            .extensions
            .get::<Lang>()
            .copied()
            .unwrap_or_else(|| Lang::choose(parts.uri.query(), &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_is_clear_wins() {
        let table = [
            (None, None, None, Lang::Id),
            (Some("lang=en"), Some("id"), Some("id"), Lang::En),
            (Some("lang=xx"), Some("en"), Some("id"), Lang::En),
            (None, None, Some("en-GB,en;q=0.9"), Lang::En),
            (None, None, Some("id-ID,id;q=0.9,en;q=0.8"), Lang::Id),
            (None, None, Some("en;q=0.3, id;q=0.7"), Lang::Id),
            (None, None, Some("zh-CN,zh"), Lang::En),
            (None, None, Some("*"), Lang::Id),
            (None, None, Some("en;q=nonsense"), Lang::Id),
        ];
        for (query, kept, accept, want) in table {
            let mut headers = HeaderMap::new();
            if let Some(kept) = kept {
                headers.insert(COOKIE, format!("a=b; {COOKIE_NAME}={kept}").parse().unwrap());
            }
            if let Some(accept) = accept {
                headers.insert(ACCEPT_LANGUAGE, accept.parse().unwrap());
            }
            assert_eq!(Lang::choose(query, &headers), want, "{query:?} {kept:?} {accept:?}");
        }
    }
}
