//! The register of Badung that is built into the program, so that it runs without files.

use super::import::{self, ImportError, ImportOptions, Kind, Report};
use kulkul_model::Moment;
use kulkul_store::{Store, StoreError, category};

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

/// Puts the ten categories that come with the program into a register that has none.
///
/// They are data from then on: imports change them and add others.
///
/// # Errors
/// `ImportError` of the database.
pub async fn categories(store: &Store, now: Moment) -> Result<Option<Report>, ImportError> {
    let known = store.read(|tx| Box::pin(async move { category::all(tx).await })).await;
    let known: Vec<_> = known.map_err(|e: StoreError| e)?;
    let first = badung().into_iter().find(|f| f.kind == Kind::Categories);
    let Some(file) = first.filter(|_| known.is_empty()) else { return Ok(None) };
    let options = ImportOptions { dry_run: false, who: "kulkul".to_owned() };
    import::run(store, file.kind, file.bytes.to_vec(), file.name, &options, now).await.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_store::testing::on_both;

    #[tokio::test]
    async fn a_register_without_categories_begins_with_ten() {
        on_both(|store| async move {
            let now = Moment::from_ms(1_800_000_000_000);
            assert_eq!(categories(&store, now).await.unwrap().map(|r| r.added), Some(10));
            assert!(categories(&store, now).await.unwrap().is_none(), "once");
            // The files that a stranger has, in the order of the manual.
            let [areas, boundaries, _, _, sites] = badung();
            for file in [areas, boundaries, sites] {
                let options = ImportOptions::default();
                import::run(&store, file.kind, file.bytes.to_vec(), file.name, &options, now).await.unwrap();
            }
        })
        .await;
    }
}
