//! The import's decoder on bytes that begin like JSON: `cargo +nightly fuzz run geojson_import`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut text = b"{".to_vec();
    text.extend_from_slice(bytes);
    let _ = kulkul_hub::sites::import::decode(&text);
});
