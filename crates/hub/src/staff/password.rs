//! Passwords: argon2id, away from the threads that answer requests.
//!
//! At most two at a time are worked on, so that a flood of sign-ins cannot take the
//! machine; an unknown name costs what a known one does.

use crate::entropy;
use crate::web::Problem;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use kulkul_model::Refusal;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The shortest password that a person may choose, characters (NIST SP 800-63B-4, 3.1.1.2).
pub const SHORTEST: usize = 10;
/// The longest, bytes; beyond it somebody is trying to keep the machine busy.
pub const LONGEST: usize = 256;

/// A hash of nothing anyone knows, for names that do not exist; its parameters are those of `hasher`.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$a3Vsa3VsLW5vYm9keQ$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA";

/// Works on passwords.
#[derive(Clone)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Passwords(Arc::new(Semaphore::new(2)))
    }
}

#[derive(Debug, thiserror::Error)]
enum PasswordError {
    #[error("cannot hash a password: {0}")]
    Hash(String),
    #[error("the work on a password was dropped")]
    Dropped,
}

fn hasher() -> Result<Argon2<'static>, argon2::Error> {
    // OWASP's least parameters: 19 MiB, two passes, one lane.
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None)?))
}

impl Passwords {
    /// The PHC string to store for a password.
    ///
    /// # Errors
    /// A `Problem` with an incident code when the machine cannot.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        let salt = entropy::draw::<16>()?;
        self.work(move || {
            let failed = |e: String| PasswordError::Hash(e);
            let hash: PasswordHash = hasher()
                .map_err(|e| failed(e.to_string()))?
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map_err(|e| failed(e.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password fits the stored string; none takes as long and is false.
    ///
    /// # Errors
    /// A `Problem` with an incident code when the machine cannot.
    pub async fn fits(&self, password: String, stored: Option<String>) -> Result<bool, Problem> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        self.work(move || {
            let text = stored.as_deref().unwrap_or(NOBODY);
            let hash = PasswordHash::new(text).map_err(|e| PasswordError::Hash(e.to_string()))?;
            let hasher = hasher().map_err(|e| PasswordError::Hash(e.to_string()))?;
            Ok(hasher.verify_password(password.as_bytes(), &hash).is_ok() && stored.is_some())
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Problem> {
        let _permit = self.0.acquire().await.map_err(|_| Problem::fault(&PasswordError::Dropped))?;
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or(Err(PasswordError::Dropped))
            .map_err(|e| Problem::fault(&e))
    }
}

/// Whether a person may choose this password.
///
/// # Errors
/// `password-short`, `password-long`, `password-name`.
pub fn acceptable(password: &str, name: &str) -> Result<(), Refusal> {
    if password.chars().count() < SHORTEST {
        return Err(Refusal::new(422, "password-short").with("shortest", SHORTEST));
    }
    if password.len() > LONGEST {
        return Err(Refusal::new(422, "password-long"));
    }
    // A name of three letters is part of many words.
    if name.chars().count() > 3 && password.to_lowercase().contains(&name.to_lowercase()) {
        return Err(Refusal::new(422, "password-name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_fits_and_nobody_has_none() {
        let passwords = Passwords::default();
        let stored = passwords.hash("kulkul di banjar".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.fits("kulkul di banjar".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.fits("kulkul di bale".into(), Some(stored)).await.unwrap());
        assert!(!passwords.fits("kulkul di banjar".into(), None).await.unwrap());
    }

    #[test]
    fn a_password_is_long_enough_and_not_the_name() {
        let code = |p: &str| acceptable(p, "wayan").err().map(|r| r.code);
        assert_eq!(code("123456789"), Some("password-short"));
        assert_eq!(code(&"x".repeat(300)), Some("password-long"));
        assert_eq!(code("saya-WAYAN-sendiri"), Some("password-name"));
        assert_eq!(code("hujan di sore hari"), None);
    }
}
