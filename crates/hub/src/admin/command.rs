//! What the command line may ask, and what it is answered.

use super::{files, lists};
use crate::Hub;
use crate::access::accounts::{self, NewAccount};
use crate::access::api::BatchIn;
use crate::access::vouchers;
use crate::fleet::updates::releases;
use crate::fleet::updates::rollouts::{self, NewRollout, Steer};
use crate::fleet::{claims, orders, tunnel};
use crate::staff::{Actor, people, tokens};
use crate::web::{Lang, Problem};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kulkul_model::site::SiteCode;
use kulkul_model::voucher::VoucherCode;
use kulkul_model::{Moment, Refusal};
use serde::{Deserialize, Serialize};

/// One command; JSON on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Adds a person.
    StaffAdd(people::NewPerson),
    /// Lists the people.
    StaffList,
    /// Disables a person.
    StaffDisable {
        /// The sign-in name.
        name: String,
    },
    /// Enables a person again.
    StaffEnable {
        /// The sign-in name.
        name: String,
    },
    /// Hands out a new one-time password.
    StaffResetPassword {
        /// The sign-in name.
        name: String,
    },
    /// Makes an API token.
    TokenAdd(tokens::NewToken),
    /// Lists API tokens.
    TokenList,
    /// Takes an API token back.
    TokenRevoke {
        /// Its id.
        id: String,
    },
    /// Issues a claim code.
    Enrol {
        /// The site.
        site: SiteCode,
        /// How long it may be used, hours; none is 24.
        hours: Option<u32>,
    },
    /// Lists orders.
    OrdersList,
    /// Sets the fields of a section in a scope.
    OrdersSet {
        /// Which section.
        section: String,
        /// `regency`, `category:KEY`, `area:CODE` or `site:CODE`.
        scope: String,
        /// The fields.
        fields: serde_json::Map<String, serde_json::Value>,
    },
    /// Forgets what a scope says of a section.
    OrdersRemove {
        /// Which section.
        section: String,
        /// As for setting.
        scope: String,
    },
    /// What the data centre's end of the tunnel must know.
    TunnelPeers,
    /// Makes a batch of vouchers.
    VoucherMake(BatchIn),
    /// Lists the newest batches of vouchers.
    VoucherList,
    /// Takes a batch of vouchers back.
    VoucherRevoke {
        /// The batch's id.
        batch: String,
    },
    /// Makes an account.
    AccountAdd(NewAccount),
    /// Lists accounts.
    AccountList,
    /// Disables an account.
    AccountDisable {
        /// Its name.
        name: String,
    },
    /// Enables an account again.
    AccountEnable {
        /// Its name.
        name: String,
    },
    /// Gives an account a new secret.
    AccountReset {
        /// Its name.
        name: String,
    },
    /// Takes a release whose program lies in the data directory.
    ReleaseTake {
        /// The signed statement in base64.
        statement: String,
    },
    /// Lists the newest releases.
    ReleaseList,
    /// Forgets a release that nothing names.
    ReleaseDrop {
        /// Digest of its program.
        sha256: String,
    },
    /// Begins a rollout.
    RollOut(NewRollout),
    /// Lists the newest rollouts.
    RolloutList,
    /// Pauses, resumes or stops a rollout.
    RolloutSteer {
        /// Its number.
        number: u64,
        /// What to do.
        act: Steer,
    },
    /// Imports a file of the register or of people, or only checks it.
    Import {
        /// `areas`, `boundaries`, `categories`, `sites` or `staff`.
        kind: String,
        /// The file's name, for the report.
        file_name: String,
        /// The file's bytes in base64.
        bytes: String,
        /// Check and report only.
        dry_run: bool,
    },
}

/// What became of a command; JSON on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done,
    /// A one-time password was handed out; shown once.
    Password {
        /// The sign-in name.
        name: String,
        /// The password.
        password: String,
    },
    /// The people of the staff.
    Staff {
        /// By name.
        people: Vec<people::Shown>,
    },
    /// A token was made; shown once.
    Token(tokens::Made),
    /// All tokens.
    Tokens {
        /// Newest first.
        tokens: Vec<tokens::Shown>,
    },
    /// A claim was issued; its code is shown once.
    Claim {
        /// The site.
        site: SiteCode,
        /// The code as people read it.
        code: String,
        /// When it ends.
        expires_at: Moment,
        /// The address for `hub` in gateway.toml.
        hub: String,
        /// The fingerprint for `hub_root` in gateway.toml.
        hub_root: String,
    },
    /// All orders.
    Orders {
        /// By section and scope.
        orders: Vec<orders::Order>,
    },
    /// Lines for a file.
    Text {
        /// The whole of them.
        text: String,
    },
    /// Vouchers were made; their codes are shown once.
    Vouchers {
        /// The batch's id.
        batch: String,
        /// In the order of the sheet.
        codes: Vec<String>,
    },
    /// The newest batches of vouchers.
    Batches {
        /// Newest first: id, label, place, how many, how many used.
        batches: Vec<[String; 5]>,
    },
    /// Accounts.
    Accounts {
        /// By name: name, note, devices, state.
        accounts: Vec<[String; 4]>,
    },
    /// The newest releases.
    Releases {
        /// Version, target, bytes, signed, taken by, digest.
        releases: Vec<[String; 6]>,
    },
    /// The newest rollouts.
    Rollouts {
        /// Number, version, state, stage of how many, boxes that have proven it of those told, begun by.
        rollouts: Vec<[String; 6]>,
    },
    /// What an import did, or what is wrong with the file.
    Report {
        /// False when the file has faults and nothing was changed.
        sound: bool,
        /// The report in English.
        said: String,
        /// The report in Bahasa Indonesia.
        said_id: String,
    },
    /// An import added people; their passwords are shown once.
    People {
        /// The report in English.
        said: String,
        /// The report in Bahasa Indonesia.
        said_id: String,
        /// Sign-in name and one-time password of each.
        passwords: Vec<(String, String)>,
    },
    /// The rules say no.
    Refused {
        /// Stable, as in the API's problems.
        code: String,
        /// The sentence in English.
        said: String,
        /// The sentence in Bahasa Indonesia.
        said_id: String,
    },
    /// Something broke; the hub's log has the causes.
    Failed {
        /// What the log has it under.
        said: String,
    },
}

/// Does a command, here and now, as the command line.
pub async fn run(hub: &Hub, command: Command) -> Answer {
    match attempt(hub, &Actor::command_line(), command).await {
        Ok(answer) => answer,
        Err(problem) if problem.http_status().is_client_error() => {
            let words = hub.words();
            Answer::Refused {
                code: problem.code().to_owned(),
                said: problem.said(&words, Lang::En),
                said_id: problem.said(&words, Lang::Id),
            }
        }
        Err(problem) => {
            let incident = problem.incident().unwrap_or("no code");
            Answer::Failed { said: format!("something broke; the hub's log has the causes under {incident}") }
        }
    }
}

async fn attempt(hub: &Hub, by: &Actor, command: Command) -> Result<Answer, Problem> {
    Ok(match command {
        Command::StaffAdd(new) => {
            let name = new.name.trim().to_lowercase();
            let password = people::add(hub, by, new).await?;
            Answer::Password { name, password }
        }
        Command::StaffList => Answer::Staff { people: people::list(hub).await? },
        Command::StaffDisable { name } => {
            people::set_disabled(hub, by, &name, true).await?;
            Answer::Done
        }
        Command::StaffEnable { name } => {
            people::set_disabled(hub, by, &name, false).await?;
            Answer::Done
        }
        Command::StaffResetPassword { name } => {
            let password = people::reset_password(hub, by, &name).await?;
            Answer::Password { name, password }
        }
        Command::TokenAdd(new) => Answer::Token(tokens::add(hub, by, new).await?),
        Command::TokenList => Answer::Tokens { tokens: tokens::list(hub).await? },
        Command::TokenRevoke { id } => {
            tokens::revoke(hub, by, &id).await?;
            Answer::Done
        }
        Command::Enrol { site, hours } => {
            let life_ms = hours.map(|h| i64::from(h) * 3_600_000);
            let issued = claims::issue(hub, site.clone(), by.who.clone(), life_ms).await?;
            Answer::Claim {
                site,
                code: issued.code.shown(),
                expires_at: issued.claim.expires_at,
                hub: hub.config().public_url.clone(),
                hub_root: issued.hub_root,
            }
        }
        Command::OrdersList => Answer::Orders { orders: orders::list(hub).await? },
        Command::OrdersSet { section, scope, fields } => {
            orders::set(hub, by, &section, &orders::Scope::parse(&scope)?, fields).await?;
            Answer::Done
        }
        Command::OrdersRemove { section, scope } => {
            let at = orders::Scope::parse(&scope)?;
            if !orders::remove(hub, by, &section, &at).await? {
                return Err(Refusal::new(404, "orders-none").with("scope", at).into());
            }
            Answer::Done
        }
        Command::TunnelPeers => Answer::Text { text: tunnel::export(hub).await? },
        Command::VoucherMake(new) => {
            let made = vouchers::make(hub, by, new.order(hub.clock().now())).await?;
            let codes = made.codes.iter().map(VoucherCode::shown).collect();
            Answer::Vouchers { batch: made.batch.id, codes }
        }
        Command::VoucherList => Answer::Batches { batches: lists::batches(hub).await? },
        Command::VoucherRevoke { batch } => {
            vouchers::revoke(hub, by, vouchers::Which::Batch(batch)).await?;
            Answer::Done
        }
        Command::AccountAdd(new) => {
            let (account, secret) = accounts::add(hub, by, new).await?;
            handed(account.name.as_str(), secret)
        }
        Command::AccountList => Answer::Accounts { accounts: lists::accounts(hub).await? },
        Command::AccountDisable { name } => {
            accounts::change(hub, by, &name, accounts::Change::Disable).await?;
            Answer::Done
        }
        Command::AccountEnable { name } => {
            accounts::change(hub, by, &name, accounts::Change::Enable).await?;
            Answer::Done
        }
        Command::AccountReset { name } => {
            let secret = accounts::change(hub, by, &name, accounts::Change::Secret(None)).await?;
            handed(&name, secret)
        }
        Command::ReleaseTake { statement } => {
            let statement = BASE64.decode(statement).map_err(|e| Problem::fault(&e))?;
            let taken = releases::take(hub, by, statement).await?;
            Answer::Releases { releases: vec![lists::release(hub, taken)] }
        }
        Command::ReleaseList => Answer::Releases { releases: lists::releases(hub).await? },
        Command::ReleaseDrop { sha256 } => {
            releases::drop_one(hub, by, &sha256).await?;
            Answer::Done
        }
        Command::RollOut(new) => {
            let begun = rollouts::begin(hub, by, new).await?;
            Answer::Rollouts { rollouts: vec![lists::rollout(hub, begun).await?] }
        }
        Command::RolloutList => Answer::Rollouts { rollouts: lists::rollouts(hub).await? },
        Command::RolloutSteer { number, act } => {
            let is = rollouts::steer(hub, by, number, act).await?;
            Answer::Rollouts { rollouts: vec![lists::rollout(hub, is).await?] }
        }
        Command::Import { kind, file_name, bytes, dry_run } => {
            files::take(hub, by, (&kind, &file_name), &bytes, dry_run).await?
        }
    })
}

/// A secret that is handed out once, where one was drawn.
fn handed(name: &str, secret: Option<String>) -> Answer {
    secret.map_or(Answer::Done, |password| Answer::Password { name: name.to_owned(), password })
}
