//! Query data: what the SQL macros of `store` learnt from a database, so that a build needs none.
//!
//! sqlx writes a file per query into `SQLX_OFFLINE_DIR` when it compiles against a database, and
//! reads `.sqlx` of the crate when `SQLX_OFFLINE` is true. So we compile `store` against a fresh
//! database into a folder of our own and compare that with what is committed.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};
use mf_local_postgres::LocalPostgres;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::files::{self, Tree};
use crate::workspace::Workspace;
use crate::{database, steps};

const COMMITTED: &str = "crates/store/.sqlx";
/// Run before the migrations, which name the roles that it makes.
const ROLES: &str = "crates/store/sql/roles.sql";
const MIGRATIONS: &str = "migrations";
/// What query data follows from, and the data itself.
const INPUTS: [&str; 6] = [
    MIGRATIONS,
    ROLES,
    "crates/store/src",
    "crates/store/tests",
    "crates/store/Cargo.toml",
    COMMITTED,
];

/// `cargo xtask prepare`, by itself.
pub(crate) async fn run(workspace: &Workspace, check: bool) -> Result<()> {
    if check && is_known_fresh(workspace)? {
        println!("query data is fresh: nothing has changed since it was last compared");
        return Ok(());
    }
    let postgres = database::start(workspace).await?;
    let result = with_database(workspace, &postgres, check).await;
    database::stop(postgres).await?;
    result
}

/// The same with a server that runs.
pub(crate) async fn with_database(
    workspace: &Workspace,
    postgres: &LocalPostgres,
    check: bool,
) -> Result<()> {
    if check && is_known_fresh(workspace)? {
        println!("nothing has changed since it was last compared");
        return Ok(());
    }
    let url = migrated_database(workspace, postgres.url()).await?;
    let made = compile(workspace, &url)?;
    let committed = workspace.root.join(COMMITTED);
    let differences = files::differences(&made, &files::read_tree(&committed)?);
    if differences.is_empty() {
        println!("query data is fresh: {} queries", made.len());
    } else if check {
        for name in differences.iter().take(10) {
            println!("differs: {COMMITTED}{name}");
        }
        bail!(
            "query data is not what the code asks for ({} files); run cargo xtask prepare",
            differences.len()
        );
    } else {
        replace(&committed, &made)?;
        println!(
            "query data renewed: {} files changed, {} queries",
            differences.len(),
            made.len()
        );
    }
    fs::write(stamp(workspace), inputs_hash(workspace)?)?;
    Ok(())
}

/// Whether nothing has changed since the last time that the data was found, or made, fresh.
fn is_known_fresh(workspace: &Workspace) -> Result<bool> {
    let known = fs::read_to_string(stamp(workspace)).unwrap_or_default();
    Ok(known == inputs_hash(workspace)?)
}

fn stamp(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target.join("prepare.stamp")
}

fn inputs_hash(workspace: &Workspace) -> Result<String> {
    let trees: Result<Vec<Tree>> = INPUTS
        .iter()
        .map(|name| files::read_tree(&workspace.root.join(name)))
        .collect();
    Ok(files::hash(&trees?))
}

/// A database with exactly these migrations, named after their content, so that an older schema
/// is never mistaken for this one. Gives its URL.
async fn migrated_database(workspace: &Workspace, url: &str) -> Result<String> {
    let migrations = workspace.root.join(MIGRATIONS);
    let roles = workspace.root.join(ROLES);
    let hash = files::hash(&[files::read_tree(&migrations)?, files::read_tree(&roles)?]);
    let name = format!("prepare_{}", &hash[..16]);

    let mut server = PgConnection::connect(url).await?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(&name)
            .fetch_one(&mut server)
            .await?;
    if !exists {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut server)
            .await?;
    }
    server.close().await?;

    let (before, _) = url.rsplit_once('/').context("the URL names no database")?;
    let url = format!("{before}/{name}");
    let mut connection = PgConnection::connect(&url).await?;
    let sql = fs::read_to_string(&roles).with_context(|| format!("cannot read {ROLES}"))?;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .context(ROLES)?;
    let migrator = Migrator::new(migrations.as_path())
        .await
        .context("cannot read migrations")?;
    migrator
        .run(&mut connection)
        .await
        .context("a migration failed")?;
    connection.close().await?;
    Ok(url)
}

/// Compiles `store` against the database and gives the query data that this leaves.
fn compile(workspace: &Workspace, url: &str) -> Result<Tree> {
    let folder = workspace.target.join("prepare-sqlx");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // cargo does not know that the result depends on the database.
    let root = workspace.root.join("crates/store/src/lib.rs");
    File::options()
        .append(true)
        .open(&root)?
        .set_modified(now())?;
    let mut check = workspace.cargo();
    check
        .arg("check")
        .args(steps::quiet())
        .args(["--package=mf-store", "--all-targets"])
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", &folder)
        .env("DATABASE_URL", url);
    steps::run(&mut check).context("store does not compile against the migrated database")?;
    files::read_tree(&folder)
}

#[allow(
    clippy::disallowed_methods,
    reason = "cargo compares with the time of the file system"
)]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

fn replace(folder: &Path, content: &Tree) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (name, bytes) in content {
        fs::write(folder.join(name.trim_start_matches('/')), bytes)?;
    }
    Ok(())
}
