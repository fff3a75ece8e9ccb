//! The tunnel to the data centre, in a sentence for the status.

use crate::tunnel::TunnelState;
use crate::words::{Lang, Words};

pub(super) fn in_words(state: &TunnelState, words: &Words, lang: Lang) -> String {
    if !state.ordered {
        return match state.public_key.as_str() {
            "" => words.text(lang, "status-tunnel-none").to_owned(),
            key => words.with(lang, "status-tunnel-key", &[("key", key)]),
        };
    }
    let at = state.at.map_or_else(|| state.endpoint.clone(), |at| at.to_string());
    let handshake = state.handshake_s.unwrap_or(0).to_string();
    let megabytes = |bytes: u64| (bytes / 1_000_000).to_string();
    let (up, down) = (megabytes(state.up_bytes), megabytes(state.down_bytes));
    let with = [
        ("at", at.as_str()),
        ("handshake", handshake.as_str()),
        ("up", up.as_str()),
        ("down", down.as_str()),
        ("key", state.public_key.as_str()),
    ];
    match (state.up, &state.trouble) {
        (true, _) => words.with(lang, "status-tunnel-up", &with),
        (false, None) => words.with(lang, "status-tunnel-down", &with),
        (false, Some(why)) => {
            let with = [&with[..], &[("why", why.as_str())]].concat();
            words.with(lang, "status-tunnel-trouble", &with)
        }
    }
}
