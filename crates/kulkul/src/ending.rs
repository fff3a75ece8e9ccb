//! How a command ends: exit codes 0, 1, 2, and one line on stderr.
//!
//! 0 done; 1 the answer is no, or it could not be done; 2 wrong usage or input.
//! The line has the cause and, after it, the mend.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

/// What a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Done, or yes.
    Done,
    /// It ran, and the answer is no; what it printed says why.
    No,
}

/// What a command gives back.
pub type Outcome = Result<Ending, Failure>;

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    cause: anyhow::Error,
    mend: Option<String>,
}

impl Failure {
    /// Something that was typed or read is wrong: exit code 2.
    pub fn input(cause: impl Into<anyhow::Error>, mend: impl Into<String>) -> Self {
        Failure { code: 2, cause: cause.into(), mend: Some(mend.into()) }
    }

    /// It could not be done: exit code 1.
    pub fn unable(cause: impl Into<anyhow::Error>, mend: impl Into<String>) -> Self {
        Failure { code: 1, cause: cause.into(), mend: Some(mend.into()) }
    }

    /// What the hub said, which names the mend itself.
    #[cfg(feature = "hub")]
    pub fn said(code: u8, text: String) -> Self {
        Failure { code, cause: anyhow::Error::msg(text), mend: None }
    }

    /// True when the reader of our output went away, which is no error.
    fn is_broken_pipe(&self) -> bool {
        self.cause
            .chain()
            .any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe))
    }

    /// The whole chain of causes and the mend in one line.
    pub fn line(&self) -> String {
        let mut line = String::new();
        for cause in self.cause.chain() {
            let text = cause.to_string();
            // Many errors repeat their source in their own text; say it once.
            if line.contains(&text) {
                continue;
            }
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&text);
        }
        if let Some(mend) = &self.mend {
            line.push_str("; ");
            line.push_str(mend);
        }
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Failure { code: 1, cause: cause.into(), mend: None }
    }
}

/// Says what was being done, and how to mend it, where an error passes.
pub trait Mend<T> {
    /// Wrong input: exit code 2, with the mend.
    fn or_input(self, mend: impl Display) -> Result<T, Failure>;
    /// Could not be done: exit code 1, with the mend.
    fn or_unable(self, mend: impl Display) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Mend<T> for Result<T, E> {
    fn or_input(self, mend: impl Display) -> Result<T, Failure> {
        self.map_err(|e| Failure::input(e, mend.to_string()))
    }
    fn or_unable(self, mend: impl Display) -> Result<T, Failure> {
        self.map_err(|e| Failure::unable(e, mend.to_string()))
    }
}

/// Turns what a command gave back into the exit code, and tells stderr why.
pub fn of(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::No) => ExitCode::from(1),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // When stderr is gone the exit code still tells.
            let _ = writeln!(io::stderr(), "kulkul: {}", failure.line());
            ExitCode::from(failure.code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_with_cause_and_mend() {
        let inner = io::Error::new(ErrorKind::NotFound, "no such\nfile");
        let failure =
            Failure::input(anyhow::Error::new(inner).context("reading hub.toml"), "name it with --config");
        assert_eq!(failure.line(), "reading hub.toml: no such file; name it with --config");
        assert_eq!(of(Err(failure)), ExitCode::from(2));
        let gone = Failure::from(io::Error::from(ErrorKind::BrokenPipe));
        assert_eq!(of(Err(gone)), ExitCode::SUCCESS);
        assert_eq!(of(Ok(Ending::No)), ExitCode::from(1));
    }
}
