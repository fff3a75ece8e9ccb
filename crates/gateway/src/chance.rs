//! The one place in the gateway that draws random bytes.

use kulkul_model::session::SessionId;

/// Draws `N` bytes from the system.
///
/// # Errors
/// The system's, when it has no randomness yet.
pub fn bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Draws ids of sessions: 128 random bits each.
#[must_use]
pub fn session_ids() -> Box<dyn FnMut() -> SessionId + Send> {
    Box::new(|| {
        loop {
            // The pool was filled when the daemon started; a failure now is a signal in between.
            if let Ok(id) = bytes() {
                return SessionId(id);
            }
        }
    })
}
