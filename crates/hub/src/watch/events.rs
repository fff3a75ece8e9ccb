//! Live events: `GET /api/v1/events`, server-sent (HTML Living Standard, 9.2).
//!
//! `hello` comes first; then `site` for each place that looks different and `tally`
//! when the counts change; a comment every 15 s keeps the line open. Frames are
//! made once and shared by all streams. A stream that falls behind is ended, and the
//! browser comes back by itself and reads the board anew: nothing is ever queued
//! without bound.

use super::board::{Board, SiteNow};
use crate::Hub;
use crate::web::{Peer, Problem};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use kulkul_model::site::SiteCode;
use kulkul_model::state::Sign;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Streams at once.
const STREAMS: u32 = 2_000;
/// Streams of one address at once.
const STREAMS_OF_ONE: u32 = 5;
/// A comment is sent this often when nothing happens.
const HEARTBEAT_MS: i64 = 15_000;
/// When more sites change at once than these, readers are sent to read the board anew.
const SITES_AT_ONCE: usize = 1_000;

/// What readers of the event stream are told: one or more finished frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Send these bytes.
    Frames(Bytes),
    /// Too much changed: end, so that readers come back and take the whole picture.
    Over,
}

#[derive(Serialize)]
struct SiteEvent<'a> {
    code: &'a str,
    sign: &'static str,
    observed: &'static str,
    expected: &'static str,
    since: Option<String>,
    seen_at: Option<String>,
    silent: bool,
    people: Option<u32>,
}

/// Adds `event: name` with one line of data.
fn frame(out: &mut String, name: &str, data: &impl Serialize) {
    let json = serde_json::to_string(data).unwrap_or_default();
    // Writing into a String does not fail; JSON has no line breaks.
    let _ = write!(out, "event: {name}\ndata: {json}\n\n");
}

fn site_event<'a>(hub: &Hub, board: &Board, now: &'a SiteNow) -> SiteEvent<'a> {
    let zone = hub.zone();
    SiteEvent {
        code: now.site.code.as_str(),
        sign: now.sign.as_str(),
        observed: now.observed.as_str(),
        expected: now.expected.as_str(),
        since: now.since.map(|at| zone.rfc3339(at)),
        seen_at: now.seen_at.map(|at| zone.rfc3339(at)),
        silent: now.silent,
        people: now.people_shown(board.category(&now.site)),
    }
}

fn tally_json(board: &Board) -> BTreeMap<&'static str, u64> {
    let mut out: BTreeMap<_, _> =
        Sign::ALL.into_iter().map(|s| (s.as_str(), u64::from(board.tally.of(s)))).collect();
    out.insert("total", u64::from(board.tally.total()));
    out.insert("version", board.version);
    out
}

/// What to tell about the step from one board to the next.
#[must_use]
pub fn frames(hub: &Hub, last: &Board, next: &Board, changed: &BTreeSet<SiteCode>) -> Vec<Event> {
    if changed.len() > SITES_AT_ONCE || last.register_version != next.register_version {
        return vec![Event::Over];
    }
    let mut out = String::new();
    for now in changed.iter().filter_map(|code| next.sites.get(code)) {
        frame(&mut out, "site", &site_event(hub, next, now));
    }
    if last.tally != next.tally {
        frame(&mut out, "tally", &tally_json(next));
    }
    if out.is_empty() { Vec::new() } else { vec![Event::Frames(Bytes::from(out))] }
}

/// Who follows the live events, by address.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: u32,
    by_address: BTreeMap<IpAddr, u32>,
}

/// A place among the streams; given back when dropped.
#[derive(Debug)]
struct Seat {
    streams: Streams,
    address: IpAddr,
}

impl Streams {
    fn take(&self, address: IpAddr) -> Option<Seat> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= STREAMS || of_one >= STREAMS_OF_ONE {
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, of_one + 1);
        Some(Seat { streams: self.clone(), address })
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(n) = open.by_address.get_mut(&self.address) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// The stream's route; it has its own bounds and is neither cached nor compressed.
pub fn routes() -> Router<Hub> {
    Router::new().route("/api/v1/events", get(follow))
}

struct Follower {
    hub: Hub,
    news: broadcast::Receiver<Event>,
    first: Option<Bytes>,
    _seat: Seat,
}

/// Live changes of places, server-sent: `hello`, then `site` and `tally` with JSON data.
///
/// A comment every 15 s keeps the line open. When the stream ends, read the sites anew.
#[utoipa::path(get, path = "/api/v1/events", responses(
    (status = 200, body = String, content_type = "text/event-stream"),
    (status = 503, description = "too many streams are open; `Retry-After` says when to come again")))]
pub(crate) async fn follow(State(hub): State<Hub>, peer: Peer) -> Result<Response, Problem> {
    let full = || Problem::status(StatusCode::SERVICE_UNAVAILABLE).retry_after(30);
    let seat = hub.watch().streams().take(peer.bucket()).ok_or_else(full)?;
    hub.watch().metrics().streams.set(i64::from(hub.watch().streams().open()));
    // Subscribed before the board is read: nothing falls between the two.
    let news = hub.events().subscribe();
    let mut hello = String::from("retry: 5000\n");
    frame(&mut hello, "hello", &serde_json::json!({ "version": hub.board().version }));
    let follower = Follower { hub, news, first: Some(Bytes::from(hello)), _seat: seat };
    let frames = futures_util::stream::unfold(follower, |mut f| async move {
        let bytes = f.next().await?;
        Some((Ok::<_, Infallible>(bytes), f))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

impl Follower {
    /// The next bytes to send; none ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let event = tokio::select! {
            biased;
            () = self.hub.stop().cancelled() => return None,
            event = self.news.recv() => event,
            () = self.hub.clock().sleep_ms(HEARTBEAT_MS) => return Some(Bytes::from_static(b":\n\n")),
        };
        match event {
            Ok(Event::Frames(bytes)) => Some(bytes),
            Ok(Event::Over) => None,
            Err(_) => {
                self.hub.watch().metrics().streams_dropped.inc();
                None
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // The seat is given back after this; the gauge is right again at the next stream.
        let open = self.hub.watch().streams().open().saturating_sub(1);
        self.hub.watch().metrics().streams.set(i64::from(open));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_and_given_back() {
        let streams = Streams::default();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let mut seats: Vec<_> = (0..STREAMS_OF_ONE).map(|_| streams.take(one).unwrap()).collect();
        assert!(streams.take(one).is_none());
        seats.pop();
        assert!(streams.take(one).is_some(), "given back at once, too");
        assert_eq!(streams.open(), STREAMS_OF_ONE - 1);
        let many: Vec<_> = (0..STREAMS)
            .filter_map(|i| streams.take(IpAddr::from((u128::from(i) << 64).to_be_bytes())))
            .collect();
        assert_eq!(streams.open(), STREAMS);
        drop((seats, many));
        assert_eq!(streams.open(), 0);
    }
}
