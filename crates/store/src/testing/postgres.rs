//! One PostgreSQL server for all test processes of a build.
//!
//! nextest runs a process for each test, so a server for each would cost more
//! than the tests. The first test process starts `serve.sh` in a session of its
//! own; every process holds a shared lock on the file `users` while it lives, and
//! `serve.sh` ends the server and removes the directory soon after the last lock
//! is gone, renaming it first so that a newcomer never shares one that is being
//! removed. The system lets go of a lock whatever way a process ends, so nothing
//! is left behind after a panic or a kill. The server listens on a socket in its
//! own directory only, and runs as `postgres` or `nobody` where the tests run as
//! root, which PostgreSQL refuses. Syncing is off: the data is thrown away.
//!
//! Its default collation is ICU's, which sorts otherwise than SQLite, so that a
//! text column without COLLATE "C" shows in a test.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const SERVE: &str = include_str!("serve.sh");
/// Steps of 20 ms that a server gets to answer: 60 s, for a busy machine.
const PATIENCE: u32 = 3_000;

// Names of databases within one process; it decides nothing else.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A database of its own on the shared server.
pub(super) struct Database {
    pub(super) url: String,
    name: String,
    directory: PathBuf,
    // While this file is locked the server stays.
    _user: File,
}

impl Database {
    pub(super) async fn new() -> Result<Database, String> {
        let binaries = binaries()?;
        let (directory, user) = join(&binaries)?;
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        admin(&directory, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        let url = format!("postgres://kulkul@localhost/{name}?host={}", directory.display());
        Ok(Database { url, name, directory, _user: user })
    }

    pub(super) async fn remove(self) {
        // The directory goes away as a whole later; this only keeps it small.
        let _ = admin(&self.directory, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
    }
}

async fn admin(directory: &Path, statement: &str) -> Result<(), String> {
    let options =
        PgConnectOptions::new_without_pgpass().socket(directory).username("kulkul").database("postgres");
    let said = |e: sqlx::Error| format!("{statement}: {e}");
    let mut connection = PgConnection::connect_with(&options).await.map_err(said)?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.map_err(said)?;
    connection.close().await.map_err(said)
}

/// Where the server's programs are: Debian's place, newest first, else the PATH's.
fn binaries() -> Result<PathBuf, String> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    found.sort();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    found
        .into_iter()
        .rev()
        .map(|(_, bin)| bin)
        .chain(std::env::split_paths(&paths))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .ok_or_else(|| {
            "no initdb in /usr/lib/postgresql/*/bin or PATH (apt-get install postgresql)".to_owned()
        })
}

/// Joins the running server of this build, or starts one.
fn join(binaries: &Path) -> Result<(PathBuf, File), String> {
    let directory = std::env::temp_dir().join(format!("kulkul-pg-{}", key()?));
    for _ in 0..PATIENCE {
        match try_join(&directory, binaries).map_err(|e| format!("{}: {e}", directory.display()))? {
            Some(user) => return Ok((directory, user)),
            // The server was just leaving and took its directory along.
            None => pause(),
        }
    }
    Err(format!("no server came up in {}", directory.display()))
}

/// One server for each build directory and user: worktrees do not meet.
fn key() -> Result<String, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut hasher = DefaultHasher::new();
    program.parent().hash(&mut hasher);
    Ok(format!("{:08x}-{}", hasher.finish() & 0xffff_ffff, own_uid()?))
}

fn own_uid() -> Result<u32, String> {
    fs::metadata("/proc/self").map(|m| m.uid()).map_err(|e| e.to_string())
}

fn try_join(directory: &Path, binaries: &Path) -> Result<Option<File>, std::io::Error> {
    fs::create_dir_all(directory)?;
    let gate_path = directory.join("gate");
    let Some(gate) = lockable(&gate_path)? else { return Ok(None) };
    gate.lock()?;
    // Whoever locked a file that was removed meanwhile holds nothing.
    if fs::metadata(&gate_path).map(|m| m.ino()).ok() != Some(gate.metadata()?.ino()) {
        return Ok(None);
    }
    let Some(user) = lockable(&directory.join("users"))? else { return Ok(None) };
    user.lock_shared()?;
    if directory.join("serving").exists() {
        if alive(directory)? {
            return Ok(Some(user));
        }
        // Killed with what served it; what it left serves nobody.
        put_away(directory)?;
        return Ok(None);
    }
    // One that another process was starting when it was killed is waited for.
    let mut server = if alive(directory)? { None } else { Some(start(directory, binaries)?) };
    for _ in 0..PATIENCE {
        if directory.join("serving").exists() {
            // It outlives this process on purpose; waiting for it here would be for ever.
            std::thread::spawn(move || server.map(|mut s| s.wait()));
            return Ok(Some(user));
        }
        if let Some(status) = server.as_mut().map_or(Ok(None), Child::try_wait)? {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            put_away(directory)?;
            return Err(std::io::Error::other(format!("the server did not start ({status}): {log}")));
        }
        pause();
    }
    // Whoever comes next finds no half-started one.
    if let Some(server) = &mut server {
        let _ = server.kill();
        let _ = server.wait();
    }
    put_away(directory)?;
    Err(std::io::Error::other("the server did not start within a minute"))
}

/// Whether `serve.sh` lives: it holds a lock on `alive` while it does.
fn alive(directory: &Path) -> Result<bool, std::io::Error> {
    let file = match File::open(directory.join("alive")) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    match file.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Takes a directory out of the way in one step, then removes it.
fn put_away(directory: &Path) -> Result<(), std::io::Error> {
    let gone = directory.with_extension(format!("gone-{}", std::process::id()));
    fs::rename(directory, &gone)?;
    // A killed server's children may still be writing their last.
    for _ in 0..100 {
        if fs::remove_dir_all(&gone).is_ok() {
            break;
        }
        pause();
    }
    Ok(())
}

/// Opens a lock file; none when its directory is gone.
fn lockable(path: &Path) -> Result<Option<File>, std::io::Error> {
    match OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn start(directory: &Path, binaries: &Path) -> Result<Child, std::io::Error> {
    let script = directory.join("serve.sh");
    fs::write(&script, SERVE)?;
    let mut command = Command::new("setsid");
    if fs::metadata("/proc/self")?.uid() == 0 {
        let (name, uid, gid) = unprivileged()?;
        std::os::unix::fs::chown(directory, Some(uid), Some(gid))?;
        command.args(["setpriv", "--reuid", &name, "--regid", &gid.to_string(), "--clear-groups"]);
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    command.arg("sh").arg(&script).arg(binaries).arg(directory);
    // No handle of the test may be inherited, or its runner waits for the server.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    command.spawn()
}

/// The user that runs the server when the tests run as root: name, uid, gid.
fn unprivileged() -> Result<(String, u32, u32), std::io::Error> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|wanted| {
            let line = passwd.lines().find(|l| l.split(':').next() == Some(*wanted))?;
            let mut fields = line.split(':').skip(2);
            Some(((*wanted).to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .ok_or_else(|| std::io::Error::other("neither a user postgres nor a user nobody"))
}

fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
