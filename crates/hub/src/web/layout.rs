//! Pages: what the layout needs to know, and turning a template into a response.

use super::figures;
use super::language::{Lang, cookie};
use super::problem::Problem;
use super::words::W;
use crate::Hub;
use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse as _, Response};
use http::Uri;
use http::request::Parts;
use kulkul_model::Moment;
use std::convert::Infallible;

/// The session cookie's name over plain HTTP; over https it has the `__Host-` prefix.
pub const SESSION_COOKIE: &str = "kulkul_session";
/// The session cookie's name over https.
pub const HOST_SESSION_COOKIE: &str = "__Host-kulkul_session";

/// What `layout.html` needs; every page's template has it as `page`, and `page.w` again as `w`.
#[derive(Clone)]
pub struct Page {
    /// Words in the reader's language.
    pub w: W,
    /// True when the reader's browser holds a staff session (nothing is proved by it).
    pub signed_in: bool,
    /// The moment that this page is made at.
    pub now: Moment,
    hub: Hub,
    uri: Uri,
}

impl Page {
    /// The page for a request.
    #[must_use]
    pub fn of(hub: &Hub, parts: &Parts) -> Self {
        let lang = parts
            .extensions
            .get::<Lang>()
            .copied()
            .unwrap_or_else(|| Lang::choose(parts.uri.query(), &parts.headers));
        Page {
            w: W::new(hub.words(), lang),
            signed_in: session_cookie(&parts.headers).is_some(),
            now: hub.clock().now(),
            hub: hub.clone(),
            uri: parts.uri.clone(),
        }
    }

    /// The language's tag, for `<html lang>`.
    #[must_use]
    pub fn lang(&self) -> &'static str {
        self.w.lang().tag()
    }

    /// The other language's tag.
    #[must_use]
    pub fn other_lang(&self) -> &'static str {
        self.w.lang().other().tag()
    }

    /// This address in the other language.
    #[must_use]
    pub fn other_href(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (k, v) in form_urlencoded::parse(self.uri.query().unwrap_or("").as_bytes()) {
            if k != "lang" {
                query.append_pair(&k, &v);
            }
        }
        query.append_pair("lang", self.other_lang());
        format!("{}?{}", self.path(), query.finish())
    }

    /// The path of this page.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// Whether this page is `path` or lies below it.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        if path == "/" {
            return self.path() == "/";
        }
        self.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What the service is called, in the reader's language.
    #[must_use]
    pub fn service(&self) -> &str {
        let name = &self.hub.config().name;
        match self.w.lang() {
            Lang::Id => &name.id,
            Lang::En => &name.en,
        }
    }

    /// The office that runs it.
    #[must_use]
    pub fn agency(&self) -> &str {
        &self.hub.config().name.agency
    }

    /// The address of a built-in file, with its content's hash in the name.
    #[must_use]
    pub fn asset<'a>(&'a self, name: &'a str) -> &'a str {
        self.hub.assets().href(name)
    }

    /// Whether a built-in file is there (the islands are, when the front end was built).
    #[must_use]
    pub fn has_asset(&self, name: &str) -> bool {
        self.hub.assets().has(name)
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// A whole number in the reader's way.
    #[must_use]
    pub fn number(&self, n: &i64) -> String {
        figures::number(self.w.lang(), *n)
    }

    /// Bytes as megabytes in the reader's way, small ones with a tenth.
    #[must_use]
    pub fn megabytes(&self, bytes: &u64) -> String {
        figures::megabytes(self.w.lang(), *bytes)
    }

    /// Date and time in the reader's way and the regency's zone.
    #[must_use]
    pub fn date_clock(&self, at: &Moment) -> String {
        figures::date_clock(&self.w, self.hub.zone(), *at)
    }

    /// The time in the regency's zone, for `<time datetime>`.
    #[must_use]
    pub fn rfc3339(&self, at: &Moment) -> String {
        self.hub.zone().rfc3339(*at)
    }

    /// How long ago a moment was.
    #[must_use]
    pub fn ago(&self, at: &Moment) -> String {
        figures::ago(&self.w, *at, self.now)
    }
}

/// The token of a staff session in a request's cookies.
#[must_use]
pub fn session_cookie(headers: &http::HeaderMap) -> Option<&str> {
    cookie(headers, HOST_SESSION_COOKIE).or_else(|| cookie(headers, SESSION_COOKIE))
}

impl FromRequestParts<Hub> for Page {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Infallible> {
        Ok(Page::of(hub, parts))
    }
}

/// Renders a template into a 200 response.
///
/// # Errors
/// A `Problem` with an incident code when the template fails.
pub fn page(template: &impl Template) -> Result<Response, Problem> {
    Ok(Html(template.render()?).into_response())
}
