//! Where a settings file is looked for: here, then where packages put it.

use std::path::{Path, PathBuf};

/// Where packages put settings.
const PACKAGED: &str = "/etc/kulkul";

/// The file itself; for a bare name that is not here, the packaged one when there is one.
#[must_use]
pub fn found(asked: &Path) -> PathBuf {
    below(Path::new(PACKAGED), asked)
}

fn below(packaged: &Path, asked: &Path) -> PathBuf {
    let is_bare = asked.components().count() == 1;
    let there = packaged.join(asked);
    if is_bare && !asked.exists() && there.exists() { there } else { asked.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_that_is_not_here_is_looked_for_among_the_packaged() {
        let packaged = tempfile::tempdir().unwrap();
        let name = Path::new("no-such-file-here.toml");
        assert_eq!(below(packaged.path(), name), name, "nowhere: the error names what was asked for");
        std::fs::write(packaged.path().join(name), "").unwrap();
        assert_eq!(below(packaged.path(), name), packaged.path().join(name));
        let elsewhere = Path::new("./elsewhere/no-such-file-here.toml");
        assert_eq!(below(packaged.path(), elsewhere), elsewhere, "a path is meant as it is");
    }
}
