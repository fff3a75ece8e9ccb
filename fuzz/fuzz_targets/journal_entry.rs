//! A sealed journal entry, and what the chain makes of it.
#![no_main]

use kulkul_wire::link::{Sealed, sealed::sequence, sign1};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = sequence(bytes);
    let Ok(sealed) = Sealed::decode(bytes) else { return };
    // There is one spelling: what decodes is what would be written.
    assert_eq!(sealed.encode(), bytes);
    let Ok(parts) = sign1::decode(sealed.cose) else { return };
    assert_eq!(sign1::encode(parts.kid, parts.payload, &parts.signature), sealed.cose);
    let Ok(header) = kulkul_wire::link::Header::decode(parts.payload) else { return };
    let _ = sealed.fits(&header);
    let _ = sealed.entry(&header);
});
