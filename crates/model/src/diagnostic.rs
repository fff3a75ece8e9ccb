//! Diagnostics: the few questions that staff may ask of a box from afar.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// What may be asked; there is nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticKind {
    /// Whether something answers, and how fast.
    Ping,
    /// By which routers something is reached.
    Trace,
    /// What a name leads to.
    Names,
    /// The last lines of the box's log.
    Log,
    /// What the box finds wrong with itself and its place.
    Doctor,
}

impl DiagnosticKind {
    /// All of them, in the order in which people are offered them.
    pub const ALL: [DiagnosticKind; 5] = [
        DiagnosticKind::Ping,
        DiagnosticKind::Trace,
        DiagnosticKind::Names,
        DiagnosticKind::Log,
        DiagnosticKind::Doctor,
    ];

    /// The name that tables, the link and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosticKind::Ping => "ping",
            DiagnosticKind::Trace => "trace",
            DiagnosticKind::Names => "names",
            DiagnosticKind::Log => "log",
            DiagnosticKind::Doctor => "doctor",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// Whether it asks about something: an address or a name.
    #[must_use]
    pub fn has_target(self) -> bool {
        matches!(self, DiagnosticKind::Ping | DiagnosticKind::Trace | DiagnosticKind::Names)
    }

    /// The target as this kind takes it; nothing where it is none.
    #[must_use]
    pub fn target(self, text: &str) -> Option<Option<String>> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        match (self.has_target(), text.is_empty()) {
            (false, true) => Some(None),
            (true, false) if self != DiagnosticKind::Names && text.parse::<IpAddr>().is_ok() => {
                Some(Some(text))
            }
            (true, false) if is_name(&text) => Some(Some(text)),
            _ => None,
        }
    }
}

/// A host's name with at least one dot; addresses are none.
fn is_name(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label) && text.parse::<IpAddr>().is_err()
}

/// How an ask ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticOutcome {
    /// It was done; what it found is in the text.
    Done,
    /// The box does not do it: the target is at the place, for example.
    Refused,
    /// It could not be done.
    Failed,
}

impl DiagnosticOutcome {
    const ALL: [DiagnosticOutcome; 3] =
        [DiagnosticOutcome::Done, DiagnosticOutcome::Refused, DiagnosticOutcome::Failed];

    /// The name that tables, the link and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosticOutcome::Done => "done",
            DiagnosticOutcome::Refused => "refused",
            DiagnosticOutcome::Failed => "failed",
        }
    }

    /// The outcome of this name; a name of a newer version is a failure.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|o| o.as_str() == text).unwrap_or(DiagnosticOutcome::Failed)
    }
}

/// The id of an ask: 16 random bytes, 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiagnosticId(pub [u8; 16]);

impl fmt::Display for DiagnosticId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl DiagnosticId {
    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        crate::session::SessionId::parse(text).map(|id| DiagnosticId(id.0))
    }
}

impl Serialize for DiagnosticId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DiagnosticId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        DiagnosticId::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id of an ask"))
    }
}

/// The longest text of an answer, bytes.
pub const LONGEST_ANSWER: usize = 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_or_a_name_and_only_where_one_is_asked_for() {
        use DiagnosticKind::{Doctor, Log, Names, Ping, Trace};
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(Ping.target(" 203.0.113.1 "), some("203.0.113.1"));
        assert_eq!(Trace.target("2001:DB8::1"), some("2001:db8::1"));
        assert_eq!(Names.target("Hub.Example.go.id."), some("hub.example.go.id"));
        assert_eq!((Log.target(""), Doctor.target(" ")), (Some(None), Some(None)));
        for (kind, bad) in [
            (Ping, ""),
            (Ping, "localhost"),
            (Ping, "a b.example"),
            (Ping, "$(reboot).example"),
            (Ping, "-f.example"),
            (Names, "203.0.113.1"),
            (Names, "a..example"),
            (Log, "203.0.113.1"),
            (Doctor, "x.example"),
        ] {
            assert_eq!(kind.target(bad), None, "{kind:?} {bad}");
        }
        assert_eq!(Ping.target(&format!("{}.example", "a".repeat(64))), None);
    }

    #[test]
    fn names_read_back() {
        for kind in DiagnosticKind::ALL {
            assert_eq!(DiagnosticKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(DiagnosticKind::parse("shell"), None);
        assert_eq!(DiagnosticOutcome::parse("refused"), DiagnosticOutcome::Refused);
        let id = DiagnosticId([7; 16]);
        assert_eq!(DiagnosticId::parse(&id.to_string()), Some(id));
    }
}
