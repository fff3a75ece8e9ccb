//! What the portal shows: the desired state and the box's settings in one value.
//!
//! Knows no time and no device; it only says whose network this is and on what terms.

use super::look::Look;
use crate::words::{Lang, Words};
use kulkul_model::hours::Timetable;
use kulkul_model::session::WayIn;
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Zone};
use kulkul_wire::link::desired::{Closure, ConnectionsSection, Desired, Text};
use std::net::IpAddr;

/// The most announced closures that are shown.
const CLOSURES: usize = 8;

/// The terms, greeting and names of a place, in both languages.
#[derive(Clone, Debug)]
pub struct Face {
    /// The place's code; none before the hub has said anything.
    pub code: Option<SiteCode>,
    /// The place's name.
    pub place: String,
    /// Names of the areas that it lies in, from the regency down.
    pub areas: Vec<String>,
    /// The regency's page about the place; empty where there is none.
    pub place_url: String,
    /// Where the hub's pages begin, without a last slash; empty where that is not known.
    pub hub_url: String,
    /// The zone of clock times on the pages.
    pub zone: Zone,
    /// The version of the terms; 0 for those in the program.
    pub terms_version: u32,
    /// How long a session lasts, milliseconds.
    pub session_ms: i64,
    /// Rate to one device, Mbit/s; none for what the line gives.
    pub down_mbps: Option<u32>,
    /// Bytes in both directions that one device may use in a local day.
    pub day_bytes: Option<u64>,
    /// Time that one device may be online in a local day, milliseconds.
    pub day_ms: Option<u64>,
    /// When the place is open; none is always.
    pub timetable: Option<Timetable>,
    /// Closures that are announced, the next one first.
    pub closures: Vec<Closure>,
    /// Whether encrypted DNS past the box is refused.
    pub strict_names: bool,
    /// What the box keeps of who went out.
    pub connections: ConnectionsSection,
    /// The ways in that are open here.
    pub ways_in: Vec<WayIn>,
    /// Styles with the place's colour.
    pub look: Look,
    /// The language for browsers that name none.
    pub first: Lang,
    /// The name under which the portal answers; none for its address only.
    pub host: Option<String>,
    /// The place's own IPv4 address.
    pub lan4: Option<IpAddr>,
    /// The port of plain HTTP as devices see it.
    pub port: u16,
    /// Sentences by language.
    said: [Said; 2],
}

/// The sentences of one language that the desired state may replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What greets people.
    pub greeting: String,
    /// Whose network this is.
    pub operator: String,
    /// The terms, in order.
    pub terms: Vec<String>,
    /// A notice above the terms.
    pub notice: Option<String>,
}

/// What the box itself contributes: its name and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Box {
    /// The configured public name, which wins over the desired one.
    pub host: Option<String>,
    /// The place's own IPv4 address.
    pub lan4: Option<IpAddr>,
    /// The port of plain HTTP as devices see it.
    pub port: u16,
}

impl Face {
    /// The face before the hub has said anything.
    ///
    /// Nothing when the time zone database lacks the regency's zone, which is a build error.
    #[must_use]
    pub fn plain(words: &Words, here: &Box) -> Option<Self> {
        Some(Face {
            code: None,
            place: String::new(),
            areas: Vec::new(),
            place_url: String::new(),
            hub_url: String::new(),
            zone: Zone::named("Asia/Makassar").ok()?,
            terms_version: 0,
            session_ms: 12 * 3_600_000,
            down_mbps: None,
            day_bytes: None,
            day_ms: None,
            timetable: None,
            closures: Vec::new(),
            strict_names: false,
            connections: ConnectionsSection::default(),
            ways_in: vec![WayIn::ClickThrough],
            look: Look::of(None),
            first: Lang::Id,
            host: here.host.clone(),
            lan4: here.lan4,
            port: here.port,
            said: Lang::ALL.map(|lang| said(words, lang, None)),
        })
    }

    /// The face that a desired state asks for.
    #[must_use]
    pub fn of(desired: &Desired, words: &Words, here: &Box) -> Option<Self> {
        let plain = Self::plain(words, here)?;
        let site = &desired.site;
        let host = here.host.clone().or_else(|| Some(site.portal_host.clone()).filter(|h| is_name(h)));
        let place_url = Some(&site.public_url).filter(|u| is_web(u)).cloned().unwrap_or_default();
        let hub_url = place_url.strip_suffix(&format!("/sites/{}", site.code)).unwrap_or_default().to_owned();
        let mut closures = desired.hours.closures.clone();
        closures.sort_by_key(|c| (c.from, c.until));
        Some(Face {
            code: Some(site.code.clone()),
            place: site.name.clone(),
            areas: site.area_path.clone(),
            place_url,
            hub_url,
            zone: Zone::named(&site.zone).unwrap_or(plain.zone),
            terms_version: desired.portal.terms_version,
            session_ms: i64::try_from(desired.plan.session_ms).unwrap_or(plain.session_ms),
            down_mbps: desired.plan.down_kbps.map(|k| k / 1000).filter(|m| *m > 0),
            day_bytes: desired.plan.day_bytes,
            day_ms: desired.plan.day_ms,
            timetable: desired.hours.timetable.clone(),
            closures,
            strict_names: desired.filter.strict,
            connections: desired.connections.clone(),
            ways_in: desired.access.ways_in.clone(),
            look: Look::of(desired.portal.colour.as_deref()),
            first: site.languages.first().and_then(|l| Lang::parse(l)).unwrap_or(Lang::Id),
            host,
            said: Lang::ALL.map(|lang| said(words, lang, Some(desired))),
            ..plain
        })
    }

    /// Whether a way in is open here.
    #[must_use]
    pub fn has(&self, way_in: WayIn) -> bool {
        self.ways_in.contains(&way_in)
    }

    /// Announced closures that are not over at `now`, the next one first; a few.
    pub fn closures_after(&self, now: Option<Moment>) -> impl Iterator<Item = &Closure> {
        let over = move |c: &&Closure| now.is_none_or(|now| c.until > now);
        self.closures.iter().filter(over).take(CLOSURES)
    }

    /// The sentences in one language.
    #[must_use]
    pub fn said(&self, lang: Lang) -> &Said {
        let [id, en] = &self.said;
        match lang {
            Lang::Id => id,
            Lang::En => en,
        }
    }
}

fn said(words: &Words, lang: Lang, desired: Option<&Desired>) -> Said {
    let word = |key: &str| words.text(lang, key).to_owned();
    let portal = desired.map(|d| &d.portal);
    let own = |text: &Text| Some(text.in_language(lang.code()).trim().to_owned()).filter(|t| !t.is_empty());
    let mut terms: Vec<String> =
        portal.map(|p| p.terms.iter().take(12).filter_map(own).collect()).unwrap_or_default();
    if terms.is_empty() {
        terms = (1..=5).map(|n| word(&format!("portal-term-{n}"))).collect();
    }
    Said {
        greeting: portal.and_then(|p| own(&p.greeting)).unwrap_or_else(|| word("portal-greeting")),
        operator: portal.and_then(|p| own(&p.operator)).unwrap_or_else(|| word("portal-network")),
        terms,
        notice: portal.and_then(|p| p.notice.as_ref()).and_then(own),
    }
}

/// Whether a text can stand as a host's name in a redirect.
fn is_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && !text.starts_with(['-', '.'])
}

fn is_web(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn here() -> Box {
        Box { host: None, lan4: Some("10.77.0.1".parse().unwrap()), port: 80 }
    }

    #[test]
    fn what_the_hub_leaves_out_is_said_in_the_programs_words() {
        let words = Words::builtin();
        let desired: Desired = serde_json::from_value(json!({
            "version": {"epoch": 1, "counter": 2},
            "site": {"code": "BJ-001", "name": "Bale Banjar Bindu", "portal_host": "bad host"},
            "portal": {"terms_version": 3, "terms": [{"id": "Satu."}], "greeting": {"en": "Hello"}},
            "plan": {"down_kbps": 10_000, "session_ms": 3_600_000},
        }))
        .unwrap();
        let face = Face::of(&desired, &words, &here()).unwrap();
        assert_eq!(face.host, None, "a name that cannot be one is left out");
        assert_eq!(face.said(Lang::En).terms, ["Satu."]);
        assert_eq!(face.said(Lang::Id).greeting, "Hello");
        assert_eq!(face.said(Lang::Id).operator, words.text(Lang::Id, "portal-network"));
        assert_eq!((face.terms_version, face.down_mbps, face.session_ms), (3, Some(10), 3_600_000));
        let plain = Face::plain(&words, &here()).unwrap();
        assert_eq!(plain.said(Lang::En).terms.len(), 5);
    }
}
