//! The fields of a signed request.
#![no_main]

use kulkul_wire::link::request::{Input, parse_content_digest, parse_signature};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = parse_signature(text);
    let _ = parse_content_digest(text);
    if let Ok(input) = Input::parse(text) {
        // What is taken is signed as it came.
        assert_eq!(input.field(), text);
        assert!(input.base("GET", "https://h/", "d").lines().count() == 4);
    }
});
