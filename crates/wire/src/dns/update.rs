//! Updates of a zone, signed with a shared key (RFC 2136, RFC 8945), as bytes and back.
//!
//! Only what a challenge needs: the text records of one name set or taken away. An answer
//! counts only when it is signed with the same key; what a server says unsigned is a
//! reason, never a success.

use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384, Sha512};
use std::fmt;
use zeroize::Zeroizing;

const UPDATE: u8 = 5;
const SOA: u16 = 6;
const TXT: u16 = 16;
const TSIG: u16 = 250;
const IN: u16 = 1;
const NONE_LEFT: u16 = 255;
/// The answer's time may differ from ours by this much, seconds.
const FUDGE_S: u16 = 300;

/// How messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// `hmac-sha256`.
    #[default]
    Sha256,
    /// `hmac-sha384`.
    Sha384,
    /// `hmac-sha512`.
    Sha512,
}

impl Algorithm {
    /// The algorithm of a name as servers' settings have it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "hmac-sha256" => Some(Algorithm::Sha256),
            "hmac-sha384" => Some(Algorithm::Sha384),
            "hmac-sha512" => Some(Algorithm::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "hmac-sha256",
            Algorithm::Sha384 => "hmac-sha384",
            Algorithm::Sha512 => "hmac-sha512",
        }
    }
}

/// A key that the zone's server shares with us.
#[derive(Clone)]
pub struct UpdateKey {
    /// Its name at the server.
    pub name: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Its bytes.
    pub secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for UpdateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl UpdateKey {
    fn sign(&self, parts: &[&[u8]]) -> Vec<u8> {
        fn mac<M: Mac + hmac::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
            // HMAC takes keys of every length.
            let Ok(mut mac) = <M as hmac::KeyInit>::new_from_slice(key) else { return Vec::new() };
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().to_vec()
        }
        match self.algorithm {
            Algorithm::Sha256 => mac::<Hmac<Sha256>>(&self.secret, parts),
            Algorithm::Sha384 => mac::<Hmac<Sha384>>(&self.secret, parts),
            Algorithm::Sha512 => mac::<Hmac<Sha512>>(&self.secret, parts),
        }
    }

    /// What is signed beside the message itself.
    fn variables(&self, at_s: u64, fudge: u16, error: u16, other: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        put_name(&mut out, &self.name)?;
        out.extend(NONE_LEFT.to_be_bytes());
        out.extend([0; 4]);
        put_name(&mut out, self.algorithm.name())?;
        out.extend(time(at_s));
        out.extend(fudge.to_be_bytes());
        out.extend(error.to_be_bytes());
        out.extend(u16::try_from(other.len()).ok()?.to_be_bytes());
        out.extend(other);
        Some(out)
    }
}

/// What becomes of the text records of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// This one is there, and no other.
    Set(&'a str),
    /// None is left.
    Clear,
}

/// An update as it was sent: the answer must be to this one.
#[derive(Clone, Debug)]
pub struct SentUpdate {
    id: u16,
    mac: Vec<u8>,
    key: UpdateKey,
}

/// Why an update was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// The bytes are no answer to this update.
    #[error("the server's answer cannot be read")]
    Unreadable,
    /// The answer is not signed with our key.
    #[error("the server's answer is not signed with the key")]
    Unsigned,
    /// The server has no key of this name and algorithm (BADKEY).
    #[error("the server does not know a key of this name and algorithm")]
    UnknownKey,
    /// The key's bytes are not the server's (BADSIG).
    #[error("the server has other bytes under the key's name")]
    WrongKey,
    /// Clocks differ by more than five minutes (BADTIME).
    #[error("the server's clock and this one differ by more than five minutes")]
    Clock,
    /// The key may not change this name, or nobody may (REFUSED).
    #[error("the server does not let this key change the name (REFUSED)")]
    Refused,
    /// The server has no such zone (NOTAUTH, NOTZONE).
    #[error("the server is not the primary of this zone, or the name is not in it")]
    NotItsZone,
    /// Another code.
    #[error("the server answers with code {0}")]
    Code(u8),
}

/// Writes an update of the text records of `name`; none where a name or text cannot be written.
#[must_use]
pub fn write(
    zone: &str,
    name: &str,
    change: Change<'_>,
    key: &UpdateKey,
    (id, at_s): (u16, u64),
) -> Option<(SentUpdate, Vec<u8>)> {
    let records: u16 = if matches!(change, Change::Set(_)) { 2 } else { 1 };
    let mut out = Vec::with_capacity(256);
    out.extend(id.to_be_bytes());
    out.extend([UPDATE << 3, 0]);
    for count in [1, 0, records, 0_u16] {
        out.extend(count.to_be_bytes());
    }
    put_name(&mut out, zone)?;
    out.extend(SOA.to_be_bytes());
    out.extend(IN.to_be_bytes());
    // What an earlier try left goes in the same step.
    put_record(&mut out, name, (TXT, NONE_LEFT, 0), &[])?;
    if let Change::Set(text) = change {
        let mut data = vec![u8::try_from(text.len()).ok()?];
        data.extend(text.as_bytes());
        put_record(&mut out, name, (TXT, IN, 1), &data)?;
    }
    let mac = key.sign(&[&out, &key.variables(at_s, FUDGE_S, 0, &[])?]);
    let mut data = Vec::new();
    put_name(&mut data, key.algorithm.name())?;
    data.extend(time(at_s));
    data.extend(FUDGE_S.to_be_bytes());
    data.extend(u16::try_from(mac.len()).ok()?.to_be_bytes());
    data.extend(&mac);
    data.extend(id.to_be_bytes());
    data.extend([0; 4]);
    put_record(&mut out, &key.name, (TSIG, NONE_LEFT, 0), &data)?;
    let additional = out.get_mut(10..12)?;
    additional.copy_from_slice(&1_u16.to_be_bytes());
    Some((SentUpdate { id, mac, key: key.clone() }, out))
}

/// Reads the answer to an update, at `at_s` seconds.
///
/// # Errors
/// `NotDone` says why it was not done, as far as the server tells.
pub fn read(bytes: &[u8], sent: &SentUpdate, at_s: u64) -> Result<(), NotDone> {
    let answer = Reply::of(bytes).ok_or(NotDone::Unreadable)?;
    if answer.id != sent.id {
        return Err(NotDone::Unreadable);
    }
    let said = match answer.signature.as_ref().map_or(0, |s| s.error) {
        0 => None,
        16 => Some(NotDone::WrongKey),
        17 => Some(NotDone::UnknownKey),
        18 => Some(NotDone::Clock),
        _ => Some(NotDone::Unsigned),
    };
    match (said, answer.code) {
        (Some(why), _) => Err(why),
        (None, 0) if answer.is_signed(sent, at_s) => Ok(()),
        (None, 0) => Err(NotDone::Unsigned),
        (None, 5) => Err(NotDone::Refused),
        (None, 9 | 10) => Err(NotDone::NotItsZone),
        (None, code) => Err(NotDone::Code(code)),
    }
}

/// An answer, taken apart.
struct Reply<'a> {
    id: u16,
    code: u8,
    /// The message as it was before it was signed, but for the count of records.
    unsigned: &'a [u8],
    additional: u16,
    signature: Option<Signature<'a>>,
}

struct Signature<'a> {
    at_s: u64,
    fudge: u16,
    mac: &'a [u8],
    id: u16,
    error: u16,
    other: &'a [u8],
}

impl<'a> Reply<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut at = Cursor { bytes, at: 0 };
        let (id, flags) = (at.number()?, at.number()?);
        if flags & 0x8000 == 0 || (flags >> 11) & 0xf != u16::from(UPDATE) {
            return None;
        }
        let counts = [at.number()?, at.number()?, at.number()?, at.number()?];
        let [zones, before, updates, additional] = counts;
        for _ in 0..zones {
            at.skip_name()?;
            at.take(4)?;
        }
        let records = u32::from(before) + u32::from(updates) + u32::from(additional);
        let (mut unsigned, mut signature) = (bytes, None);
        for n in 0..records {
            let begin = at.at;
            at.skip_name()?;
            let (kind, _class) = (at.number()?, at.number()?);
            at.take(4)?;
            let length = at.number()?;
            let data = at.take(usize::from(length))?;
            if kind == TSIG {
                // It is the last of all records (RFC 8945, section 5.1).
                (n + 1 == records && additional > 0).then_some(())?;
                (unsigned, signature) = (bytes.get(..begin)?, Some(Signature::of(data)?));
            }
        }
        let code = u8::try_from(flags & 0xf).ok()?;
        Some(Reply { id, code, unsigned, additional, signature })
    }

    fn is_signed(&self, sent: &SentUpdate, at_s: u64) -> bool {
        self.expected(sent).is_some_and(|(wanted, signature)| {
            // Nobody is told how far a wrong one was right.
            let same = wanted.len() == signature.mac.len()
                && wanted.iter().zip(signature.mac).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0;
            same && !wanted.is_empty() && signature.at_s.abs_diff(at_s) <= u64::from(signature.fudge)
        })
    }

    fn expected(&self, sent: &SentUpdate) -> Option<(Vec<u8>, &Signature<'a>)> {
        let signature = self.signature.as_ref()?;
        let mut message = self.unsigned.to_vec();
        message.get_mut(..2)?.copy_from_slice(&signature.id.to_be_bytes());
        message.get_mut(10..12)?.copy_from_slice(&(self.additional.checked_sub(1)?).to_be_bytes());
        let variables =
            sent.key.variables(signature.at_s, signature.fudge, signature.error, signature.other)?;
        let length = u16::try_from(sent.mac.len()).ok()?.to_be_bytes();
        Some((sent.key.sign(&[&length, &sent.mac, &message, &variables]), signature))
    }
}

impl<'a> Signature<'a> {
    fn of(data: &'a [u8]) -> Option<Self> {
        let mut at = Cursor { bytes: data, at: 0 };
        at.skip_name()?;
        let at_s = at.take(6)?.iter().fold(0, |n, b| (n << 8) | u64::from(*b));
        let (fudge, length) = (at.number()?, at.number()?);
        let mac = at.take(usize::from(length))?;
        let (id, error, length) = (at.number()?, at.number()?, at.number()?);
        Some(Signature { at_s, fudge, mac, id, error, other: at.take(usize::from(length))? })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(n)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).and_then(|b| b.try_into().ok()).map(u16::from_be_bytes)
    }

    /// Goes past a name; where it points to is of no interest here.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match *self.take(1)?.first()? {
                0 => return Some(()),
                length @ 1..=63 => drop(self.take(usize::from(length))?),
                0xc0.. => return self.take(1).map(drop),
                _ => return None,
            }
        }
    }
}

fn put_record(out: &mut Vec<u8>, name: &str, (kind, class, ttl): (u16, u16, u32), data: &[u8]) -> Option<()> {
    put_name(out, name)?;
    out.extend(kind.to_be_bytes());
    out.extend(class.to_be_bytes());
    out.extend(ttl.to_be_bytes());
    out.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
    out.extend(data);
    Some(())
}

/// Writes a name in lower case and uncompressed, as signing wants it.
fn put_name(out: &mut Vec<u8>, name: &str) -> Option<()> {
    let begin = out.len();
    for label in name.trim_end_matches('.').split('.').filter(|_| !name.is_empty()) {
        let length = u8::try_from(label.len()).ok().filter(|n| (1..=63).contains(n))?;
        out.push(length);
        out.extend(label.bytes().map(|b| b.to_ascii_lowercase()));
    }
    out.push(0);
    (out.len() - begin <= 255).then_some(())
}

/// The low 48 bits of a count of seconds.
fn time(at_s: u64) -> [u8; 6] {
    let [_, _, time @ ..] = at_s.to_be_bytes();
    time
}

#[cfg(test)]
mod tests;
