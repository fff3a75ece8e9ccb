//! `kulkul fleet`: load, by simulated gateways against a hub.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::{runtime, screen};
use kulkul_hub::clock::Clock;
use kulkul_hub::entropy;
use kulkul_model::claim::ClaimCode;
use kulkul_sim::caller::Line;
use kulkul_sim::fleet::{self, Counts, Pace, Summary, Tally};
use kulkul_sim::light::LightGateway;
use kulkul_sim::office::{self, Office};
use kulkul_sim::process::{self, Usage};
use kulkul_sim::register;
use kulkul_sim::world::World;
use serde::Serialize;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Put simulated gateways on a hub, to measure it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kulkul enrol --all > claims.csv
  kulkul fleet --hub http://127.0.0.1:8080 --gateways 987 --claims claims.csv --for 120

More places than the register has are invented first, and say so in their names:
  kulkul import categories bench/invented-category.csv
  kulkul fleet --invent-sites 20000 > invented.csv
  kulkul import sites invented.csv")]
pub struct Args {
    /// The hub's public URL
    #[arg(long, value_name = "URL", required_unless_present = "invent_sites")]
    hub: Option<String>,
    /// How many gateways, one for each of the register's first places
    #[arg(long, value_name = "N", default_value_t = 987)]
    gateways: usize,
    /// Beats of each gateway in a minute; real ones send two
    #[arg(long, value_name = "BEATS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    rate: u32,
    /// Stop after so many seconds; without it at Ctrl-C
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u32>,
    /// Claims as kulkul enrol --all writes them
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    claims: Option<PathBuf>,
    /// Or a file with an API token that may issue claims
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A CA of your own that the hub's certificate is from, PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The hub's process on this machine: its processor time and memory are shown too
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Write the final figures here as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The seed of the simulated world
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Print a register file of N invented places, and end
    #[arg(long, value_name = "N")]
    invent_sites: Option<u32>,
}

/// The figures of a run, for people and programs.
#[derive(Debug, Serialize)]
struct Figures {
    seconds: f64,
    #[serde(flatten)]
    summary: Summary,
    /// Of one core, while the fleet ran.
    hub_cpu_percent: Option<f64>,
    hub_rss_mib: Option<u64>,
    /// Of one core: what making the load took, on the same machine.
    fleet_cpu_percent: Option<f64>,
}

impl Args {
    /// Enrols the gateways, runs them and prints what was sent, accepted and lost.
    ///
    /// # Errors
    /// Claims or the hub cannot be used; the answer is no when entries were lost.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("warn");
        if let Some(count) = self.invent_sites {
            screen::bytes(register::invented(count).as_bytes())?;
            return Ok(Ending::Done);
        }
        runtime::run(self.load())
    }

    async fn load(self) -> Outcome {
        let base = self.hub.clone().unwrap_or_default();
        let ca = self.ca.as_ref().map(std::fs::read).transpose().or_input("correct --ca")?;
        let clock = Clock::machine();
        let stop = CancellationToken::new();
        let tally = Tally::default();
        let line = Line::to(&base, ca.as_deref()).or_input("correct --hub and --ca")?;
        let claimed = self.claimed(&base, ca.as_deref(), &clock).await?;
        let wanted = claimed.len();
        screen::line(format!("enrolling {wanted} gateways at {base}"))?;
        let gateways = fleet::enrol(claimed, &line, &clock, &tally, &stop).await;
        if gateways.is_empty() {
            let why = tally.now().last_failure.unwrap_or_else(|| "no places".to_owned());
            return Err(Failure::unable(anyhow::anyhow!("no gateway could enrol: {why}"), "make new claims"));
        }
        screen::line(format!("{} of {wanted} enrolled", gateways.len()))?;

        let world = World::new(self.seed, clock.now());
        let pace = Pace::every(60_000 / i64::from(self.rate));
        let began = clock.now();
        let used = self.pid.and_then(process::usage);
        let own = process::usage(std::process::id());
        let teller = tokio::spawn(tell(clock.clone(), tally.clone(), self.pid, stop.clone()));
        let ender = tokio::spawn(end(clock.clone(), self.seconds, stop.clone()));
        let gateways = fleet::run(gateways, &line, world, &clock, pace, &tally, &stop).await;
        ender.abort();
        // The teller ends with `stop`; what it could not print is told by the table.
        let _ = teller.await;

        let counts = tally.now();
        #[expect(clippy::cast_precision_loss, reason = "a run lasts no centuries")]
        let seconds = clock.now().since_ms(began) as f64 / 1000.0;
        let now = self.pid.and_then(process::usage);
        let share = |before: Option<Usage>, now: Option<Usage>| {
            before.zip(now).map(|(a, b)| (b.cpu_ms - a.cpu_ms) as f64 / 10.0 / seconds)
        };
        let figures = Figures {
            seconds,
            summary: fleet::sum_up(&gateways, &counts),
            hub_cpu_percent: share(used, now),
            hub_rss_mib: now.map(|u| u.rss_kib / 1024),
            fleet_cpu_percent: share(own, process::usage(std::process::id())),
        };
        table(&figures, &counts)?;
        if let Some(file) = &self.json {
            std::fs::write(file, serde_json::to_vec_pretty(&figures)?).or_input("correct --json")?;
        }
        Ok(if figures.summary.entries_lost == 0 { Ending::Done } else { Ending::No })
    }

    /// Gateways with the claims that they will enrol by.
    async fn claimed(
        &self,
        base: &str,
        ca: Option<&[u8]>,
        clock: &Clock,
    ) -> Result<Vec<(LightGateway, ClaimCode)>, Failure> {
        let token = self.token_file.as_ref().map(std::fs::read_to_string).transpose();
        let token = token.or_input("correct --token-file")?.map(|t| t.trim().to_owned());
        let has_token = token.is_some();
        let office = Office::at(base, ca, token).or_input("correct --hub and --ca")?;
        let places =
            office.places(self.gateways).await.or_unable("is the hub there, and its register full?")?;
        let mut claims = match &self.claims {
            Some(file) => {
                let text = std::fs::read_to_string(file).or_input("make it with kulkul enrol --all")?;
                office::read_claims(&text).or_input("make it with kulkul enrol --all")?
            }
            None => Default::default(),
        };
        let mut claimed = Vec::new();
        for place in places {
            let claim = match claims.remove(&place.code) {
                Some(claim) => claim,
                None if has_token => {
                    office.claim(&place.code).await.or_unable("use a token of an operator or admin")?
                }
                None => continue,
            };
            let gateway = LightGateway::new(place, &entropy::draw()?, clock.now(), true);
            claimed.push((gateway, claim));
        }
        if claimed.is_empty() {
            let cause = anyhow::anyhow!("there are no claims for the hub's places");
            return Err(Failure::input(cause, "give --claims (from kulkul enrol --all) or --token-file"));
        }
        Ok(claimed)
    }
}

async fn end(clock: Clock, seconds: Option<u32>, stop: CancellationToken) {
    let over = async {
        match seconds {
            Some(s) => clock.sleep_ms(i64::from(s) * 1000).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        _ = runtime::stop_signal() => {}
        () = over => {}
    }
    stop.cancel();
}

/// Prints a line each second until the fleet stops.
async fn tell(clock: Clock, tally: Tally, pid: Option<u32>, stop: CancellationToken) -> std::io::Result<()> {
    let (mut before, mut used) = (tally.now(), pid.and_then(process::usage));
    for second in 1u64.. {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = clock.sleep_ms(1_000) => {}
        }
        let now = tally.now();
        let usage = pid.and_then(process::usage);
        let hub = used.zip(usage).map_or_else(String::new, |(a, b)| {
            format!("  hub {:>5.1} % {:>4} MiB", (b.cpu_ms - a.cpu_ms) as f64 / 10.0, b.rss_kib / 1024)
        });
        screen::line(format!(
            "{second:>4} s  beats {:>5}/s  entries {:>5}/s  p99 {:>7}  failed {}{hub}",
            now.beats - before.beats,
            now.delivered - before.delivered,
            ms(now.turns.percentile_us(99)),
            now.failed,
        ))?;
        (before, used) = (now, usage);
    }
    Ok(())
}

fn ms(us: u64) -> String {
    format!("{:.1} ms", us as f64 / 1000.0)
}

fn table(f: &Figures, counts: &Counts) -> std::io::Result<()> {
    let s = &f.summary;
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("seconds", format!("{:.0}", f.seconds)),
        row("gateways", s.gateways.to_string()),
        row("revoked by the hub", s.revoked.to_string()),
        row("entries sent", s.entries_sent.to_string()),
        row("entries accepted", s.entries_accepted.to_string()),
        row("entries lost", s.entries_lost.to_string()),
        row("beats answered", s.beats.to_string()),
        row("calls that failed and were made again", s.failed_calls.to_string()),
        row("turn p50", ms(s.p50_us)),
        row("turn p99", ms(s.p99_us)),
        row("longest turn", ms(s.longest_us)),
        row("fleet late by at most", format!("{} ms", s.latest_ms)),
    ];
    rows.extend(f.hub_cpu_percent.map(|p| row("hub, of one core", format!("{p:.1} %"))));
    rows.extend(f.hub_rss_mib.map(|m| row("hub, resident", format!("{m} MiB"))));
    rows.extend(f.fleet_cpu_percent.map(|p| row("this fleet, of one core", format!("{p:.1} %"))));
    rows.extend(counts.last_failure.clone().map(|why| row("last failure", why)));
    screen::table(&["figure", "value"], &rows)
}
