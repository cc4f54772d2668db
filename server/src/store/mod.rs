//! The database: SQLite or PostgreSQL, with the same statements. Every change is committed, and on disk, before it is
//! answered.
//!
//! Statements are written in the words that both understand; a transaction begins with a write, so that SQLite never has
//! to raise a reader to a writer and PostgreSQL locks the row that matters first.

mod audit;
mod devices;
mod drafts;
mod follow;
mod reports;
mod secrets;
mod tokens;
mod writer;

use std::{path::Path, str::FromStr, time::Duration};

use anyhow::{Context, Result, ensure};
use forewarn_host::private;
use sqlx::{
    AnyConnection, AnyPool,
    any::{AnyConnectOptions, AnyPoolOptions},
    sqlite::SqliteConnectOptions,
};

pub(crate) use self::{
    devices::Standing,
    drafts::{BROUGHT_BACK, Proposed},
    follow::Change,
    reports::StoredReport,
    writer::{Busy, ReportWriter, Room, Verdict},
};
use crate::config::Config;

/// Connections to the database at once. One more writes reports, another listens for changes.
const CONNECTIONS: u32 = 8;
/// How long a statement waits for a connection. Past that the request fails, and the device comes again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection pool.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: AnyPool,
    /// Where several server processes share one PostgreSQL: its address, to listen for changes.
    shared: Option<String>,
}

impl Store {
    /// Opens the database that the configuration names: SQLite in the state folder, with nobody else allowed in, or
    /// PostgreSQL.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        sqlx::any::install_default_drivers();
        private::create_folder(&config.state)?;
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let (pool, shared) = match &config.store {
            None => (options.after_connect(|connection, _| Box::pin(set_up_sqlite(connection))), None),
            Some(url) => (options, Some(url.clone())),
        };
        let at = match &config.store {
            None => sqlite_at(config)?,
            Some(url) => AnyConnectOptions::from_str(url).context("store: this is not a database's URL")?,
        };
        let pool = pool.connect_with(at).await.context(match &config.store {
            None => format!("cannot open the database in {}", config.state.display()),
            Some(_) => "cannot reach the database that `store` names".to_owned(),
        })?;
        sqlx::migrate!().run(&pool).await.context("cannot bring the database up to date")?;
        Ok(Self { pool, shared })
    }

    /// Copies everything into a new file that nobody else may read.
    pub(crate) async fn copy_into(&self, file: &Path) -> Result<()> {
        ensure!(self.shared.is_none(), "this is PostgreSQL: copy it with pg_dump, and bring it back with pg_restore");
        // SQLite takes an empty file for a new one, and so keeps these rights.
        private::create(file)?;
        let path = file.to_str().context("the file's name is not UTF-8")?;
        sqlx::query("VACUUM INTO $1").bind(path).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether the database answers.
    pub(crate) async fn is_there(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }
}

fn sqlite_at(config: &Config) -> Result<AnyConnectOptions> {
    use sqlx::ConnectOptions;
    let options = SqliteConnectOptions::new().filename(config.state.join("server.db")).create_if_missing(true);
    Ok(AnyConnectOptions::from_url(&options.to_url_lossy())?)
}

async fn set_up_sqlite(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                    PRAGMA busy_timeout = 10000";
    sqlx::raw_sql(settings).execute(connection).await.map(drop)
}
