//! The demo: a whole regency in one process, over the real link.
//!
//! A hub with the built-in register, a light gateway at every place that has one,
//! and the history of those before them. What a visitor changes is real: a claim
//! enrols a real box, which the simulated one at that place then gives way to.

use crate::caller::Line;
use crate::certificate::{self, Certificates, NoCertificate};
use crate::fleet::{self, Pace, Tally};
use crate::history::{self, HistoryError, Progress};
use crate::light::LightGateway;
use crate::world::{Equipment, Place, World};
use kulkul_hub::Hub;
use kulkul_hub::clock::Clock;
use kulkul_hub::config::{Config, ConfigError};
use kulkul_hub::entropy::{self, NoEntropy};
use kulkul_hub::fleet::claims::{self, ClaimError};
use kulkul_hub::hub::{BeginError, StartError};
use kulkul_hub::serve::{ServeError, Server};
use kulkul_hub::sites::builtin;
use kulkul_hub::sites::import::{self, ImportError, ImportOptions};
use kulkul_hub::staff::{Actor, people};
use kulkul_model::Moment;
use kulkul_model::site::{Site, Stage};
use kulkul_model::staff::Role;
use kulkul_store::{Lane, Store, StoreError, setting, site};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// The name that a visitor signs in with.
pub const OPERATOR: &str = "operator";
/// Sites of one write, so that nobody waits long for the writer.
const WRITE: usize = 50;

/// What a demo is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where pages, API and the simulated gateways' link are served.
    pub listen: SocketAddr,
    /// Where real gateways may enrol by TLS.
    pub link: Option<SocketAddr>,
    /// The directory of the database and the keys.
    pub data: PathBuf,
    /// True when the data is removed at the end; it then does not wait for the disk.
    pub passing: bool,
    /// At most so many simulated gateways.
    pub gateways: usize,
    /// Days of history.
    pub days: u32,
    /// The seed of the world.
    pub seed: u64,
}

/// Why a demo cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The register.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The hub.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The hub's jobs.
    #[error(transparent)]
    Begin(#[from] BeginError),
    /// An address.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The link's certificate.
    #[error(transparent)]
    Certificate(#[from] NoCertificate),
    /// A claim.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A key.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The line to the hub.
    #[error("setting up the link: {0}")]
    Line(#[from] reqwest::Error),
    /// The operator's account.
    #[error("the operator's account: {0}")]
    Operator(String),
}

/// A demo whose hub answers.
pub struct Demo {
    hub: Hub,
    clock: Clock,
    world: World,
    began: Moment,
    days: u32,
    places: Vec<Place>,
    serving: JoinHandle<()>,
    line: Line,
    /// Where pages and API answer.
    pub url: String,
    /// Where `/metrics`, `/healthz` and `/readyz` answer.
    pub admin: SocketAddr,
    /// Where a real gateway may enrol, and the CA that it needs.
    pub link: Option<(String, Certificates)>,
    /// The operator's one-time password.
    pub password: String,
    /// What the simulated gateways do.
    pub tally: Tally,
    /// How far the history has come.
    pub progress: Progress,
}

impl Demo {
    /// Makes or opens the demo's data and serves it.
    ///
    /// # Errors
    /// `DemoError` says what is missing or taken.
    pub async fn open(settings: Settings, clock: Clock) -> Result<Self, DemoError> {
        let began = clock.now();
        let world = World::new(settings.seed, began);
        let mut config = Config::defaults(&settings.data)?;
        config.listen = settings.listen;
        config.public_url = format!("http://{}", settings.listen);
        // Any free port: the usual one may belong to a hub that runs here too.
        config.admin_listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let link = settings.link.map(|address| -> Result<_, DemoError> {
            let made = certificate::make(&settings.data, names(address.ip()))?;
            config.link.listen = Some(address);
            config.link.url = format!("https://{address}");
            config.link.cert.clone_from(&made.cert);
            config.link.key.clone_from(&made.key);
            Ok((config.link.url.clone(), made))
        });
        let link = link.transpose()?;

        let address = config.database_url();
        let opened =
            if settings.passing { Store::open_passing(&address).await } else { Store::open(&address).await };
        let store = opened?;
        store.migrate().await?;
        let who = ImportOptions { dry_run: false, who: "demo".to_owned() };
        for file in builtin::badung() {
            import::run(&store, file.kind, file.bytes.to_vec(), file.name, &who, began).await?;
        }
        let places = equip(&store, world, settings.gateways).await?;
        let url = config.public_url.clone();
        let hub = Hub::start(config, clock.clone(), store)?;
        let password = operator(&hub).await?;
        hub.begin().await?;
        let server = Server::bind(&hub).await?;
        let admin = server.admin_address();
        let serving = tokio::spawn(server.run());
        Ok(Demo {
            line: Line::to(&url, None)?,
            hub,
            clock,
            world,
            began,
            days: settings.days,
            places,
            serving,
            url,
            admin,
            link,
            password,
            tally: Tally::default(),
            progress: Progress::default(),
        })
    }

    /// How many simulated gateways there will be.
    #[must_use]
    pub fn gateways(&self) -> usize {
        self.places.len()
    }

    /// The hub.
    #[must_use]
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Lets the simulated gateways enrol and live until `stop`, then deliver what is left.
    ///
    /// # Errors
    /// `DemoError` when claims cannot be issued.
    pub async fn live(&self, stop: &CancellationToken) -> Result<(), DemoError> {
        let gateways = self.claims().await?;
        let pace = Pace { first_within_ms: 0, ..Pace::default() };
        fleet::run(gateways, &self.line, self.world, &self.clock, pace, &self.tally, stop).await;
        Ok(())
    }

    /// Whether every simulated gateway has enrolled, or given way.
    #[must_use]
    pub fn is_peopled(&self) -> bool {
        let counts = self.tally.now();
        counts.enrolled + counts.revoked >= self.places.len() as u64
    }

    /// Fills the days before the demo began, newest first.
    ///
    /// # Errors
    /// `HistoryError` names the place.
    pub async fn fill(&self) -> Result<(), HistoryError> {
        let places = self.places.clone();
        history::fill(&self.hub, self.world, places, self.days, self.began, &self.progress).await
    }

    /// Stops the hub and closes its database; every acknowledged entry is kept.
    pub async fn close(self) {
        self.hub.stop().cancel();
        // A server that panicked has told why; there is nothing left to wait for.
        let _ = self.serving.await;
        self.hub.store().stop().await;
    }

    /// A gateway and a claim for every place, by the same rules as the console.
    async fn claims(&self) -> Result<Vec<LightGateway>, DemoError> {
        let mut tasks = JoinSet::new();
        for share in fleet::shares(self.places.clone()) {
            let (hub, now) = (self.hub.clone(), self.clock.now());
            tasks.spawn(async move {
                let mut claimed = Vec::new();
                for place in share {
                    let issued = claims::issue(&hub, place.code.clone(), "demo".to_owned(), None).await?;
                    let gateway = LightGateway::new(place, &entropy::draw()?, now, true);
                    claimed.push(gateway.with_claim(issued.code));
                }
                Ok::<_, DemoError>(claimed)
            });
        }
        let mut all = Vec::new();
        for share in tasks.join_all().await {
            all.extend(share?);
        }
        Ok(all)
    }
}

/// The names that a certificate for an address needs.
fn names(ip: IpAddr) -> Vec<String> {
    let mut names = vec![ip.to_string()];
    if ip.is_loopback() || ip.is_unspecified() {
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    }
    names.dedup();
    names
}

/// Brings the register's stages in line with the world; gives the places with a gateway.
async fn equip(store: &Store, world: World, most: usize) -> Result<Vec<Place>, StoreError> {
    let mut tx = store.reader().await?;
    let sites = site::all(&mut tx).await?;
    drop(tx);
    let mut places = Vec::new();
    let mut changed: Vec<Site> = Vec::new();
    for mut one in sites {
        let place =
            Place { code: one.code.clone(), category: one.category.clone(), village: one.area.clone() };
        let stage = match world.equipment(&place) {
            Equipment::InService if places.len() < most => {
                places.push(place);
                continue;
            }
            Equipment::InService | Equipment::Planned => continue,
            Equipment::Tested => Stage::Tested,
            Equipment::Unmeasured => Stage::InService,
        };
        if one.stage != stage {
            one.stage = stage;
            one.revision += 1;
            changed.push(one);
        }
    }
    while !changed.is_empty() {
        let later = changed.split_off(changed.len().min(WRITE));
        let now = std::mem::replace(&mut changed, later);
        store
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    for one in &now {
                        site::update(tx, one).await?;
                    }
                    setting::bump(tx, "register_version").await
                })
            })
            .await?;
    }
    Ok(places)
}

/// The operator's account with a fresh one-time password.
async fn operator(hub: &Hub) -> Result<String, DemoError> {
    let by = Actor::command_line();
    let said = |problem| DemoError::Operator(format!("{problem:?}"));
    let there = people::list(hub).await.map_err(said)?.iter().any(|p| p.name == OPERATOR);
    if there {
        return people::reset_password(hub, &by, OPERATOR).await.map_err(said);
    }
    let person = people::NewPerson {
        name: OPERATOR.to_owned(),
        full_name: "Operator demo".to_owned(),
        role: Role::Operator,
        area: None,
    };
    people::add(hub, &by, person).await.map_err(said)
}
