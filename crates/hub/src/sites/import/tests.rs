//! Imports: the built-in register, every fault by name, batches, coming back after a stop.

mod faults;
mod formats;
mod whole;

use super::{ImportError, ImportOptions, Kind, Report, run};
use crate::sites::{Register, builtin, load};
use crate::web::{Lang, Words};
use kulkul_model::Moment;
use kulkul_store::Store;

const NOW: Moment = Moment::from_ms(1_795_503_600_000);

async fn register(store: &Store) -> Register {
    load(&mut store.reader().await.unwrap()).await.unwrap()
}

async fn bring(store: &Store, kind: Kind, bytes: &[u8]) -> Result<Report, ImportError> {
    let options = ImportOptions { dry_run: false, who: "cli:test".to_owned() };
    run(store, kind, bytes.to_vec(), "test.csv", &options, NOW).await
}

/// Imports the built-in register up to, but without, `until`.
async fn badung(store: &Store, until: Option<Kind>) {
    for file in builtin::badung().iter().take_while(|f| Some(f.kind) != until) {
        if let Err(e) = bring(store, file.kind, file.bytes).await {
            panic!("{}: {e}", file.name);
        }
    }
}

/// What a person reads of an import that was refused.
async fn refused(store: &Store, kind: Kind, bytes: &[u8], lang: Lang) -> String {
    let before = register(store).await;
    let Err(ImportError::Faults(report)) = bring(store, kind, bytes).await else {
        panic!("the file was accepted")
    };
    assert_eq!(register(store).await, before, "a refused import changed the register");
    report.text(&Words::load().unwrap(), lang)
}
