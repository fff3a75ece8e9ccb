use super::*;
use std::os::unix::fs::PermissionsExt as _;

const NOW: Moment = Moment::from_ms(1_800_000_000_000);

#[test]
fn keys_are_made_once_kept_private_and_outlive_their_root() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::open(dir.path(), NOW).unwrap();
    for file in fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
    let code = ClaimCode::from_bits(7);
    fs::remove_file(dir.path().join("root.key")).unwrap();
    let again = Keys::open(dir.path(), NOW.plus_ms(LIFE_MS)).unwrap();
    assert_eq!(again.hub_keys(), keys.hub_keys());
    assert_eq!(again.claim_hash(&code), keys.claim_hash(&code));
    fs::remove_file(dir.path().join("desired.cert")).unwrap();
    assert!(matches!(Keys::open(dir.path(), NOW), Err(KeysError::NoRoot(KeyUse::Desired, _))));
}

#[test]
fn certificates_are_renewed_while_the_root_is_here() {
    let dir = tempfile::tempdir().unwrap();
    let first = Keys::open(dir.path(), NOW).unwrap();
    let later = Keys::open(dir.path(), NOW.plus_ms(LIFE_MS)).unwrap();
    assert_eq!(later.desired().public(), first.desired().public());
    assert_ne!(later.hub_keys().keys, first.hub_keys().keys);
    let ring = KeyRing::trust(later.hub_keys(), None).unwrap();
    let signed = later.desired().cose(b"x", b"y");
    assert!(ring.open(KeyUse::Desired, b"x", &signed, Some(NOW.plus_ms(LIFE_MS + 1))).is_ok());
}

#[test]
fn a_key_that_is_taken_back_is_replaced_and_stays_taken_back() {
    let (dir, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Keys::open(dir.path(), NOW).unwrap();
    let signed = first.desired().cose(b"x", b"y");
    // The root lies elsewhere, as it should.
    let root = stick.path().join("root.key");
    fs::rename(dir.path().join("root.key"), &root).unwrap();
    assert!(matches!(revoke(dir.path(), None, KeyUse::Desired, NOW), Err(KeysError::NoRoot(..))));
    let (lost, made) = revoke(dir.path(), Some(&root), KeyUse::Desired, NOW).unwrap();
    assert_eq!(lost, first.desired().public());
    let second = Keys::open(dir.path(), NOW).unwrap();
    assert_eq!(second.desired().public(), made);
    assert_eq!(second.time().0.public(), first.time().0.public(), "other keys stay");
    assert_ne!(second.digest(), first.digest());
    let mut ring = KeyRing::trust(second.hub_keys(), None).unwrap();
    for key in &first.hub_keys().keys {
        ring.take(key).unwrap();
    }
    assert!(matches!(ring.open(KeyUse::Desired, b"x", &signed, None), Err(KeyTrouble::Revoked(..))));
    // A key that is only replaced is not taken back.
    let third = certify(dir.path(), Some(&root), KeyUse::Desired, NOW).unwrap();
    let keys = Keys::open(dir.path(), NOW).unwrap();
    assert_eq!((keys.desired().public(), keys.hub_keys().revoked.len()), (third, 1));

    // A stranger's root certifies nothing here.
    let other = tempfile::tempdir().unwrap();
    Keys::open(other.path(), NOW).unwrap();
    let strange = certify(dir.path(), Some(&other.path().join("root.key")), KeyUse::Log, NOW);
    assert!(matches!(strange, Err(KeysError::NoRoot(..))));
}

#[test]
fn a_hub_does_not_start_on_a_key_that_is_taken_back() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Keys::open(dir.path(), NOW).unwrap();
    for name in ["desired.key", "desired.cert"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    revoke(dir.path(), None, KeyUse::Desired, NOW).unwrap();
    for name in ["desired.key", "desired.cert"] {
        fs::copy(copy.path().join(name), dir.path().join(name)).unwrap();
    }
    let error = Keys::open(dir.path(), NOW).err().unwrap();
    assert!(error.to_string().contains("kulkul keys certify desired"), "{error}");
}
