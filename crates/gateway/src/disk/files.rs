//! Real files in a directory of the box.

use super::Disk;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Ends the name of a file that is being replaced.
const HALF: &str = ".half";

/// Writes a file whole or not at all, readable by its owner only; its directory must be there.
///
/// # Errors
/// What the system says; the file of before is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut half = path.as_os_str().to_owned();
    half.push(HALF);
    let half = PathBuf::from(half);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// A directory, with the file that grows held open.
pub struct Files {
    directory: PathBuf,
    growing: Mutex<Option<(String, File)>>,
}

impl Files {
    /// Opens a directory, making it when it is not there; only its owner may look in.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            // A replacement that a power cut interrupted; the old file is whole.
            if path.to_string_lossy().ends_with(HALF) {
                fs::remove_file(path)?;
            }
        }
        Ok(Files { directory: directory.to_owned(), growing: Mutex::default() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn with_growing<T>(&self, name: &str, work: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if growing.as_ref().is_none_or(|(n, _)| n != name) {
            let path = self.path(name);
            let is_new = !path.exists();
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            if is_new {
                self.sync_directory()?;
            }
            *growing = Some((name.to_owned(), file));
        }
        match growing.as_mut() {
            Some((_, file)) => work(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn forget(&self, name: &str) {
        let mut growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if growing.as_ref().is_some_and(|(n, _)| n == name) {
            *growing = None;
        }
    }
}

impl Disk for Files {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.with_growing(name, |file| file.write_all(bytes))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.with_growing(name, |file| file.sync_data())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.forget(name);
        let half = self.path(&format!("{name}{HALF}"));
        let write = || {
            let mut file =
                OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&half)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&half, self.path(name))
        };
        if let Err(error) = write() {
            // Its room is needed; when it is not there either that is fine.
            let _ = fs::remove_file(&half);
            return Err(error);
        }
        self.sync_directory()
    }

    fn truncate(&self, name: &str, length: usize) -> io::Result<()> {
        self.forget(name);
        let file = OpenOptions::new().write(true).open(self.path(name))?;
        file.set_len(length as u64)?;
        file.sync_all()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.forget(name);
        match fs::remove_file(self.path(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => self.sync_directory(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_grow_are_cut_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Files::open(&dir.path().join("journal")).unwrap();
        disk.append("a", b"one").unwrap();
        disk.append("a", b"two").unwrap();
        disk.sync("a").unwrap();
        disk.truncate("a", 4).unwrap();
        disk.append("a", b"!").unwrap();
        assert_eq!(disk.read("a").unwrap(), b"onet!");
        disk.replace("a", b"new").unwrap();
        disk.append("a", b"er").unwrap();
        assert_eq!(disk.read("a").unwrap(), b"newer");
        disk.append("b", b"").unwrap();
        assert_eq!(disk.list().unwrap(), ["a", "b"]);
        disk.remove("a").unwrap();
        disk.remove("a").unwrap();
        assert_eq!(disk.list().unwrap(), ["b"]);
    }
}
