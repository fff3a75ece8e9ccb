//! Signing and checking of requests (RFC 9421, Ed25519).

use crate::sign::{NotProven, Signer, Verifier};
use kulkul_model::Moment;
use kulkul_wire::link::Digest;
use kulkul_wire::link::request::{Input, NotSigned, parse_content_digest, parse_signature, signature_field};

/// A request is taken this long before and after the moment that it names, seconds.
pub const WINDOW_S: i64 = 300;

/// The three fields that a signer adds to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// `Content-Digest`.
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

/// Signs a request with a body (empty for none).
#[must_use]
pub fn sign(
    signer: &Signer,
    keyid: &str,
    (method, target_uri): (&str, &str),
    body: &[u8],
    now: Moment,
    nonce: &str,
) -> Outgoing {
    let content_digest = Digest::of(body).content_digest();
    let input = Input::new(now.seconds(), nonce, keyid);
    let signature = signer.sign(input.base(method, target_uri, &content_digest).as_bytes());
    Outgoing { content_digest, signature_input: input.field(), signature: signature_field(&signature) }
}

/// A request as it came, with the target as the hub's public URL names it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'r> {
    /// The method.
    pub method: &'r str,
    /// `public_url` with the path and query that were asked for.
    pub target_uri: &'r str,
    /// `Content-Digest`.
    pub content_digest: Option<&'r str>,
    /// `Signature-Input`.
    pub signature_input: Option<&'r str>,
    /// `Signature`.
    pub signature: Option<&'r str>,
    /// The body.
    pub body: &'r [u8],
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The fields are not what they should be.
    #[error(transparent)]
    Fields(#[from] NotSigned),
    /// The body is not the one that was signed.
    #[error("the body is not the one that Content-Digest names")]
    Body,
    /// Signed too long ago, or in the future.
    #[error("signed at {created}, which is more than {WINDOW_S} s from the hub's time")]
    Stale {
        /// Seconds since 1970.
        created: i64,
    },
    /// The signature does not fit.
    #[error(transparent)]
    Signature(#[from] NotProven),
}

impl Incoming<'_> {
    /// What `Signature-Input` says: whose key to fetch.
    ///
    /// # Errors
    /// `Refused::Fields`.
    pub fn input(&self) -> Result<Input, Refused> {
        Ok(Input::parse(self.signature_input.ok_or(NotSigned::Field("Signature-Input"))?)?)
    }

    /// Checks date, body and signature. Replay of the nonce is the caller's to check, after this.
    ///
    /// # Errors
    /// `Refused` says what does not fit.
    pub fn verify(&self, input: &Input, key: &Verifier, now: Moment) -> Result<(), Refused> {
        if (now.seconds() - input.created).abs() > WINDOW_S {
            return Err(Refused::Stale { created: input.created });
        }
        let named = self.content_digest.ok_or(NotSigned::Field("Content-Digest"))?;
        if parse_content_digest(named)? != Digest::of(self.body) {
            return Err(Refused::Body);
        }
        let signature = parse_signature(self.signature.ok_or(NotSigned::Field("Signature"))?)?;
        key.verify(input.base(self.method, self.target_uri, named).as_bytes(), &signature)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "https://hub.example/link/v1/beat";
    const NOW: Moment = Moment::from_ms(1_700_000_000_000);

    fn check(change: impl FnOnce(&mut Incoming<'_>, &mut Moment)) -> Result<(), Refused> {
        let signer = Signer::from_seed(&[1; 32]);
        let out = sign(&signer, "gw-1", ("POST", URI), b"body", NOW, "0123456789abcdef");
        let mut incoming = Incoming {
            method: "POST",
            target_uri: URI,
            content_digest: Some(&out.content_digest),
            signature_input: Some(&out.signature_input),
            signature: Some(&out.signature),
            body: b"body",
        };
        let mut now = NOW;
        change(&mut incoming, &mut now);
        incoming.verify(&incoming.input()?, &Verifier::new(&signer.public()).unwrap(), now)
    }

    #[test]
    fn a_request_holds_as_it_was_signed_and_not_otherwise() {
        let bad = Err(Refused::Signature(NotProven::BadSignature));
        assert_eq!(check(|_, _| ()), Ok(()));
        assert_eq!(check(|_, now| *now = now.plus_ms(300_000)), Ok(()));
        assert_eq!(check(|r, _| r.body = b"other"), Err(Refused::Body));
        assert_eq!(check(|r, _| r.method = "PUT"), bad);
        assert_eq!(check(|r, _| r.target_uri = "https://hub.example/link/v1/journal"), bad);
        assert_eq!(check(|r, _| r.target_uri = "http://hub.example/link/v1/beat"), bad);
        assert!(matches!(check(|_, now| *now = now.plus_ms(301_000)), Err(Refused::Stale { .. })));
        assert!(matches!(check(|_, now| *now = now.plus_ms(-301_000)), Err(Refused::Stale { .. })));
        let missing = |f| Err(Refused::Fields(NotSigned::Field(f)));
        assert_eq!(check(|r, _| r.signature = None), missing("Signature"));
        assert_eq!(check(|r, _| r.signature_input = None), missing("Signature-Input"));
        assert_eq!(check(|r, _| r.content_digest = None), missing("Content-Digest"));
    }

    #[test]
    fn a_changed_body_with_a_new_digest_does_not_pass() {
        let forged = Digest::of(b"other").content_digest();
        let verdict = check(|r, _| {
            r.body = b"other";
            r.content_digest = Some(Box::leak(forged.into_boxed_str()));
        });
        assert_eq!(verdict, Err(Refused::Signature(NotProven::BadSignature)));
    }

    #[test]
    fn another_key_does_not_pass() {
        let out = sign(&Signer::from_seed(&[2; 32]), "gw-1", ("GET", URI), b"", NOW, "0123456789abcdef");
        let incoming = Incoming {
            method: "GET",
            target_uri: URI,
            content_digest: Some(&out.content_digest),
            signature_input: Some(&out.signature_input),
            signature: Some(&out.signature),
            body: b"",
        };
        let key = Verifier::new(&Signer::from_seed(&[1; 32]).public()).unwrap();
        let input = incoming.input().unwrap();
        assert_eq!(incoming.verify(&input, &key, NOW), Err(Refused::Signature(NotProven::BadSignature)));
    }
}
