//! Compressing finished bodies, once for many readers.

use bytes::Bytes;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;
use std::io::Write as _;

/// How a body is coded on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    /// The value of `Content-Encoding`; none for the body as it is.
    #[must_use]
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Coding::Identity => None,
            Coding::Gzip => Some("gzip"),
            Coding::Brotli => Some("br"),
        }
    }

    /// The best coding that the reader takes; a coding with `q=0` is not taken.
    #[must_use]
    pub fn choose(headers: &HeaderMap) -> Self {
        let Some(text) = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()) else {
            return Coding::Identity;
        };
        let takes = |name: &str| {
            text.split(',').any(|item| {
                let mut parts = item.split(';').map(str::trim);
                parts.next() == Some(name)
                    && !parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        if takes("br") {
            Coding::Brotli
        } else if takes("gzip") {
            Coding::Gzip
        } else {
            Coding::Identity
        }
    }

    /// The body in this coding; brotli at `quality` 0 to 11.
    #[must_use]
    pub fn code(self, body: &Bytes, quality: u32) -> Bytes {
        let mut out = Vec::with_capacity(body.len() / 4 + 64);
        let done = match self {
            Coding::Identity => return body.clone(),
            Coding::Gzip => {
                let mut to = flate2::write::GzEncoder::new(&mut out, flate2::Compression::new(6));
                to.write_all(body).and_then(|()| to.finish().map(|_| ()))
            }
            Coding::Brotli => {
                let mut to = brotli::CompressorWriter::new(&mut out, 64 * 1024, quality, 22);
                // The stream is closed when the writer goes out of scope.
                to.write_all(body)
            }
        };
        // Writing into memory does not fail; if it ever did, an empty body would be worse.
        if done.is_ok() { Bytes::from(out) } else { Bytes::new() }
    }
}
