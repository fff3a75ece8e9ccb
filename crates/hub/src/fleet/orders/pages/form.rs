//! What the forms of orders hold, and the fields that they stand for.
//!
//! People write megabits, megabytes and minutes; orders have kilobits, bytes and milliseconds.

use super::super::Order;
use crate::web::W;
use kulkul_model::Refusal;
use kulkul_model::hours::words::{DAILY, DAYS};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The sections that the form has fields of.
pub(super) const SECTIONS: [&str; 4] = ["plan", "hours", "portal", "connections"];

/// What an office changes from day to day in one scope.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Form {
    pub(super) scope: String,
    pub(super) down: String,
    pub(super) up: String,
    pub(super) day_mb: String,
    pub(super) day_minutes: String,
    /// Set where hours are ordered at all; days that are left empty are closed then.
    pub(super) keep: String,
    pub(super) mon: String,
    pub(super) tue: String,
    pub(super) wed: String,
    pub(super) thu: String,
    pub(super) fri: String,
    pub(super) sat: String,
    pub(super) sun: String,
    pub(super) notice_id: String,
    pub(super) notice_en: String,
    pub(super) log: String,
    pub(super) keep_days: String,
}

/// Order's field, and how many of the order's unit the form's has.
const PLAN: [(&str, u64); 4] =
    [("down_kbps", 1_000), ("up_kbps", 1_000), ("day_bytes", 1_000_000), ("day_ms", 60_000)];

type Fields = Map<String, Value>;

impl Form {
    /// The form as the orders of a scope fill it.
    pub(super) fn of(orders: &[Order], scope: &str) -> Self {
        let held = |section: &str| {
            orders.iter().find(|o| o.section == section && o.scope == scope).map(|o| &o.fields)
        };
        let (plan, portal) = (held("plan"), held("portal"));
        let [down, up, day_mb, day_minutes] = PLAN.map(|(field, unit)| {
            let number = plan.and_then(|h| h.get(field)).and_then(Value::as_u64);
            number.map(|n| written(n, unit)).unwrap_or_default()
        });
        let week = held("hours").and_then(|h| h.get("week")).and_then(Value::as_object);
        let [mon, tue, wed, thu, fri, sat, sun] = DAYS.map(|day| {
            let hours = week.and_then(|w| w.get(day).or_else(|| w.get(DAILY)));
            hours.and_then(Value::as_str).unwrap_or_default().to_owned()
        });
        let notice = |lang: &str| {
            let text = portal.and_then(|h| h.get("notice")?.get(lang)?.as_str());
            text.unwrap_or_default().to_owned()
        };
        let keep = if week.is_some() { "yes".to_owned() } else { String::new() };
        let connections = |field: &str| held("connections").and_then(|h| h.get(field));
        let log = connections("log").and_then(Value::as_str).unwrap_or_default().to_owned();
        let keep_days = connections("keep_days").and_then(Value::as_u64);
        let keep_days = keep_days.map(|n| n.to_string()).unwrap_or_default();
        let (scope, notice_id, notice_en) = (scope.to_owned(), notice("id"), notice("en"));
        Form {
            scope,
            down,
            up,
            day_mb,
            day_minutes,
            keep,
            mon,
            tue,
            wed,
            thu,
            fri,
            sat,
            sun,
            notice_id,
            notice_en,
            log,
            keep_days,
        }
    }

    /// What was typed for each day, Monday first.
    pub(super) fn days(&self) -> [&str; 7] {
        [&self.mon, &self.tue, &self.wed, &self.thu, &self.fri, &self.sat, &self.sun]
    }

    /// The orders' fields by section; null for those that are left empty.
    pub(super) fn sections(&self) -> Result<[(&'static str, Fields); 4], Refusal> {
        let one = |field: &str, value| [(field.to_owned(), value)].into_iter().collect::<Fields>();
        Ok([
            ("plan", self.plan()?),
            ("hours", one("week", self.week())),
            ("portal", one("notice", self.notice())),
            ("connections", self.connections()?),
        ])
    }

    fn plan(&self) -> Result<Fields, Refusal> {
        let typed = [&self.down, &self.up, &self.day_mb, &self.day_minutes];
        let all = PLAN.into_iter().zip(typed);
        all.map(|((field, unit), text)| Ok((field.to_owned(), read(text, unit)?))).collect()
    }

    fn connections(&self) -> Result<Fields, Refusal> {
        let log = Some(self.log.trim()).filter(|l| !l.is_empty());
        let fields =
            [("log", log.map_or(Value::Null, |l| json!(l))), ("keep_days", read(&self.keep_days, 1)?)];
        Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn week(&self) -> Value {
        if self.keep.is_empty() {
            return Value::Null;
        }
        let named = DAYS.iter().zip(self.days()).filter(|(_, hours)| !hours.trim().is_empty());
        Value::Object(named.map(|(day, hours)| ((*day).to_owned(), json!(hours.trim()))).collect())
    }

    fn notice(&self) -> Value {
        let said = [("id", self.notice_id.trim()), ("en", self.notice_en.trim())];
        let said: Fields =
            said.into_iter().filter(|(_, t)| !t.is_empty()).map(|(l, t)| (l.to_owned(), json!(t))).collect();
        if said.is_empty() { Value::Null } else { Value::Object(said) }
    }
}

/// A number as people write it, with a decimal comma or point.
fn read(text: &str, unit: u64) -> Result<Value, Refusal> {
    let text = text.trim().replace(',', ".");
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let bad = || Refusal::new(422, "orders-number").with("number", &text);
    let number: f64 = text.parse().map_err(|_| bad())?;
    if !(0.0..=1e9).contains(&number) {
        return Err(bad());
    }
    // Within a billion units: exact enough, and never negative.
    Ok(json!((number * unit as f64).round() as u64))
}

fn written(n: u64, unit: u64) -> String {
    let whole = n / unit;
    let thousandths = n % unit * 1_000 / unit;
    if thousandths == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{thousandths:03}").trim_end_matches('0').to_owned()
    }
}

/// An order's fields as people read them.
pub(super) fn told(w: &W, order: &Order) -> Vec<String> {
    let one = |(field, value): (&String, &Value)| {
        let number = value.as_u64();
        match (field.as_str(), number, value) {
            ("down_kbps", Some(n), _) => w.a("orders-told-down", "n", written(n, 1_000)),
            ("up_kbps", Some(n), _) => w.a("orders-told-up", "n", written(n, 1_000)),
            ("day_bytes", Some(n), _) => w.a("orders-told-data", "n", written(n, 1_000_000)),
            ("day_ms", Some(n), _) => w.a("orders-told-time", "n", written(n, 60_000)),
            ("log", _, Value::String(log)) => w.a("orders-told-log", "log", w.of("orders-log", log)),
            ("keep_days", Some(n), _) => w.a("orders-told-days", "n", n),
            ("week", _, Value::Object(week)) if week.is_empty() => w.t("orders-told-never").to_owned(),
            ("week", _, Value::Object(week)) => {
                let day = |(day, hours): (&String, &Value)| {
                    format!("{} {}", w.of("orders-day", day), hours.as_str().unwrap_or_default())
                };
                let known = DAYS.iter().chain([&DAILY]).filter_map(|d| week.get_key_value(*d));
                known.map(day).collect::<Vec<_>>().join("; ")
            }
            ("notice", _, Value::Object(text)) => {
                text.values().filter_map(Value::as_str).collect::<Vec<_>>().join(" · ")
            }
            (field, _, value) => format!("{field}: {value}"),
        }
    };
    order.fields.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_written_back() {
        let table =
            [("8", 8_000, "8"), ("1,5", 1_500, "1.5"), ("0.064", 64, "0.064"), (" 100 ", 100_000, "100")];
        for (text, kbps, back) in table {
            let value = read(text, 1_000).unwrap();
            assert_eq!(value, json!(kbps), "{text}");
            assert_eq!(written(value.as_u64().unwrap(), 1_000), back);
        }
        assert_eq!(read("  ", 1_000).unwrap(), Value::Null);
        for bad in ["fast", "-1", "1e99", "NaN"] {
            assert!(read(bad, 1_000).is_err(), "{bad}");
        }
    }

    #[test]
    fn hours_without_the_mark_say_nothing_and_with_it_unnamed_days_are_closed() {
        let mut form = Form { mon: "08:00-12:00".to_owned(), ..Form::default() };
        assert_eq!(form.week(), Value::Null);
        form.keep = "yes".to_owned();
        assert_eq!(form.week(), json!({"mon": "08:00-12:00"}));
        let fields = json!({"week": {"daily": "06:00-22:00", "sun": "08:00-12:00"}});
        let fields = fields.as_object().unwrap().clone();
        let held = [Order { section: "hours".to_owned(), scope: "regency".to_owned(), fields }];
        let form = Form::of(&held, "regency");
        assert_eq!(
            (form.mon.as_str(), form.sun.as_str(), form.keep.as_str()),
            ("06:00-22:00", "08:00-12:00", "yes")
        );
        let log = json!({"log": "flow", "keep_days": 7}).as_object().unwrap().clone();
        let held = [
            Order { section: "connections".to_owned(), scope: "regency".to_owned(), fields: log.clone() },
            held[0].clone(),
        ];
        let form = Form::of(&held, "regency");
        assert_eq!((form.connections().unwrap(), form.keep_days.as_str()), (log, "7"));
        assert_eq!(Form::of(&held, "area:51.03").keep, "", "another scope says nothing of it");
    }
}
