use super::*;
use crate::clock::BUILT_AT;
use kulkul_wire::link::BootId;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use std::path::Path;

const HOST: &str = "bj-001.example.org";

/// A chain of a CA of the test's own, from the first day of one year to that of another.
fn issue(dir: &Path, name: &str, years: (i32, i32)) -> Files {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let mut portal = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (portal.not_before, portal.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    let cert = portal.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let files = Files { cert: dir.join("cert.pem"), key: dir.join("key.pem"), host: HOST.to_owned() };
    std::fs::write(&files.cert, cert.pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

#[test]
fn only_a_certificate_that_is_valid_now_and_for_the_portals_name_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let load = |name, years| issue(dir.path(), name, years).load(Some(BUILT_AT)).err();
    assert!(load(HOST, (2020, 2040)).is_none());
    assert!(load("*.example.org", (2020, 2040)).is_none(), "a wildcard covers the name");
    assert!(matches!(load(HOST, (2020, 2025)), Some(TlsError::NotNow { .. })), "over");
    assert!(matches!(load(HOST, (2035, 2040)), Some(TlsError::NotNow { .. })), "not yet");
    let other = load("bj-002.example.org", (2020, 2040));
    assert!(matches!(other, Some(TlsError::OtherName(name)) if name == HOST));
    // While the clock is unset dates are left aside, the name is not.
    assert!(issue(dir.path(), HOST, (2020, 2025)).load(None).is_ok());
    assert!(issue(dir.path(), "other.example.org", (2020, 2025)).load(None).is_err());
}

#[test]
fn files_that_do_not_fit_say_which_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let files = issue(dir.path(), HOST, (2020, 2040));
    let key = std::fs::read(&files.key).unwrap();
    let why = |files: &Files| files.load(Some(BUILT_AT)).err().unwrap().to_string();
    std::fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(why(&files).contains("cannot be used"), "another certificate's key: {}", why(&files));
    std::fs::remove_file(&files.key).unwrap();
    assert!(why(&files).contains("key.pem"), "{}", why(&files));
    std::fs::write(&files.key, key).unwrap();
    std::fs::write(&files.cert, "").unwrap();
    assert!(why(&files).contains("no certificate"), "{}", why(&files));
}

#[tokio::test]
async fn a_certificate_is_taken_when_it_comes_and_dropped_when_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let files = issue(dir.path(), HOST, (2020, 2040));
    std::fs::rename(&files.cert, dir.path().join("later")).unwrap();
    let (clock, hand) = Clock::simulated(BUILT_AT, BootId::default());
    let (tell, mut ready) = watch::channel(None);
    let stop = CancellationToken::new();
    let (_lie, place) = watch::channel(Some(files.clone()));
    let following = tokio::spawn(follow(place, clock.clone(), tell, stop.clone()));
    tokio::task::yield_now().await;
    assert!(ready.borrow().is_none(), "no file, no HTTPS");

    std::fs::rename(dir.path().join("later"), &files.cert).unwrap();
    hand.pass(LOOK_MS);
    let until = ready.wait_for(Option::is_some).await.unwrap().as_ref().unwrap().until;
    assert_eq!(until.to_string(), "2040-01-01T00:00:00Z");

    // The file stays as it is; time passes over its end.
    hand.set(until.plus_ms(1));
    ready.wait_for(Option::is_none).await.unwrap();

    issue(dir.path(), HOST, (2020, 2050));
    hand.pass(LOOK_MS);
    ready.wait_for(Option::is_some).await.unwrap();
    issue(dir.path(), "other.example.org", (2020, 2050));
    hand.pass(LOOK_MS);
    ready.wait_for(Option::is_none).await.unwrap();

    stop.cancel();
    following.await.unwrap();
}
