//! The import's table decoder on any bytes: `cargo +nightly fuzz run csv_import`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = kulkul_hub::sites::import::decode(bytes);
});
