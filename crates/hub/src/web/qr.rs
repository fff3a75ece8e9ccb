//! QR codes as SVG, for what somebody carries to a box on a phone.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// An SVG of the text with the quiet zone of four modules (ISO/IEC 18004, 9.1).
///
/// None when the text is too long for a code.
#[must_use]
pub fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (i, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing into a String does not fail.
            let _ = write!(path, "M{} {}h1v1h-1z", i % width + 4, i / width + 4);
        }
    }
    let side = width + 8;
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" width=\"240\" height=\"240\" role=\"img\" aria-hidden=\"true\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_has_its_three_corners_and_a_bound() {
        let svg = super::svg("kulkul").unwrap();
        assert!(svg.contains("viewBox=\"0 0 29 29\"") && svg.contains("M4 4h1v1h-1z"), "{svg}");
        assert!(super::svg(&"x".repeat(4000)).is_none());
    }
}
