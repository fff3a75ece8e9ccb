//! The stored inputs of the link's fuzz targets, run as an ordinary test.
//!
//! `KULKUL_WRITE_CORPUS=1` writes the sound examples anew after a change of the format.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

use kulkul_model::Moment;
use kulkul_model::gateway::{GatewayId, UpdateStep};
use kulkul_model::report::ReportKind;
use kulkul_proof::{Chain, Head, Signer, Verifier, manifest, request, seal};
use kulkul_wire::link::request::Input;
use kulkul_wire::link::{
    Consent, Desired, Digest, Entry, Event, Header, Manifest, Release, Report, Sealed, Section, Stamp,
    Version, sealed, sign1,
};
use std::fs;
use std::path::PathBuf;

fn directory(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

fn gateway() -> GatewayId {
    GatewayId::from_bits(7)
}

/// Sound examples, by target and name.
fn examples() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let signer = Signer::from_seed(&[1; 32]);
    let seal = |entry: Entry| {
        seal(&signer, &gateway(), Head::default(), &entry, Stamp::default(), &mut || [3; 16]).bytes
    };
    let made = Manifest {
        gateway: gateway(),
        version: Version { epoch: 1, counter: 2 },
        issued_at: Moment::from_ms(5),
        sections: vec![Section { name: "site".to_owned(), sha256: Digest::of(b""), bytes: 0 }],
    };
    let release = Release {
        version: "0.2.0".to_owned(),
        target: "x86_64-linux-gnu".to_owned(),
        sha256: Digest::of(b"program"),
        bytes: 7,
        signed_at: Moment::from_ms(5),
    };
    let undone = Event::Update {
        program: Digest::of(b"program"),
        step: UpdateStep::Undone,
        reason: "the portal does not answer".to_owned(),
    };
    let uri = "https://hub.example/link/v1/beat";
    let fields = request::sign(&signer, "gw-1", ("POST", uri), b"", Moment::EPOCH, "0123456789abcdef");
    let site = br#"{"version":{"epoch":1,"counter":2},"site":{"code":"BJ-001","name":"Banjar"}}"#;
    let report = Report {
        number: 3,
        kind: ReportKind::EquipmentDamaged,
        text: "Kabel putus.\nSejak kemarin".to_owned(),
        language: "id".to_owned(),
    };
    vec![
        ("journal_entry", "consent", seal(Entry::Consent(Consent { terms: 1, count: 2 }))),
        ("journal_entry", "hour", seal(Entry::Hour { service: vec![1; 40], usage: vec![2; 20] })),
        ("journal_entry", "report", seal(Entry::Report(report))),
        ("journal_entry", "uplink", seal(Entry::Event(Event::UplinkBack { lost_ms: 9 }))),
        ("journal_entry", "undone", seal(Entry::Event(undone))),
        ("http_signature", "input", fields.signature_input.into_bytes()),
        ("http_signature", "signature", fields.signature.into_bytes()),
        ("http_signature", "digest", fields.content_digest.into_bytes()),
        ("desired_manifest", "manifest", made.encode()),
        ("desired_manifest", "signed", manifest::sign(&signer, &made)),
        ("desired_manifest", "release", release.encode()),
        ("desired_manifest", "site.json", site.to_vec()),
    ]
}

fn run(target: &str, bytes: &[u8]) {
    match target {
        "journal_entry" => {
            let _ = sealed::sequence(bytes);
            let key = Verifier::new(&Signer::from_seed(&[1; 32]).public()).unwrap();
            let _ = Chain::new(&gateway(), key, Head::default()).take(bytes);
            let Ok(sealed) = Sealed::decode(bytes) else { return };
            assert_eq!(sealed.encode(), bytes);
            let Ok(parts) = sign1::decode(sealed.cose) else { return };
            let Ok(header) = Header::decode(parts.payload) else { return };
            let _ = sealed.entry(&header);
        }
        "http_signature" => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            if let Ok(input) = Input::parse(text) {
                assert_eq!(input.field(), text);
            }
        }
        _ => {
            let _ = (Manifest::decode(bytes), Release::decode(bytes));
            let _ = serde_json::from_slice::<Desired>(bytes);
        }
    }
}

#[test]
fn stored_inputs_do_no_harm() {
    for (target, name, bytes) in examples() {
        let path = directory(target).join(name);
        if std::env::var_os("KULKUL_WRITE_CORPUS").is_some() {
            fs::create_dir_all(directory(target)).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "{target}/{name}: the format has changed");
    }
    let mut count = 0;
    for target in ["journal_entry", "http_signature", "desired_manifest"] {
        for file in fs::read_dir(directory(target)).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            run(target, &bytes);
            // And everything near it.
            for i in 0..bytes.len() {
                run(target, &bytes[..i]);
                let mut near = bytes.clone();
                near[i] ^= 1 << (i % 8);
                run(target, &near);
            }
            count += 1;
        }
    }
    assert!(count >= 9);
}
