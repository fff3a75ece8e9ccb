//! Keys from files, and programs that set texts; servers are asked in the sim's tests.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

fn dns(dir: &Path, file: &str) -> AcmeDns {
    let key_file = dir.join("key");
    std::fs::write(&key_file, file).unwrap();
    AcmeDns { server: "127.0.0.1:1".to_owned(), zone: "a.b".to_owned(), key_file, ..AcmeDns::default() }
}

#[test]
fn a_key_is_read_as_servers_write_it_or_alone() {
    let dir = tempfile::tempdir().unwrap();
    let bind = "key \"kulkul\" {\n\talgorithm hmac-sha512;\n\tsecret \"AAEC\";\n};\n";
    let read = key(&dns(dir.path(), bind)).unwrap();
    assert_eq!((read.name.as_str(), read.algorithm), ("kulkul", Algorithm::Sha512));
    assert_eq!(*read.secret, [0, 1, 2]);
    let alone = AcmeDns { key_name: "k".to_owned(), ..dns(dir.path(), "AAEC\n") };
    let read = key(&alone).unwrap();
    assert_eq!((read.name.as_str(), read.algorithm), ("k", Algorithm::Sha256));
    for (file, why) in [
        ("AAEC", "it has no name"),
        ("key \"k\" { algorithm hmac-md5; secret \"AAEC\"; };", "its algorithm"),
        ("key \"k\" { secret \"!\"; };", "not base64"),
    ] {
        let said = key(&dns(dir.path(), file)).unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("/key"), "{said}");
    }
}

#[tokio::test]
async fn a_program_is_told_what_to_set_and_what_it_says_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (path, said) = (dir.path().join("hook"), dir.path().join("said"));
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n[ $1 = set ] || {{ echo no such zone >&2; exit 3; }}\n",
        said.display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let texts = Texts::Hook(path);
    texts.set("_acme-challenge.x.a.b", Some("abc")).await.unwrap();
    let failed = texts.set("_acme-challenge.x.a.b", None).await.unwrap_err().to_string();
    assert!(failed.ends_with("exit status: 3: no such zone"), "{failed}");
    let said = std::fs::read_to_string(said).unwrap();
    assert_eq!(said, "set _acme-challenge.x.a.b abc\nclear _acme-challenge.x.a.b\n");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let texts = Texts::Updates(dns(dir.path(), "key \"k\" { secret \"AAEC\"; };"));
    let failed = texts.set("x.a.b", None).await.unwrap_err().to_string();
    assert!(failed.starts_with("the DNS server 127.0.0.1:1 does not answer: "), "{failed}");
}
