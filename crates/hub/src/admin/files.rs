//! Files that the command line imports: of the register, or of people.

use super::Answer;
use crate::Hub;
use crate::sites::import::{self, ImportError, ImportOptions, Kind, Report};
use crate::staff::{Actor, import as staff_import};
use crate::web::{Lang, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kulkul_model::Refusal;

/// Takes a file in, or only checks it; `bytes` is base64.
pub(super) async fn take(
    hub: &Hub,
    by: &Actor,
    (kind, file_name): (&str, &str),
    bytes: &str,
    dry_run: bool,
) -> Result<Answer, Problem> {
    let bytes = BASE64.decode(bytes).map_err(|e| Problem::fault(&e))?;
    if kind == "staff" {
        let done = staff_import::run(hub, by, &bytes, file_name, dry_run).await?;
        return Ok(match said(hub, &done.report, done.report.faults.count() == 0) {
            Answer::Report { sound: true, said, said_id } if !dry_run => {
                Answer::People { said, said_id, passwords: done.passwords }
            }
            answer => answer,
        });
    }
    let kind = Kind::parse(kind).ok_or_else(|| Refusal::new(422, "import-kind").with("kind", kind))?;
    let options = ImportOptions { dry_run, who: by.who.clone() };
    let now = hub.clock().now();
    match import::run(hub.store(), kind, bytes, file_name, &options, now).await {
        Ok(report) => Ok(said(hub, &report, true)),
        Err(ImportError::Faults(report)) => Ok(said(hub, &report, false)),
        Err(ImportError::Store(error)) => Err(error.into()),
        Err(ImportError::Busy | ImportError::Moved) => Err(Refusal::new(409, "import-running").into()),
    }
}

fn said(hub: &Hub, report: &Report, sound: bool) -> Answer {
    let words = hub.words();
    Answer::Report { sound, said: report.text(&words, Lang::En), said_id: report.text(&words, Lang::Id) }
}
