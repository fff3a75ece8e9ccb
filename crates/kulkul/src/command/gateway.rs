//! `kulkul gateway`: the box at a site, what it says of itself, and its resolver.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::logs::LogForm;
use crate::{runtime, screen, settings_file};
use kulkul_gateway::Ended;
use kulkul_gateway::clock::Clock;
use kulkul_gateway::config::Config;
use kulkul_gateway::dns::{lists, serve};
use kulkul_gateway::status::{self, Question, Status};
use kulkul_gateway::updates::launch::INSTALLED;
use kulkul_gateway::updates::{Files, Program};
use kulkul_gateway::ways::dial;
use kulkul_gateway::words::{Lang, Words};
use kulkul_model::Zone;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

mod connections;
mod launch;

/// Run the box at a site: portal, firewall, names, journal (the default), or ask it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kulkul gateway --config gateway.toml\n  kulkul gateway status\n  kulkul gateway doctor"
)]
pub struct Args {
    /// The gateway's configuration; a bare name is looked for here, then in /etc/kulkul
    #[arg(long, global = true, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Run the box (the same as no command)
    #[command(after_help = "Example:\n  kulkul gateway run --config gateway.toml")]
    Run,
    /// Ask the running box how it is
    #[command(after_help = "Example:\n  kulkul gateway status --json")]
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong with this box and its place, each with a mend
    #[command(after_help = "Example:\n  kulkul gateway doctor")]
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say who was online at a moment, by the connection log of this box; noted in the journal
    #[command(
        after_help = "Example:\n  kulkul gateway connections --at 2026-11-24T20:15:00+08:00 --port 51234 --reason \"letter B/17/2026\""
    )]
    Connections(connections::Args),
    /// Make the code for the label of a box that is not set up yet; shown once, an older one is void
    #[command(after_help = "Example:\n  kulkul gateway label")]
    Label,
    /// Remove the firewall's table and put the kernel's settings back, once the box is stopped
    #[command(after_help = "Example:\n  kulkul gateway teardown")]
    Teardown,
    /// Say what this program is, as JSON, and with --check whether it can read gateway.toml
    #[command(after_help = "Example:\n  kulkul gateway program --check")]
    Program {
        /// Reads gateway.toml as the box would
        #[arg(long)]
        check: bool,
    },
    /// Watches over a program on trial, beside it
    #[command(hide = true)]
    Guard(launch::Guard),
    /// Make the set of a plain list, as the gateway does by itself; for measuring
    #[command(hide = true)]
    MakeSet {
        /// The list
        text: PathBuf,
        /// The set
        set: PathBuf,
    },
    /// The resolver, a process of its own that the gateway starts
    #[command(hide = true)]
    Resolver {
        /// The gateway's data directory, where its settings are
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Writes down what udhcpc says, where it is udhcpc that called this program.
pub fn told_of_an_address() -> Option<ExitCode> {
    let mut said = std::env::args_os();
    let (called, event) = (said.next()?, said.next().unwrap_or_default());
    let done = dial::tell(&called, &event.to_string_lossy(), |name| std::env::var(name).ok())?;
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    /// Runs the box, or asks it.
    ///
    /// # Errors
    /// Says what is wrong and the mend.
    pub fn run(self, logs: LogForm) -> Outcome {
        match self.act.unwrap_or(Act::Run) {
            Act::Run => {
                launch::hand_over(&settings_file::found(&self.config))?;
                let config = read(&self.config)?;
                logs.start_kept(&filter());
                let settings = settings_file::found(&self.config);
                runtime::run_small(run(config, settings))
            }
            Act::Program { check } => {
                if check {
                    read(&self.config)?;
                }
                screen::line(serde_json::to_string(&Program::this())?)?;
                Ok(Ending::Done)
            }
            Act::Guard(guard) => guard.run(),
            Act::Teardown => {
                let config = read(&self.config)?;
                kulkul_gateway::tear_down(&config).or_unable("run it as root")?;
                Ok(Ending::Done)
            }
            Act::Label => {
                let config = read(&self.config)?;
                let code = kulkul_gateway::first_boot::label(&config.data).or_unable("run it as root")?;
                screen::line(code.shown())?;
                Ok(Ending::Done)
            }
            Act::Status { json } => runtime::run(status(read(&self.config)?, json)),
            Act::Doctor { json } => runtime::run(doctor(read(&self.config)?, json)),
            Act::Connections(args) => runtime::run(args.run(read(&self.config)?)),
            Act::MakeSet { text, set } => {
                let names = lists::measure(&text, &set).or_input("give a plain list of names")?;
                screen::line(names.to_string())?;
                Ok(Ending::Done)
            }
            Act::Resolver { data } => {
                logs.start(&filter());
                runtime::run_small(async {
                    serve::run(&data).await.map_err(|e| {
                        Failure::unable(e, "the gateway's program starts the resolver itself")
                    })?;
                    Ok(Ending::Done)
                })
            }
        }
    }
}

fn filter() -> String {
    std::env::var("KULKUL_LOG").unwrap_or_else(|_| "info".to_owned())
}

async fn run(config: Config, settings: PathBuf) -> Outcome {
    // Two TLS providers in one program make rustls panic; ours is chosen here, once.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exe = std::env::current_exe().or_unable("run kulkul by its full path")?;
    let installed = launch::installed().unwrap_or_else(|| exe.clone());
    let files = Files { exe, installed: installed.clone(), settings };
    let stop = CancellationToken::new();
    let told = stop.clone();
    let signal = tokio::spawn(async move {
        let heard = runtime::stop_signal().await;
        told.cancel();
        heard
    });
    let ended = kulkul_gateway::run(config, files, stop).await.or_unable("see kulkul gateway doctor")?;
    signal.abort();
    if ended == Ended::Again {
        // In the same process: whoever supervises it sees no end. The installed program looks which one runs.
        let mut next = std::process::Command::new(installed);
        let error = next.args(std::env::args_os().skip(1)).env_remove(INSTALLED).exec();
        return Err(Failure::unable(error, "start the box again"));
    }
    Ok(Ending::Done)
}

fn read(file: &Path) -> Result<Config, Failure> {
    Config::load(&settings_file::found(file))
        .map_err(|e| Failure::input(e, "give the gateway's file with --config"))
}

pub(super) fn language() -> Lang {
    Lang::of_shell(|name| std::env::var(name).ok())
}

async fn status(config: Config, json: bool) -> Outcome {
    let (words, lang) = (Words::builtin(), language());
    let socket = config.data.join(status::SOCKET);
    let answer = match status::ask(&socket, Question::Status).await {
        Ok(answer) => answer,
        Err(e) => return Err(Failure::unable(e, words.text(lang, "status-not-running"))),
    };
    if json {
        screen::line(answer.to_string())?;
    } else {
        let status: Status = serde_json::from_value(answer)?;
        screen::line(status.in_words(&words, lang, &Zone::named("Asia/Makassar")?).trim_end())?;
    }
    Ok(Ending::Done)
}

async fn doctor(config: Config, json: bool) -> Outcome {
    let report = kulkul_gateway::doctor::examine(&config, &Clock::machine()).await;
    if json {
        screen::line(serde_json::to_string(&report)?)?;
    } else {
        screen::line(report.in_words(&Words::builtin(), language()).trim_end())?;
    }
    Ok(if report.is_well() { Ending::Done } else { Ending::No })
}
