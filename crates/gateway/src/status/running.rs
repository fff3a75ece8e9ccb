//! How the place is run just now: its hours, its line and its ways out, for status and doctor.

use crate::ways::LineState;
use crate::words::{Lang, Words};
use kulkul_model::gateway::Capabilities;
use kulkul_model::{Moment, Zone};
use kulkul_wire::link::desired::Desired;
use serde::{Deserialize, Serialize};

/// What the opening hours say now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Whether public people are let in.
    pub open: bool,
    /// Until when; none when no change is in sight.
    pub until: Option<Moment>,
}

/// How a full line is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it gives to the place, kbit/s.
    pub down_kbps: Option<u32>,
    /// What it takes from the place, kbit/s.
    pub up_kbps: Option<u32>,
    /// Whether the kernel can share it.
    pub shared: bool,
}

impl Hours {
    /// None where the place is open at all hours, or the clock is unset.
    #[must_use]
    pub fn of(desired: &Desired, now: Option<Moment>) -> Option<Self> {
        let (table, now) = (desired.hours.timetable.as_ref()?, now?);
        let zone = Zone::named(&desired.site.zone).ok()?;
        let open = table.is_open(now, &zone);
        let until = if open { table.closes_at(now, &zone) } else { table.opens_at(now, &zone) };
        Some(Hours { open, until })
    }

    pub(super) fn in_words(this: Option<Self>, words: &Words, lang: Lang, zone: &Zone) -> String {
        let time = |at: Moment| zone.civil(at).strftime("%Y-%m-%d %H:%M").to_string();
        match this {
            None => words.text(lang, "status-hours-always").to_owned(),
            Some(Hours { open: true, until: None }) => words.text(lang, "status-hours-open").to_owned(),
            Some(Hours { open: true, until: Some(at) }) => {
                words.with(lang, "status-hours-open-until", &[("at", &time(at))])
            }
            Some(Hours { open: false, until: None }) => words.text(lang, "status-hours-closed").to_owned(),
            Some(Hours { open: false, until: Some(at) }) => {
                words.with(lang, "status-hours-closed-until", &[("at", &time(at))])
            }
        }
    }
}

impl Line {
    /// None where no rate is known, or nothing is to be shared.
    #[must_use]
    pub fn of(desired: &Desired, can: &Capabilities) -> Option<Self> {
        let line = &desired.line;
        let known = line.fair && (line.down_kbps.is_some() || line.up_kbps.is_some());
        known.then_some(Line { down_kbps: line.down_kbps, up_kbps: line.up_kbps, shared: can.htb })
    }

    pub(super) fn in_words(this: Option<Self>, words: &Words, lang: Lang) -> String {
        let Some(line) = this else { return words.text(lang, "status-share-unknown").to_owned() };
        let mbps = |kbps: Option<u32>| {
            kbps.map_or_else(|| "?".to_owned(), |k| format!("{:.1}", f64::from(k) / 1_000.0))
        };
        let key = if line.shared { "status-share-even" } else { "status-share-rates" };
        words.with(lang, key, &[("down", &mbps(line.down_kbps)), ("up", &mbps(line.up_kbps))])
    }
}

/// The ways out with whose they are, how they are and what they carried.
pub(super) fn ways(all: &[LineState], words: &Words, lang: Lang) -> String {
    let word = |key| words.text(lang, key);
    let one = |line: &LineState| {
        let mut said = vec![kind(line, words, lang)];
        if all.len() > 1 {
            said.push(word(if line.in_use { "status-ways-in-use" } else { "status-ways-waits" }).to_owned());
            said.extend(
                line.answers
                    .map(|a| word(if a { "status-ways-answers" } else { "status-ways-silent" }).to_owned()),
            );
            let megabytes = |bytes: u64| (bytes / 1_000_000).to_string();
            let (up, down) = (megabytes(line.up_bytes), megabytes(line.down_bytes));
            said.push(words.with(lang, "status-ways-carried", &[("down", &down), ("up", &up)]));
        }
        let trouble = line.trouble.as_ref().or(line.overlap.as_ref());
        said.extend(trouble.map(|why| words.with(lang, "status-ways-trouble", &[("why", why)])));
        format!("{}: {}", line.interface, said.join(", "))
    };
    if all.is_empty() {
        return word("status-ways-unknown").to_owned();
    }
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Whose a way is and how it gets its address.
fn kind(line: &LineState, words: &Words, lang: Lang) -> String {
    let how = words.text(
        lang,
        match line.kind.as_str() {
            "dhcp" => "status-ways-dhcp",
            "static" => "status-ways-static",
            "pppoe" => "status-ways-pppoe",
            _ => "status-ways-system",
        },
    );
    if line.owner.is_empty() {
        return words.with(lang, "status-ways-provider", &[("how", how)]);
    }
    words.with(lang, "status-ways-community", &[("owner", &line.owner), ("how", how)])
}
