//! Who runs PostgreSQL: it refuses root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The ordinary user that PostgreSQL runs as when we are root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Runner {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Runner {
    /// `postgres`, else `nobody`. `initdb` needs an entry in the list of users, so a made-up id
    /// would not do.
    pub(crate) fn choose(passwd: &str) -> Option<Self> {
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| find(passwd, |user| user.name == *name))
    }

    /// Owner of an existing cluster: whoever made it goes on running it, even if a better user
    /// has appeared since.
    pub(crate) fn with_uid(passwd: &str, uid: u32) -> Option<Self> {
        find(passwd, |user| user.uid == uid)
    }
}

fn find(passwd: &str, wanted: impl Fn(&Runner) -> bool) -> Option<Runner> {
    passwd
        .lines()
        .filter_map(parse)
        .find(|user| user.uid != 0 && wanted(user))
}

/// `name:password:uid:gid:…`
fn parse(line: &str) -> Option<Runner> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    // Some systems write nobody's id as -2; the kernel means the same bits.
    let id = |text: &str| {
        text.parse::<u32>()
            .ok()
            .or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
    };
    let uid = id(fields.nth(1)?)?;
    let gid = id(fields.next()?)?;
    Some(Runner { name, uid, gid })
}

/// The first folder on the way to `path` (itself included) that `user` may not enter. Reads mode
/// bits only; access lists that grant more are not seen.
pub(crate) fn first_barrier(path: &Path, user: &Runner) -> Option<PathBuf> {
    let mut ancestors: Vec<&Path> = path.ancestors().collect();
    ancestors.reverse();
    ancestors
        .into_iter()
        .find(|folder| !may_enter(folder, user))
        .map(Path::to_path_buf)
}

fn may_enter(folder: &Path, user: &Runner) -> bool {
    let Ok(meta) = fs::metadata(folder) else {
        return false;
    };
    let bit = if meta.uid() == user.uid {
        0o100
    } else if meta.gid() == user.gid {
        0o010
    } else {
        0o001
    };
    meta.mode() & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
                          nobody:*:-2:-2:Unprivileged:/var/empty:/usr/bin/false\n\
                          postgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn postgres_is_preferred() {
        assert_eq!(
            Runner::choose(PASSWD).map(|user| (user.uid, user.gid)),
            Some((101, 104))
        );
    }

    #[test]
    fn nobody_serves_otherwise_and_may_be_negative() {
        let without = PASSWD.replace("postgres", "someone");
        assert_eq!(
            Runner::choose(&without).map(|user| user.uid),
            Some(u32::MAX - 1)
        );
    }

    #[test]
    fn root_is_never_chosen() {
        assert_eq!(Runner::with_uid(PASSWD, 0), None);
        assert_eq!(Runner::choose("postgres:x:0:0::/:/bin/sh"), None);
    }

    #[test]
    fn the_barrier_is_the_folder_that_stops_the_user() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().unwrap();
        let base = temp.path().canonicalize().unwrap();
        let inner = base.join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&base, 0o755);
        set(&base.join("a"), 0o700);
        set(&inner, 0o755);
        let stranger = Runner {
            name: "x".into(),
            uid: 4_000_000,
            gid: 4_000_000,
        };
        assert_eq!(first_barrier(&inner, &stranger), Some(base.join("a")));
        set(&base.join("a"), 0o711);
        assert_eq!(first_barrier(&inner, &stranger), None);
    }
}
