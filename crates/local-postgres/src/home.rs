//! Where the cluster and the files beside it live, and as whom PostgreSQL runs there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::Options;
use crate::error::{Error, io};
use crate::places::Places;
use crate::user::{Runner, first_barrier};

/// Resolved paths of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The folder asked for. It holds the lock and, if need be, the way to `root`.
    asked: PathBuf,
    /// Where the cluster is: the same, or the place it had to move to.
    root: PathBuf,
    /// Where a downloaded PostgreSQL is kept.
    pub(crate) cache: PathBuf,
    /// Whom to become before running anything of PostgreSQL's; `None` = stay who we are.
    pub(crate) runner: Option<Runner>,
}

impl Home {
    /// Follows or sets up the relocation, and chooses the user. `asked` is the real path of the
    /// data folder; its lock is held.
    pub(crate) fn resolve(asked: &Path, options: &Options, places: &Places) -> Result<Self, Error> {
        let pointer = asked.join("location");
        let (root, relocated) = match fs::read_to_string(&pointer) {
            Ok(text) => (prepare_folder(Path::new(text.trim()))?, true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (asked.to_path_buf(), false),
            Err(error) => return Err(io("read", &pointer)(error)),
        };
        let mut home = Self::at(asked, root, relocated);
        if !we_are_root() {
            home.check_owner(rustix::process::geteuid().as_raw())?;
            return Ok(home);
        }
        let passwd = fs::read_to_string(&places.passwd).map_err(io("read", &places.passwd))?;
        let owner = fs::metadata(home.data()).ok().map(|meta| meta.uid());
        let runner = match owner {
            Some(0) | None => Runner::choose(&passwd),
            Some(uid) => Runner::with_uid(&passwd, uid),
        }
        .ok_or_else(|| Error::NoUser {
            passwd: places.passwd.clone(),
        })?;
        home.check_owner(runner.uid)?;
        if let Some(folder) = first_barrier(&home.root, &runner) {
            if owner.is_some() || relocated {
                return Err(Error::NotTraversable {
                    folder,
                    user: runner.name,
                });
            }
            home = relocate(asked, &folder, &runner, options, places)?;
        }
        home.runner = Some(runner);
        Ok(home)
    }

    fn at(asked: &Path, root: PathBuf, relocated: bool) -> Self {
        // The download is shared by clusters that lie side by side, except when ours had to
        // move: then its neighbours are strangers.
        let cache = match root.parent() {
            Some(parent) if !relocated => parent.to_path_buf(),
            _ => root.clone(),
        };
        Self {
            asked: asked.to_path_buf(),
            root,
            cache,
            runner: None,
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The cluster while it is being made: it gets its name when it is complete.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.root.join("data.new")
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.root.join("password")
    }

    /// Given to `initdb`, and gone afterwards.
    pub(crate) fn handed_password_file(&self) -> PathBuf {
        self.root.join("password.initdb")
    }

    pub(crate) fn port_file(&self) -> PathBuf {
        self.root.join("port")
    }

    /// Names of the databases we made, one per line.
    pub(crate) fn databases_file(&self) -> PathBuf {
        self.root.join("databases")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        lock_in(&self.asked)
    }

    /// Makes `path` belong to whoever runs PostgreSQL.
    pub(crate) fn hand_over(&self, path: &Path) -> Result<(), Error> {
        match &self.runner {
            Some(user) => std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
                .map_err(io("change the owner of", path)),
            None => Ok(()),
        }
    }

    /// A command that runs as the chosen user, without what the caller's environment has for
    /// PostgreSQL.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = &self.runner {
            command.uid(user.uid).gid(user.gid);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // Our own folder may be closed to that user, and on macOS a missing locale makes the
        // server multithreaded, which it refuses.
        command
            .current_dir("/")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }

    fn check_owner(&self, runner: u32) -> Result<(), Error> {
        let data = self.data();
        match fs::metadata(&data) {
            Ok(meta) if meta.uid() != runner => Err(Error::WrongOwner {
                owner: meta.uid(),
                runner,
                data,
            }),
            _ => Ok(()),
        }
    }
}

fn relocate(
    asked: &Path,
    barrier: &Path,
    runner: &Runner,
    options: &Options,
    places: &Places,
) -> Result<Home, Error> {
    let name = hex::encode(Sha256::digest(asked.as_os_str().as_encoded_bytes()));
    let root = prepare_folder(&places.relocation.join(format!("moltflow-{}", &name[..12])))?;
    if let Some(folder) = first_barrier(&root, runner) {
        return Err(Error::NotTraversable {
            folder,
            user: runner.name.clone(),
        });
    }
    (options.notice)(&format!(
        "PostgreSQL runs as user `{}`, which may not enter {}: its data goes to {} instead",
        runner.name,
        barrier.display(),
        root.display()
    ));
    write_private(&asked.join("location"), &format!("{}\n", root.display()))?;
    Ok(Home::at(asked, root, true))
}

pub(crate) fn we_are_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Starts and stops hold this, one at a time.
pub(crate) fn lock_in(asked: &Path) -> PathBuf {
    asked.join("lock")
}

/// Makes the folder where missing, and gives its real path. Folders that root makes are open for
/// passing through, whatever the umask, because PostgreSQL has to.
pub(crate) fn prepare_folder(path: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(io("resolve", path))?;
    let missing: Vec<&Path> = absolute
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        match fs::DirBuilder::new().mode(0o755).create(folder) {
            Ok(()) if we_are_root() => {
                fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
                    .map_err(io("set the mode of", folder))?;
            }
            Ok(()) => {}
            // Another start came first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io("create folder", folder)(error)),
        }
    }
    absolute.canonicalize().map_err(io("resolve", &absolute))
}

/// Writes a file that only we can read, all of it or nothing.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<(), Error> {
    let new = path.with_extension("tmp");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io("remove", &new)(error));
        }
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(content.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path))
        .map_err(io("write", path))?;
    sync_folder_of(path)
}

/// Makes a rename durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io("sync", folder))
}
