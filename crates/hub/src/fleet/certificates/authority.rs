//! The hub's own certificate authority for portals.
//!
//! For regencies whose devices trust it, and for tests: phones of strangers trust only
//! public authorities. It lies with the other keys, mode 0600, and signs nothing but
//! the one name of a site's portal: of a request it takes the key alone (RFC 5280).

use super::super::keys::{Directory, KeysError};
use kulkul_model::Moment;
use kulkul_store::certificate::Issued;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::path::Path;
use time::OffsetDateTime;

/// A portal's certificate lasts 90 days.
const LIFE_MS: i64 = 90 * DAY_MS;
/// A new one is issued 30 days before the end, as is the custom for 90 days.
const RENEW_MS: i64 = 60 * DAY_MS;
/// It begins an hour earlier, for devices whose clock is behind.
const SLACK_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// The authority itself lasts ten years.
const OWN_LIFE_MS: i64 = 3_652 * DAY_MS;

const KEY: &str = "portal-ca.key";
const CERTIFICATE: &str = "portal-ca.pem";

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum NotIssued {
    /// The request is not one, or its signature does not hold.
    #[error("the request cannot be used: {0}")]
    Request(rcgen::Error),
    /// The request is for another name.
    #[error("the request is for {asked}, the site's portal is {host}")]
    OtherName {
        /// The names in the request.
        asked: String,
        /// The name that is the site's.
        host: String,
    },
    /// The library refuses.
    #[error("making the certificate: {0}")]
    Made(#[from] rcgen::Error),
}

/// A certificate authority of the hub's own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// Opens the authority in `directory`; made where there is none.
    ///
    /// # Errors
    /// `KeysError` names the file.
    pub fn open(directory: &Path, now: Moment) -> Result<Self, KeysError> {
        let dir = Directory::at(directory);
        let wrong = |name: &str, e: rcgen::Error| KeysError::Content {
            path: directory.join(name),
            why: e.to_string(),
        };
        if let (Some(key), Some(pem)) = (dir.read(KEY)?, dir.read(CERTIFICATE)?) {
            let key = KeyPair::from_pem(&key).map_err(|e| wrong(KEY, e))?;
            let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(|e| wrong(CERTIFICATE, e))?;
            return Ok(Authority { issuer, pem: pem.to_string() });
        }
        let made = |e: rcgen::Error| wrong(KEY, e);
        let key = KeyPair::generate().map_err(made)?;
        let mut ca = CertificateParams::new(Vec::new()).map_err(made)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name.push(DnType::CommonName, "kulkul portals");
        (ca.not_before, ca.not_after) = (date(now.plus_ms(-SLACK_MS)), date(now.plus_ms(OWN_LIFE_MS)));
        let certificate: Certificate = ca.self_signed(&key).map_err(made)?;
        // The certificate last: a key without one is made anew, and nothing was signed by it.
        dir.write(KEY, &key.serialize_pem())?;
        dir.write(CERTIFICATE, &certificate.pem())?;
        Ok(Authority { issuer: Issuer::new(ca, key), pem: certificate.pem() })
    }

    /// The authority's own certificate, PEM: what devices have to trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a certificate for `host` and the key of a request.
    ///
    /// # Errors
    /// `NotIssued` when the request is unsound or for other names.
    pub fn issue(&self, host: &str, csr: &[u8], now: Moment) -> Result<Issued, NotIssued> {
        let asked = super::request::read(host, csr)?;
        // A fresh set of parameters: whatever else the request asks for stays out.
        let mut leaf = CertificateParams::new(vec![host.to_owned()])?;
        leaf.distinguished_name = rcgen::DistinguishedName::new();
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.use_authority_key_identifier_extension = true;
        let until = now.plus_ms(LIFE_MS);
        (leaf.not_before, leaf.not_after) = (date(now.plus_ms(-SLACK_MS)), date(until));
        let signed = leaf.signed_by(&asked.public_key, &self.issuer)?;
        let chain = format!("{}{}", signed.pem(), self.pem);
        let renew_at = now.plus_ms(RENEW_MS);
        Ok(Issued { chain, at: now, until, renew_at, authority: None, advice_at: None })
    }
}

/// A moment as the library wants it; whole seconds, as certificates have them.
fn date(at: Moment) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
