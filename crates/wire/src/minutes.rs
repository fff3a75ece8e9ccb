//! Hour blocks: sixty minutes of one site's numbers in about a hundred words.
//!
//! A gateway packs each hour twice: the *service* block (public) and the *usage*
//! block (for staff), signs their digests, and the hub keeps the bytes as they
//! came. So one hour has one spelling: the decoder refuses every other.
//!
//! ```text
//! version u8 = 1 or 2 | kind u8 (1 service, 2 usage) | hour u32 BE, hours since 1970 UTC
//! present u64 LE, bit i = minute i was measured, bits 60.. = 0
//! a column per field, in the order of `SERVICE` or `USAGE`:
//!     base LEB128 = the smallest value | width u8 = bits of the largest value less base
//!     one (value - base) a present minute, `width` bits each, least bit first, zero padded
//! crc u32 BE, CRC-32 (IEEE) of all before it
//! ```
//! Version 2 is a service block of a place that has access points: two columns more. An
//! hour that needs none of them is spelled in version 1. An hour without minutes has no columns. Nothing here allocates more than sixty
//! rows, whatever the bytes say.

mod bits;

use bits::{Reader, Writer};
use kulkul_model::Moment;
use kulkul_model::measurement::{Minute, Pings, ProbeResult, Radios, UsageMinute};

const VERSION: u8 = 1;
/// Blocks with a row's further columns.
const LONGER: u8 = 2;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
const MINUTES: usize = 60;
/// Version, kind, hour and bitmap.
const HEAD: usize = 14;
const CRC: usize = 4;

/// The longest block that can be valid: every column 64 bits wide.
pub const MAX_BYTES: usize = HEAD + CRC + (Minute::COLUMNS + Minute::MORE) * (11 + MINUTES * 8);

/// Which half of an hour a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What the network gave: public.
    Service,
    /// What people used: for staff.
    Usage,
}

impl Kind {
    /// The name that tables use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Service => "service",
            Kind::Usage => "usage",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Kind::Service => 1,
            Kind::Usage => 2,
        }
    }
}

/// Why minutes cannot be packed, or bytes are not an hour block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MinutesError {
    /// The minute does not begin on a minute of this hour, or comes twice or too late.
    #[error("the minute at {0} is not in this hour or out of order")]
    Minute(Moment),
    /// The hour does not begin on an hour, or lies outside the years 1970 to 489000.
    #[error("{0} is not the beginning of an hour")]
    Hour(Moment),
    /// A value cannot be: more packets lost than sent, an unknown result, a number too large.
    #[error("column {column} holds a value that cannot be")]
    Value {
        /// Place of the column in the block, from 0.
        column: usize,
    },
    /// The bytes end too early, go on too long, or hold set bits where none may be.
    #[error("the block is cut short or has bytes left over")]
    Length,
    /// Another version than 1 and 2.
    #[error("version {0} of hour blocks is not known")]
    Version(u8),
    /// Another kind than the one asked for.
    #[error("the block is of kind {0}")]
    Kind(u8),
    /// The checksum does not fit: the bytes were changed.
    #[error("the checksum does not fit")]
    Crc,
    /// A column is spelled wider or lower than it needs.
    #[error("column {column} is not in its shortest form")]
    Spelling {
        /// Place of the column in the block, from 0.
        column: usize,
    },
}

/// What can be known of a block without unpacking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which half of the hour.
    pub kind: Kind,
    /// The beginning of the hour.
    pub hour: Moment,
    /// How many minutes were measured, 0 to 60.
    pub n: u32,
    /// The block's checksum.
    pub crc: u32,
}

/// A minute that can be laid out as columns of numbers.
trait Row: Sized {
    const KIND: Kind;
    const COLUMNS: usize;
    /// Columns that only version 2 has.
    const MORE: usize;
    /// Whether the row has something for them.
    fn is_long(&self) -> bool;
    fn at(&self) -> Moment;
    /// The value of column `i`, or none when the row is not sound.
    fn value(&self, i: usize) -> Option<u64>;
    /// The row from its columns, or the first column that cannot be.
    fn from_values(at: Moment, v: &[u64]) -> Result<Self, usize>;
}

/// Service columns: sent, lost, rtt_us of hub, anchor a, anchor b; dns, dns_us, http, http_us;
/// then access points known and seen.
impl Row for Minute {
    const KIND: Kind = Kind::Service;
    const COLUMNS: usize = 13;
    const MORE: usize = 2;

    fn is_long(&self) -> bool {
        self.radios.known > 0
    }

    fn at(&self) -> Moment {
        self.at
    }

    fn value(&self, i: usize) -> Option<u64> {
        let target = match i / 3 {
            0 => self.hub,
            1 => self.anchor_a,
            _ => self.anchor_b,
        };
        Some(match i {
            0 | 3 | 6 => u64::from(target.sent),
            1 | 4 | 7 if target.lost <= target.sent => u64::from(target.lost),
            1 | 4 | 7 => return None,
            2 | 5 | 8 => u64::from(target.rtt_us),
            9 => result_number(self.dns),
            10 => u64::from(self.dns_us),
            11 => result_number(self.http),
            12 => u64::from(self.http_us),
            13 => u64::from(self.radios.known),
            _ if self.radios.seen <= self.radios.known => u64::from(self.radios.seen),
            _ => return None,
        })
    }

    fn from_values(at: Moment, v: &[u64]) -> Result<Self, usize> {
        let byte = |i| get(v, i).and_then(|n| u8::try_from(n).map_err(|_| i));
        let word = |i| get(v, i).and_then(|n| u32::try_from(n).map_err(|_| i));
        let result = |i| get(v, i).and_then(|n| result_of(n).ok_or(i));
        let pings = |i: usize| {
            let (sent, lost, rtt_us) = (byte(i)?, byte(i + 1)?, word(i + 2)?);
            if lost > sent { Err(i + 1) } else { Ok(Pings { sent, lost, rtt_us }) }
        };
        let radios = |known, seen| if seen > known { Err(14usize) } else { Ok(Radios { known, seen }) };
        Ok(Minute {
            at,
            hub: pings(0)?,
            anchor_a: pings(3)?,
            anchor_b: pings(6)?,
            dns: result(9)?,
            dns_us: word(10)?,
            http: result(11)?,
            http_us: word(12)?,
            radios: if v.len() > Self::COLUMNS { radios(byte(13)?, byte(14)?)? } else { Radios::default() },
        })
    }
}

/// Usage columns: people, begun, down_bytes, up_bytes, load_centi.
impl Row for UsageMinute {
    const KIND: Kind = Kind::Usage;
    const COLUMNS: usize = 5;
    const MORE: usize = 0;

    fn is_long(&self) -> bool {
        false
    }

    fn at(&self) -> Moment {
        self.at
    }

    fn value(&self, i: usize) -> Option<u64> {
        Some(match i {
            0 => u64::from(self.people),
            1 => u64::from(self.begun),
            2 => self.down_bytes,
            3 => self.up_bytes,
            _ => u64::from(self.load_centi),
        })
    }

    fn from_values(at: Moment, v: &[u64]) -> Result<Self, usize> {
        let word = |i| get(v, i).and_then(|n| u32::try_from(n).map_err(|_| i));
        Ok(UsageMinute {
            at,
            people: word(0)?,
            begun: word(1)?,
            down_bytes: get(v, 2)?,
            up_bytes: get(v, 3)?,
            load_centi: word(4)?,
        })
    }
}

fn get(v: &[u64], i: usize) -> Result<u64, usize> {
    v.get(i).copied().ok_or(i)
}

const fn result_number(r: ProbeResult) -> u64 {
    match r {
        ProbeResult::NotTried => 0,
        ProbeResult::Good => 1,
        ProbeResult::Silent => 2,
        ProbeResult::Wrong => 3,
    }
}

const fn result_of(n: u64) -> Option<ProbeResult> {
    Some(match n {
        0 => ProbeResult::NotTried,
        1 => ProbeResult::Good,
        2 => ProbeResult::Silent,
        3 => ProbeResult::Wrong,
        _ => return None,
    })
}

/// Packs the service half of the hour that begins at `hour`.
///
/// `minutes` are in order of time, at most one for each minute; missing ones are left out.
///
/// # Errors
/// `Hour`, `Minute` or `Value` when the input is not an hour of minutes.
pub fn encode_service(hour: Moment, minutes: &[Minute]) -> Result<Vec<u8>, MinutesError> {
    encode(hour, minutes)
}

/// Packs the usage half of the hour that begins at `hour`; see `encode_service`.
///
/// # Errors
/// As `encode_service`.
pub fn encode_usage(hour: Moment, minutes: &[UsageMinute]) -> Result<Vec<u8>, MinutesError> {
    encode(hour, minutes)
}

/// Unpacks a service block: its hour, and the minutes that were measured.
///
/// # Errors
/// Anything but the one spelling of an hour is refused.
pub fn decode_service(bytes: &[u8]) -> Result<(Moment, Vec<Minute>), MinutesError> {
    decode(bytes)
}

/// Unpacks a usage block: its hour, and the minutes that were measured.
///
/// # Errors
/// Anything but the one spelling of an hour is refused.
pub fn decode_usage(bytes: &[u8]) -> Result<(Moment, Vec<UsageMinute>), MinutesError> {
    decode(bytes)
}

/// Reads kind, hour and count, and checks the checksum; the columns stay packed.
///
/// # Errors
/// `Length`, `Crc`, `Version` or `Kind`.
pub fn head(bytes: &[u8]) -> Result<Head, MinutesError> {
    let (head, present, _) = split(bytes)?;
    Ok(Head { n: present.count_ones(), ..head })
}

fn split(bytes: &[u8]) -> Result<(Head, u64, &[u8]), MinutesError> {
    let (body, sum) = bytes.split_last_chunk::<CRC>().ok_or(MinutesError::Length)?;
    let crc = u32::from_be_bytes(*sum);
    let (fixed, columns) = body.split_first_chunk::<HEAD>().ok_or(MinutesError::Length)?;
    let [version, kind, h0, h1, h2, h3, present @ ..] = *fixed;
    if crc32fast::hash(body) != crc {
        return Err(MinutesError::Crc);
    }
    if version != VERSION && version != LONGER {
        return Err(MinutesError::Version(version));
    }
    let kind = match kind {
        1 => Kind::Service,
        2 => Kind::Usage,
        other => return Err(MinutesError::Kind(other)),
    };
    let hour = Moment::from_ms(i64::from(u32::from_be_bytes([h0, h1, h2, h3])) * HOUR_MS);
    let present = u64::from_le_bytes(present);
    if present >> MINUTES != 0 {
        return Err(MinutesError::Length);
    }
    if version == LONGER && kind != Kind::Service {
        return Err(MinutesError::Version(version));
    }
    Ok((Head { kind, hour, n: 0, crc }, present, columns))
}

fn encode<R: Row>(hour: Moment, rows: &[R]) -> Result<Vec<u8>, MinutesError> {
    let number = u32::try_from(hour.ms().div_euclid(HOUR_MS)).map_err(|_| MinutesError::Hour(hour))?;
    if hour != hour.hour() {
        return Err(MinutesError::Hour(hour));
    }
    let mut present = 0u64;
    for row in rows {
        let offset = row.at().since_ms(hour);
        let minute = u32::try_from(offset / MINUTE_MS).unwrap_or(u32::MAX);
        let fits = offset >= 0 && offset % MINUTE_MS == 0 && minute < 60;
        // Every later minute's bit is higher than all bits so far.
        if !fits || present >> minute != 0 {
            return Err(MinutesError::Minute(row.at()));
        }
        present |= 1 << minute;
    }
    let mut out = Vec::with_capacity(HEAD + CRC + rows.len() * 10);
    let long = rows.iter().any(Row::is_long);
    let columns = R::COLUMNS + if long { R::MORE } else { 0 };
    out.extend([if long { LONGER } else { VERSION }, R::KIND.byte()]);
    out.extend(number.to_be_bytes());
    out.extend(present.to_le_bytes());
    if !rows.is_empty() {
        let mut values = Vec::with_capacity(rows.len());
        for column in 0..columns {
            values.clear();
            for row in rows {
                values.push(row.value(column).ok_or(MinutesError::Value { column })?);
            }
            bits::put_column(&mut Writer::new(&mut out), &values);
        }
    }
    let crc = crc32fast::hash(&out);
    out.extend(crc.to_be_bytes());
    Ok(out)
}

fn decode<R: Row>(bytes: &[u8]) -> Result<(Moment, Vec<R>), MinutesError> {
    let (head, present, columns) = split(bytes)?;
    if head.kind != R::KIND {
        return Err(MinutesError::Kind(head.kind.byte()));
    }
    let long = bytes.first() == Some(&LONGER);
    let all = R::COLUMNS + if long { R::MORE } else { 0 };
    let n = present.count_ones() as usize;
    let mut reader = Reader::new(columns);
    let mut rows: Vec<Vec<u64>> = vec![Vec::with_capacity(all); n];
    if n > 0 {
        for column in 0..all {
            for (row, value) in rows.iter_mut().zip(bits::take_column(&mut reader, n, column)?) {
                row.push(value);
            }
        }
    }
    if !reader.is_empty() {
        return Err(MinutesError::Length);
    }
    let times = (0..60).filter(|m| present >> m & 1 == 1).map(|m: i64| head.hour.plus_ms(m * MINUTE_MS));
    let minutes = times
        .zip(rows)
        .map(|(at, v)| R::from_values(at, &v).map_err(|column| MinutesError::Value { column }))
        .collect::<Result<Vec<R>, _>>()?;
    if long && !minutes.iter().any(Row::is_long) {
        return Err(MinutesError::Version(LONGER));
    }
    Ok((head.hour, minutes))
}

#[cfg(test)]
mod tests;
