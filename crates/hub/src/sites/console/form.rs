//! The form of a site: what was typed, what it asks for, and what is wrong with it.

use crate::sites::change::Change;
use crate::web::problem::Fault;
use crate::web::{Lang, Problem, W, Words};
use kulkul_model::area::AreaCode;
use kulkul_model::site::{PositionQuality, Site, Stage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the form of a site holds, as typed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct SiteForm {
    pub(super) revision: i64,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) area: String,
    pub(super) lat: String,
    pub(super) lon: String,
    pub(super) position_quality: String,
    pub(super) position_basis: String,
    pub(super) stage: String,
    pub(super) down_kbps: String,
    pub(super) up_kbps: String,
    pub(super) upstream: String,
    pub(super) official_id: String,
}

impl SiteForm {
    pub(super) fn of(site: &Site) -> Self {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let rate = |r: Option<u32>| r.map(|r| r.to_string()).unwrap_or_default();
        SiteForm {
            revision: site.revision,
            name: site.name.clone(),
            address: text(&site.address),
            area: site.area.to_string(),
            lat: site.position.lat.to_string(),
            lon: site.position.lon.to_string(),
            position_quality: site.position_quality.as_str().to_owned(),
            position_basis: text(&site.position_basis),
            stage: site.stage.as_str().to_owned(),
            down_kbps: rate(site.down_kbps),
            up_kbps: rate(site.up_kbps),
            upstream: text(&site.upstream),
            official_id: text(&site.official_id),
        }
    }

    /// The fields by name, for showing two versions side by side and for sending them again.
    pub(super) fn fields(&self) -> [(&'static str, &str); 12] {
        [
            ("name", &self.name),
            ("address", &self.address),
            ("area", &self.area),
            ("lat", &self.lat),
            ("lon", &self.lon),
            ("position_quality", &self.position_quality),
            ("position_basis", &self.position_basis),
            ("stage", &self.stage),
            ("down_kbps", &self.down_kbps),
            ("up_kbps", &self.up_kbps),
            ("upstream", &self.upstream),
            ("official_id", &self.official_id),
        ]
    }

    /// The change that it asks for.
    ///
    /// # Errors
    /// 422 with a fault for every field that cannot be read.
    pub(super) fn change(&self) -> Result<Change, Problem> {
        let mut faults = Vec::new();
        let mut number = |text: &str, field: &'static str| {
            faults.push(Fault::new(format!("/{field}"), "form-number").with("value", text));
        };
        // People of this country write a comma where the machine writes a point.
        let mut degrees = |text: &str, field| {
            let read = text.trim().replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite());
            if read.is_none() {
                number(text, field);
            }
            read
        };
        let (lat, lon) = (degrees(&self.lat, "lat"), degrees(&self.lon, "lon"));
        let mut rate = |text: &str, field| {
            let text = text.trim();
            let read = text.parse::<u32>().ok();
            if read.is_none() && !text.is_empty() {
                number(text, field);
            }
            read
        };
        let (down, up) = (rate(&self.down_kbps, "down_kbps"), rate(&self.up_kbps, "up_kbps"));
        let area = AreaCode::parse(&self.area).ok();
        if area.is_none() {
            faults.push(Fault::new("/area", "area-unknown").with("area", &self.area));
        }
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        Ok(Change {
            revision: Some(self.revision),
            name: Some(self.name.clone()),
            area,
            lat,
            lon,
            position_quality: PositionQuality::parse(&self.position_quality),
            stage: Stage::parse(&self.stage),
            position_basis: Some(Some(self.position_basis.clone())),
            address: Some(Some(self.address.clone())),
            official_id: Some(Some(self.official_id.clone())),
            upstream: Some(Some(self.upstream.clone())),
            down_kbps: Some(down),
            up_kbps: Some(up),
        })
    }
}

/// What is wrong with a form that was sent: all of it on top, and each fault at its field.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// The field's name and label, where it is about one, and the sentence.
    pub(super) all: Vec<(Option<(String, String)>, String)>,
    at: BTreeMap<String, String>,
}

impl Wrong {
    /// The faults of a refusal, in the reader's words.
    pub(super) fn of(problem: &Problem, form: &SiteForm, w: &W, words: &Words, lang: Lang) -> Self {
        let mut wrong = Wrong::default();
        for fault in problem.wrong() {
            let said = fault.said(words, lang);
            let name = fault.pointer.trim_start_matches('/');
            let field = form.fields().into_iter().find(|(field, _)| *field == name);
            let field = field.map(|(field, _)| (field.to_owned(), w.of("field", field)));
            if let Some((field, _)) = &field {
                wrong.at.entry(field.clone()).or_insert_with(|| said.clone());
            }
            wrong.all.push((field, said));
        }
        if wrong.all.is_empty() {
            wrong.all.push((None, problem.detail(words, lang)));
        }
        wrong
    }

    /// What is wrong with one field.
    pub(super) fn at(&self, field: &str) -> Option<&str> {
        self.at.get(field).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_cannot_be_read_is_named() {
        let form = SiteForm {
            area: "51.03.01.1002".to_owned(),
            lat: "-8,7".to_owned(),
            lon: "east".to_owned(),
            down_kbps: "fast".to_owned(),
            up_kbps: " 15000 ".to_owned(),
            ..SiteForm::default()
        };
        let problem = form.change().unwrap_err();
        let named: Vec<_> = problem.wrong().iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(named, [("/lon", "form-number"), ("/down_kbps", "form-number")]);
        let mended = SiteForm { lon: "115,17".to_owned(), down_kbps: String::new(), ..form };
        let change = mended.change().unwrap();
        assert_eq!((change.lat, change.lon), (Some(-8.7), Some(115.17)));
        assert_eq!((change.down_kbps, change.up_kbps), (Some(None), Some(Some(15_000))));
    }
}
