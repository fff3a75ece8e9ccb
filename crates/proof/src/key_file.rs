//! The text of a key file: what a person sees who opens one, and nothing hidden.
//!
//! Two lines: what the key is for, and its 32 secret bytes in hexadecimal. Whoever
//! writes it sets mode 0600; this only makes and reads the text.

use crate::sign::Signer;
use zeroize::Zeroizing;

/// The text is not a key file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key file of kulkul for \"{0}\"")]
pub struct NotAKeyFile(pub String);

const TITLE: &str = "kulkul ed25519 secret key: ";

/// Writes the text for a key that is used for `what` (`root`, `desired`, `gateway`).
#[must_use]
pub fn write(what: &str, signer: &Signer) -> Zeroizing<String> {
    Zeroizing::new(format!("{TITLE}{what}\n{}\n", hex::encode(*signer.seed())))
}

/// Reads the text; the key must be for `what`.
///
/// # Errors
/// `NotAKeyFile` for another use or another form.
pub fn read(what: &str, text: &str) -> Result<Signer, NotAKeyFile> {
    let bad = || NotAKeyFile(what.to_owned());
    let (title, secret) = text.split_once('\n').ok_or_else(bad)?;
    if title.strip_prefix(TITLE) != Some(what) {
        return Err(bad());
    }
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(secret.trim_end(), &mut *seed).map_err(|_| bad())?;
    Ok(Signer::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_for_its_own_use_only() {
        let signer = Signer::from_seed(&[3; 32]);
        let text = write("gateway", &signer);
        assert_eq!(read("gateway", &text).unwrap().public(), signer.public());
        assert!(read("root", &text).is_err());
        assert!(read("gateway", "kulkul ed25519 secret key: gateway\nabc\n").is_err());
    }
}
