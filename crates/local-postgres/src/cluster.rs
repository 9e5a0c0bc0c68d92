//! Makes a cluster, and databases in one that does not run.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::Stdio;

use rand::distr::{Alphanumeric, SampleString};
use tokio::io::AsyncWriteExt;

use crate::Options;
use crate::binaries::Binaries;
use crate::error::{Error, io};
use crate::home::{Home, sync_folder_of, write_private};
use crate::log::Log;

/// Characters of 62 kinds: 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// Makes sure that the cluster and the database in it exist, and gives the password. Nothing may
/// be running.
pub(crate) async fn ensure(
    options: &Options,
    home: &Home,
    binaries: &Binaries,
) -> Result<String, Error> {
    let data = home.data();
    if data.join("PG_VERSION").exists() {
        let password = read_password(home)?;
        if !has_database(home, &options.database) {
            create_database(options, home, binaries, &data).await?;
        }
        return Ok(password);
    }
    // A cluster gets its name when it is complete; an interrupted one is begun again.
    let unfinished = home.unfinished();
    remove_folder(&unfinished)?;
    remove_file(&home.databases_file())?;
    (options.notice)(&format!(
        "making a PostgreSQL {} cluster in {}",
        binaries.major,
        data.display()
    ));
    let password = match read_password(home) {
        Err(Error::PasswordMissing { .. }) => {
            let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
            write_private(&home.password_file(), &password)?;
            password
        }
        left_by_an_interrupted_start => left_by_an_interrupted_start?,
    };
    init(options, home, binaries, &unfinished, &password).await?;
    create_database(options, home, binaries, &unfinished).await?;
    // An empty folder may be in the way, made by somebody who meant well.
    let _ = fs::remove_dir(&data);
    fs::rename(&unfinished, &data).map_err(io("rename", &unfinished))?;
    sync_folder_of(&data)?;
    Ok(password)
}

/// The password that was chosen when the cluster was made.
pub(crate) fn read_password(home: &Home) -> Result<String, Error> {
    let file = home.password_file();
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::PasswordMissing {
            file,
            data: home.data(),
        }),
        Err(error) => Err(io("read", &file)(error)),
    }
}

/// Whether we ever made that database here.
pub(crate) fn has_database(home: &Home, name: &str) -> bool {
    fs::read_to_string(home.databases_file())
        .is_ok_and(|text| text.lines().any(|line| line == name))
}

/// Names that need no quoting anywhere, neither in SQL nor in a URL.
pub(crate) fn check_database_name(name: &str) -> Result<(), Error> {
    let fine = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 63
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if fine {
        Ok(())
    } else {
        Err(Error::DatabaseName(name.to_owned()))
    }
}

async fn init(
    options: &Options,
    home: &Home,
    binaries: &Binaries,
    folder: &Path,
    password: &str,
) -> Result<(), Error> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(io("create folder", folder))?;
    home.hand_over(folder)?;
    let handed = home.handed_password_file();
    write_private(&handed, password)?;
    home.hand_over(&handed)?;

    let log = Log::open(home)?;
    let mut command = home.command(&binaries.dir.join("initdb"));
    command
        .arg("-D")
        .arg(folder)
        .args([
            "-U",
            "app",
            "--auth=scram-sha-256",
            "-E",
            "UTF8",
            "--no-locale",
        ])
        .arg(format!("--pwfile={}", handed.display()));
    if options
        .settings
        .iter()
        .any(|(name, value)| name == "fsync" && value == "off")
    {
        command.arg("--no-sync");
    }
    let status = command
        .stdout(log.stdio()?)
        .stderr(log.stdio()?)
        .status()
        .await;
    remove_file(&handed)?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(log.step_failed("initdb")),
        Err(error) => Err(io("run", &binaries.dir.join("initdb"))(error)),
    }
}

/// Single-user mode needs neither a connection nor `psql`, which not every installation has.
async fn create_database(
    options: &Options,
    home: &Home,
    binaries: &Binaries,
    folder: &Path,
) -> Result<(), Error> {
    const STEP: &str = "creating the database";
    let name = &options.database;
    let program = binaries.dir.join("postgres");
    let log = Log::open(home)?;
    let mut command = home.command(&program);
    command.arg("--single").arg("-D").arg(folder);
    for (setting, value) in &options.settings {
        command.arg("-c").arg(format!("{setting}={value}"));
    }
    let mut child = command
        .arg("postgres")
        .stdin(Stdio::piped())
        .stdout(log.stdio()?)
        .stderr(log.stdio()?)
        .spawn()
        .map_err(io("run", &program))?;
    if let Some(mut stdin) = child.stdin.take() {
        let sql = format!("CREATE DATABASE \"{name}\";\n");
        // It may end before it has read this; its exit status tells.
        let _ = stdin.write_all(sql.as_bytes()).await;
    }
    let status = child.wait().await.map_err(io("wait for", &program))?;
    let said = log.written();
    // A statement that fails does not fail the program.
    let failed = said
        .lines()
        .filter(|line| {
            ["ERROR:", "FATAL:", "PANIC:"]
                .iter()
                .any(|word| line.contains(word))
        })
        .any(|line| !line.contains("already exists"));
    if failed || !status.success() {
        return Err(log.step_failed(STEP));
    }
    let mut names = fs::read_to_string(home.databases_file()).unwrap_or_default();
    names.push_str(name);
    names.push('\n');
    write_private(&home.databases_file(), &names)
}

fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("remove", path)(error)),
        _ => Ok(()),
    }
}

fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_names_need_no_quoting() {
        for good in ["moltflow", "a", "prepare_0123abcd"] {
            assert!(check_database_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Molt", "1a", "a-b", "a\"b", "a b", &"a".repeat(64)] {
            assert!(check_database_name(bad).is_err(), "{bad}");
        }
    }
}
