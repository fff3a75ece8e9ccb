//! The update key and what it signs. Neither needs a hub, and the key belongs on none.

use crate::ending::{Ending, Failure, Mend as _, Outcome};
use crate::screen;
use kulkul_hub::Clock;
use kulkul_hub::entropy::draw;
use kulkul_proof::{Signer, key_file, release};
use kulkul_wire::link::release::is_plain;
use kulkul_wire::link::{Digest, PROGRAM_LIMIT, Release};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// What the key's file says that it is for.
const USE: &str = "update";

#[derive(Debug, clap::Args)]
pub(super) struct Keygen {
    /// Where the key goes; a file that is there is not replaced
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> Outcome {
        let signer = Signer::from_seed(&Zeroizing::new(draw()?));
        let text = key_file::write(USE, &signer);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file);
        let mut file = match made {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let cause = anyhow::anyhow!("{} is there already", self.file.display());
                return Err(Failure::input(cause, "name another file; boxes trust the key that they know"));
            }
            made => made.or_unable("choose a directory that can be written")?,
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        screen::line(format!("the key is in {}; whoever has it can change every box", self.file.display()))?;
        screen::line("put this line into gateway.toml of every box:")?;
        screen::line(format!("update_keys = [\"{}\"]", signer.public()))?;
        Ok(Ending::Done)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Sign {
    /// The program for boxes
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// The key's file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What people call it; left out: the program is run and says so
    #[arg(long)]
    version: Option<String>,
    /// Which machines run it, as x86_64-linux-gnu or aarch64-linux-musl; left out: the program says so
    #[arg(long)]
    target: Option<String>,
}

impl Sign {
    pub(super) fn run(self) -> Outcome {
        let text =
            fs::read_to_string(&self.key).map(Zeroizing::new).or_input("give the key's file with --key")?;
        let signer = key_file::read(USE, &text).or_input("make one: kulkul update keygen update.key")?;
        let program = fs::read(&self.program).or_input("give the program's file")?;
        let bytes = program.len() as u64;
        if bytes > PROGRAM_LIMIT {
            let cause = anyhow::anyhow!("{} has {bytes} bytes", self.program.display());
            return Err(Failure::input(cause, format!("boxes take at most {PROGRAM_LIMIT}")));
        }
        let said = || says(&self.program);
        let (version, target) = match (self.version.clone(), self.target.clone()) {
            (Some(version), Some(target)) => (version, target),
            (version, target) => {
                let (its_version, its_target) = said()?;
                (version.unwrap_or(its_version), target.unwrap_or(its_target))
            }
        };
        for (what, name) in [("--version", &version), ("--target", &target)] {
            if !is_plain(name) {
                let cause = anyhow::anyhow!("{what} is \"{name}\"");
                return Err(Failure::input(cause, "use at most 64 letters, digits and ._+-"));
            }
        }
        let sha256 = Digest::of(&program);
        let signed_at = Clock::machine().now();
        let signed = release::sign(&signer, &Release { version, target, sha256, bytes, signed_at });
        let mut statement = self.program.clone().into_os_string();
        statement.push(".release");
        let statement = PathBuf::from(statement);
        fs::write(&statement, signed).or_unable("choose a directory that can be written")?;
        screen::line(format!("{} is signed by {}", self.program.display(), signer.public()))?;
        screen::line(format!("{} goes with it to the hub: kulkul update take", statement.display()))?;
        Ok(Ending::Done)
    }
}

/// What a program says of itself; one for another kind of machine cannot be asked.
fn says(program: &Path) -> Result<(String, String), Failure> {
    const MEND: &str = "say what it is with --version and --target";
    let path = fs::canonicalize(program).or_input("give the program's file")?;
    let out = Command::new(path).args(["gateway", "program"]).stdin(Stdio::null()).output().or_input(MEND)?;
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).or_input(MEND)?;
    let field = |name: &str| {
        let text = said.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        text.ok_or_else(|| Failure::input(anyhow::anyhow!("the program does not say its {name}"), MEND))
    };
    Ok((field("version")?, field("target")?))
}
