use kulkul_wire::blocklist::{Builder, Set, Trail, read};
use kulkul_wire::link::desired::ListFormat;
use std::io::Cursor;

/// Any bytes as a list in each format, and as a set's file; what a list says is in the set made of it.
pub fn check(bytes: &[u8]) {
    for format in [ListFormat::Plain, ListFormat::Hosts, ListFormat::Rpz] {
        let (mut builder, mut all) = (Builder::new(Cursor::new(Vec::new())), Vec::new());
        let report = read(bytes, format, |name, reach| {
            all.push(name.to_owned());
            builder.add(name, reach)
        });
        let Ok(report) = report else { panic!("memory does not fail") };
        assert_eq!(report.names, all.len() as u64);
        assert!(report.first_bad.len() as u64 <= report.bad.min(5));
        let mut out = Cursor::new(Vec::new());
        let Ok(header) = builder.finish(&mut out, [0; 32]) else { panic!("memory does not fail") };
        let Ok(set) = Set::open(out.into_inner()) else { panic!("what is written is read") };
        assert_eq!(*set.header(), header);
        for name in all {
            let found = [name.clone(), format!("below.{name}")].map(|n| set.has(&Trail::of(&n)).ok());
            assert!(found.contains(&Some(true)), "{name}");
        }
    }
    if let Ok(set) = Set::open(bytes.to_vec()) {
        let _ = set.has(&Trail::of("a.example"));
    }
}
