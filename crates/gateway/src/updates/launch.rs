//! A start: the installed program looks which program is to run, and hands over to it.
//!
//! The process stays the same, so that whoever supervises it sees no change. Of
//! gateway.toml two keys are read and no more: the file may be one of a newer program.

use super::slots::{Next, Slots};
use kulkul_wire::link::PublicKey;
use std::io;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Names the installed program to the one that it has started.
pub const INSTALLED: &str = "KULKUL_INSTALLED";

/// A program to hand over to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Its file.
    pub program: PathBuf,
    /// The box's data directory.
    pub data: PathBuf,
    /// On trial: how often it was started, and how long it has, milliseconds.
    pub trial: Option<(u32, u64)>,
}

impl Launch {
    /// What `installed` hands over to; none where it runs itself.
    ///
    /// A box whose record cannot be written runs the installed program.
    #[must_use]
    pub fn find(settings: &Path, installed: &Path) -> Option<Self> {
        let (data, keys) = settled(&std::fs::read_to_string(settings).ok()?)?;
        match Slots::of(&data).next(&keys, installed) {
            Ok(Next::Slot { program, trial }) => Some(Launch { program, data, trial }),
            Ok(Next::Installed) => None,
            Err(error) => {
                tracing::error!(%error, "which program is to run cannot be read; the installed one does");
                None
            }
        }
    }

    /// Notes that the system does not run the program, for example from a file system without that right.
    ///
    /// # Errors
    /// What the disk says.
    pub fn cannot_run(&self, error: &io::Error) -> io::Result<()> {
        let why = format!("the system does not run it: {error}");
        Slots::of(&self.data).change(|record| {
            if record.trial.is_none() {
                record.proven = None;
            }
        })?;
        Slots::of(&self.data).undo(&why).map(drop)
    }
}

/// The data directory and the update keys; a key that cannot be read signs nothing.
fn settled(text: &str) -> Option<(PathBuf, Vec<PublicKey>)> {
    let table: Table = text.parse().ok()?;
    let data = std::env::var("KULKUL_DATA").ok();
    let data = data.or_else(|| table.get("data")?.as_str().map(str::to_owned))?;
    let keys = table.get("update_keys").and_then(Value::as_array).into_iter().flatten();
    let keys = keys.filter_map(Value::as_str).filter_map(PublicKey::parse).collect();
    Some((PathBuf::from(data), keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_newer_program_are_enough() {
        let key = PublicKey([7; 32]);
        let text = format!(
            "hub = \"https://hub.example\"\ndata = \"/var/lib/box\"\nfrom_the_future = 1\n\
             update_keys = [\"{key}\", \"no key\"]\n[mesh]\nnew = true\n"
        );
        assert_eq!(settled(&text), Some((PathBuf::from("/var/lib/box"), vec![key])));
        assert_eq!(settled("hub = 1"), None);
        let empty = tempfile::tempdir().unwrap();
        let file = empty.path().join("gateway.toml");
        std::fs::write(&file, format!("data = \"{}\"\n", empty.path().display())).unwrap();
        assert_eq!(Launch::find(&file, Path::new("/usr/bin/kulkul")), None);
        assert!(!empty.path().join("versions").exists(), "a box without updates has nothing of them");
    }
}
