//! Releases: what the holder of an update key says of one program file.
//!
//! The statement travels in the desired state, the file as a blob by its digest. A hub
//! carries both and can make neither: the key that signs is never on a hub.

use super::bytes::Digest;
use super::cbor::{Malformed, Put, Take};
use kulkul_model::Moment;
use serde::{Deserialize, Serialize};

/// The longest program that is taken, bytes.
pub const PROGRAM_LIMIT: u64 = 64 * 1024 * 1024;
/// The longest version or target, bytes.
const NAME: usize = 64;

/// One program for one kind of machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// What people call it, for example `0.2.0`.
    pub version: String,
    /// Which machines run it, for example `x86_64-linux-gnu`.
    pub target: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
    /// When it was signed: a box takes no release that is older than the one it runs.
    pub signed_at: Moment,
}

const WHAT: &str = "release";

impl Release {
    /// Writes deterministic CBOR: `[version, target, sha256, bytes, signed_ms]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(5).text(&self.version).text(&self.target).bytes(&self.sha256.0);
        p.u64(self.bytes).i64(self.signed_at.ms());
        p.done()
    }

    /// Reads what `encode` writes, and what a newer version adds to it.
    ///
    /// # Errors
    /// `Malformed` for anything else, for names that are not plain, and for a file over `PROGRAM_LIMIT`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, WHAT)?;
        let n = t.array(5)?;
        let release = Release {
            version: t.text()?.to_owned(),
            target: t.text()?.to_owned(),
            sha256: Digest(t.fixed()?),
            bytes: t.u64()?,
            signed_at: Moment::from_ms(t.i64()?),
        };
        t.skip(n - 5)?;
        t.end()?;
        if !(is_plain(&release.version) && is_plain(&release.target)) {
            return Err(Malformed::Shape(WHAT));
        }
        if release.bytes > PROGRAM_LIMIT {
            return Err(Malformed::TooBig { what: WHAT, limit: PROGRAM_LIMIT as usize });
        }
        Ok(release)
    }
}

/// Whether a version or a target has the form that a release takes: letters, digits and `._+-`.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    (1..=NAME).contains(&name.len()) && name.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            version: "0.2.0".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            sha256: Digest([7; 32]),
            bytes: 9_000_000,
            signed_at: Moment::from_ms(1_800_000_000_000),
        }
    }

    #[test]
    fn a_release_reads_back_and_a_newer_version_may_add_to_it() {
        let text = release().encode();
        assert_eq!(Release::decode(&text), Ok(release()));
        let mut longer = text.clone();
        longer[0] += 1;
        longer.extend([0x61, b'x']);
        assert_eq!(Release::decode(&longer), Ok(release()));
        assert!(Release::decode(&text[..text.len() - 1]).is_err());
    }

    #[test]
    fn names_that_are_no_names_and_files_without_an_end_are_refused() {
        for bad in ["", "0.2 0", "../../bin", "0.2\n", &"9".repeat(65)] {
            assert!(Release::decode(&Release { version: bad.to_owned(), ..release() }.encode()).is_err());
            assert!(Release::decode(&Release { target: bad.to_owned(), ..release() }.encode()).is_err());
        }
        assert!(Release::decode(&Release { bytes: PROGRAM_LIMIT + 1, ..release() }.encode()).is_err());
    }
}
