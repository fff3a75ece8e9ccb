//! The register of Badung that is built into the program, so that it runs without files.

use super::import::Kind;

/// A file of the built-in register.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// What it holds.
    pub kind: Kind,
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// The files of Badung's register, in the order in which they are imported.
#[must_use]
pub const fn badung() -> [File; 5] {
    macro_rules! file {
        ($kind:ident, $name:literal) => {
            File {
                kind: Kind::$kind,
                name: $name,
                bytes: include_bytes!(concat!("../../../../data/badung/", $name)),
            }
        };
    }
    [
        file!(Areas, "areas.csv"),
        file!(Boundaries, "boundaries.geojson"),
        file!(Categories, "categories.csv"),
        file!(Categories, "profiles.csv"),
        file!(Sites, "sites.csv"),
    ]
}
