//! Headers and attributes: struct nlmsghdr, struct nlattr, acknowledgements.

use super::Garbled;

/// Ends a dump.
pub const DONE: u16 = 3;
/// An acknowledgement, or an error when its number is not zero.
pub const ERROR: u16 = 2;
/// Asks the kernel.
pub const REQUEST: u16 = 1;
/// Wants an acknowledgement.
pub const ACK: u16 = 4;
/// Wants all entries.
pub const DUMP: u16 = 0x300;
/// Makes what is not there.
pub const CREATE: u16 = 0x400;
/// The dump changed under the reader and must be read again.
pub const DUMP_INTERRUPTED: u16 = 0x10;

const HEADER: usize = 16;
const NESTED: u16 = 0x8000;
const TYPE_MASK: u16 = 0x3fff;

const fn align(n: usize) -> usize {
    n.div_ceil(4) * 4
}

/// A message's header and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Kind.
    pub kind: u16,
    /// Flags.
    pub flags: u16,
    /// The request's number.
    pub seq: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The error number of an `ERROR` or `DONE` message; 0 is an acknowledgement, else a negative errno.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.body.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b))
    }

    /// The kernel's words about an error (extended acknowledgement), when it sent any.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        const ACK_TLVS: u16 = 0x200;
        const CAPPED: u16 = 0x100;
        const TEXT: u16 = 1;
        if self.kind != ERROR || self.flags & ACK_TLVS == 0 {
            return None;
        }
        // The request's header follows the number, and its body too unless the message is capped.
        let request: u32 = u32::from_ne_bytes(*self.body.get(4..)?.first_chunk()?);
        let echoed = if self.flags & CAPPED == 0 { align(usize::try_from(request).ok()?) } else { HEADER };
        let text = find(self.body.get(4 + echoed..)?, TEXT)?;
        let text = text.split(|b| *b == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

/// Walks the messages of one datagram.
#[derive(Clone, Debug)]
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Garbled>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let whole = std::mem::take(&mut self.0);
        let Some(([l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3], _)) = whole.split_first_chunk::<12>()
        else {
            return Some(Err(Garbled::Length));
        };
        let len = u32::from_ne_bytes([*l0, *l1, *l2, *l3]) as usize;
        let Some(body) = whole.get(HEADER..len) else { return Some(Err(Garbled::Length)) };
        self.0 = whole.get(align(len)..).unwrap_or_default();
        Some(Ok(Message {
            kind: u16::from_ne_bytes([*k0, *k1]),
            flags: u16::from_ne_bytes([*f0, *f1]),
            seq: u32::from_ne_bytes([*s0, *s1, *s2, *s3]),
            body,
        }))
    }
}

/// Walks attributes as kind and value; stops at the first that does not fit.
#[derive(Clone, Debug)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let whole = std::mem::take(&mut self.0);
        let ([l0, l1, k0, k1], _) = whole.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
        let value = whole.get(4..len)?;
        self.0 = whole.get(align(len)..).unwrap_or_default();
        Some((u16::from_ne_bytes([*k0, *k1]) & TYPE_MASK, value))
    }
}

/// The value of the first attribute of `kind`.
#[must_use]
pub fn find(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    Attributes(attributes).find(|(k, _)| *k == kind).map(|(_, v)| v)
}

/// Writes messages one after another.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

/// The place of a length that is filled in when its message or nest ends.
#[derive(Debug)]
#[must_use]
pub struct Open(usize);

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Writer::default()
    }

    /// The messages.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins a message; `fixed` follows its header.
    pub fn begin(&mut self, kind: u16, flags: u16, seq: u32, fixed: &[u8]) -> Open {
        let at = Open(self.0.len());
        self.0.extend_from_slice(&[0; 4]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(&flags.to_ne_bytes());
        self.0.extend_from_slice(&seq.to_ne_bytes());
        self.0.extend_from_slice(&[0; 4]);
        self.0.extend_from_slice(fixed);
        self.pad();
        at
    }

    /// Ends a message.
    pub fn end(&mut self, at: Open) {
        let len = u32::try_from(self.0.len().saturating_sub(at.0)).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(at.0..at.0 + 4) {
            place.copy_from_slice(&len.to_ne_bytes());
        }
    }

    /// Writes an attribute.
    pub fn put(&mut self, kind: u16, value: &[u8]) {
        let at = self.open(kind);
        self.0.extend_from_slice(value);
        self.close(at);
    }

    /// Writes a text attribute with its closing zero.
    pub fn put_text(&mut self, kind: u16, text: &str) {
        let at = self.open(kind);
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self.close(at);
    }

    /// Begins an attribute of attributes.
    pub fn nest(&mut self, kind: u16) -> Open {
        self.open(kind | NESTED)
    }

    fn open(&mut self, kind: u16) -> Open {
        let at = Open(self.0.len());
        self.0.extend_from_slice(&[0; 2]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        at
    }

    /// Ends an attribute of attributes. Its length must stay under 64 KiB: see `tables::batches`.
    pub fn close(&mut self, at: Open) {
        let len = u16::try_from(self.0.len().saturating_sub(at.0)).unwrap_or(u16::MAX);
        if let Some(place) = self.0.get_mut(at.0..at.0 + 2) {
            place.copy_from_slice(&len.to_ne_bytes());
        }
        self.pad();
    }

    fn pad(&mut self) {
        self.0.resize(align(self.0.len()), 0);
    }
}
