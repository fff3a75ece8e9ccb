//! A CA of a demo's own, and the certificates that it issues: the link's, kept in its directory.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where a demo's certificates lie.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The CA, for a gateway's `hub_ca`.
    pub ca: PathBuf,
    /// The link's chain.
    pub cert: PathBuf,
    /// The link's key, readable by its owner alone.
    pub key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    /// A file cannot be written.
    #[error("writing {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The library refuses, for example a name.
    #[error("making a certificate: {0}")]
    Made(#[from] rcgen::Error),
}

/// A certificate authority of one's own.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, both PEM.
pub struct Issued {
    /// The chain.
    pub cert: String,
    /// The private key.
    pub key: String,
}

impl Ca {
    /// Makes a CA with a new key.
    ///
    /// # Errors
    /// `NoCertificate::Made`.
    pub fn new(name: &str) -> Result<Self, NoCertificate> {
        let key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        ca.distinguished_name.push(DnType::CommonName, name);
        let pem = ca.self_signed(&key)?.pem();
        Ok(Ca { issuer: Issuer::new(ca, key), pem })
    }

    /// The CA's own certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a certificate for addresses or host names.
    ///
    /// `years` are the first days from which and until which it is valid; without them
    /// it does not end.
    ///
    /// # Errors
    /// `NoCertificate::Made` for a name that cannot be one.
    pub fn issue(&self, names: Vec<String>, years: Option<(i32, i32)>) -> Result<Issued, NoCertificate> {
        let key = KeyPair::generate()?;
        let mut cert = CertificateParams::new(names)?;
        cert.distinguished_name.push(DnType::CommonName, "kulkul");
        if let Some((from, until)) = years {
            (cert.not_before, cert.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        }
        let cert = cert.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { cert, key: key.serialize_pem() })
    }
}

/// Makes a CA and a certificate for `names` (addresses or host names) in `directory`.
///
/// A later call with other names makes new ones; gateways then need the new CA.
///
/// # Errors
/// `NoCertificate`.
pub fn make(directory: &Path, names: Vec<String>) -> Result<Certificates, NoCertificate> {
    let made = Certificates {
        ca: directory.join("ca.pem"),
        cert: directory.join("link.pem"),
        key: directory.join("link-key.pem"),
    };
    let ca = Ca::new("kulkul demo CA")?;
    let link = ca.issue(names, None)?;
    write(&made.ca, ca.pem().as_bytes(), 0o644)?;
    write(&made.cert, link.cert.as_bytes(), 0o644)?;
    write(&made.key, link.key.as_bytes(), 0o600)?;
    Ok(made)
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), NoCertificate> {
    let file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(mode).open(path);
    file.and_then(|mut f| f.write_all(bytes))
        .map_err(|cause| NoCertificate::File { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let made = make(directory.path(), vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        let mode = fs::metadata(&made.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
        for file in [made.ca, made.cert] {
            assert!(fs::read_to_string(file).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        }
    }
}
