//! A certificate's dates (RFC 5280, section 4.1.2.5), read from its DER.
//!
//! Only the dates: who signed it and for whom is TLS's own business.

use kulkul_model::Moment;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// First and last moment at which a certificate is valid; nothing for other bytes.
#[must_use]
pub fn validity(der: &[u8]) -> Option<(Moment, Moment)> {
    let (certificate, _) = take(der, SEQUENCE)?;
    let (body, _) = take(certificate, SEQUENCE)?;
    let body = take(body, VERSION).map_or(body, |(_, rest)| rest);
    let (_, body) = take(body, INTEGER)?;
    let (_, body) = take(body, SEQUENCE)?; // signature algorithm
    let (_, body) = take(body, SEQUENCE)?; // issuer
    let (dates, _) = take(body, SEQUENCE)?;
    let (from, dates) = time(dates)?;
    let (to, _) = time(dates)?;
    Some((from, to))
}

/// The content of the element at the front, which must have this tag, and what follows it.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    if *found != tag {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(*first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        (digits.iter().fold(0usize, |n, d| (n << 8) | usize::from(*d)), rest)
    };
    rest.split_at_checked(length)
}

fn time(bytes: &[u8]) -> Option<(Moment, &[u8])> {
    let (text, rest, long) = match bytes.first()? {
        &UTC_TIME => take(bytes, UTC_TIME).map(|(t, r)| (t, r, false))?,
        _ => take(bytes, GENERALIZED_TIME).map(|(t, r)| (t, r, true))?,
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = if long {
        text.to_owned()
    } else {
        // Two digits of the year: 50 and above are of the twentieth century.
        let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" };
        format!("{century}{text}")
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    Moment::parse(&rfc3339).ok().map(|m| (m, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest frame that holds dates: the fields after them are left out.
    fn certificate(dates: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| {
            let mut out = vec![tag, 0x81, u8::try_from(inside.len()).unwrap()];
            out.extend(inside);
            out
        };
        let mut body = wrap(VERSION, &[2, 1, 2]);
        body.extend([INTEGER, 1, 7]);
        body.extend(wrap(SEQUENCE, &[]));
        body.extend(wrap(SEQUENCE, &[]));
        body.extend(wrap(SEQUENCE, dates));
        wrap(SEQUENCE, &wrap(SEQUENCE, &body))
    }

    #[test]
    fn both_forms_of_dates_are_read() {
        let mut dates = vec![UTC_TIME, 13];
        dates.extend(b"261124063200Z");
        dates.extend([GENERALIZED_TIME, 15]);
        dates.extend(b"20510101000000Z");
        let (from, to) = validity(&certificate(&dates)).unwrap();
        assert_eq!(from.to_string(), "2026-11-24T06:32:00Z");
        assert_eq!(to.to_string(), "2051-01-01T00:00:00Z");
    }

    #[test]
    fn other_bytes_are_nothing() {
        assert_eq!(validity(b""), None);
        assert_eq!(validity(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(validity(&certificate(&[UTC_TIME, 2, b'2', b'6'])), None);
        let whole = certificate(&[]);
        for cut in 0..whole.len() {
            assert_eq!(validity(&whole[..cut]), None);
        }
    }
}
