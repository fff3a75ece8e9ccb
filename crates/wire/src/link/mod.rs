//! The link: what gateways and the hub say to each other.
//!
//! Desired state goes down, a signed journal goes up. JSON bodies (`enrol`,
//! `beat`, `time`) are read by serde; what is signed (journal entries, manifests,
//! keys, the hub's time) is deterministic CBOR (RFC 8949 section 4.2.1) in a
//! COSE_Sign1 (RFC 9052). Requests are signed by RFC 9421. Signing and checking
//! live in `kulkul-proof`; this room only turns values into bytes and back.

pub mod admit;
pub mod beat;
pub mod bytes;
pub mod cbor;
pub mod desired;
pub mod enrol;
pub mod entry;
pub mod event;
pub mod header;
pub mod release;
pub mod request;
pub mod sealed;
pub mod sign1;

pub use admit::{Admit, Grant, Proof};
pub use beat::{Beat, BeatAnswer, Checkpoint, JournalAnswer};
pub use bytes::{Blob, Digest, KeyId, PublicKey};
pub use cbor::Malformed;
pub use desired::{Desired, Manifest, Section, Version};
pub use enrol::{CertifiedKey, Enrol, Enrolled, HubKeys, KeyUse, LocalKey, Revocation, TimeAnswer};
pub use entry::{
    Anchor, CSR_LIMIT, CertificateRequest, Consent, Diagnostic, Entry, Gap, GapReason, Kind, Report,
    SessionInterim, SessionStart, SessionStop, Started, TunnelEnd,
};
pub use event::Event;
pub use header::{BootId, Header, Stamp};
pub use release::{PROGRAM_LIMIT, Release};
pub use sealed::{Part, Sealed};

/// Media type of `POST journal`: a CBOR sequence (RFC 8742) of sealed entries.
pub const JOURNAL_TYPE: &str = "application/cbor-seq";
/// Media type of a signed manifest.
pub const MANIFEST_TYPE: &str = "application/cose; cose-type=\"cose-sign1\"";
/// The most bytes that one entry may take, sealed.
pub const ENTRY_LIMIT: usize = 64 * 1024;
/// The most bytes of one `POST journal`.
pub const BATCH_LIMIT: usize = 1024 * 1024;
/// The most bytes of one `enrol` or `beat` body.
pub const BODY_LIMIT: usize = 64 * 1024;
/// The most bytes of one section of the desired state.
pub const SECTION_LIMIT: usize = 1024 * 1024;
/// Gateways beat this often, milliseconds, give or take a tenth.
pub const BEAT_EVERY_MS: i64 = 30_000;
/// The longest that `GET desired` waits, seconds.
pub const WAIT_LIMIT_S: u32 = 30;
