//! Importing people from CSV or XLSX: all of them or nobody.
//!
//! Each new person gets a one-time password, which is handed out once and kept
//! nowhere. Somebody who is there already is left as is; a row that would change
//! them is a fault, since a file must not raise anybody's role in passing.

use super::people::Shown;
use super::{Actor, actor, secret};
use crate::Hub;
use crate::sites::check::no;
use crate::sites::import::{Column, Fault, Faults, Report, Table, decode};
use crate::web::Problem;
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::staff::Role;
use kulkul_store::staff::{self, Staff};
use kulkul_store::{Lane, StoreError, area, audit};
use std::collections::BTreeMap;

/// People of one file at most: each password takes a tenth of a second to keep safely.
const MOST: usize = 500;

const COLUMNS: &[Column] = &[
    Column { name: "name", aliases: &["nama_masuk", "username"], required: true },
    Column { name: "full_name", aliases: &["nama", "nama_lengkap"], required: false },
    Column { name: "role", aliases: &["peran"], required: true },
    Column { name: "area", aliases: &["area_code", "wilayah", "kode_wilayah"], required: false },
];

/// Who was added, with the password of each; or what is wrong with the file.
#[derive(Debug)]
pub struct Imported {
    /// What was done or would be.
    pub report: Report,
    /// Sign-in name and one-time password; empty after a dry run.
    pub passwords: Vec<(String, String)>,
}

/// Imports people, or only checks the file.
///
/// # Errors
/// `not-admin`; what the store says. A file with faults is no error: the report has them.
pub async fn run(
    hub: &Hub,
    by: &Actor,
    bytes: &[u8],
    file_name: &str,
    dry_run: bool,
) -> Result<Imported, Problem> {
    by.may_administer()?;
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let areas: Vec<Area> = area::all(&mut tx).await?;
    let there = staff::list(&mut tx).await?;
    drop(tx);
    let (people, mut report) = check(decode(bytes), &areas, &there, file_name, now);
    report.dry_run = dry_run;
    let mut passwords = Vec::new();
    if dry_run || report.faults.count() > 0 || people.is_empty() {
        return Ok(Imported { report, passwords });
    }
    let mut rows = Vec::with_capacity(people.len());
    for person in people {
        let password = secret::one_time_password()?;
        let stored = hub.passwords().hash(password.clone()).await?;
        let mut entry = by.did(now, "add", "staff", &person.name);
        entry.after = actor::noted(&Shown::from(&person));
        passwords.push((person.name.clone(), password));
        rows.push((Staff { password: stored, ..person }, entry));
    }
    let all_new = hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                for (person, entry) in &rows {
                    // Somebody was added meanwhile: an error undoes the whole write.
                    if !staff::insert(tx, person).await? {
                        return Err(Meanwhile::Taken);
                    }
                    audit::append(tx, entry).await?;
                }
                Ok(())
            })
        })
        .await;
    match all_new {
        Ok(()) => Ok(Imported { report, passwords }),
        Err(Meanwhile::Taken) => Err(no("import-running").into()),
        Err(Meanwhile::Store(error)) => Err(error.into()),
    }
}

#[derive(Debug)]
enum Meanwhile {
    Taken,
    Store(StoreError),
}

impl From<StoreError> for Meanwhile {
    fn from(error: StoreError) -> Self {
        Meanwhile::Store(error)
    }
}

/// Checks a decoded file: whom it would add, and what to say about it.
fn check(
    table: Result<Table, Fault>,
    areas: &[Area],
    there: &[Staff],
    file_name: &str,
    now: Moment,
) -> (Vec<Staff>, Report) {
    let mut faults = Faults::default();
    let (mut people, mut unchanged, mut rows) = (Vec::new(), 0, 0);
    match table {
        Err(fault) => faults.add(fault),
        Ok(table) if table.records.len() > MOST => {
            faults.add(Fault::file(no("file-too-long").with("most", MOST)));
        }
        Ok(table) => {
            rows = table.records.len();
            let named = table.named(COLUMNS, &mut faults);
            let mut seen: BTreeMap<String, u64> = BTreeMap::new();
            let readable = faults.count() == 0;
            for cells in named.rows().filter(|_| readable) {
                let name = cells.text("name").to_lowercase();
                if !super::people::name_fits(&name) {
                    faults.add(cells.fault("name", no("staff-name").with("name", &name)));
                } else if let Some(row) = seen.insert(name.clone(), cells.record.row) {
                    faults.add(cells.fault("name", no("code-twice").with("row", row)));
                }
                let role = Role::parse(&cells.text("role").to_lowercase());
                if role.is_none() {
                    faults.add(cells.fault("role", no("role-unknown").with("role", cells.text("role"))));
                }
                let code = cells.optional("area").map(|text| AreaCode::parse(&text).map_err(|_| ()));
                let known = |code: &AreaCode| areas.iter().any(|a| a.code == *code);
                let area = match code {
                    Some(Err(())) => {
                        faults.add(cells.fault("area", no("area-code-wrong")));
                        None
                    }
                    Some(Ok(code)) if !known(&code) => {
                        faults.add(cells.fault("area", no("area-unknown")));
                        None
                    }
                    code => code.and_then(Result::ok),
                };
                let Some(role) = role else { continue };
                let full_name = cells.optional("full_name").unwrap_or_else(|| name.clone());
                match there.iter().find(|s| s.name == name) {
                    Some(s) if s.role == role && s.area == area => unchanged += 1,
                    Some(_) => faults.add(cells.fault("name", no("staff-name-taken").with("name", &name))),
                    None => people.push(Staff {
                        full_name: full_name.chars().take(120).collect(),
                        name,
                        role,
                        area,
                        password: String::new(),
                        one_time: true,
                        password_at: now,
                        created_at: now,
                        disabled_at: None,
                    }),
                }
            }
        }
    }
    faults.sort();
    let report = Report {
        kind: "staff",
        file_name: file_name.to_owned(),
        dry_run: false,
        rows,
        added: people.len(),
        changed: 0,
        unchanged,
        notes: Vec::new(),
        faults,
    };
    (people, report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::{Lang, Words};
    use crate::{Clock, Config, Hub};
    use kulkul_store::testing::on_both;

    const GOOD: &str = "name,full_name,role,area\nayu,Ni Luh Ayu,admin,\nmade.suta,,operator,51.03.04\n";

    async fn hub(store: kulkul_store::Store) -> Hub {
        let (clock, _hand) = Clock::simulated(Moment::from_ms(1_800_000_000_000));
        let hub = Hub::start(Config::defaults("/nowhere".as_ref()).unwrap(), clock, store).unwrap();
        let areas = crate::sites::builtin::badung()[0];
        let options = crate::sites::import::ImportOptions::default();
        let now = hub.clock().now();
        crate::sites::import::run(hub.store(), areas.kind, areas.bytes.to_vec(), areas.name, &options, now)
            .await
            .unwrap();
        hub
    }

    async fn bring(hub: &Hub, file: &str, dry_run: bool) -> Imported {
        run(hub, &Actor::command_line(), file.as_bytes(), "people.csv", dry_run).await.unwrap()
    }

    #[tokio::test]
    async fn people_come_once_with_a_password_each() {
        on_both(|store| async move {
            let hub = hub(store).await;
            let tried = bring(&hub, GOOD, true).await;
            assert_eq!((tried.report.added, tried.passwords.len()), (2, 0));
            let done = bring(&hub, GOOD, false).await;
            let names: Vec<_> = done.passwords.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["ayu", "made.suta"]);
            assert!(done.passwords.iter().all(|(_, once)| once.len() == 14));
            let again = bring(&hub, GOOD, false).await;
            assert_eq!((again.report.added, again.report.unchanged, again.passwords.len()), (0, 2, 0));
            let there = super::super::people::list(&hub).await.unwrap();
            assert_eq!(there.len(), 2);
            assert_eq!(there[0].full_name, "Ni Luh Ayu");
            assert_eq!(there[1].area.as_ref().map(AreaCode::as_str), Some("51.03.04"));
            assert!(there.iter().all(|p| p.one_time));
        })
        .await;
    }

    #[tokio::test]
    async fn one_bad_row_brings_nobody_and_every_one_is_named() {
        on_both(|store| async move {
            let hub = hub(store).await;
            let file = "name,role,area\nayu,admin,\nA B,chief,51.99\nayu,admin,nowhere\n";
            let done = bring(&hub, file, false).await;
            assert!(done.passwords.is_empty());
            let said = done.report.text(&Words::load().unwrap(), Lang::En);
            for part in [
                "people.csv, row 3, column \"name\", value \"A B\": The sign-in name",
                "people.csv, row 3, column \"role\", value \"chief\": There is no role",
                "people.csv, row 3, column \"area\", value \"51.99\":",
                "people.csv, row 4, column \"name\", value \"ayu\": Row 2 has the same code",
                "people.csv, row 4, column \"area\", value \"nowhere\":",
                "people.csv: 5 faults. Nothing was changed.",
            ] {
                assert!(said.contains(part), "{part}\n{said}");
            }
            assert!(super::super::people::list(&hub).await.unwrap().is_empty());
            // A file must not raise somebody's role in passing.
            bring(&hub, GOOD, false).await;
            let raised = bring(&hub, "name,role\nmade.suta,admin\n", false).await;
            assert_eq!(raised.report.faults.count(), 1);
        })
        .await;
    }
}
