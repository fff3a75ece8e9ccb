//! The box's own key of the tunnel: made here, kept here; only its public half is told.

use crate::chance;
use crate::disk::write_whole;
use boringtun::x25519::{PublicKey, StaticSecret};
use kulkul_wire::link::desired::{key_from, key_text};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

const FILE: &str = "tunnel.key";

/// Reads the private key, made at the first time.
///
/// # Errors
/// When it can neither be read nor be kept: a key that is gone after a restart is none.
pub fn own(data: &Path) -> io::Result<StaticSecret> {
    let path = data.join(FILE);
    match std::fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(text) => {
            if let Some(key) = key_from(&text).map(Zeroizing::new) {
                return Ok(StaticSecret::from(*key));
            }
            tracing::error!(path = %path.display(), "the tunnel's key cannot be read; another one is made");
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let key = Zeroizing::new(chance::bytes::<32>()?);
    let text = Zeroizing::new(format!("{}\n", key_text(&key)));
    write_whole(&path, text.as_bytes())?;
    Ok(StaticSecret::from(*key))
}

/// The half that others may know.
#[must_use]
pub fn public(own: &StaticSecret) -> [u8; 32] {
    PublicKey::from(own).to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_stays_and_only_root_may_read_it() {
        let data = tempfile::tempdir().unwrap();
        let first = public(&own(data.path()).unwrap());
        assert_eq!(public(&own(data.path()).unwrap()), first);
        let mode = std::fs::metadata(data.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(data.path().join(FILE), "half a ke").unwrap();
        let second = public(&own(data.path()).unwrap());
        assert_ne!(second, first, "one that cannot be read is replaced");
        assert_eq!(public(&own(data.path()).unwrap()), second);
    }

    #[test]
    fn the_public_half_is_the_one_that_wg_works_out() {
        // Made by wg genkey and wg pubkey for this test.
        let own = key_from("sFZOqCAmT8EKrWgHp0DQ8XU6qlZCg+qhGh2kTG4YBHM=").unwrap();
        assert_eq!(
            key_text(&public(&StaticSecret::from(own))),
            "OcWBw07cHxKVkNWMcPrA4Fye/G61rsIawwcEHd430Ao="
        );
    }
}
