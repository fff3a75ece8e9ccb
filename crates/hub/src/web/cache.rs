//! The page cache: finished public answers, compressed, by what they depend on.
//!
//! The key is path, query, language and whether a session's cookie is there; an
//! entry holds while the board has the version it was made from, and 10 s at most.
//! Requests with `Authorization` and answers that are not plain 200 pass by it.

use super::compress::Coding;
use super::language::Lang;
use super::layout::session_cookie;
use super::problem::Problem;
use crate::Hub;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kulkul_model::Moment;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const LONGEST_MS: i64 = 10_000;
/// Bodies above this are answered, not kept.
const LARGEST_BYTES: usize = 8 << 20;

/// What an answer depends on beside the board.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    target: String,
    lang: Lang,
    signed_in: bool,
    coding: Coding,
}

/// A finished answer in one coding.
struct Entry {
    board: u64,
    at: Moment,
    body: Bytes,
    coding: Coding,
    etag: HeaderValue,
    content_type: HeaderValue,
    cache_control: HeaderValue,
    /// The name under which a browser saves it.
    disposition: Option<HeaderValue>,
}

/// Finished answers, at most `most_bytes` of them.
pub struct PageCache {
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    entries: BTreeMap<Key, Arc<Entry>>,
}

impl PageCache {
    /// An empty cache that holds at most `most_bytes`.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        PageCache { most_bytes, kept: Mutex::default() }
    }

    fn find(&self, key: &Key, board: u64, now: Moment) -> Option<Arc<Entry>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.get(key).filter(|e| e.holds(board, now)).map(Arc::clone)
    }

    fn keep(&self, key: Key, entry: Arc<Entry>, now: Moment) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let new = entry.body.len();
        if kept.bytes + new > self.most_bytes {
            kept.entries.retain(|_, e| e.holds(entry.board, now));
            kept.bytes = kept.entries.values().map(|e| e.body.len()).sum();
        }
        if kept.bytes + new > self.most_bytes {
            // All of it is fresh and still too much: somebody walks through queries. Begin anew.
            *kept = Kept::default();
        }
        if new <= self.most_bytes {
            kept.bytes += new;
            if let Some(old) = kept.entries.insert(key, entry) {
                kept.bytes -= old.body.len();
            }
        }
    }
}

impl Entry {
    fn holds(&self, board: u64, now: Moment) -> bool {
        self.board == board && now.since_ms(self.at) < LONGEST_MS
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let fresh = request.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|v| {
            v.split(',').map(str::trim).any(|tag| {
                tag == "*"
                    || self.etag.to_str().is_ok_and(|ours| tag.strip_prefix("W/").unwrap_or(tag) == ours)
            })
        });
        let mut response =
            if fresh { StatusCode::NOT_MODIFIED.into_response() } else { self.body.clone().into_response() };
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding, accept-language, cookie"));
        if fresh {
            headers.remove(CONTENT_TYPE);
        } else {
            headers.insert(CONTENT_TYPE, self.content_type.clone());
            if let Some(name) = &self.disposition {
                headers.insert(CONTENT_DISPOSITION, name.clone());
            }
            if let Some(name) = self.coding.header() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
            }
        }
        response
    }
}

/// The layer around public routes.
///
/// # Errors
/// A `Problem` with an incident code when the answer's body cannot be read.
pub async fn through(State(hub): State<Hub>, mut request: Request, next: Next) -> Result<Response, Problem> {
    if request.method() != Method::GET || request.headers().contains_key(AUTHORIZATION) {
        return Ok(next.run(request).await);
    }
    let headers = request.headers().clone();
    let key = Key {
        target: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        lang: request.extensions().get::<Lang>().copied().unwrap_or_default(),
        signed_in: session_cookie(&headers).is_some(),
        coding: Coding::choose(&headers),
    };
    let (board, now) = (hub.board().version, hub.clock().now());
    if let Some(entry) = hub.page_cache().find(&key, board, now) {
        hub.metrics().page_cache_hits.inc();
        return Ok(entry.answer(&headers));
    }
    hub.metrics().page_cache_misses.inc();
    // The room answers with plain bytes; they are compressed once, here.
    request.headers_mut().remove(ACCEPT_ENCODING);
    let response = next.run(request).await;
    let (mut parts, body) = response.into_parts();
    let cacheable = parts.status == StatusCode::OK
        && !parts.headers.contains_key(SET_COOKIE)
        && !parts.headers.contains_key(CONTENT_ENCODING)
        && parts.headers.get(CACHE_CONTROL).is_none_or(|v| v != "no-store")
        && parts
            .headers
            .get(CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| !v.starts_with("text/event-stream"));
    if !cacheable {
        return Ok(Response::from_parts(parts, body));
    }
    let plain = axum::body::to_bytes(body, usize::MAX).await.map_err(|e| Problem::fault(&e))?;
    let coding = if plain.len() < 256 { Coding::Identity } else { key.coding };
    let body = coding.code(&plain, 5);
    let hash = Sha256::digest(&plain);
    let etag = format!(
        "\"{}{}\"",
        hex::encode(hash.get(..8).unwrap_or(&hash)),
        match coding {
            Coding::Identity => "",
            Coding::Gzip => "-g",
            Coding::Brotli => "-b",
        }
    );
    let (Ok(etag), Some(content_type)) = (HeaderValue::from_str(&etag), parts.headers.remove(CONTENT_TYPE))
    else {
        return Ok(Response::from_parts(parts, Body::from(plain)));
    };
    let cache_control = parts.headers.remove(CACHE_CONTROL).unwrap_or_else(|| {
        HeaderValue::from_static(if key.signed_in { "private, no-cache" } else { "no-cache" })
    });
    let disposition = parts.headers.remove(CONTENT_DISPOSITION);
    let entry = Entry { board, at: now, body, coding, etag, content_type, cache_control, disposition };
    let entry = Arc::new(entry);
    if entry.body.len() <= LARGEST_BYTES {
        hub.page_cache().keep(key, Arc::clone(&entry), now);
    }
    Ok(entry.answer(&headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(board: u64, size: usize) -> Arc<Entry> {
        Arc::new(Entry {
            board,
            at: Moment::EPOCH,
            body: Bytes::from(vec![0; size]),
            coding: Coding::Identity,
            etag: HeaderValue::from_static("\"x\""),
            content_type: HeaderValue::from_static("text/html"),
            cache_control: HeaderValue::from_static("no-cache"),
            disposition: None,
        })
    }

    fn key(target: &str) -> Key {
        Key { target: target.to_owned(), lang: Lang::Id, signed_in: false, coding: Coding::Identity }
    }

    #[test]
    fn it_forgets_old_boards_first_and_never_grows_beyond_its_bound() {
        let cache = PageCache::new(100);
        let now = Moment::EPOCH;
        cache.keep(key("/a"), entry(1, 60), now);
        cache.keep(key("/b"), entry(2, 60), now);
        assert!(cache.find(&key("/a"), 1, now).is_none());
        assert!(cache.find(&key("/b"), 2, now).is_some());
        assert!(cache.find(&key("/b"), 3, now).is_none());
        assert!(cache.find(&key("/b"), 2, now.plus_ms(LONGEST_MS)).is_none());
        cache.keep(key("/c"), entry(2, 60), now);
        cache.keep(key("/d"), entry(2, 101), now);
        let kept = cache.kept.lock().unwrap();
        assert!(
            kept.bytes <= 100 && kept.entries.values().map(|e| e.body.len()).sum::<usize>() == kept.bytes
        );
    }
}
