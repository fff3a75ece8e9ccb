//! Reports: what people say is wrong at a place, in a few words.
//!
//! Text from the public is data: it is bounded and freed of characters that change
//! how what stands beside it is read. What a report leads to is not decided here.

use serde::{Deserialize, Serialize};

/// The longest text of a report, characters.
pub const LONGEST: usize = 1_000;
/// The most line breaks that a text keeps.
const MOST_LINES: usize = 40;

/// What kind of trouble a report tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// Nothing is reached.
    NoInternet,
    /// It works, but slowly.
    Slow,
    /// The portal lets nobody in.
    CannotLogIn,
    /// Something is broken, loose or gone.
    EquipmentDamaged,
    /// Anything else.
    Other,
}

impl ReportKind {
    /// All kinds, in the order that forms show them.
    pub const ALL: [ReportKind; 5] = [
        ReportKind::NoInternet,
        ReportKind::Slow,
        ReportKind::CannotLogIn,
        ReportKind::EquipmentDamaged,
        ReportKind::Other,
    ];

    /// The name that tables, forms and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ReportKind::NoInternet => "no_internet",
            ReportKind::Slow => "slow",
            ReportKind::CannotLogIn => "cannot_log_in",
            ReportKind::EquipmentDamaged => "equipment_damaged",
            ReportKind::Other => "other",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// How far a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// Nobody has looked at it.
    New,
    /// Somebody has.
    Seen,
    /// Nothing is left to do.
    Done,
}

impl ReportStatus {
    /// All, in the order in which they follow each other.
    pub const ALL: [ReportStatus; 3] = [ReportStatus::New, ReportStatus::Seen, ReportStatus::Done];

    /// The name that tables and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ReportStatus::New => "new",
            ReportStatus::Seen => "seen",
            ReportStatus::Done => "done",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// The text of a report as it may be kept and shown: bounded, plain characters, few lines.
///
/// Line ends become `\n`, tabs a blank; other control characters go, and with them
/// those that are invisible or turn the direction of reading (Unicode Bidi, zero width).
#[must_use]
pub fn plain(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    let kept = unix.chars().filter(|c| *c == '\n' || !(c.is_control() || is_unseen(*c)));
    let (mut out, mut count, mut lines, mut blank) = (String::new(), 0, 0, 0);
    for c in kept.skip_while(|c| c.is_whitespace()) {
        if count == LONGEST {
            break;
        }
        if c == '\n' {
            (lines, blank) = (lines + 1, blank + 1);
            if blank > 2 || lines > MOST_LINES {
                continue;
            }
        } else {
            blank = 0;
        }
        out.push(c);
        count += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Characters that are not seen but change what is.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in ReportKind::ALL {
            assert_eq!(ReportKind::parse(kind.as_str()), Some(kind));
        }
        for status in ReportStatus::ALL {
            assert_eq!(ReportStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(ReportKind::parse("No_internet"), None);
    }

    #[test]
    fn text_is_bounded_and_plain() {
        for (text, kept) in [
            ("  Kabel putus.\r\n\r\n\r\n\r\nTolong!\t \n", "Kabel putus.\n\nTolong!"),
            ("a\0b\u{1b}[31mc\u{7f}", "ab[31mc"),
            ("ab\u{202e}gnp.exe\u{2066}\u{200b}", "abgnp.exe"),
            ("<script>&\"'", "<script>&\"'"),
            ("\n\n", ""),
            ("ᬒᬁ ᬲ᭄ᬯᬲ᭄ᬢ᭄ᬬᬲ᭄ᬢᬸ", "ᬒᬁ ᬲ᭄ᬯᬲ᭄ᬢ᭄ᬬᬲ᭄ᬢᬸ"),
        ] {
            assert_eq!(plain(text), kept, "{text:?}");
        }
        assert_eq!(plain(&"é".repeat(3_000)).chars().count(), LONGEST);
        assert!(plain(&"a\n".repeat(500)).matches('\n').count() <= MOST_LINES);
        let once = plain("x\n\n\n\ny\r\rz");
        assert_eq!(plain(&once), once, "what is plain stays as it is");
    }
}
