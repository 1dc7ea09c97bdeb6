//! A folder in memory, for plain text that a program needs as a file.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::DiskError;

/// A folder for the user alone (mode 0700) on a file system that is in memory; its files are overwritten and removed
/// when it is dropped.
///
/// What a file system in memory holds may be swapped out by the system, as all memory may.
#[derive(Debug)]
pub struct MemoryFolder {
    folder: tempfile::TempDir,
}

impl MemoryFolder {
    /// Makes a folder in the first of some places that is in memory; `None` where none of them is, or where the
    /// system does not tell, as all but Linux.
    ///
    /// # Errors
    /// There is such a place, and it takes no folder.
    pub fn make(places: &[PathBuf]) -> Result<Option<Self>, DiskError> {
        let Some(place) = places.iter().find(|place| is_in_memory(place)) else {
            return Ok(None);
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix("kiln-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir_in(place);
        let folder =
            folder.map_err(|cause| DiskError::writing(place.display().to_string(), cause))?;
        Ok(Some(Self { folder }))
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a new file that only the user can read (mode 0600), and returns where it is.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, DiskError> {
        let path = self.path().join(name);
        let unwritable = |cause| DiskError::writing(path.display().to_string(), cause);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(unwritable)?;
        file.write_all(bytes).map_err(unwritable)?;
        Ok(path)
    }

    /// Reads a file of it.
    pub fn read(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, DiskError> {
        let path = self.path().join(name);
        let bytes = fs::read(&path);
        let bytes = bytes.map_err(|cause| DiskError::reading(path.display().to_string(), cause))?;
        Ok(Zeroizing::new(bytes))
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        wipe(self.folder.path());
    }
}

/// Overwrites all files below a folder; what cannot be is removed all the same.
fn wipe(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => wipe(&entry.path()),
            Ok(kind) if kind.is_file() => overwrite(&entry.path()).unwrap_or_default(),
            _ => {}
        }
    }
}

fn overwrite(path: &Path) -> std::io::Result<()> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    let mut left = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let piece = usize::try_from(left).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        file.write_all(&ZEROS[..piece])?;
        left -= piece as u64;
    }
    Ok(())
}

/// Returns whether the files of a folder are kept in memory: on a `tmpfs` or a `ramfs`.
fn is_in_memory(folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of `statfs(2)`.
        const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
        let found = rustix::fs::statfs(folder);
        let kind = found
            .ok()
            .and_then(|found| u64::try_from(found.f_type).ok());
        kind.is_some_and(|kind| IN_MEMORY.contains(&kind))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn is_for_the_user_alone_and_gone_when_dropped() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let places = [PathBuf::from("/proc"), PathBuf::from("/dev/shm")];
        let folder = MemoryFolder::make(&places).unwrap().unwrap();
        let path = folder.write("a.yaml", b"word").unwrap();
        assert_eq!((mode(folder.path()), mode(&path)), (0o700, 0o600));
        assert_eq!(folder.read("a.yaml").unwrap().as_slice(), b"word");
        // A second name, as editors keep one: what is overwritten is overwritten under both.
        let other = PathBuf::from("/dev/shm").join(format!("kiln-test-{}", std::process::id()));
        fs::hard_link(&path, &other).unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        drop(folder);
        assert!(!path.exists());
        assert_eq!(fs::read(&other).unwrap(), [0; 4]);
        fs::remove_file(&other).unwrap();
    }

    #[test]
    fn no_disk_is_taken_for_memory() {
        let places = [PathBuf::from("/proc"), PathBuf::from("/no/such/folder")];
        assert!(MemoryFolder::make(&places).unwrap().is_none());
    }
}
