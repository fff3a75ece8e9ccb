//! `POST /link/v1/admit`: the box asks whether a device may come in by a voucher, an
//! account, or a session that it has elsewhere.
//!
//! Secrets travel in the body, over TLS alone, and are never printed: `Proof` has no `Debug`.

use kulkul_model::Moment;
use kulkul_model::admission::Token16;
use kulkul_model::session::{Mac, WayIn};
use serde::{Deserialize, Serialize};

/// What a device shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Proof {
    /// A voucher's code, as it was typed.
    Voucher {
        /// The code.
        code: String,
    },
    /// An account's name and secret.
    Account {
        /// The name.
        name: String,
        /// The secret.
        secret: String,
    },
    /// Nothing: it may have a running session at another place of the regency.
    Roam,
}

/// What a box asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// The device.
    pub device: Mac,
    /// The version of the terms that hold at this place.
    #[serde(default)]
    pub terms: Option<u32>,
    /// What it shows.
    #[serde(flatten)]
    pub proof: Proof,
}

/// What the hub grants; a refusal is a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its number, which the session's start names.
    pub id: Token16,
    /// How the device comes in.
    pub way_in: WayIn,
    /// What tells this voucher or account from others at the box; a voucher's offline digest
    /// where it has one.
    #[serde(default)]
    pub holder: Option<Token16>,
    /// The account, for a box that remembers it.
    #[serde(default)]
    pub account: Option<Token16>,
    /// How long the device may be online, milliseconds; none takes the place's limit.
    #[serde(default)]
    pub left_ms: Option<u64>,
    /// Devices online at a time by the same voucher or account.
    #[serde(default)]
    pub devices: Option<u16>,
    /// Rate to the device, kbit/s; none takes the place's.
    #[serde(default)]
    pub down_kbps: Option<u32>,
    /// Rate from the device, kbit/s.
    #[serde(default)]
    pub up_kbps: Option<u32>,
    /// When the account is over, so that a box on its own does not let it in afterwards.
    #[serde(default)]
    pub expires: Option<Moment>,
    /// When the voucher was first used.
    #[serde(default)]
    pub begun: Option<Moment>,
    /// The terms that were accepted elsewhere, for a device that roams.
    #[serde(default)]
    pub terms: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_grants_read_back_and_may_grow() {
        let text = r#"{"device":"02:00:00:00:00:01","by":"voucher","code":"28T5-CY4T-QKFFM","more":1}"#;
        let ask: Admit = serde_json::from_str(text).unwrap();
        assert!(ask.terms.is_none() && ask.proof == Proof::Voucher { code: "28T5-CY4T-QKFFM".into() });
        for proof in [Proof::Roam, Proof::Account { name: "wayan".into(), secret: "hujan123".into() }] {
            let ask = Admit { device: Mac([2; 6]), terms: Some(3), proof };
            assert!(serde_json::from_str::<Admit>(&serde_json::to_string(&ask).unwrap()).unwrap() == ask);
        }
        let grant = r#"{"id":"000102030405060708090a0b0c0d0e0f","way_in":"voucher","more":1}"#;
        let grant: Grant = serde_json::from_str(grant).unwrap();
        assert_eq!((grant.left_ms, grant.id.0[15]), (None, 15));
        assert!(serde_json::from_str::<Admit>(r#"{"device":"02:00:00:00:00:01","by":"charm"}"#).is_err());
    }
}
