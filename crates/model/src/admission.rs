//! Admissions by a voucher or an account: by what somebody was let in, and what does not fit.
//!
//! A box that is on its own cannot know what another box does at the same time. What
//! it let in is told afterwards by its journal; here is the rule that finds more
//! devices online by one voucher than it allows.

use crate::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Sixteen bytes that name a grant, an account, or a voucher's offline digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token16(pub [u8; 16]);

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not 32 hexadecimal digits")]
pub struct NotAToken(pub String);

impl Token16 {
    /// Reads 32 hexadecimal digits.
    ///
    /// # Errors
    /// `NotAToken`.
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        crate::session::SessionId::parse(text)
            .map(|id| Token16(id.0))
            .ok_or_else(|| NotAToken(text.to_owned()))
    }
}

impl fmt::Display for Token16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl TryFrom<String> for Token16 {
    type Error = NotAToken;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Token16::parse(&text)
    }
}

impl From<Token16> for String {
    fn from(token: Token16) -> String {
        token.to_string()
    }
}

/// By what a session was let in, beside the click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The hub granted it under this number.
    Grant(Token16),
    /// The box found the voucher with this offline digest in its own list; the hub did not answer.
    Voucher(Token16),
    /// The box remembered this account's secret; the hub did not answer.
    Account(Token16),
}

/// What does not fit in the use of a voucher or an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// More devices were online at a time than it allows.
    DoubleUse,
    /// It was revoked or disabled before.
    Revoked,
    /// It was begun too late.
    Expired,
    /// Its time was used up before.
    UsedUp,
    /// The box names something that the hub does not know.
    Unknown,
    /// A box was revoked: its unused vouchers are void and want replacing.
    Void,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [FindingKind; 6] = [
        FindingKind::DoubleUse,
        FindingKind::Revoked,
        FindingKind::Expired,
        FindingKind::UsedUp,
        FindingKind::Unknown,
        FindingKind::Void,
    ];

    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            FindingKind::DoubleUse => "double_use",
            FindingKind::Revoked => "revoked",
            FindingKind::Expired => "expired",
            FindingKind::UsedUp => "used_up",
            FindingKind::Unknown => "unknown",
            FindingKind::Void => "void",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// One session by a voucher or an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The device, as whoever compares names it.
    pub device: String,
    /// When it began.
    pub from: Moment,
    /// When it ended, or until when it is known to have gone on.
    pub until: Moment,
}

/// Which of `others` took part when more than `devices` were online together with `one`.
///
/// At some moment of `one` there were too many; gives the numbers of those online
/// then, at the first such moment. Empty when there never were.
#[must_use]
pub fn too_many(one: &Span, others: &[Span], devices: u16) -> Vec<usize> {
    let mut moments: Vec<Moment> =
        others.iter().map(|o| o.from.max(one.from)).filter(|m| *m < one.until).collect();
    moments.sort_unstable();
    moments.dedup();
    for moment in moments {
        let online = |o: &&Span| o.device != one.device && o.from <= moment && moment < o.until;
        let names: BTreeSet<&str> = others.iter().filter(online).map(|o| o.device.as_str()).collect();
        if names.len() >= usize::from(devices) {
            return others.iter().enumerate().filter(|(_, o)| online(o)).map(|(i, _)| i).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(device: &str, from: i64, until: i64) -> Span {
        Span { device: device.to_owned(), from: Moment::from_ms(from), until: Moment::from_ms(until) }
    }

    #[test]
    fn more_devices_at_a_time_than_allowed_are_found() {
        let one = span("a", 10, 20);
        let cases: [(&[Span], u16, &[usize]); 9] = [
            (&[], 1, &[]),
            (&[span("b", 0, 10)], 1, &[]),
            (&[span("b", 20, 30)], 1, &[]),
            (&[span("b", 0, 11)], 1, &[0]),
            (&[span("b", 19, 30)], 1, &[0]),
            (&[span("a", 0, 30)], 1, &[]),
            (&[span("b", 0, 30)], 2, &[]),
            (&[span("b", 0, 15), span("c", 15, 30)], 2, &[]),
            (&[span("b", 0, 16), span("c", 15, 30), span("d", 90, 99)], 2, &[0, 1]),
        ];
        for (others, devices, found) in cases {
            assert_eq!(too_many(&one, others, devices), found, "{others:?} {devices}");
        }
    }

    #[test]
    fn names_read_back() {
        for kind in FindingKind::ALL {
            assert_eq!(FindingKind::parse(kind.as_str()), Some(kind));
        }
        let token = Token16([0xab; 16]);
        assert_eq!(Token16::parse(&token.to_string()), Ok(token));
        assert!(Token16::parse("ab").is_err());
    }

    proptest! {
        #[test]
        fn it_is_found_from_both_sides(
            a in (0i64..20, 1i64..20), b in (0i64..20, 1i64..20),
        ) {
            let (one, other) = (span("a", a.0, a.0 + a.1), span("b", b.0, b.0 + b.1));
            let forth = !too_many(&one, std::slice::from_ref(&other), 1).is_empty();
            let back = !too_many(&other, std::slice::from_ref(&one), 1).is_empty();
            prop_assert_eq!(forth, back);
            prop_assert_eq!(forth, a.0 < b.0 + b.1 && b.0 < a.0 + a.1);
        }
    }
}
