//! Accounts that the hub let in here before: what serves them while it does not answer.
//!
//! Never a secret, only a slow hash of it under a salt of its own, for thirty days, in a
//! file that its owner alone can read. What was disabled or changed since is dropped.

use super::book::{passed_ms, remove};
use crate::disk::write_whole;
use kulkul_model::Moment;
use kulkul_model::admission::Token16;
use kulkul_wire::link::desired::RevokedAccount;
use kulkul_wire::link::{Blob, Stamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "accounts.json";
/// Accounts that are remembered; the one that was let in longest ago makes room.
pub const MOST: usize = 500;
/// How long one is remembered, milliseconds.
pub const KEPT_MS: u64 = 30 * 24 * 3_600_000;

/// An account as the hub granted it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) account: Token16,
    pub(super) name: String,
    pub(super) salt: Token16,
    pub(super) hash: Blob,
    /// When the hub let it in.
    pub(super) at: Stamp,
    pub(super) limit_ms: Option<u64>,
    /// When the account is over.
    #[serde(default)]
    pub(super) expires: Option<Moment>,
    pub(super) devices: Option<u16>,
    pub(super) down_kbps: Option<u32>,
    pub(super) up_kbps: Option<u32>,
}

impl Remembered {
    fn holds(&self, revoked: &[RevokedAccount], now: Stamp) -> bool {
        let gone =
            |r: &RevokedAccount| r.account == self.account && self.at.wall.is_none_or(|at| r.since >= at);
        let over = self.left_ms(now) == Some(0);
        passed_ms(self.at, now).unwrap_or(0) < KEPT_MS && !over && !revoked.iter().any(gone)
    }

    /// How long a session by it may last from now on, where that is limited.
    ///
    /// While the box does not know the time, no account is over.
    pub(super) fn left_ms(&self, now: Stamp) -> Option<u64> {
        let ends = self.expires.zip(now.wall).map(|(at, wall)| u64::try_from(at.since_ms(wall)).unwrap_or(0));
        [self.limit_ms, ends].into_iter().flatten().min()
    }
}

/// All of them, the one that was let in last at the end.
#[derive(Debug)]
pub(super) struct Accounts {
    path: PathBuf,
    all: Vec<Remembered>,
}

impl Accounts {
    /// Reads what is remembered in `data`; nothing when it cannot be read.
    ///
    /// # Errors
    /// The system's, when the file is there and cannot be read.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(NAME);
        let all = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        Ok(Accounts { path, all })
    }

    /// What is remembered of a name.
    pub(super) fn find(&self, name: &str, revoked: &[RevokedAccount], now: Stamp) -> Option<&Remembered> {
        self.all.iter().find(|r| r.name == name).filter(|r| r.holds(revoked, now))
    }

    /// Remembers an account; what was known of it before is replaced.
    ///
    /// # Errors
    /// The system's; then nothing of it is on the disk.
    pub(super) fn remember(&mut self, one: Remembered) -> io::Result<()> {
        self.all.retain(|r| r.name != one.name && r.account != one.account);
        self.all.push(one);
        let over = self.all.len().saturating_sub(MOST);
        self.all.drain(..over);
        self.write()
    }

    /// Forgets a name.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn drop_name(&mut self, name: &str) -> io::Result<()> {
        self.keep_only(|r| r.name != name)
    }

    /// Forgets what is too old, and what was disabled or changed since.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn tidy(&mut self, revoked: &[RevokedAccount], now: Stamp) -> io::Result<()> {
        self.keep_only(|r| r.holds(revoked, now))
    }

    /// Forgets everything, on the disk too.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.all.clear();
        remove(&self.path)
    }

    fn keep_only(&mut self, keep: impl Fn(&Remembered) -> bool) -> io::Result<()> {
        let before = self.all.len();
        self.all.retain(keep);
        if self.all.len() == before { Ok(()) } else { self.write() }
    }

    fn write(&self) -> io::Result<()> {
        write_whole(&self.path, &serde_json::to_vec(&self.all)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_wire::link::BootId;
    use std::os::unix::fs::PermissionsExt as _;

    fn stamp(wall: Option<i64>) -> Stamp {
        Stamp { boot: BootId([1; 16]), mono_ms: 0, wall: wall.map(Moment::from_ms) }
    }

    fn one(n: u16, wall: Option<i64>) -> Remembered {
        let [a, b] = n.to_be_bytes();
        Remembered {
            account: Token16([a, b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            name: format!("account{n}"),
            salt: Token16([3; 16]),
            hash: Blob(vec![4; 32]),
            at: stamp(wall),
            limit_ms: None,
            expires: None,
            devices: Some(1),
            down_kbps: None,
            up_kbps: None,
        }
    }

    #[test]
    fn so_many_are_remembered_for_their_owner_only_and_for_so_long() {
        let dir = tempfile::tempdir().unwrap();
        let most = u16::try_from(MOST).unwrap();
        let all: Vec<Remembered> = (0..most).map(|n| one(n, Some(0))).collect();
        std::fs::write(dir.path().join(NAME), serde_json::to_vec(&all).unwrap()).unwrap();
        Accounts::open(dir.path()).unwrap().remember(one(most, Some(0))).unwrap();
        let mode = std::fs::metadata(dir.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut accounts = Accounts::open(dir.path()).unwrap();
        let known = |a: &Accounts, n: u16, now| a.find(&format!("account{n}"), &[], now).is_some();
        assert!(!known(&accounts, 0, stamp(Some(0))) && known(&accounts, most, stamp(Some(0))));
        let later = |ms: u64| Stamp { boot: BootId([2; 16]), ..stamp(Some(i64::try_from(ms).unwrap())) };
        assert!(known(&accounts, 1, later(KEPT_MS - 1)) && !known(&accounts, 1, later(KEPT_MS)));
        accounts.tidy(&[], later(KEPT_MS)).unwrap();
        assert_eq!(std::fs::read(dir.path().join(NAME)).unwrap(), b"[]");
    }

    #[test]
    fn an_account_that_is_over_is_dropped_and_one_that_ends_soon_lasts_no_longer() {
        let dir = tempfile::tempdir().unwrap();
        let mut accounts = Accounts::open(dir.path()).unwrap();
        let ends =
            Remembered { expires: Some(Moment::from_ms(5_000)), limit_ms: Some(3_000), ..one(1, Some(0)) };
        accounts.remember(ends).unwrap();
        let left = |now| accounts.find("account1", &[], stamp(now)).and_then(|r| r.left_ms(stamp(now)));
        assert_eq!(
            [Some(0), Some(4_000), Some(5_000), None].map(left),
            [Some(3_000), Some(1_000), None, Some(3_000)]
        );
    }

    #[test]
    fn an_account_that_changed_since_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let mut accounts = Accounts::open(dir.path()).unwrap();
        accounts.remember(one(1, Some(1_000))).unwrap();
        accounts.remember(one(2, None)).unwrap();
        let revoked =
            |n, since| RevokedAccount { account: one(n, None).account, since: Moment::from_ms(since) };
        let now = stamp(Some(2_000));
        assert!(accounts.find("account1", &[revoked(1, 999), revoked(3, 1_500)], now).is_some());
        assert!(accounts.find("account1", &[revoked(1, 1_000)], now).is_none());
        assert!(accounts.find("account2", &[revoked(2, 0)], now).is_none(), "nobody knows which was first");
        accounts.tidy(&[revoked(2, 0)], now).unwrap();
        accounts.drop_name("account1").unwrap();
        assert_eq!(std::fs::read(dir.path().join(NAME)).unwrap(), b"[]");
    }
}
