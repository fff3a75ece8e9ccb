//! First boot: a box that belongs to no place yet, and who may set it up; later, its way out.
//!
//! Only somebody who reads the code printed on the box gets in; guesses are few. What is
//! done here is a technician's visit: see whether there is a way out, say what kind it
//! is, show the claim. A box that has enrolled once never comes here again by itself; its
//! way out is opened by an operator's answer to a challenge, which needs no line and no clock.

use crate::again::Again;
use crate::chance;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, local};
use crate::doctor::{self, Report};
use crate::link::{self, NotEnrolled};
use crate::portal::token::{Device, TokenKey};
use kulkul_model::claim::ClaimCode;
use kulkul_model::gateway::Capabilities;
use kulkul_model::site::SiteCode;
use kulkul_proof::local_code;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use toml::{Table, Value};

/// Where the digest of the box's code lies in the data directory.
const CODE: &str = "box-code";
/// Where a PPPoE password lies in the data directory.
const PASSWORD: &str = "uplink.password";
/// Wrong codes in ten minutes before nobody is asked any more.
const WRONG: usize = 5;
const TEN_MINUTES_MS: i64 = 600_000;
/// A challenge is shown for so long.
const DAY_MS: i64 = 86_400_000;

/// Makes a box's code and keeps its digest; the code itself goes onto the label.
///
/// # Errors
/// What the disk says, or that there is no randomness.
pub fn label(data: &Path) -> io::Result<ClaimCode> {
    let code = ClaimCode::from_bits(u64::from_be_bytes(chance::bytes()?));
    std::fs::create_dir_all(data)?;
    local::save(&data.join(CODE), digest(&code).as_bytes()).map_err(io::Error::other)?;
    Ok(code)
}

fn digest(code: &ClaimCode) -> String {
    hex::encode(Sha256::new().chain_update("kulkul/box-code/1 ").chain_update(code.bare()).finalize())
}

/// What a technician says of the way out; texts as they were typed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WayOut {
    /// `system`, `dhcp`, `static` or `pppoe`.
    pub kind: String,
    /// The number of its VLAN, if any.
    pub vlan: String,
    /// `static`: address with prefix.
    pub address4: String,
    /// `static`: the provider's router.
    pub gateway4: String,
    /// `static`: resolvers, with spaces or commas between them.
    pub dns: String,
    /// `pppoe`: the name.
    pub user: String,
    /// `pppoe`: the password; empty keeps the one before.
    pub password: String,
}

/// A box that belongs to no place yet.
pub struct FirstBoot {
    config: Arc<Config>,
    capabilities: Capabilities,
    hardware: String,
    clock: Clock,
    key: TokenKey,
    wrong: Mutex<VecDeque<i64>>,
    opens: Opens,
    again: Again,
}

/// What opens the page.
enum Opens {
    /// The code on the box's label.
    Label,
    /// An operator's answer to a challenge; the one that is shown, and since when.
    Operator(Mutex<Option<(ClaimCode, i64)>>),
}

/// Why somebody does not get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// It is not the code on the box.
    Wrong,
    /// Too many were wrong.
    TooMany,
}

impl FirstBoot {
    /// A box whose settings are `config`; a code is made where there is none.
    ///
    /// # Errors
    /// What the disk says, or that there is no randomness.
    pub fn open(
        config: Arc<Config>,
        capabilities: Capabilities,
        hardware: String,
        clock: Clock,
        again: Again,
    ) -> io::Result<Self> {
        if !config.data.join(CODE).exists() {
            let code = label(&config.data)?;
            tracing::warn!(code = code.shown(), "this box had no code yet; write it on the box");
        }
        let key = TokenKey::new(chance::bytes()?);
        let (wrong, opens) = (Mutex::default(), Opens::Label);
        Ok(FirstBoot { config, capabilities, hardware, clock, key, wrong, opens, again })
    }

    /// The way out of a box that belongs to a place.
    ///
    /// # Errors
    /// That there is no randomness.
    pub fn later(config: Arc<Config>, clock: Clock, again: Again) -> io::Result<Self> {
        let key = TokenKey::new(chance::bytes()?);
        let (capabilities, hardware) = (Capabilities::default(), String::new());
        let (wrong, opens) = (Mutex::default(), Opens::Operator(Mutex::default()));
        Ok(FirstBoot { config, capabilities, hardware, clock, key, wrong, opens, again })
    }

    /// Whether the box belongs to no place yet: then this is all that it shows.
    #[must_use]
    pub fn is_first(&self) -> bool {
        matches!(self.opens, Opens::Label)
    }

    /// The challenge that an operator can answer; none where nobody can, or the label opens.
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        let Opens::Operator(shown) = &self.opens else { return None };
        link::local_key(&self.config.data)?;
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.mono_ms();
        if shown.as_ref().is_none_or(|(_, since)| now.saturating_sub(*since) >= DAY_MS) {
            let bits = u64::from_be_bytes(chance::bytes().ok()?);
            *shown = Some((ClaimCode::from_bits(bits), now));
        }
        shown.as_ref().map(|(challenge, _)| challenge.shown())
    }

    /// Whether what was typed opens the page; an answer does so once.
    fn fits(&self, typed: &ClaimCode) -> bool {
        match &self.opens {
            Opens::Label => {
                let kept = std::fs::read_to_string(self.config.data.join(CODE)).unwrap_or_default();
                // Digests are compared: how far they agree tells nothing about the code.
                digest(typed) == kept.trim()
            }
            Opens::Operator(shown) => {
                let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                let (Some(key), Some((challenge, _))) = (link::local_key(&self.config.data), shown.as_ref())
                else {
                    return false;
                };
                let fits = digest(&local_code::answer(&key, challenge)) == digest(typed);
                if fits {
                    *shown = None;
                }
                fits
            }
        }
    }

    /// The pass of whoever typed the code on the box; it holds for an hour or two, for one device.
    ///
    /// # Errors
    /// `Shut`.
    pub fn unlock(&self, typed: &str, device: Device) -> Result<String, Shut> {
        let now = self.clock.mono_ms();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        while wrong.front().is_some_and(|at| now.saturating_sub(*at) >= TEN_MINUTES_MS) {
            wrong.pop_front();
        }
        if wrong.len() >= WRONG {
            return Err(Shut::TooMany);
        }
        if ClaimCode::parse(typed).is_ok_and(|code| self.fits(&code)) {
            return Ok(self.key.issue(device, self.clock.now()));
        }
        wrong.push_back(now);
        tracing::warn!(wrong = wrong.len(), "a wrong box code");
        Err(Shut::Wrong)
    }

    /// Whether a pass is one of ours, for this device.
    #[must_use]
    pub fn holds(&self, pass: &str, device: Device) -> bool {
        self.key.holds(pass, device, self.clock.now())
    }

    /// The hub that this box will ask.
    #[must_use]
    pub fn hub(&self) -> &str {
        &self.config.hub
    }

    /// Looks whether there is a way to the hub; takes up to twenty seconds.
    pub async fn examine(&self) -> Report {
        doctor::way_to_the_hub(&self.config, &self.clock).await
    }

    /// Checks and keeps what kind of way out there is; the box begins anew with it when `begin_anew` is called.
    ///
    /// # Errors
    /// `ConfigError` names what does not fit.
    pub fn set_way_out(&self, way: &WayOut) -> Result<(), ConfigError> {
        let data = &self.config.data;
        local::write(&self.config.text, data, way.table(data)?)?;
        // The password last: one that belongs to nothing that fits is not kept either.
        if way.kind == "pppoe" && !way.password.is_empty() {
            local::save(&data.join(PASSWORD), format!("{}\n", way.password).as_bytes())?;
        }
        Ok(())
    }

    /// Shows a claim to the hub; the site that the box stands at now.
    ///
    /// # Errors
    /// `NotEnrolled`.
    pub async fn claim(&self, typed: &str) -> Result<SiteCode, NotEnrolled> {
        let setup = |e| NotEnrolled::Later(e);
        let (config, clock) = (&self.config, &self.clock);
        let client = link::Client::new(&config.hub, config.hub_ca.as_deref(), config.allow_plain, clock)
            .map_err(setup)?;
        let identity = link::enrol_once(&client, config, typed, &self.capabilities, &self.hardware).await?;
        Ok(identity.site)
    }

    /// Begins anew with what was set, a moment later: the answer to the technician goes out first.
    pub fn begin_anew(self: &Arc<Self>) {
        let boot = self.clone();
        tokio::spawn(async move {
            boot.clock.sleep_ms(1_500).await;
            boot.again.begin();
        });
    }
}

impl WayOut {
    fn table(&self, data: &Path) -> Result<Table, ConfigError> {
        let mut table = Table::new();
        let mut put = |key: &str, value: &str| {
            if !value.trim().is_empty() {
                table.insert(key.to_owned(), Value::String(value.trim().to_owned()));
            }
        };
        put("kind", &self.kind);
        match self.kind.as_str() {
            "static" => {
                put("address4", &self.address4);
                put("gateway4", &self.gateway4);
                let servers = self.dns.split([' ', ',', ';']).filter(|s| !s.is_empty());
                let servers: Vec<Value> = servers.map(|s| Value::String(s.to_owned())).collect();
                table.insert("dns".to_owned(), Value::Array(servers));
            }
            "pppoe" => {
                put("user", &self.user);
                put("password_file", &data.join(PASSWORD).display().to_string());
            }
            _ => {}
        }
        if !self.vlan.trim().is_empty() {
            let number = self.vlan.trim().parse::<i64>().map_err(|_| ConfigError::Value {
                key: "uplink.vlan".to_owned(),
                why: format!("\"{}\" is not a number from 1 to 4094", self.vlan.trim()),
            })?;
            table.insert("vlan".to_owned(), Value::Integer(number));
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests;
