//! How the box is: asked over a local socket, one JSON line each way.
//!
//! The socket belongs to root; it changes nothing and tells no names that were asked for.

pub(crate) mod radios;
mod running;
mod socket;
mod tunnel;

pub use running::{Hours, Line};
pub use socket::{Question, SOCKET, ask, is_online, serve};

use crate::access_points::{Seen, Shown};
use crate::clock::Clock;
use crate::dns::counts::Today;
use crate::dns::filter;
use crate::dns::lists::{Held, InForce};
use crate::journal::Journal;
use crate::portal::tls::Tls;
use crate::supervisor::Supervisor;
use crate::tunnel::TunnelState;
use crate::updates::Running;
use crate::ways::LineState;
use crate::ways::watch::Answers;
use crate::words::{Lang, Words};
use kulkul_model::gateway::Capabilities;
use kulkul_model::measurement::{Minute, UsageMinute, Verdict};
use kulkul_model::{Moment, Zone};
use kulkul_wire::link::desired::Desired;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// How the hub was last seen; the link says so.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HubSeen {
    /// When it last answered.
    pub at: Option<Moment>,
    /// What went wrong last, in English; none while all is well.
    pub trouble: Option<String>,
    /// The last journal entry that it holds.
    pub held_through: u64,
    /// It refuses this box for good.
    pub refused: bool,
}

/// How the box is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// The release that the program came with, and whether it is on trial.
    #[serde(default)]
    pub program: Running,
    /// What the kernel has, as it was found at the start.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// When this process began; none while the clock was unset.
    pub since: Option<Moment>,
    /// The time of this answer; none while the clock is unset.
    pub now: Option<Moment>,
    /// Code of the place; none before enrolment.
    pub site: Option<String>,
    /// Name of the place.
    pub place: Option<String>,
    /// Version of the desired state in force.
    pub desired: Option<String>,
    /// How the hub was last seen.
    pub hub: HubSeen,
    /// Devices online.
    pub people: u32,
    /// The last minute's measurement.
    pub minute: Option<Minute>,
    /// What people used in it.
    pub usage: Option<UsageMinute>,
    /// Until when the portal's certificate is valid; none without one.
    pub certificate_until: Option<Moment>,
    /// The last journal entry.
    pub journal_head: u64,
    /// What the opening hours say; none where the place is open at all hours.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// How a full line is shared; none where its rates are not known.
    #[serde(default)]
    pub share: Option<Line>,
    /// The ways out, the provider's first.
    #[serde(default)]
    pub ways: Vec<LineState>,
    /// Lists of names that are not answered.
    #[serde(default)]
    pub lists: Vec<ListStatus>,
    /// Questions for such names today, by list; whose and for which name nobody knows.
    #[serde(default)]
    pub blocked: Today,
    /// The place's access points, as the last minute found them.
    #[serde(default)]
    pub access_points: Vec<Shown>,
    /// The tunnel to the data centre.
    #[serde(default)]
    pub tunnel: TunnelState,
}

/// A list of names that are not answered, as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListStatus {
    /// What it is called in counts.
    pub key: String,
    /// Names in it.
    pub names: u64,
    /// When its makers dated it.
    pub dated: Moment,
}

/// Where the answers come from.
#[derive(Clone)]
pub struct Source {
    /// Who is online.
    pub supervisor: Supervisor,
    /// The journal.
    pub journal: Journal,
    /// The last minute.
    pub minutes: watch::Receiver<Option<(Minute, UsageMinute)>>,
    /// Whether something answered over each way last.
    pub answers: watch::Receiver<Answers>,
    /// What the last minute found of access points.
    pub radios: Seen,
    /// How the tunnel is.
    pub tunnel: watch::Receiver<TunnelState>,
    /// The desired state in force.
    pub desired: watch::Receiver<Option<Arc<Desired>>>,
    /// How the hub was last seen.
    pub hub: watch::Receiver<HubSeen>,
    /// Which program runs.
    pub running: watch::Receiver<Running>,
    /// The portal's certificate.
    pub tls: Option<Tls>,
    /// What the kernel has.
    pub capabilities: Arc<Capabilities>,
    /// What is filtered.
    pub filter: watch::Receiver<Arc<InForce>>,
    /// What of it was asked for today.
    pub blocked: watch::Receiver<Today>,
    /// The clock.
    pub clock: Clock,
    /// When this process began.
    pub since: Option<Moment>,
    /// The data directory, where the connection log is.
    pub data: PathBuf,
}

impl Source {
    /// How the box is now.
    #[must_use]
    pub fn status(&self) -> Status {
        let minute = *self.minutes.borrow();
        let desired = self.desired.borrow().clone();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            program: self.running.borrow().clone(),
            capabilities: (*self.capabilities).clone(),
            since: self.since,
            now: self.clock.wall(),
            site: desired.as_ref().map(|d| d.site.code.to_string()),
            place: desired.as_ref().map(|d| d.site.name.clone()),
            desired: desired.as_ref().map(|d| d.version.to_string()),
            hub: self.hub.borrow().clone(),
            people: self.supervisor.people(),
            minute: minute.map(|m| m.0),
            usage: minute.map(|m| m.1),
            certificate_until: self.tls.as_ref().and_then(|t| t.ready().borrow().as_ref().map(|r| r.until)),
            journal_head: self.journal.head(),
            hours: desired.as_ref().and_then(|d| Hours::of(d, self.clock.wall())),
            share: desired.as_ref().and_then(|d| Line::of(d, &self.capabilities)),
            ways: {
                let answers = *self.answers.borrow();
                let lines = self.supervisor.lines().borrow().clone();
                let of = |(l, answers): (LineState, _)| LineState { answers, ..l };
                lines.into_iter().zip(answers).map(of).collect()
            },
            lists: {
                let of =
                    |h: &Held| ListStatus { key: h.list.key.clone(), names: h.names, dated: h.list.dated };
                self.filter.borrow().lists.iter().map(of).collect()
            },
            blocked: self.blocked.borrow().clone(),
            access_points: self.radios.borrow().clone(),
            tunnel: self.tunnel.borrow().clone(),
        }
    }
}

impl Status {
    fn kernel(&self, words: &Words, lang: Lang) -> String {
        let c = &self.capabilities;
        let (has, lacks) = (c.named(true), c.named(false));
        let key = match (c.probed, lacks.is_empty()) {
            (false, _) => "status-kernel-unknown",
            (true, true) => "status-kernel-whole",
            (true, false) => "status-kernel-value",
        };
        words.with(lang, key, &[("release", &c.kernel), ("has", &has), ("lacks", &lacks)])
    }

    /// The program's version, and the release that it came with.
    fn program(&self, words: &Words, lang: Lang) -> String {
        let Some(release) = &self.program.release else { return self.version.clone() };
        let key = if self.program.trial { "status-version-trial" } else { "status-version-release" };
        words.with(lang, key, &[("version", &self.version), ("release", &release.version)])
    }

    /// Block lists with their sizes and dates, and what was asked for of them today.
    fn names(&self, words: &Words, lang: Lang, zone: &Zone) -> String {
        let all = |key: &str| self.blocked.blocked.get(key).copied().unwrap_or(0);
        let list = |l: &ListStatus| {
            let (names, asked) = (l.names.to_string(), all(&l.key).to_string());
            let dated = zone.civil(l.dated).strftime("%Y-%m-%d").to_string();
            let with = [("list", l.key.as_str()), ("names", &names), ("dated", &dated), ("asked", &asked)];
            words.with(lang, "status-names-list", &with)
        };
        let mut said: Vec<String> = self.lists.iter().map(list).collect();
        for key in [filter::OWN, filter::AROUND] {
            if all(key) > 0 {
                let with = [("list", key), ("asked", &all(key).to_string())];
                said.push(words.with(lang, "status-names-own", &with));
            }
        }
        if said.is_empty() { words.text(lang, "status-names-none").to_owned() } else { said.join("; ") }
    }

    /// The status in a person's words, one fact a line.
    #[must_use]
    pub fn in_words(&self, words: &Words, lang: Lang, zone: &Zone) -> String {
        let time = |at: Moment| {
            let local = zone.civil(at);
            format!("{} {}", local.strftime("%Y-%m-%d %H:%M"), zone.short(at))
        };
        let word = |key| words.text(lang, key).to_owned();
        let place = match (&self.place, &self.site) {
            (Some(place), Some(site)) => format!("{place} ({site})"),
            _ => word("status-no-place"),
        };
        let hub = match (self.hub.at, &self.hub.trouble) {
            (Some(at), None) => words.with(lang, "status-hub-good", &[("at", &time(at))]),
            (Some(at), Some(why)) => words.with(lang, "status-hub-away", &[("at", &time(at)), ("why", why)]),
            (None, Some(why)) => words.with(lang, "status-hub-never", &[("why", why)]),
            (None, None) => word("status-hub-waiting"),
        };
        let line = match self.minute {
            None => word("status-line-waiting"),
            Some(minute) => {
                let key = match minute.line_verdict() {
                    Verdict::Good => "status-line-good",
                    Verdict::Poor => "status-line-poor",
                    Verdict::Failed => "status-line-failed",
                };
                let ms = |us: u32| format!("{}", us.div_ceil(1000));
                let rtt = [minute.anchor_a, minute.anchor_b, minute.hub]
                    .into_iter()
                    .map(|p| p.rtt_us)
                    .find(|rtt| *rtt > 0)
                    .unwrap_or(0);
                words.with(
                    lang,
                    key,
                    &[
                        ("at", &time(minute.at)),
                        ("rtt", &ms(rtt)),
                        ("dns", &ms(minute.dns_us)),
                        ("http", &ms(minute.http_us)),
                    ],
                )
            }
        };
        let waiting = self.journal_head.saturating_sub(self.hub.held_through);
        let facts = [
            ("status-place", place),
            ("status-since", self.since.map_or_else(|| word("status-clock-unset"), time)),
            ("status-people", self.people.to_string()),
            ("status-hub", hub),
            ("status-line", line),
            ("status-ways", running::ways(&self.ways, words, lang)),
            ("status-radios", radios::in_words(&self.access_points, words, lang)),
            ("status-tunnel", tunnel::in_words(&self.tunnel, words, lang)),
            ("status-share", Line::in_words(self.share, words, lang)),
            ("status-hours", Hours::in_words(self.hours, words, lang, zone)),
            ("status-desired", self.desired.clone().unwrap_or_else(|| word("status-none"))),
            (
                "status-certificate",
                self.certificate_until.map_or_else(|| word("status-no-certificate"), time),
            ),
            (
                "status-journal",
                words.with(
                    lang,
                    "status-journal-value",
                    &[("head", &self.journal_head.to_string()), ("waiting", &waiting.to_string())],
                ),
            ),
            ("status-names", self.names(words, lang, zone)),
            ("status-kernel", self.kernel(words, lang)),
            ("status-version", self.program(words, lang)),
        ];
        let width = facts.iter().map(|(key, _)| words.text(lang, key).chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (key, value) in facts {
            let name = words.text(lang, key);
            out.push_str(&format!("{name:width$}  {value}\n"));
        }
        out
    }
}

#[cfg(test)]
mod tests;
