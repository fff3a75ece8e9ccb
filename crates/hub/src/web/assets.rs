//! Built-in files: styles, pictures, islands; under names that change with their content.
//!
//! `/assets/<stem>.<hash>.<ext>` is kept by browsers for a year. Files come from
//! `crates/hub/assets` and, when the front end was built, from `web/dist`.

use super::compress::Coding;
use crate::Hub;
use crate::web::problem::Problem;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

#[derive(rust_embed::RustEmbed)]
#[folder = "assets"]
struct Own;

#[derive(rust_embed::RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

/// All built-in files, compressed once at start.
#[derive(Default)]
pub struct Assets {
    hrefs: BTreeMap<String, String>,
    files: BTreeMap<String, File>,
}

struct File {
    media_type: &'static str,
    plain: Bytes,
    gzip: Bytes,
    brotli: Bytes,
}

impl Assets {
    /// Reads and compresses the files that are built into the program.
    #[must_use]
    pub fn load() -> Self {
        let mut assets = Assets::default();
        for name in Own::iter() {
            if let Some(file) = Own::get(&name) {
                assets.add(&name, Bytes::from(file.data.into_owned()));
            }
        }
        for name in Built::iter() {
            if let Some(file) = Built::get(&name) {
                assets.add(&name, Bytes::from(file.data.into_owned()));
            }
        }
        assets
    }

    fn add(&mut self, name: &str, plain: Bytes) {
        let hash = Sha256::digest(&plain);
        let hash = hex::encode(hash.get(..5).unwrap_or(&hash));
        let (stem, ext) = name.rsplit_once('.').unwrap_or((name, "bin"));
        let hashed = format!("{stem}.{hash}.{ext}");
        let media_type = media_type(ext);
        let worth = plain.len() > 256
            && matches!(ext, "css" | "js" | "svg" | "json" | "map" | "txt" | "html" | "webmanifest");
        let code = |c: Coding| if worth { c.code(&plain, 9) } else { Bytes::new() };
        let file =
            File { media_type, gzip: code(Coding::Gzip), brotli: code(Coding::Brotli), plain: plain.clone() };
        self.hrefs.insert(name.to_owned(), format!("/assets/{hashed}"));
        self.files.insert(hashed, file);
    }

    /// The address of a file; a name that is not built in gives an address that answers 404.
    #[must_use]
    pub fn href<'a>(&'a self, name: &'a str) -> &'a str {
        self.hrefs.get(name).map_or("/assets/missing", String::as_str)
    }

    /// Whether the file is built in.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.hrefs.contains_key(name)
    }
}

/// `/assets/...`, and the two names that browsers ask for by themselves.
pub fn routes() -> Router<Hub> {
    Router::new()
        .route("/assets/{*name}", get(file))
        .route("/favicon.ico", get(favicon))
        .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /console/\n" }))
}

async fn file(
    State(hub): State<Hub>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = hub.assets().files.get(&name).ok_or_else(Problem::not_found)?;
    Ok(file.answer(Coding::choose(&headers)))
}

async fn favicon(State(hub): State<Hub>, headers: HeaderMap) -> Result<Response, Problem> {
    let assets = hub.assets();
    let name = assets.href("mark.svg").strip_prefix("/assets/").unwrap_or_default();
    let file = assets.files.get(name).ok_or_else(Problem::not_found)?;
    Ok(file.answer(Coding::choose(&headers)))
}

impl File {
    fn answer(&self, coding: Coding) -> Response {
        let (body, coding) = match coding {
            Coding::Brotli if !self.brotli.is_empty() => (&self.brotli, coding),
            Coding::Gzip if !self.gzip.is_empty() => (&self.gzip, coding),
            _ => (&self.plain, Coding::Identity),
        };
        let mut response = body.clone().into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(name) = coding.header() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }
}

fn media_type(ext: &str) -> &'static str {
    match ext {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
