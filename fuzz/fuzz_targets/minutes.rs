//! Hour blocks on any bytes: `cargo +nightly fuzz run minutes`.
//!
//! What decodes must be spelled in the one way: packing it again gives the same bytes.
#![no_main]

use kulkul_wire::minutes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = minutes::head(bytes);
    if let Ok((hour, rows)) = minutes::decode_service(bytes) {
        assert_eq!(minutes::encode_service(hour, &rows).as_deref(), Ok(bytes));
    }
    if let Ok((hour, rows)) = minutes::decode_usage(bytes) {
        assert_eq!(minutes::encode_usage(hour, &rows).as_deref(), Ok(bytes));
    }
});
