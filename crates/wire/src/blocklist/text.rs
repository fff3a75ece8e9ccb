//! The texts of lists: plain, hosts and response policy zones, one line at a time.
//!
//! A line that cannot be read is counted, the first few are named by number, and the rest
//! is taken. No line is held beyond `LONGEST_LINE`, whatever the text says.

use super::Reach;
use super::name::{NotAName, tidy};
use crate::link::desired::ListFormat;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead};
use std::net::IpAddr;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 4_096;
/// Bad lines that are named by number.
const NAMED: usize = 5;
/// Names that hosts files hold for the machine itself.
const OF_THE_MACHINE: [&str; 8] = [
    "localhost",
    "localhost.localdomain",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-allnodes",
    "ip6-allrouters",
];

/// What reading a text came to.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Lines in all.
    pub lines: u64,
    /// Names that were taken, doubles among them.
    pub names: u64,
    /// Lines that mean something else than a blocked name, by rights.
    pub other: u64,
    /// Lines that cannot be read.
    pub bad: u64,
    /// The numbers of the first of these, from 1.
    pub first_bad: Vec<u64>,
}

impl Report {
    /// Whether the text is a list at all: some names, and no more bad lines than names.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.names > 0 && self.bad <= self.names
    }
}

/// What one line comes to.
enum Line {
    /// Nothing, or nothing that blocks.
    Other,
    /// Some names.
    Taken,
}

/// Reads a text and hands each name to `each`.
///
/// # Errors
/// What `text` or `each` says; a bad line is no error.
pub fn read(
    mut text: impl BufRead,
    format: ListFormat,
    mut each: impl FnMut(&str, Reach) -> io::Result<()>,
) -> io::Result<Report> {
    let (mut report, mut line, mut zone) = (Report::default(), Vec::new(), Zone::default());
    while let Some(whole) = next_line(&mut text, &mut line)? {
        report.lines += 1;
        let mut failed = None;
        let mut take = |name: &str, reach| {
            let name = tidy(name)?;
            report.names += 1;
            if failed.is_none() {
                failed = each(&name, reach).err();
            }
            Ok(())
        };
        let text = line.strip_prefix("\u{feff}".as_bytes()).filter(|_| report.lines == 1).unwrap_or(&line);
        let read =
            std::str::from_utf8(text).ok().filter(|_| whole).ok_or(NotAName).and_then(|text| match format {
                ListFormat::Plain => plain(text, &mut take),
                ListFormat::Hosts => hosts(text, &mut take),
                ListFormat::Rpz => zone.line(text, &mut take),
            });
        if let Some(error) = failed {
            return Err(error);
        }
        match read {
            Ok(Line::Taken) => {}
            Ok(Line::Other) => report.other += 1,
            Err(NotAName) => {
                report.bad += 1;
                if report.first_bad.len() < NAMED {
                    report.first_bad.push(report.lines);
                }
            }
        }
    }
    Ok(report)
}

/// The next line without its end; whether it is whole, or none at the end of the text.
fn next_line(text: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let (mut whole, mut any) = (true, false);
    loop {
        let got = match text.fill_buf() {
            Ok(got) => got,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if got.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = got.iter().position(|b| *b == b'\n');
        let part = got.get(..end.unwrap_or(got.len())).unwrap_or_default();
        if line.len() + part.len() <= LONGEST_LINE {
            line.extend_from_slice(part);
        } else {
            whole = false;
        }
        let used = part.len() + usize::from(end.is_some());
        text.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

type Take<'t> = &'t mut dyn FnMut(&str, Reach) -> Result<(), NotAName>;

/// `name`, `*.name`, or `||name^` as advertisement filters write it; `#` and `!` begin a comment.
fn plain(line: &str, take: Take<'_>) -> Result<Line, NotAName> {
    let line = line.split('#').next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('!') || line.starts_with('[') {
        return Ok(Line::Other);
    }
    let filter = line.strip_prefix("||").and_then(|l| l.strip_suffix('^'));
    match filter.or(line.strip_prefix("*.")) {
        Some(name) => take(name, Reach::Both)?,
        None => take(line, Reach::Itself)?,
    }
    Ok(Line::Taken)
}

/// `address name name ...`; `#` begins a comment.
fn hosts(line: &str, take: Take<'_>) -> Result<Line, NotAName> {
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let Some(address) = words.next() else { return Ok(Line::Other) };
    // Some lists write a scope behind a link-local address.
    address.split('%').next().unwrap_or_default().parse::<IpAddr>().map_err(|_| NotAName)?;
    let mut said = Err(NotAName);
    for name in words {
        let own = OF_THE_MACHINE.iter().any(|own| name.eq_ignore_ascii_case(own));
        if own || name.parse::<IpAddr>().is_ok() {
            said = said.or(Ok(Line::Other));
        } else {
            take(name, Reach::Itself)?;
            said = Ok(Line::Taken);
        }
    }
    said
}

/// What a zone's earlier lines say about the later ones.
#[derive(Default)]
struct Zone {
    /// Where names end that are written whole; with a dot in front.
    origin: String,
    /// Open brackets: a record goes on over several lines.
    open: usize,
}

impl Zone {
    /// `owner [ttl] [class] CNAME target`; `;` begins a comment.
    ///
    /// All that makes an answer of its own blocks; `rpz-passthru.`, triggers by address or
    /// server, and the zone's own records do not.
    fn line(&mut self, line: &str, take: Take<'_>) -> Result<Line, NotAName> {
        let line = line.split(';').next().unwrap_or_default();
        let inside = self.open > 0;
        self.open = (self.open + line.matches('(').count()).saturating_sub(line.matches(')').count());
        let own = line.starts_with([' ', '\t']);
        let mut words = line.split_whitespace();
        let Some(owner) = words.next() else { return Ok(Line::Other) };
        if inside || own || owner == "@" {
            return Ok(Line::Other);
        }
        if let Some(word) = owner.strip_prefix('$') {
            if word.eq_ignore_ascii_case("ORIGIN") {
                let name = words.next().unwrap_or_default().trim_matches('.').to_ascii_lowercase();
                self.origin = if name.is_empty() { name } else { format!(".{name}") };
            }
            return Ok(Line::Other);
        }
        let class = |w: &&str| w.eq_ignore_ascii_case("IN") || w.starts_with(|c: char| c.is_ascii_digit());
        let kind = words.find(|w| !class(w)).ok_or(NotAName)?;
        let target = words.next().ok_or(NotAName)?;
        match kind.to_ascii_uppercase().as_str() {
            "CNAME" if target.eq_ignore_ascii_case("rpz-passthru.") => return Ok(Line::Other),
            "CNAME" | "A" | "AAAA" => {}
            "SOA" | "NS" | "TXT" | "DNAME" | "MX" => return Ok(Line::Other),
            _ => return Err(NotAName),
        }
        let owner = owner.to_ascii_lowercase();
        let name = match owner.strip_suffix('.') {
            Some(whole) => match whole.strip_suffix(self.origin.as_str()) {
                Some(name) => name,
                // The zone itself, or a name that is not of it.
                None => return Ok(Line::Other),
            },
            None => &owner,
        };
        if name.split('.').any(|label| label.starts_with("rpz-")) {
            return Ok(Line::Other);
        }
        match name.strip_prefix("*.") {
            Some(name) => take(name, Reach::Below)?,
            None => take(name, Reach::Itself)?,
        }
        Ok(Line::Taken)
    }
}
