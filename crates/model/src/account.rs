//! Accounts: a name and a secret by which one person is let in anywhere.
//!
//! The secret is never a staff password and lets nobody into the console. It is kept
//! slow-hashed; this file only says which names and secrets may be.

use crate::Refusal;
use std::fmt;

/// The longest name, bytes.
pub const LONGEST_NAME: usize = 64;
/// The shortest secret, characters.
pub const SHORTEST_SECRET: usize = 8;
/// The longest secret, bytes.
pub const LONGEST_SECRET: usize = 128;

/// An account's name: lower-case letters, digits and `. - _ @`, two characters at least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName(String);

impl AccountName {
    /// Reads what a person typed; case and spaces around it do not matter.
    ///
    /// # Errors
    /// `account-name`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = text.trim().to_ascii_lowercase();
        let sound = (2..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b'@')
            })
            && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if sound { Ok(AccountName(name)) } else { Err(Refusal::new(422, "account-name")) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a person may have this secret.
///
/// # Errors
/// `account-secret`.
pub fn acceptable(secret: &str, name: &AccountName) -> Result<(), Refusal> {
    let long = secret.chars().count() >= SHORTEST_SECRET && secret.len() <= LONGEST_SECRET;
    if long && secret.to_lowercase() != name.as_str() {
        Ok(())
    } else {
        Err(Refusal::new(422, "account-secret").with("shortest", SHORTEST_SECRET))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_secrets_have_bounds() {
        let name = |t: &str| AccountName::parse(t).map(|n| n.to_string()).map_err(|r| r.code);
        assert_eq!(name(" Wayan.Sudana@banjar "), Ok("wayan.sudana@banjar".to_owned()));
        for bad in ["", "w", "-wayan", "wayan sudana", "wayan/..", "é", &"x".repeat(65)] {
            assert_eq!(name(bad), Err("account-name"), "{bad}");
        }
        let wayan = AccountName::parse("wayansudana").unwrap();
        assert!(acceptable("hujan123", &wayan).is_ok());
        for bad in ["hujan12", "WayanSudana", &"x".repeat(129)] {
            assert_eq!(acceptable(bad, &wayan).unwrap_err().code, "account-secret", "{bad}");
        }
    }
}
