//! The office: what a clerk does by the hub's API before gateways can come.
//!
//! Reads the public register and issues claims with a token, or reads claims from a
//! file that `kulkul enrol --all` wrote.

use crate::world::Place;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::claim::ClaimCode;
use kulkul_model::site::SiteCode;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why the office got nowhere.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// The hub could not be reached, or its answer not be read.
    #[error("asking the hub: {0}")]
    Http(#[from] reqwest::Error),
    /// The hub said no.
    #[error("the hub answers {status} to {path}: {detail}")]
    Status {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// The beginning of the answer.
        detail: String,
    },
    /// A line of the file of claims.
    #[error("line {line} of the claims is not \"SITE,CLAIM\"")]
    Claims {
        /// The line's number, from 1.
        line: usize,
    },
}

/// A hub's API.
#[derive(Clone, Debug)]
pub struct Office {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

#[derive(Deserialize)]
struct SiteRow {
    code: SiteCode,
    category: CategoryKey,
    area: AreaRef,
}

/// An area, as its code or with its name beside it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AreaRef {
    Code(AreaCode),
    Named { code: AreaCode },
}

#[derive(Deserialize)]
struct Page {
    items: Vec<SiteRow>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Issued {
    claim: String,
}

impl Office {
    /// An office that asks the hub at `base`, with a token for what the public may not.
    ///
    /// # Errors
    /// The TLS library cannot be set up, or `ca` is no certificate in PEM.
    pub fn at(base: &str, ca: Option<&[u8]>, token: Option<String>) -> Result<Self, OfficeError> {
        // Another part of the program may have chosen the same provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder();
        if let Some(pem) = ca {
            http = http.tls_certs_only([reqwest::Certificate::from_pem(pem)?]);
        }
        Ok(Office { http: http.build()?, base: base.trim_end_matches('/').to_owned(), token })
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
    ) -> Result<T, OfficeError> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if method != reqwest::Method::GET
            && let Some(token) = &self.token
        {
            request = request.bearer_auth(token).json(&serde_json::Map::new());
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        if status >= 300 {
            let detail = answer.text().await?.chars().take(200).collect();
            return Err(OfficeError::Status { path: path.to_owned(), status, detail });
        }
        Ok(answer.json().await?)
    }

    /// The first `most` places of the register, by code.
    ///
    /// # Errors
    /// `OfficeError` says what the hub answered.
    pub async fn places(&self, most: usize) -> Result<Vec<Place>, OfficeError> {
        let mut places = Vec::new();
        let mut cursor = String::new();
        while places.len() < most {
            let path = format!("/api/v1/sites?limit=1000{cursor}");
            let page: Page = self.ask(reqwest::Method::GET, &path).await?;
            places.extend(page.items.into_iter().map(|row| Place {
                code: row.code,
                category: row.category,
                village: match row.area {
                    AreaRef::Code(code) | AreaRef::Named { code } => code,
                },
            }));
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        places.truncate(most);
        Ok(places)
    }

    /// Issues a claim for a site.
    ///
    /// # Errors
    /// `Status` 401 or 403 without a token that may.
    pub async fn claim(&self, site: &SiteCode) -> Result<ClaimCode, OfficeError> {
        let path = format!("/api/v1/sites/{site}/claim");
        let issued: Issued = self.ask(reqwest::Method::POST, &path).await?;
        ClaimCode::parse(&issued.claim).map_err(|e| OfficeError::Status {
            path,
            status: 200,
            detail: e.to_string(),
        })
    }
}

/// Reads `SITE,CLAIM` lines, as `kulkul enrol --all` writes them.
///
/// # Errors
/// `Claims` names the first line that is not one.
pub fn read_claims(text: &str) -> Result<BTreeMap<SiteCode, ClaimCode>, OfficeError> {
    let lines = text.lines().enumerate().skip_while(|(_, line)| line.starts_with("site"));
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(i, line)| {
            let pair = line.split_once(',').and_then(|(site, claim)| {
                Some((SiteCode::parse(site.trim()).ok()?, ClaimCode::parse(claim.trim()).ok()?))
            });
            pair.ok_or(OfficeError::Claims { line: i + 1 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_a_bad_line_is_named() {
        let claims = read_claims("site,claim\nBJ-001,7KQ4-M2XP\n\nBJ-002,0000-0001\n").unwrap();
        assert_eq!(claims.len(), 2);
        let wrong = read_claims("BJ-001,7KQ4-M2XP\nBJ-002\n").unwrap_err();
        assert_eq!(wrong.to_string(), "line 2 of the claims is not \"SITE,CLAIM\"");
    }
}
