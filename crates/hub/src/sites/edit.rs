//! Changing one site by hand: the same rules as an import, a revision, an audit entry.
//!
//! An editor names the revision that they saw; when the stored one is another,
//! somebody else was faster and nothing is overwritten.

use super::check::{self, Crowd, No};
use super::register::{self, Register};
use kulkul_model::area::AreaCode;
use kulkul_model::geometry::Point;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_model::{Moment, Refusal};
use kulkul_store::{Lane, Store, StoreError, audit, import, site};
use serde::{Deserialize, Deserializer};

/// What to change; a field that is left out stays, null empties one that may be empty.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patch {
    /// New name.
    pub name: Option<String>,
    /// New area.
    pub area: Option<AreaCode>,
    /// New position.
    pub position: Option<Point>,
    /// How well the position is known.
    pub position_quality: Option<PositionQuality>,
    /// How the position was made.
    #[serde(deserialize_with = "given")]
    pub position_basis: Option<Option<String>>,
    /// How well the name is known.
    pub name_quality: Option<NameQuality>,
    /// Where the facts come from.
    pub source: Option<String>,
    /// The code of another register.
    #[serde(deserialize_with = "given")]
    pub official_id: Option<Option<String>>,
    /// Street address.
    #[serde(deserialize_with = "given")]
    pub address: Option<Option<String>>,
    /// How far it has come.
    pub stage: Option<Stage>,
    /// Capacity down, kbit/s; null takes the category's.
    #[serde(deserialize_with = "given")]
    pub down_kbps: Option<Option<u32>>,
    /// Capacity up, kbit/s; null takes the category's.
    #[serde(deserialize_with = "given")]
    pub up_kbps: Option<Option<u32>>,
    /// What it hangs on.
    #[serde(deserialize_with = "given")]
    pub upstream: Option<Option<String>>,
}

/// Tells a null (empty it) from a field that is not there (leave it).
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

/// An edit that did not happen; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The rules say no to the edit as a whole.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The rules say no to fields: each with the column's name and the refusal.
    #[error("{} fields of {code} cannot be saved", fields.len())]
    Fields {
        /// The site.
        code: SiteCode,
        /// The fields, by the names that imports use.
        fields: Vec<No>,
    },
    /// The database failed.
    #[error("editing a site: {0}")]
    Store(#[from] StoreError),
}

impl Patch {
    /// The site with this patch on it; texts are trimmed, empty ones become none.
    #[must_use]
    pub fn on(self, old: &Site) -> Site {
        let trim = |t: Option<String>| t.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let text = |new: Option<Option<String>>, old: &Option<String>| new.map_or_else(|| old.clone(), trim);
        Site {
            code: old.code.clone(),
            category: old.category.clone(),
            name: self.name.map_or_else(|| old.name.clone(), |n| n.trim().to_owned()),
            area: self.area.unwrap_or_else(|| old.area.clone()),
            position: self.position.unwrap_or(old.position),
            position_quality: self.position_quality.unwrap_or(old.position_quality),
            position_basis: text(self.position_basis, &old.position_basis),
            name_quality: self.name_quality.unwrap_or(old.name_quality),
            source: self.source.map_or_else(|| old.source.clone(), |s| s.trim().to_owned()),
            official_id: text(self.official_id, &old.official_id),
            address: text(self.address, &old.address),
            stage: self.stage.unwrap_or(old.stage),
            down_kbps: self.down_kbps.unwrap_or(old.down_kbps),
            up_kbps: self.up_kbps.unwrap_or(old.up_kbps),
            upstream: text(self.upstream, &old.upstream),
            revision: old.revision,
        }
    }
}

/// Changes a site that still has the revision that the editor saw; gives it as it is now.
///
/// A patch that changes nothing writes nothing.
///
/// # Errors
/// `Refused` with `site-unknown` (404), `site-changed` (409) or `import-running` (409),
/// `Fields` with what the rules say, `Store`.
pub async fn edit(
    store: &Store,
    code: &SiteCode,
    patch: Patch,
    revision: i64,
    who: &str,
    now: Moment,
) -> Result<Site, EditError> {
    let register = loaded(store).await?;
    let unknown = || Refusal::new(404, "site-unknown").with("site", code);
    let old = register.sites.get(code).ok_or_else(unknown)?;
    let changed = Refusal::new(409, "site-changed").with("code", code);
    if old.revision != revision {
        return Err(changed.into());
    }
    let mut new = patch.on(old);
    if new == *old {
        return Ok(new);
    }
    new.revision += 1;
    sound(&register, &new)?;
    let entry = entry("edit", who, now, Some(old), &new)?;
    let site = new.clone();
    store
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                refuse_beside_import(tx).await?;
                if !site::update(tx, &site).await? {
                    return Err(EditError::Refused(changed));
                }
                audit::append(tx, &entry).await?;
                register::changed(tx).await?;
                Ok(())
            })
        })
        .await?;
    Ok(new)
}

/// Adds a site.
///
/// # Errors
/// `Refused` with `site-exists` (409) or `import-running` (409), `Fields`, `Store`.
pub async fn create(store: &Store, site: Site, who: &str, now: Moment) -> Result<Site, EditError> {
    let register = loaded(store).await?;
    let exists = Refusal::new(409, "site-exists").with("code", &site.code);
    if register.sites.contains_key(&site.code) {
        return Err(exists.into());
    }
    let new = Site { revision: 1, ..site };
    sound(&register, &new)?;
    let entry = entry("create", who, now, None, &new)?;
    let site = new.clone();
    store
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                refuse_beside_import(tx).await?;
                if let Err(e) = site::insert(tx, &site).await {
                    return Err(if e.is_duplicate() { EditError::Refused(exists) } else { e.into() });
                }
                audit::append(tx, &entry).await?;
                register::changed(tx).await?;
                Ok(())
            })
        })
        .await?;
    Ok(new)
}

async fn loaded(store: &Store) -> Result<Register, StoreError> {
    register::load(&mut store.reader().await?).await
}

/// An import was checked against the register as it stood; edits wait until it is written.
async fn refuse_beside_import(tx: &mut kulkul_store::Tx) -> Result<(), EditError> {
    if import::applying(tx).await?.is_some() {
        return Err(Refusal::new(409, "import-running").into());
    }
    Ok(())
}

fn sound(register: &Register, new: &Site) -> Result<(), EditError> {
    let mut fields = check::site(register, new);
    let mut crowd = Crowd::default();
    for other in register.sites.values().filter(|s| s.code != new.code) {
        crowd.enter(other);
    }
    fields.extend(crowd.enter(new));
    if fields.is_empty() { Ok(()) } else { Err(EditError::Fields { code: new.code.clone(), fields }) }
}

fn entry(
    act: &str,
    who: &str,
    now: Moment,
    before: Option<&Site>,
    after: &Site,
) -> Result<audit::Entry, StoreError> {
    let json = |site: &Site| {
        serde_json::to_string(site)
            .map_err(|e| StoreError::Value { column: "body_after".to_owned(), reason: e.to_string() })
    };
    Ok(audit::Entry {
        at: now,
        who: who.to_owned(),
        act: act.to_owned(),
        noun: "site".to_owned(),
        object: after.code.to_string(),
        before: before.map(json).transpose()?,
        after: Some(json(after)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::builtin;
    use crate::sites::import::{ImportOptions, run};
    use kulkul_store::testing::on_both;

    const NOW: Moment = Moment::from_ms(1_795_503_600_000);

    async fn badung(store: &Store) {
        for file in builtin::badung() {
            run(store, file.kind, file.bytes.to_vec(), file.name, &ImportOptions::default(), NOW)
                .await
                .unwrap();
        }
    }

    fn code(text: &str) -> SiteCode {
        SiteCode::parse(text).unwrap()
    }

    fn refusal(result: Result<Site, EditError>) -> &'static str {
        match result {
            Err(EditError::Refused(r)) => r.code,
            Err(EditError::Fields { fields, .. }) => fields[0].1.code,
            Err(EditError::Store(e)) => panic!("{e}"),
            Ok(_) => "accepted",
        }
    }

    #[tokio::test]
    async fn an_edit_is_checked_written_and_remembered() {
        on_both(|store| async move {
            badung(&store).await;
            let version = loaded(&store).await.unwrap().version;
            let patch: Patch = serde_json::from_str(
                "{\"name\": \" Balai Banjar \", \"stage\": \"in_service\", \"down_kbps\": 20000, \"address\": null}",
            )
            .unwrap();
            let site = edit(&store, &code("BJ-001"), patch.clone(), 1, "staff:ayu", NOW).await.unwrap();
            assert_eq!((site.name.as_str(), site.stage, site.revision), ("Balai Banjar", Stage::InService, 2));
            let r = loaded(&store).await.unwrap();
            assert_eq!(r.sites[&code("BJ-001")], site);
            assert_eq!(r.version, version + 1);
            let mut tx = store.reader().await.unwrap();
            let list = audit::list_object(&mut tx, "site", "BJ-001", i64::MAX, 9).await.unwrap();
            assert_eq!((list[0].1.act.as_str(), list[0].1.who.as_str()), ("edit", "staff:ayu"));
            drop(tx);
            // The second editor saw revision 1.
            assert_eq!(refusal(edit(&store, &code("BJ-001"), patch.clone(), 1, "x", NOW).await), "site-changed");
            // Saying what already stands there is no change.
            assert_eq!(edit(&store, &code("BJ-001"), patch.clone(), 2, "x", NOW).await.unwrap().revision, 2);
            assert_eq!(refusal(edit(&store, &code("BJ-999"), patch, 1, "x", NOW).await), "site-unknown");
            assert_eq!(refusal(create(&store, site, "x", NOW).await), "site-exists");
        })
        .await;
    }

    #[tokio::test]
    async fn the_rules_of_imports_hold_for_edits() {
        on_both(|store| async move {
            badung(&store).await;
            let r = loaded(&store).await.unwrap();
            let other = &r.sites[&code("BJ-002")];
            let table = [
                (Patch { name: Some(" ".to_owned()), ..Patch::default() }, "name-empty"),
                (Patch { name: Some("x".repeat(121)), ..Patch::default() }, "text-too-long"),
                (
                    Patch { area: AreaCode::parse("51.03.01.1001").ok(), ..Patch::default() },
                    "area-wrong-kind",
                ),
                (Patch { area: AreaCode::parse("51.03").ok(), ..Patch::default() }, "area-not-village"),
                (
                    Patch { position: Some(Point { lat: 115.2, lon: -8.6 }), ..Patch::default() },
                    "position-swapped",
                ),
                (
                    Patch { position: Some(Point { lat: 8.6, lon: 115.2 }), ..Patch::default() },
                    "position-sign",
                ),
                (
                    Patch { position: Some(Point { lat: 52.5, lon: 13.4 }), ..Patch::default() },
                    "position-outside",
                ),
                (
                    Patch {
                        position: Some(other.position),
                        area: Some(other.area.clone()),
                        ..Patch::default()
                    },
                    "position-taken",
                ),
                (Patch { down_kbps: Some(Some(1)), ..Patch::default() }, "rate-range"),
                (Patch { upstream: Some(Some("a\nb".to_owned())), ..Patch::default() }, "text-control"),
            ];
            for (patch, wanted) in table {
                assert_eq!(refusal(edit(&store, &code("BJ-001"), patch, 1, "x", NOW).await), wanted);
            }
            assert_eq!(loaded(&store).await.unwrap(), r);
            let fresh = Site {
                code: code("BJ-900"),
                name: "Banjar Anyar".to_owned(),
                ..r.sites[&code("BJ-001")].clone()
            };
            let fresh =
                Site { position: Point { lat: fresh.position.lat + 1e-6, ..fresh.position }, ..fresh };
            assert_eq!(create(&store, fresh, "x", NOW).await.unwrap().revision, 1);
        })
        .await;
    }

    #[test]
    fn an_unknown_field_is_no_patch() {
        assert!(serde_json::from_str::<Patch>("{\"nama\": \"x\"}").is_err());
        let empty: Patch = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Patch::default());
    }
}
