//! How the pages look: the styles with the place's own colour, and the policy that allows just them.
//!
//! A colour that could not be read is left aside: text needs a contrast of 4.5 to 1
//! (WCAG 2.2, success criterion 1.4.3). Nothing of a colour's text reaches the page
//! but six hexadecimal digits that were read as numbers.

use base64::Engine as _;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

/// The styles of every page, written into it.
const STYLE: &str = include_str!("../../templates/portal/style.css");

/// Contrast that text needs, hundredths.
const TEXT_CENTI: u32 = 450;
/// Grounds that the colour stands on in the light scheme: page, button's words, notice.
const LIGHT: [Colour; 3] = [Colour(0xfa, 0xf8, 0xf4), Colour(0xff, 0xff, 0xff), Colour(0xf6, 0xea, 0xd9)];
/// The page of the dark scheme, also the words on its buttons.
const DARK: Colour = Colour(0x16, 0x19, 0x1a);
const WHITE: Colour = Colour(0xff, 0xff, 0xff);

/// Styles and the policy that goes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The text of the style element.
    pub style: String,
    /// The value of Content-Security-Policy.
    pub policy: HeaderValue,
}

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour(u8, u8, u8);

impl Look {
    /// The look with a place's colour, `#rrggbb`; without one, or one that cannot be read, the program's own.
    #[must_use]
    pub fn of(colour: Option<&str>) -> Self {
        let mut style = STYLE.to_owned();
        if let Some((light, dark)) = colour.and_then(pair) {
            let (light, dark, on) = (light.hex(), dark.hex(), DARK.hex());
            style.push_str(&format!(
                ":root{{--brand:{light}}}@media(prefers-color-scheme:dark){{:root{{--brand:{dark};--on:{on}}}}}"
            ));
        }
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&style));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Look { style, policy }
    }
}

/// The colour for the light and the dark scheme; nothing when it cannot be read in the light one.
///
/// In the dark scheme it is mixed with white until it can be read.
fn pair(text: &str) -> Option<(Colour, Colour)> {
    let colour = Colour::read(text)?;
    if LIGHT.iter().any(|ground| contrast_centi(colour, *ground) < TEXT_CENTI) {
        return None;
    }
    let dark = (0..=20).map(|step| colour.towards_white(step * 5));
    let dark = dark.into_iter().find(|c| contrast_centi(*c, DARK) >= TEXT_CENTI).unwrap_or(WHITE);
    Some((colour, dark))
}

impl Colour {
    fn read(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii())?;
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        // A sign is no digit, though `from_str_radix` would read one.
        let sound = digits.bytes().all(|b| b.is_ascii_hexdigit());
        sound.then_some(Colour(byte(0)?, byte(2)?, byte(4)?))
    }

    fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    fn towards_white(self, percent: u32) -> Self {
        let mix = |c: u8| {
            let mixed = u32::from(c) + (255 - u32::from(c)) * percent / 100;
            u8::try_from(mixed).unwrap_or(255)
        };
        Colour(mix(self.0), mix(self.1), mix(self.2))
    }

    /// Relative luminance (WCAG 2.2, definition), 0 to 1.
    fn luminance(self) -> f64 {
        let channel = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(self.0) + 0.7152 * channel(self.1) + 0.0722 * channel(self.2)
    }
}

/// Contrast of two colours in hundredths: 100 to 2,100, rounded down.
fn contrast_centi(a: Colour, b: Colour) -> u32 {
    let (a, b) = (a.luminance() + 0.05, b.luminance() + 0.05);
    let hundredths = (a.max(b) / a.min(b) * 100.0).floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 2,100")]
    let whole = hundredths as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_the_standards() {
        // Worked examples: black on white 21:1, #767676 is the lightest grey that passes on white.
        assert_eq!(contrast_centi(Colour(0, 0, 0), WHITE), 2_100);
        assert!(contrast_centi(Colour(0x76, 0x76, 0x76), WHITE) >= 450);
        assert!(contrast_centi(Colour(0x77, 0x77, 0x77), WHITE) < 450);
    }

    #[test]
    fn a_colour_that_can_be_read_is_taken_and_lightened_for_the_dark_scheme() {
        let plain = Look::of(None);
        let own = Look::of(Some("#0B4F8A"));
        assert!(own.style.contains("--brand:#0b4f8a"), "{}", own.style);
        assert_ne!(own.policy, plain.policy, "the policy names the digest of just these styles");
        let (_, dark) = pair("#0B4F8A").unwrap();
        assert!(
            contrast_centi(dark, DARK) >= 450 && contrast_centi(Colour::read("#0b4f8a").unwrap(), DARK) < 450
        );
        assert_eq!(pair("#000000").map(|p| contrast_centi(p.1, DARK) >= 450), Some(true));
    }

    #[test]
    fn what_cannot_be_read_or_is_no_colour_is_left_aside() {
        let plain = Look::of(None);
        for bad in [
            "#ffff00",
            "#ffffff",
            "#777777",
            "red",
            "",
            "#12345",
            "#1234567",
            "#+12345",
            "#12345é",
            "#000}body{display:none",
            "url(//example.com)",
        ] {
            assert_eq!(Look::of(Some(bad)), plain, "{bad}");
        }
    }
}
