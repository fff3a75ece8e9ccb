//! The one place that asks the machine for randomness.
//!
//! Ids, tokens, salts and incident codes begin here; rules take them as values.

/// The machine has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the machine gives no random bytes: {0}")]
pub struct NoEntropy(String);

/// Draws `N` random bytes.
///
/// # Errors
/// `NoEntropy` when the machine refuses; nothing secret can be made then.
pub fn draw<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| NoEntropy(e.to_string()))?;
    Ok(bytes)
}
