//! The records of an answer that belong to its question: aliases followed, the rest left out.
//!
//! Whoever answers may add records of other names (RFC 5452, section 6), or send aliases
//! round in a circle; neither reaches a device.

use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// The most aliases on the way to an answer.
const MOST: usize = 16;
/// A name under another that stands for all names below it.
const DNAME: u16 = 39;
/// A signature over records.
const RRSIG: u16 = 46;

/// The records that belong to `name` and `kind`, in the order in which they came.
///
/// None when its aliases go round in a circle or on for too long.
pub(super) fn belonging(name: &Name, kind: RecordType, records: Vec<Record>) -> Option<Vec<Record>> {
    let mut names = vec![name.clone()];
    while let Some(next) = records.iter().find_map(|r| alias(r, names.last()?)) {
        if kind == RecordType::CNAME {
            break;
        }
        if names.contains(next) || names.len() > MOST {
            return None;
        }
        names.push(next.clone());
    }
    let belongs = |record: &Record| {
        let of = record.record_type();
        let above = || names.iter().any(|name| record.name.zone_of(name) && record.name != *name);
        record.dns_class == DNSClass::IN
            && match u16::from(of) {
                DNAME => above(),
                RRSIG => names.contains(&record.name) || above(),
                _ => (of == kind || of == RecordType::CNAME) && names.contains(&record.name),
            }
    };
    Some(records.into_iter().filter(belongs).collect())
}

fn alias<'r>(record: &'r Record, of: &Name) -> Option<&'r Name> {
    match &record.data {
        RData::CNAME(to) if record.name == *of => Some(&to.0),
        _ => None,
    }
}
