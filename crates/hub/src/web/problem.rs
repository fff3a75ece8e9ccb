//! Problems: the only way from an error to a response (RFC 9457).
//!
//! A handler returns a `Problem`; `web::front` renders it when the reader is known:
//! JSON for programs, a page for people, both in their language. A 5xx shows an
//! incident code and nothing else; the log has the chain of causes under that code.

use super::language::Lang;
use super::layout::Page;
use super::words::{W, Words};
use crate::entropy;
use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use kulkul_model::Refusal;
use kulkul_store::StoreError;
use serde::Serialize;
use std::error::Error;

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request is not answered as asked.
///
/// Boxed, so that a `Result` with it stays small on the way that goes well.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    code: String,
    args: Vec<(&'static str, String)>,
    errors: Vec<Fault>,
    incident: Option<String>,
    retry_after_s: Option<u32>,
    extra: Vec<(&'static str, serde_json::Value)>,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the body, or the parameter's name.
    pub pointer: String,
    /// Stable, kebab-case; the sentence is `refusal-<code>`.
    pub code: &'static str,
    /// Name and value pairs for the sentence.
    pub args: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FaultOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<&'a str>,
    #[serde(flatten)]
    extra: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct FaultOut<'a> {
    pointer: &'a str,
    code: &'static str,
    detail: String,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    page: Page,
    w: W,
    status: u16,
    title: &'a str,
    detail: String,
    faults: Vec<String>,
    incident: Option<&'a str>,
}

impl Problem {
    /// A problem that its status says all about: 404, 405, 413.
    #[must_use]
    pub fn status(status: StatusCode) -> Self {
        let code = format!("http-{}", status.as_u16());
        Problem(Box::new(Parts {
            status,
            code,
            args: Vec::new(),
            errors: Vec::new(),
            incident: None,
            retry_after_s: None,
            extra: Vec::new(),
        }))
    }

    /// Nothing is at this address.
    #[must_use]
    pub fn not_found() -> Self {
        Self::status(StatusCode::NOT_FOUND)
    }

    /// Something that should not happen did; logs the chain of causes under a fresh code.
    #[must_use]
    pub fn fault(error: &(dyn Error + 'static)) -> Self {
        Self::fault_with(StatusCode::INTERNAL_SERVER_ERROR, error)
    }

    /// As `fault`, with another 5xx status.
    #[must_use]
    pub fn fault_with(status: StatusCode, error: &(dyn Error + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            chain = format!("{chain}: {next}");
            cause = next.source();
        }
        let mut problem = Self::status(status);
        let incident = incident();
        tracing::error!(incident, status = status.as_u16(), "{chain}");
        problem.0.incident = Some(incident);
        problem
    }

    /// The request's parts are wrong: 422 with a fault for each.
    #[must_use]
    pub fn faults(errors: Vec<Fault>) -> Self {
        let mut problem = Self::status(StatusCode::UNPROCESSABLE_ENTITY);
        "faults".clone_into(&mut problem.0.code);
        problem.0.errors = errors;
        problem
    }

    /// Adds a fault.
    #[must_use]
    pub fn and(mut self, fault: Fault) -> Self {
        self.0.errors.push(fault);
        self
    }

    /// Tells when to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Adds a member to the JSON document, such as `expected` for the link.
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.0.extra.push((name, value.into()));
        self
    }

    /// Names what its sentence names as members too, for a reader that makes sentences of its own.
    #[must_use]
    pub fn naming(mut self) -> Self {
        let named = self.0.args.iter().map(|(name, value)| (*name, value.clone().into()));
        self.0.extra.extend(named.collect::<Vec<(&'static str, serde_json::Value)>>());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// After how many seconds to come back, when it says so.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u32> {
        self.0.retry_after_s
    }

    /// The code under which the log has the causes, for a 5xx.
    #[must_use]
    pub fn incident(&self) -> Option<&str> {
        self.0.incident.as_deref()
    }

    /// What is wrong with single values.
    #[must_use]
    pub fn wrong(&self) -> &[Fault] {
        &self.0.errors
    }

    fn title<'w>(&self, words: &'w Words, lang: Lang) -> &'w str {
        let key = match self.0.status.as_u16() {
            400 => "problem-title-400",
            401 => "problem-title-401",
            403 => "problem-title-403",
            404 => "problem-title-404",
            405 => "problem-title-405",
            409 => "problem-title-409",
            413 => "problem-title-413",
            422 => "problem-title-422",
            429 => "problem-title-429",
            503 => "problem-title-503",
            s if s >= 500 => "problem-title-500",
            _ => "problem-title-other",
        };
        words.text(lang, key)
    }

    /// The sentence that explains it.
    #[must_use]
    pub fn detail(&self, words: &Words, lang: Lang) -> String {
        if self.0.incident.is_some() {
            return words.text(lang, "problem-incident").to_owned();
        }
        sentence(words, lang, &self.0.code, &self.0.args)
            .unwrap_or_else(|| self.title(words, lang).to_owned())
    }

    /// The sentence, or those about single values where there are some: for a terminal.
    #[must_use]
    pub fn said(&self, words: &Words, lang: Lang) -> String {
        if self.0.errors.is_empty() {
            self.detail(words, lang)
        } else {
            self.faults_said(words, lang).join(" ")
        }
    }

    fn faults_said(&self, words: &Words, lang: Lang) -> Vec<String> {
        self.0.errors.iter().map(|f| f.said(words, lang)).collect()
    }

    /// The RFC 9457 document.
    #[must_use]
    pub fn json(&self, words: &Words, lang: Lang) -> Response {
        let document = Document {
            r#type: format!("urn:kulkul:problem:{}", self.0.code),
            title: self.title(words, lang),
            status: self.0.status.as_u16(),
            detail: self.detail(words, lang),
            code: &self.0.code,
            errors: self
                .0
                .errors
                .iter()
                .map(|f| FaultOut { pointer: &f.pointer, code: f.code, detail: f.said(words, lang) })
                .collect(),
            incident: self.0.incident.as_deref(),
            extra: self.0.extra.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        self.dress((self.0.status, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response())
    }

    /// The HTML twin.
    #[must_use]
    pub fn html(&self, page: Page) -> Response {
        let w = page.w.clone();
        let words = w.words();
        let lang = w.lang();
        let template = ProblemPage {
            status: self.0.status.as_u16(),
            title: self.title(words, lang),
            detail: self.detail(words, lang),
            faults: self.faults_said(words, lang),
            incident: self.0.incident.as_deref(),
            w: w.clone(),
            page,
        };
        let body = template.render().unwrap_or_default();
        self.dress((self.0.status, [(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
    }

    fn dress(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(s) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(s));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Fault {
    /// Names what is wrong with the value at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: &'static str) -> Self {
        Fault { pointer: pointer.into(), code, args: Vec::new() }
    }

    /// Adds an argument for the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// The sentence for it.
    #[must_use]
    pub fn said(&self, words: &Words, lang: Lang) -> String {
        sentence(words, lang, self.code, &self.args).unwrap_or_else(|| self.code.to_owned())
    }
}

/// The sentence `refusal-<code>`, if there are words for it.
#[must_use]
pub fn sentence(words: &Words, lang: Lang, code: &str, args: &[(&'static str, String)]) -> Option<String> {
    let key = format!("refusal-{code}");
    if !words.has(&key) {
        return None;
    }
    let args: Vec<_> = args.iter().map(|(k, v)| (*k, v.as_str().into())).collect();
    Some(words.with(lang, &key, &args))
}

fn incident() -> String {
    // Without randomness the incident still needs a name; the log line is found by its time then.
    entropy::draw::<5>().map_or_else(|_| "no-code".to_owned(), hex::encode)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut problem = Problem::status(status);
        refusal.code.clone_into(&mut problem.0.code);
        problem.0.args = refusal.args;
        problem
    }
}

impl From<entropy::NoEntropy> for Problem {
    fn from(error: entropy::NoEntropy) -> Self {
        Problem::fault(&error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_passing() {
            Problem::fault_with(StatusCode::SERVICE_UNAVAILABLE, &error).retry_after(5)
        } else {
            Problem::fault(&error)
        }
    }
}

/// Why a write did not happen: the rules say no, or the database does.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// The rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotWritten> for Problem {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Refused(refusal) => refusal.into(),
            NotWritten::Store(error) => error.into(),
        }
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Problem::fault(&error)
    }
}

impl IntoResponse for Problem {
    /// A response that carries the problem along, for `web::front` to render.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
