//! `kulkul demo`: a whole regency on this machine.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::{runtime, screen};
use indicatif::{ProgressBar, ProgressStyle};
use kulkul_hub::clock::Clock;
use kulkul_sim::demo::{Demo, OPERATOR, Settings};
use kulkul_sim::world::SOON;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Run a whole regency on this machine, with simulated gateways and a week of history
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kulkul demo
  kulkul demo --data /var/tmp/badung --days 30
  kulkul demo --link 10.99.0.1:8443    (an address that a real gateway can reach)")]
pub struct Args {
    /// Where pages and API are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where a real gateway may enrol, by TLS with a CA of the demo's own
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    link: SocketAddr,
    /// Keep everything here instead of in a temporary directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// At most so many simulated gateways
    #[arg(long, value_name = "N", default_value_t = 987)]
    gateways: usize,
    /// Days of history
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(0..=90))]
    days: u32,
    /// The seed of the simulated world
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl Args {
    /// Serves the regency until Ctrl-C.
    ///
    /// # Errors
    /// An address is taken, or the directory cannot be used.
    pub fn run(self, logs: LogForm) -> Outcome {
        logs.start("error");
        runtime::run(self.regency())
    }

    async fn regency(self) -> Outcome {
        let clock = Clock::machine();
        let began = clock.now();
        let temporary = match &self.data {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("kulkul-demo-")
                    .tempdir()
                    .or_unable("name a directory with --data")?,
            ),
        };
        let data = match (&self.data, &temporary) {
            (Some(data), _) => data.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(Failure::from(anyhow::anyhow!("there is no directory"))),
        };
        std::fs::create_dir_all(&data).or_unable("name another directory with --data")?;
        let settings = Settings {
            listen: self.listen,
            link: Some(self.link),
            data,
            passing: temporary.is_some(),
            gateways: self.gateways,
            days: self.days,
            seed: self.seed,
        };
        let demo = Demo::open(settings, clock.clone())
            .await
            .or_unable("choose other addresses with --listen and --link, or another directory with --data")?;
        welcome(&demo, clock.now().since_ms(began), temporary.is_none())?;
        let outcome = live(&demo).await;
        demo.close().await;
        screen::line("stopped")?;
        outcome
    }
}

/// Lets the gateways live and the history fill until Ctrl-C.
async fn live(demo: &Demo) -> Outcome {
    let stop = CancellationToken::new();
    let until = async {
        let heard = runtime::stop_signal().await;
        stop.cancel();
        heard
    };
    let rest = async {
        let past = async {
            let filling = async {
                // Gateways first: a visitor sees places turn green within seconds.
                while !demo.is_peopled() {
                    demo.hub().clock().sleep_ms(200).await;
                }
                demo.fill().await
            };
            let filling = async {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => Ok(()),
                    filled = filling => filled,
                }
            };
            tokio::join!(filling, watch(demo, &stop)).0.map_err(Failure::from)
        };
        let life = async { demo.live(&stop).await.map_err(Failure::from) };
        tokio::try_join!(past, life)
    };
    // A fault ends the demo at once; otherwise it lasts until Ctrl-C.
    let until = async { until.await.map_err(Failure::from) };
    tokio::try_join!(until, rest)?;
    Ok(Ending::Done)
}

/// A progress bar for the history, on a terminal only.
async fn watch(demo: &Demo, stop: &CancellationToken) {
    let style = ProgressStyle::with_template("history {bar:40} {pos}/{len} days of places, {eta} left");
    let bar = ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    loop {
        let (done, all) = demo.progress.now();
        bar.set_length(all.max(1));
        bar.set_position(done);
        if all > 0 && done >= all {
            bar.finish_with_message("history is there");
            return;
        }
        let tick = demo.hub().clock().sleep_ms(200);
        tokio::select! {
            biased;
            () = stop.cancelled() => return bar.abandon(),
            () = tick => {}
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a start takes seconds")]
fn welcome(demo: &Demo, took_ms: i64, kept: bool) -> std::io::Result<()> {
    let seconds = took_ms as f64 / 1000.0;
    screen::line(format!(
        "Badung is at {}   ({seconds:.1} s; {} simulated gateways come now)\n\n\
         sign in        {}/console  as  {OPERATOR}  with the one-time password  {}\n\
         try            find a village on the map; open a place that is down\n\
         watch          {}/areas/{SOON}  where a branch of the fibre is torn in four minutes, for twenty\n\
         API            {}/api/v1/sites?state=down   {}/api/openapi.json\n\
         metrics        http://{}/metrics",
        demo.url,
        demo.gateways(),
        demo.url,
        demo.password,
        demo.url,
        demo.url,
        demo.url,
        demo.admin,
    ))?;
    if let Some((url, certificates)) = &demo.link {
        screen::line(format!(
            "\na real box     in the console open a place, issue a claim, and give the box gateway.toml:\n\
             \x20              hub = \"{url}\"\n\
             \x20              hub_ca = \"{}\"\n\
             \x20              claim = \"the code from the console\"\n\
             \x20              the simulated gateway of that place then falls silent for good",
            certificates.ca.display(),
        ))?;
    }
    let end = if kept { "Ctrl-C stops; the data stays" } else { "Ctrl-C stops and removes everything" };
    screen::line(format!("\n{end}"))
}
