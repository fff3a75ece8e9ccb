use super::*;
use kulkul_model::gateway::Capabilities;
use std::path::Path;

#[test]
fn every_finding_has_words_in_both_languages() {
    // The keys as they stand in the sources, so that a new check cannot forget its words.
    let sources = [
        include_str!("box_itself.rs"),
        include_str!("services.rs"),
        include_str!("way_out.rs"),
        include_str!("ways.rs"),
        include_str!("tunnel.rs"),
        include_str!("../doctor.rs"),
    ];
    let words = Words::builtin();
    let mut seen = 0;
    for source in sources {
        for key in source.split('"').filter(|p| p.starts_with("doctor-") && !p.contains(' ')) {
            for lang in Lang::ALL {
                assert!(words.find(lang, key).is_some(), "{key} has no words in {}", lang.code());
            }
            seen += 1;
        }
    }
    assert!(seen > 40);
}

#[test]
fn the_report_is_as_it_was_reviewed() {
    let report = Report(vec![
        Finding::good("doctor-interface-good").with("interface", "wan0"),
        Finding::bad("doctor-cable-bad", "doctor-cable-mend").with("interface", "lan0"),
        Finding::warning("doctor-clock-warning", "doctor-clock-mend").with("seconds", 317),
        Finding::bad("doctor-disk-bad", "doctor-disk-mend")
            .with("free", 3)
            .with("path", "/var/lib/kulkul-gateway"),
    ]);
    assert!(!report.is_well());
    let words = Words::builtin();
    let all = Lang::ALL.map(|lang| report.in_words(&words, lang));
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn a_machine_that_is_no_gateway_hears_what_is_missing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let data = tempfile::tempdir().unwrap();
    let text = format!(
        "hub = \"http://127.0.0.1:1\"\ndata = \"{}\"\n[uplink]\ninterface = \"nowan0\"\n[[segment]]\nname = \"p\"\nkind = \"public\"\ninterface = \"nolan0\"\naddress4 = \"10.77.0.1/16\"\ndhcp = true\n[probe]\nanchors = [\"127.0.0.1\"]\n[portal]\nhttp_port = 1\n[dns]\nport = 1\nupstreams = [\"127.0.0.1:1\"]\n",
        data.path().display()
    );
    let config = Config::parse(&text, []).unwrap();
    let report = examine(&config, &Clock::machine()).await;
    let bad: Vec<&str> = report.0.iter().filter(|f| f.grade == Grade::Bad).map(|f| f.key).collect();
    for key in [
        "doctor-interface-bad",
        "doctor-address-bad",
        "doctor-route-bad",
        "doctor-program-bad",
        "doctor-dnsmasq-bad",
        "doctor-resolver-bad",
        "doctor-portal-bad",
        "doctor-names-bad",
        "doctor-hub-bad",
        "doctor-claim-bad",
    ] {
        assert!(bad.contains(&key), "{key} is missing in {bad:?}");
    }
    assert_eq!(box_itself::disk(Path::new("/nowhere")).grade, Grade::Bad);
}

#[test]
fn a_kernel_is_judged_by_what_people_need_of_it() {
    let enough = Capabilities {
        probed: true,
        nat: true,
        limit: true,
        ipv6: true,
        htb: true,
        sfq: true,
        ..Capabilities::default()
    };
    let grade = |has: &Capabilities| box_itself::kernel(has).grade;
    assert_eq!(grade(&enough), Grade::Good);
    assert_eq!(grade(&Capabilities { sfq: false, cake: true, ..enough.clone() }), Grade::Good);
    assert_eq!(grade(&Capabilities { sfq: false, ..enough.clone() }), Grade::Warning);
    assert_eq!(grade(&Capabilities { nat: false, ..enough.clone() }), Grade::Bad);
    assert_eq!(grade(&Capabilities { probed: false, ..enough }), Grade::Warning);
}
