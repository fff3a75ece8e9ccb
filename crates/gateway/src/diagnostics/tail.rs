//! The last lines of the program's log, kept in memory, for staff who ask from afar.
//!
//! What is told of them names no device of the place and no address of one.

use crate::config::Config;
use kulkul_model::diagnostic::LONGEST_ANSWER;
use kulkul_model::session::Mac;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

const MOST_LINES: usize = 200;
const LONGEST_LINE: usize = 400;

static KEPT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Keeps what is written to it; for the program's log, beside its usual place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tail;

impl io::Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = kept();
        for line in String::from_utf8_lossy(bytes).lines() {
            if kept.len() >= MOST_LINES {
                kept.pop_front();
            }
            kept.push_back(line.chars().filter(|c| !c.is_control()).take(LONGEST_LINE).collect());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line is whole whatever became of the thread that wrote one.
fn kept() -> MutexGuard<'static, VecDeque<String>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The newest lines that fit into an answer, oldest first.
pub(super) fn lines(config: &Config) -> String {
    let at_place = |ip: IpAddr| config.segments.iter().any(|s| s.networks().any(|net| net.contains(&ip)));
    let (mut room, mut out) = (LONGEST_ANSWER, Vec::new());
    for line in kept().iter().rev() {
        let line = hidden(line, at_place);
        let Some(left) = room.checked_sub(line.len() + 1) else { break };
        room = left;
        out.push(line);
    }
    out.reverse();
    out.join("\n")
}

/// A line without hardware addresses and without addresses of the place.
fn hidden(line: &str, at_place: impl Fn(IpAddr) -> bool) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let bare = word.trim_matches(['.', ':']);
        let ip = bare.parse::<IpAddr>().ok().or_else(|| bare.rsplit_once(':')?.0.parse().ok());
        if Mac::parse(bare).is_ok() {
            out.push_str("(device)");
        } else if ip.is_some_and(&at_place) {
            out.push_str("(address)");
        } else {
            out.push_str(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_no_device_and_no_address_of_the_place() {
        let place = |ip: IpAddr| ip.to_string().starts_with("10.77.") || ip.to_string().starts_with("fd77:");
        let table = [
            ("mac=02:00:00:00:00:09 joined", "mac=(device) joined"),
            ("from 10.77.0.9:51234.", "from (address)"),
            ("ip=10.77.0.9, hub=203.0.113.1:443", "ip=(address), hub=203.0.113.1:443"),
            ("[fd77::9] and 2001:db8::1", "[(address)] and 2001:db8::1"),
            ("2026-11-24T14:32:00.5Z the table is loaded", "2026-11-24T14:32:00.5Z the table is loaded"),
        ];
        for (line, told) in table {
            assert_eq!(hidden(line, place), told);
        }
    }
}
