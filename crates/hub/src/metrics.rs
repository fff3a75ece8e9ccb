//! Metrics: what `/metrics` shows, in OpenMetrics text. Never about people at a site.

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::{Mutex, PoisonError};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

/// The registry, and the metrics of the web core.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<StatusLabel, Counter>,
    request_seconds: Histogram,
    /// Answers taken from the page cache.
    pub page_cache_hits: Counter,
    /// Answers made anew.
    pub page_cache_misses: Counter,
    /// Connections open now.
    pub connections: Gauge,
    /// The board's version.
    pub board_version: Gauge,
    resident_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("kulkul");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered, by status", requests.clone());
        let request_seconds = Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]);
        registry.register("http_request_seconds", "Time to the head of the answer", request_seconds.clone());
        let page_cache_hits = Counter::default();
        registry.register("page_cache_hits", "Answers taken from the page cache", page_cache_hits.clone());
        let page_cache_misses = Counter::default();
        registry.register("page_cache_misses", "Public answers made anew", page_cache_misses.clone());
        let connections = Gauge::default();
        registry.register("http_connections", "Connections open now", connections.clone());
        let board_version = Gauge::default();
        registry.register("board_version", "Version of the board that pages read", board_version.clone());
        let resident_bytes = Gauge::default();
        registry.register("resident_bytes", "Memory of this process", resident_bytes.clone());
        Metrics {
            registry: Mutex::new(registry),
            requests,
            request_seconds,
            page_cache_hits,
            page_cache_misses,
            connections,
            board_version,
            resident_bytes,
        }
    }
}

impl Metrics {
    /// Lets a room register its own metrics.
    pub fn register(&self, with: impl FnOnce(&mut Registry)) {
        with(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts one answered request.
    pub fn request(&self, status: StatusCode, took_ms: i64) {
        self.requests.get_or_create(&StatusLabel { status: status.as_u16() }).inc();
        self.request_seconds.observe(took_ms as f64 / 1000.0);
    }

    /// The text of `/metrics`.
    #[must_use]
    pub fn text(&self) -> String {
        self.resident_bytes.set(resident_bytes());
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a String does not fail.
        let _ = encode(&mut out, &registry);
        out
    }
}

fn resident_bytes() -> i64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|s| s.split_whitespace().nth(1).and_then(|p| p.parse::<i64>().ok()));
    pages.unwrap_or(0) * 4096
}
