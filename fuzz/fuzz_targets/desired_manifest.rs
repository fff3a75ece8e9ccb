//! A manifest of the desired state, and the sections as JSON.
#![no_main]

use kulkul_wire::link::{Desired, Manifest};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(Manifest::decode(&manifest.encode()).as_ref(), Ok(&manifest));
    }
    let _ = serde_json::from_slice::<Desired>(bytes);
});
