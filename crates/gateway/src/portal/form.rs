//! Percent-encoding and form fields (WHATWG URL, section 5.1), read leniently.
//!
//! Whatever a device sends becomes some text or nothing; it must never fail loudly.

/// Decodes `%41` and, in forms, `+`; a bad escape stays as it was written.
#[must_use]
pub fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                match (ahead.next().and_then(digit), ahead.next().and_then(digit)) {
                    (Some(high), Some(low)) => {
                        out.push(high * 16 + low);
                        bytes = ahead;
                    }
                    _ => out.push(b'%'),
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes everything but letters, digits and `-._~` (RFC 3986, section 2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// The first value of a field in a query or a form's body; at most 64 fields are read.
#[must_use]
pub fn field(text: &str, name: &str) -> Option<String> {
    text.split('&').take(64).find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bad_escapes_stay_as_they_are() {
        for (text, plain) in [
            ("%zz", "%zz"),
            ("%", "%"),
            ("%4", "%4"),
            ("a%20b+c", "a b c"),
            ("%ff", "\u{fffd}"),
            ("%%41", "%A"),
        ] {
            assert_eq!(decode(text), plain);
        }
        assert_eq!(field("lang=en&to=http%3A%2F%2Fa%2F", "to").as_deref(), Some("http://a/"));
        assert_eq!(field("lang", "lang").as_deref(), Some(""));
        assert_eq!(field("a=1&&=&%zz=2", "lang"), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(text in ".*") {
            prop_assert_eq!(decode(&encode(&text)), text);
        }
    }
}
