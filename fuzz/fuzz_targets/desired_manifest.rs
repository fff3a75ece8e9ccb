//! A manifest of the desired state, the sections as JSON, and a release's statement.
#![no_main]

use kulkul_wire::link::{Desired, Manifest, Release};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::decode(bytes) {
        assert_eq!(Manifest::decode(&manifest.encode()).as_ref(), Ok(&manifest));
    }
    if let Ok(release) = Release::decode(bytes) {
        assert_eq!(Release::decode(&release.encode()).as_ref(), Ok(&release));
    }
    let _ = serde_json::from_slice::<Desired>(bytes);
});
