//! `kulkul hub`: the service.

use crate::ending::{Ending, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::which_hub::WhichHub;
use crate::{runtime, screen};
use kulkul_hub::Hub;
use kulkul_hub::clock::Clock;
use kulkul_hub::config::{Config, print_config};
use kulkul_hub::serve::Server;
use kulkul_store::Store;

/// Run the hub: pages, API and the gateways' link
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kulkul hub --print-config > hub.toml\n  kulkul hub --config hub.toml")]
pub struct Args {
    /// Print a configuration with every key, its meaning and its default, and end
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    which: WhichHub,
}

impl Args {
    /// Runs the hub until it is told to stop.
    ///
    /// # Errors
    /// The configuration, the database or an address cannot be used.
    pub fn run(self, logs: LogForm) -> Outcome {
        if self.print_config {
            screen::bytes(print_config().as_bytes())?;
            return Ok(Ending::Done);
        }
        let config = self.which.config()?;
        logs.start(&config.log);
        runtime::run(async {
            let store = self.which.store(&config).await?;
            serve(config, store).await
        })
    }
}

async fn serve(config: Config, store: Store) -> Outcome {
    let hub = Hub::start(config, Clock::machine(), store.clone()).or_unable("see kulkul check")?;
    hub.begin().await.or_unable("see kulkul check")?;
    let server = Server::bind(&hub).await.or_unable("see kulkul check")?;
    tracing::info!(address = %server.address(), admin = %server.admin_address(), "kulkul hub is ready");
    let stop = hub.stop().clone();
    let signal = tokio::spawn(async move {
        let heard = runtime::stop_signal().await;
        stop.cancel();
        heard
    });
    server.run().await;
    store.stop().await;
    signal.abort();
    tracing::info!("stopped");
    Ok(Ending::Done)
}
