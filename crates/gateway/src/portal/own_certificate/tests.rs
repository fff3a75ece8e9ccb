use super::*;
use crate::clock::BUILT_AT;
use kulkul_wire::link::BootId;
use rcgen::{BasicConstraints, CertificateSigningRequestParams, IsCa, Issuer};

const HOST: &str = "bj-001.wifi.example.go.id";

/// What the hub would send for a request.
fn issue(csr: &[u8]) -> String {
    let asked = CertificateSigningRequestParams::from_der(&csr.into()).unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let issuer = Issuer::new(ca, KeyPair::generate().unwrap());
    CertificateParams::new(vec![HOST.to_owned()])
        .unwrap()
        .signed_by(&asked.public_key, &issuer)
        .unwrap()
        .pem()
}

async fn requests(journal: &Journal) -> Vec<Vec<u8>> {
    let entries = journal.read(1, 1 << 20).await.unwrap();
    let csr = |entry: Entry| match entry {
        Entry::CertificateRequest(r) => Some(r.csr),
        _ => None,
    };
    entries.into_iter().filter_map(|(_, entry)| csr(entry)).collect()
}

fn wanted(chain: &str) -> CertificateSection {
    CertificateSection { host: Some(HOST.to_owned()), chain: chain.to_owned() }
}

#[tokio::test]
async fn the_box_asks_once_takes_what_fits_its_key_and_keeps_the_old_one_meanwhile() {
    let data = tempfile::tempdir().unwrap();
    let (clock, hand) = Clock::simulated(BUILT_AT, BootId([1; 16]));
    let journal = Journal::in_memory();
    let own = OwnCertificate::new(data.path(), journal.clone(), clock.clone());

    assert_eq!(own.look(&CertificateSection::default()).await.unwrap(), None);
    assert!(requests(&journal).await.is_empty(), "a hub that issues none is not asked");

    assert_eq!(own.look(&wanted("")).await.unwrap(), None);
    assert_eq!(own.look(&wanted("")).await.unwrap(), None);
    let [csr] = requests(&journal).await.try_into().unwrap();
    let chain = issue(&csr);
    let found = own.look(&wanted(&chain)).await.unwrap().unwrap();
    assert!(found.load(Some(BUILT_AT)).is_ok(), "certificate and key fit, for the name");
    assert_eq!(files(data.path()), Some(found.clone()), "and the doctor finds them");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&found.key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    // After a restart the key is the same, and nothing is asked.
    let again = OwnCertificate::new(data.path(), journal.clone(), clock);
    assert_eq!(again.look(&wanted(&chain)).await.unwrap(), Some(found.clone()));
    assert_eq!(requests(&journal).await.len(), 1);

    // A chain for somebody else's key, or no chain at all, is not taken; the old one serves on.
    let stranger = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let stranger = stranger.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    for odd in [stranger.as_str(), "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(again.look(&wanted(odd)).await.unwrap(), Some(found.clone()));
        assert_eq!(fs::read_to_string(&found.cert).unwrap(), chain);
    }
    assert_eq!(requests(&journal).await.len(), 1, "asked a moment ago");
    hand.pass(AGAIN_MS);
    again.look(&wanted("")).await.unwrap();
    assert_eq!(requests(&journal).await.len(), 2, "a week later once more");
}

#[tokio::test]
async fn a_damaged_key_is_replaced_and_another_certificate_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let (clock, _hand) = Clock::simulated(BUILT_AT, BootId([1; 16]));
    let journal = Journal::in_memory();
    let own = OwnCertificate::new(data.path(), journal.clone(), clock);
    own.look(&wanted("")).await.unwrap();
    let [first] = requests(&journal).await.try_into().unwrap();
    let chain = issue(&first);
    fs::write(data.path().join("portal/key.pem"), "half a ke").unwrap();
    own.look(&wanted(&chain)).await.unwrap();
    assert_eq!(requests(&journal).await.len(), 2, "the chain is for a key that is gone");
}
