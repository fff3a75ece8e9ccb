//! Questions read and answers written by hand, for the many that need nothing else.
//!
//! A glance understands the plain form that almost every question has and nothing more:
//! what it does not take is read by `read_ask`, which also says what is wrong with it.

use super::{PLAIN_LIMIT, UDP_LIMIT, Wants};
use std::net::IpAddr;

/// The longest name in bytes, its end included (RFC 1035, section 2.3.4).
const LONGEST: usize = 255;
/// Bytes before the question.
pub(super) const HEAD: usize = 12;
/// Types that are no question here: OPT, the transfers, ANY.
const NOT_ASKED: [u16; 7] = [0, 41, 251, 252, 253, 254, 255];
/// Extended error "Blocked" (RFC 8914, section 4.16).
const BLOCKED: u16 = 15;

/// Bytes by which an answer is found again: name in lower case, kind, what was wanted.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    bytes: [u8; LONGEST + 3],
    length: usize,
}

impl Key {
    /// Of a name as labels, its kind, and what was wanted; none for what is no name.
    #[must_use]
    pub fn of<'l>(labels: impl Iterator<Item = &'l [u8]>, kind: u16, wants: Wants) -> Option<Self> {
        let mut key = Key { bytes: [0; LONGEST + 3], length: 0 };
        for label in labels {
            key.push(&[u8::try_from(label.len()).ok().filter(|l| (1..64).contains(l))?])?;
            key.push(label)?;
        }
        key.push(&[0])?;
        key.end(kind, wants)
    }

    fn push(&mut self, part: &[u8]) -> Option<()> {
        let end = self.length + part.len();
        for (to, from) in self.bytes.get_mut(..LONGEST)?.get_mut(self.length..end)?.iter_mut().zip(part) {
            *to = from.to_ascii_lowercase();
        }
        self.length = end;
        Some(())
    }

    fn end(mut self, kind: u16, wants: Wants) -> Option<Self> {
        let [high, low] = kind.to_be_bytes();
        let last = [high, low, u8::from(wants.dnssec) | u8::from(wants.unchecked) << 1];
        self.bytes.get_mut(self.length..self.length + 3)?.copy_from_slice(&last);
        self.length += 3;
        Some(self)
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The name with dots and a last one, if it has only what host names have, or `_`.
    #[must_use]
    pub fn name<'b>(&self, room: &'b mut [u8; LONGEST]) -> Option<&'b str> {
        let mut rest = self.bytes().get(..self.length.checked_sub(3)?)?;
        let mut length = 0;
        loop {
            let (size, after) = rest.split_first()?;
            if *size == 0 {
                break;
            }
            let (label, after) = after.split_at_checked(usize::from(*size))?;
            for b in label.iter().chain(b".") {
                if !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
                    return None;
                }
                *room.get_mut(length)? = *b;
                length += 1;
            }
            if label.contains(&b'.') {
                return None;
            }
            rest = after;
        }
        std::str::from_utf8(room.get(..length)?).ok().filter(|n| !n.is_empty())
    }
}

/// Room for `Key::name`.
pub type NameRoom = [u8; LONGEST];

/// A plain question, read where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'m> {
    /// Header and question.
    head: &'m [u8],
    /// The kind of record.
    pub kind: u16,
    /// The largest UDP answer that it takes.
    pub limit: usize,
    /// What it wants of DNSSEC.
    pub wants: Wants,
    edns: bool,
}

impl<'m> Glance<'m> {
    /// Reads a message; none for all that is not a plain question.
    #[must_use]
    pub fn of(bytes: &'m [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        // A standard query, whole, one question, nothing but perhaps one OPT record.
        let &[_, _, flags, more, 0, 1, 0, 0, 0, 0, 0, extra @ (0 | 1)] = head else { return None };
        if flags & 0b1111_1010 != 0 {
            return None;
        }
        let (mut left, mut length) = (rest, 0);
        loop {
            let (size, after) = left.split_first()?;
            length += 1 + usize::from(*size);
            match size {
                0 => {
                    left = after;
                    break;
                }
                1..64 if length < LONGEST => left = after.get(usize::from(*size)..)?,
                _ => return None,
            }
        }
        let (&[a, b, 0, 1], after) = left.split_first_chunk::<4>()? else { return None };
        let kind = u16::from_be_bytes([a, b]);
        if NOT_ASKED.contains(&kind) {
            return None;
        }
        let mut wants = Wants { dnssec: false, unchecked: more & 0x10 != 0, authentic: more & 0x20 != 0 };
        let mut limit = PLAIN_LIMIT;
        match (extra, after) {
            (0, []) => {}
            // The root, type OPT, size, code 0, version 0, flags, options.
            (1, &[0, 0, 41, s, t, 0, 0, flag, _, o, p, ref options @ ..])
                if usize::from(u16::from_be_bytes([o, p])) == options.len() =>
            {
                limit = usize::from(u16::from_be_bytes([s, t])).clamp(PLAIN_LIMIT, UDP_LIMIT);
                wants.dnssec = flag & 0x80 != 0;
            }
            _ => return None,
        }
        let head = bytes.get(..HEAD + length + 4)?;
        Some(Glance { head, kind, limit, wants, edns: extra == 1 })
    }

    /// What its answer is kept under.
    #[must_use]
    pub fn key(&self, wants: Wants) -> Option<Key> {
        let mut key = Key { bytes: [0; LONGEST + 3], length: 0 };
        // Sizes of labels are below 64 and no letters.
        key.push(self.head.get(HEAD..self.head.len() - 4)?)?;
        key.end(self.kind, wants)
    }

    /// Header and question of the answer, with these counts.
    fn begin(&self, out: &mut Vec<u8>, low: u8, cut: bool, (answers, authorities): (u16, u16)) {
        out.clear();
        out.extend_from_slice(self.head);
        let flags = out.first_chunk_mut::<HEAD>();
        let Some([_, _, high, flags, _, _, a, b, c, d, e, f]) = flags else { return };
        *high = 0x80 | *high & 1 | u8::from(cut) << 1;
        // Recursion is available; "checking disabled" is repeated (RFC 4035, section 3.2.2).
        *flags = 0x80 | *flags & 0x10 | low;
        [*a, *b] = answers.to_be_bytes();
        [*c, *d] = authorities.to_be_bytes();
        [*e, *f] = [0, u8::from(self.edns)];
    }

    fn end(&self, out: &mut Vec<u8>, options: &[u8]) {
        if self.edns {
            let [s, t] = u16::try_from(UDP_LIMIT).unwrap_or(u16::MAX).to_be_bytes();
            let flag = u8::from(self.wants.dnssec) << 7;
            let [o, p] = u16::try_from(options.len()).unwrap_or(0).to_be_bytes();
            out.extend_from_slice(&[0, 0, 41, s, t, 0, 0, flag, 0, o, p]);
            out.extend_from_slice(options);
        }
    }

    /// Writes an answer of our own about a blocked name: an address to look it up, or a code.
    ///
    /// `list` goes along as an extended error, where the asker understands those.
    pub fn blocked(&self, code: u8, address: Option<IpAddr>, ttl_s: u32, list: &str, out: &mut Vec<u8>) {
        self.begin(out, code, false, (u16::from(address.is_some()), 0));
        if let Some(ip) = address {
            // The question's name, type, class IN.
            out.extend_from_slice(&[0xc0, 12]);
            out.extend_from_slice(&self.kind.to_be_bytes());
            out.extend_from_slice(&[0, 1]);
            out.extend_from_slice(&ttl_s.to_be_bytes());
            match ip {
                IpAddr::V4(ip) => {
                    out.extend_from_slice(&[0, 4]);
                    out.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    out.extend_from_slice(&[0, 16]);
                    out.extend_from_slice(&ip.octets());
                }
            }
        }
        let mut option = Vec::new();
        if let Ok(length) = u16::try_from(list.len() + 2).map(u16::to_be_bytes)
            && self.edns
            && list.len() <= 64
        {
            option.extend_from_slice(&[0, 15, length[0], length[1]]);
            option.extend_from_slice(&BLOCKED.to_be_bytes());
            option.extend_from_slice(list.as_bytes());
        }
        self.end(out, &option);
    }
}

/// An answer as bytes that only need a head, and their times counted down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    code: u8,
    authentic: bool,
    answers: u16,
    authorities: u16,
    body: Box<[u8]>,
    /// Where in the body times stand.
    times: Box<[u16]>,
}

impl Ready {
    /// From a whole answer without additional records; none for what cannot be kept so.
    ///
    /// Names in it may point back into the question: its length is that of every question
    /// for the same name.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        let (&[_, _, _, low, 0, 1, a, b, c, d, 0, 0], rest) = message.split_first_chunk::<HEAD>()? else {
            return None;
        };
        let after = skip_name(rest)?.get(4..)?;
        let (answers, authorities) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let (mut left, mut times) = (after, Vec::new());
        for _ in 0..u32::from(answers) + u32::from(authorities) {
            let record = skip_name(left)?;
            times.push(u16::try_from(after.len() - record.len() + 4).ok()?);
            let length = record.get(8..10)?.first_chunk()?;
            left = record.get(10 + usize::from(u16::from_be_bytes(*length))..)?;
        }
        left.is_empty().then(|| Ready {
            code: low & 0x0f,
            authentic: low & 0x20 != 0,
            answers,
            authorities,
            body: after.into(),
            times: times.into(),
        })
    }

    /// Bytes that it takes in memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.body.len() + 2 * self.times.len()
    }

    /// Writes the answer to a question for the same name and kind.
    ///
    /// `count_down` makes the time of now of the time that was; what is over `limit`
    /// bytes is cut and marked so.
    pub fn write(
        &self,
        question: &Glance<'_>,
        limit: usize,
        count_down: impl Fn(u32) -> u32,
        out: &mut Vec<u8>,
    ) {
        let opt = if question.edns { 11 } else { 0 };
        let asked = question.wants.authentic || question.wants.dnssec;
        let low = self.code | u8::from(self.authentic && asked) << 5;
        if question.head.len() + self.body.len() + opt > limit {
            question.begin(out, low, true, (0, 0));
        } else {
            question.begin(out, low, false, (self.answers, self.authorities));
            self.extend(out, count_down);
        }
        question.end(out, &[]);
    }

    fn extend(&self, out: &mut Vec<u8>, count_down: impl Fn(u32) -> u32) {
        let base = out.len();
        out.extend_from_slice(&self.body);
        for at in &self.times {
            let time = out.get_mut(base + usize::from(*at)..).and_then(|t| t.first_chunk_mut());
            if let Some(time) = time {
                *time = count_down(u32::from_be_bytes(*time)).to_be_bytes();
            }
        }
    }

    /// The whole message again, under the name and kind of `key`.
    #[must_use]
    pub fn message(&self, key: &Key, count_down: impl Fn(u32) -> u32) -> Vec<u8> {
        let [a, b] = self.answers.to_be_bytes();
        let [c, d] = self.authorities.to_be_bytes();
        let low = 0x80 | self.code | u8::from(self.authentic) << 5;
        let mut out = vec![0, 0, 0x81, low, 0, 1, a, b, c, d, 0, 0];
        let question = key.bytes().split_last().map(|(_, q)| q).unwrap_or_default();
        out.extend_from_slice(question);
        out.extend_from_slice(&[0, 1]);
        self.extend(&mut out, count_down);
        out
    }
}

/// What follows a name, which may end in a pointer.
fn skip_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (size, after) = bytes.split_first()?;
        match size {
            0 => return Some(after),
            1..64 => bytes = after.get(usize::from(*size)..)?,
            192.. => return after.get(1..),
            _ => return None,
        }
    }
}
