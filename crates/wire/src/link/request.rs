//! Signed requests: RFC 9421 with RFC 9530, in the one form that the link takes.
//!
//! Covered are exactly `@method`, `@target-uri` and `content-digest` (an empty body
//! has one too); parameters are `created`, `nonce`, `keyid` and `tag="kulkul-link"`.
//! A signature that covers less proves less than it seems to, so it is refused.

use super::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// The tag that tells our signatures from others.
pub const TAG: &str = "kulkul-link";
const LABEL: &str = "kulkul";
const COMPONENTS: [&str; 3] = ["@method", "@target-uri", "content-digest"];
const PARAMETERS: [&str; 4] = ["created", "nonce", "keyid", "tag"];

/// Why the fields of a signed request are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// A field is not there, or there twice.
    #[error("the field {0} is missing or given twice")]
    Field(&'static str),
    /// A field is not what RFC 9421 or RFC 9530 says.
    #[error("the field {0} cannot be read")]
    Form(&'static str),
    /// The signature does not cover what it must, or covers something else.
    #[error("the signature must cover @method, @target-uri and content-digest, each once, and nothing else")]
    Covered,
    /// A parameter is missing, given twice or unknown.
    #[error("the signature must have created, nonce, keyid and tag, each once")]
    Parameters,
    /// The tag is another.
    #[error("the signature was made for another use")]
    Tag,
}

/// What `Signature-Input` says, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The covered components in the order of the field.
    components: Vec<String>,
    /// The field's value after the label, as it came.
    raw: String,
    /// When it was signed, seconds since 1970.
    pub created: i64,
    /// 16 to 64 characters that the signer never uses twice.
    pub nonce: String,
    /// Which key: a gateway's id, or a public key at enrolment.
    pub keyid: String,
}

impl Input {
    /// What a signer says.
    #[must_use]
    pub fn new(created: i64, nonce: &str, keyid: &str) -> Self {
        let raw = format!(
            "(\"@method\" \"@target-uri\" \"content-digest\");created={created};nonce=\"{nonce}\";keyid=\"{keyid}\";tag=\"{TAG}\""
        );
        let components = COMPONENTS.map(str::to_owned).to_vec();
        Input { components, raw, created, nonce: nonce.to_owned(), keyid: keyid.to_owned() }
    }

    /// Reads the value of `Signature-Input`.
    ///
    /// # Errors
    /// `NotSigned` names what is missing, doubled or unknown.
    pub fn parse(field: &str) -> Result<Self, NotSigned> {
        const NAME: &str = "Signature-Input";
        const FORM: NotSigned = NotSigned::Form(NAME);
        let raw = field.strip_prefix(LABEL).and_then(|r| r.strip_prefix('=')).ok_or(FORM)?;
        let inner = raw.strip_prefix('(').ok_or(FORM)?;
        let (list, parameters) = inner.split_once(')').ok_or(FORM)?;
        let mut components = Vec::new();
        for item in list.split(' ') {
            let name = item.strip_prefix('"').and_then(|i| i.strip_suffix('"')).ok_or(NotSigned::Covered)?;
            if !COMPONENTS.contains(&name) || components.iter().any(|c| c == name) {
                return Err(NotSigned::Covered);
            }
            components.push(name.to_owned());
        }
        if components.len() != COMPONENTS.len() {
            return Err(NotSigned::Covered);
        }
        let mut values: [Option<&str>; 4] = [None; 4];
        for parameter in parameters.strip_prefix(';').ok_or(NotSigned::Parameters)?.split(';') {
            let (name, value) = parameter.split_once('=').ok_or(FORM)?;
            let slot = PARAMETERS.iter().position(|p| *p == name).ok_or(NotSigned::Parameters)?;
            match values.get_mut(slot) {
                Some(place @ None) => *place = Some(value),
                _ => return Err(NotSigned::Parameters),
            }
        }
        let [Some(created), Some(nonce), Some(keyid), Some(tag)] = values else {
            return Err(NotSigned::Parameters);
        };
        let created = number(created).ok_or(FORM)?;
        let (nonce, keyid, tag) = (string(nonce), string(keyid), string(tag));
        let nonce = nonce.filter(|n| (16..=64).contains(&n.len())).ok_or(FORM)?;
        let keyid = keyid.filter(|k| (1..=64).contains(&k.len())).ok_or(FORM)?;
        if tag.ok_or(FORM)? != TAG {
            return Err(NotSigned::Tag);
        }
        Ok(Input {
            components,
            raw: raw.to_owned(),
            created,
            nonce: nonce.to_owned(),
            keyid: keyid.to_owned(),
        })
    }

    /// The value of `Signature-Input`.
    #[must_use]
    pub fn field(&self) -> String {
        format!("{LABEL}={}", self.raw)
    }

    /// The signature base (RFC 9421 section 2.5): what is signed.
    #[must_use]
    pub fn base(&self, method: &str, target_uri: &str, content_digest: &str) -> String {
        let mut base = String::with_capacity(512);
        for component in &self.components {
            let value = match component.as_str() {
                "@method" => method,
                "@target-uri" => target_uri,
                _ => content_digest,
            };
            // Writing into a String has no error.
            let _ = writeln!(base, "\"{component}\": {value}");
        }
        let _ = write!(base, "\"@signature-params\": {}", self.raw);
        base
    }
}

fn number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A structured string without escapes: we write none, so we take none.
fn string(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    inner.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:+/=".contains(&b)).then_some(inner)
}

/// The value of `Signature`.
#[must_use]
pub fn signature_field(signature: &[u8; 64]) -> String {
    format!("{LABEL}=:{}:", STANDARD.encode(signature))
}

/// Reads the value of `Signature`.
///
/// # Errors
/// `NotSigned::Form` for anything but one Ed25519 signature under our label.
pub fn parse_signature(field: &str) -> Result<[u8; 64], NotSigned> {
    field
        .strip_prefix(LABEL)
        .and_then(|f| f.strip_prefix("=:"))
        .and_then(|f| f.strip_suffix(':'))
        .and_then(|f| STANDARD.decode(f).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(NotSigned::Form("Signature"))
}

/// Reads the value of `Content-Digest`: one SHA-256.
///
/// # Errors
/// `NotSigned::Form` for anything else.
pub fn parse_content_digest(field: &str) -> Result<Digest, NotSigned> {
    field
        .strip_prefix("sha-256=:")
        .and_then(|f| f.strip_suffix(':'))
        .and_then(|f| STANDARD.decode(f).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .map(Digest)
        .ok_or(NotSigned::Form("Content-Digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "0123456789abcdef";

    #[test]
    fn the_base_is_that_of_the_standard() {
        let input = Input::new(1_700_000_000, NONCE, "gw-1");
        let base = input.base("POST", "https://hub.example/link/v1/beat", "sha-256=:x:");
        assert_eq!(
            base,
            "\"@method\": POST\n\"@target-uri\": https://hub.example/link/v1/beat\n\"content-digest\": sha-256=:x:\n\
             \"@signature-params\": (\"@method\" \"@target-uri\" \"content-digest\");created=1700000000;\
             nonce=\"0123456789abcdef\";keyid=\"gw-1\";tag=\"kulkul-link\""
        );
        assert_eq!(Input::parse(&input.field()).unwrap(), input);
    }

    #[test]
    fn less_more_and_other_is_refused() {
        let good = Input::new(1, NONCE, "k").field();
        let cases = [
            (good.replace(" \"content-digest\"", ""), NotSigned::Covered),
            ("kulkul=(\"@method\");created=1".to_owned(), NotSigned::Covered),
            (good.replace("\"@method\"", "\"@method\" \"@method\""), NotSigned::Covered),
            (good.replace("\"@method\"", "\"@method\";req"), NotSigned::Covered),
            (good.replace("\"@method\"", "\"date\""), NotSigned::Covered),
            (good.replace(";created=1", ""), NotSigned::Parameters),
            (good.replace(";created=1", ";created=1;created=2"), NotSigned::Parameters),
            (good.replace(";created=1", ";created=1;expires=9"), NotSigned::Parameters),
            (good.replace("kulkul-link", "other"), NotSigned::Tag),
            (good.replace(NONCE, "short"), NotSigned::Form("Signature-Input")),
            (good.replace(";created=1", ";created=-1"), NotSigned::Form("Signature-Input")),
            (good.replace("kulkul=(", "sig1=("), NotSigned::Form("Signature-Input")),
            (format!("{good}, {good}"), NotSigned::Parameters),
            (good.replace("keyid=\"k\"", "keyid=\"k\\\"\""), NotSigned::Form("Signature-Input")),
        ];
        for (field, why) in cases {
            assert_eq!(Input::parse(&field), Err(why), "{field}");
        }
        assert!(parse_signature("kulkul=:AAAA:").is_err());
        assert_eq!(parse_signature(&signature_field(&[5; 64])).unwrap(), [5; 64]);
        let d = Digest::of(b"");
        assert_eq!(parse_content_digest(&d.content_digest()).unwrap(), d);
        assert!(parse_content_digest("sha-512=:AAAA:").is_err());
    }

    #[test]
    fn another_order_of_parameters_is_signed_as_it_came() {
        let field = format!(
            "kulkul=(\"content-digest\" \"@target-uri\" \"@method\");tag=\"kulkul-link\";keyid=\"k\";nonce=\"{NONCE}\";created=5"
        );
        let base = Input::parse(&field).unwrap().base("GET", "u", "d");
        assert!(base.starts_with("\"content-digest\": d\n\"@target-uri\": u\n\"@method\": GET\n"));
        assert!(base.ends_with(";created=5"));
    }
}
