//! What a box sends for its certificate: a request that must be for its own name alone.

use super::authority::NotIssued;
use rcgen::{CertificateSigningRequestParams, SanType};

/// Reads a request and checks that its key signed it and that it is for `host` alone.
///
/// # Errors
/// `Request` or `OtherName`.
pub fn read(host: &str, csr: &[u8]) -> Result<CertificateSigningRequestParams, NotIssued> {
    let asked = CertificateSigningRequestParams::from_der(&csr.into()).map_err(NotIssued::Request)?;
    let named = |name: &SanType| match name {
        SanType::DnsName(name) => name.as_str().to_owned(),
        other => format!("{other:?}"),
    };
    let names: Vec<String> = asked.params.subject_alt_names.iter().map(named).collect();
    if names != [host] {
        return Err(NotIssued::OtherName { asked: names.join(", "), host: host.to_owned() });
    }
    Ok(asked)
}
