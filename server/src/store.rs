//! The database. Every change is committed, and on disk, before it is answered.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result};
use forewarn_proto::{
    api::{Appeal, AppealRequest, Draft},
    bundle::Bundle,
    report::Report,
};
use jiff::Timestamp;
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// How many rules one device may contest.
const MAX_APPEALS: i64 = 100;

/// A connection pool.
pub(crate) struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database in `folder`, making both if needed, with nobody else allowed in.
    pub(crate) async fn open(folder: &Path) -> Result<Self> {
        fs_err::create_dir_all(folder)?;
        fs_err::set_permissions(folder, PermissionsExt::from_mode(0o700))?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("server.db"))
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .with_context(|| format!("cannot open the database in {}", folder.display()))?;
        sqlx::migrate!().run(&pool).await.context("cannot bring the database up to date")?;
        Ok(Self { pool })
    }

    /// The secret of this name; made and stored if there is none.
    pub(crate) async fn secret_or(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let select = || sqlx::query_scalar("SELECT value FROM secret WHERE name = ?").bind(name);
        if let Some(value) = select().fetch_optional(&self.pool).await? {
            return Ok(value);
        }
        let insert = sqlx::query("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING");
        insert.bind(name).bind(make()?).execute(&self.pool).await?;
        Ok(select().fetch_one(&self.pool).await?)
    }

    /// The bundle in force; an empty one before the founding.
    pub(crate) async fn bundle(&self) -> Result<Bundle> {
        let files: Option<String> = sqlx::query_scalar("SELECT files FROM bundle").fetch_optional(&self.pool).await?;
        files.map_or_else(
            || Ok(Bundle::default()),
            |files| {
                serde_json::from_str(&files).context("the bundle in the database is damaged; restore it from a backup")
            },
        )
    }

    /// Stores the bundle in force, and in the same transaction marks the draft that it came from.
    pub(crate) async fn set_bundle(&self, bundle: &Bundle, from_draft: Option<i64>) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        let insert =
            "INSERT INTO bundle (only, files) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET files = excluded.files";
        sqlx::query(insert).bind(serde_json::to_string(bundle)?).execute(&mut *transaction).await?;
        if let Some(number) = from_draft {
            let update = sqlx::query("UPDATE draft SET published = 1 WHERE number = ?");
            update.bind(number).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn add_token(&self, digest: &str) -> Result<()> {
        sqlx::query("INSERT INTO token (digest) VALUES (?)").bind(digest).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether no token was ever made.
    pub(crate) async fn has_no_token(&self) -> Result<bool> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM token").fetch_one(&self.pool).await?;
        Ok(count == 0)
    }

    /// Uses a token up for a new device. False if it is unknown or was used before.
    pub(crate) async fn enroll(&self, token_digest: &str, device: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let update = sqlx::query("UPDATE token SET used_by = ? WHERE digest = ? AND used_by IS NULL");
        let used = update.bind(device).bind(token_digest).execute(&mut *transaction).await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        let insert = sqlx::query("INSERT INTO device (name, enrolled) VALUES (?, ?)");
        insert.bind(device).bind(now.as_millisecond()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(crate) async fn is_device(&self, name: &str) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM device WHERE name = ?").bind(name).fetch_optional(&self.pool).await?;
        Ok(found.is_some())
    }

    pub(crate) async fn count_devices(&self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM device").fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Stores a report in the place of the device's last. A device sends one at a time, the newest; one that lost its
    /// state counts from 1 again.
    pub(crate) async fn add_report(&self, device: &str, report: &Report, now: Timestamp) -> Result<()> {
        let insert = "INSERT INTO report (device, sequence, received, report) VALUES (?, ?, ?, ?) \
                      ON CONFLICT (device) DO UPDATE SET sequence = excluded.sequence, received = excluded.received, \
                      report = excluded.report";
        let sequence = i64::try_from(report.sequence).unwrap_or(i64::MAX);
        sqlx::query(insert)
            .bind(device)
            .bind(sequence)
            .bind(now.as_millisecond())
            .bind(serde_json::to_string(report)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The newest report of each device, with the device's name.
    pub(crate) async fn reports(&self) -> Result<Vec<(String, Report)>> {
        let select = sqlx::query_as("SELECT device, report FROM report ORDER BY device");
        let rows: Vec<(String, String)> = select.fetch_all(&self.pool).await?;
        let read = |(device, text): (String, String)| {
            let report =
                serde_json::from_str(&text).with_context(|| format!("the stored report of {device} is damaged"))?;
            Ok((device, report))
        };
        rows.into_iter().map(read).collect()
    }

    /// The newest report of one device.
    pub(crate) async fn report_of(&self, device: &str) -> Result<Option<Report>> {
        let select = sqlx::query_scalar("SELECT report FROM report WHERE device = ?").bind(device);
        let text: Option<String> = select.fetch_optional(&self.pool).await?;
        text.map(|text| serde_json::from_str(&text).context("a stored report is damaged")).transpose()
    }

    /// Stores a new draft and gives its number.
    pub(crate) async fn add_draft(&self, draft: &Draft) -> Result<i64> {
        let insert = sqlx::query("INSERT INTO draft (draft) VALUES (?)").bind(serde_json::to_string(draft)?);
        Ok(insert.execute(&self.pool).await?.last_insert_rowid())
    }

    pub(crate) async fn update_draft(&self, number: i64, draft: &Draft) -> Result<()> {
        let update = sqlx::query("UPDATE draft SET draft = ? WHERE number = ?");
        update.bind(serde_json::to_string(draft)?).bind(number).execute(&self.pool).await?;
        Ok(())
    }

    /// Stores an appeal in the place of the device's last about the same rule. False where a device has too many.
    pub(crate) async fn add_appeal(&self, device: &str, appeal: &AppealRequest, now: Timestamp) -> Result<bool> {
        let insert = "INSERT INTO appeal (device, policy, rule, received, reason) \
                      SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM appeal WHERE device = ?1) < ?6 \
                      ON CONFLICT (device, policy, rule) DO UPDATE SET received = excluded.received, reason = excluded.reason";
        let insert = sqlx::query(insert).bind(device).bind(appeal.policy.as_str()).bind(appeal.rule.as_str());
        let done = insert.bind(now.as_millisecond()).bind(&appeal.reason).bind(MAX_APPEALS).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Every appeal, the newest first.
    pub(crate) async fn appeals(&self) -> Result<Vec<Appeal>> {
        let select = "SELECT device, policy, rule, received, reason FROM appeal ORDER BY received DESC";
        let read = |row: sqlx::sqlite::SqliteRow| {
            let name = |column| -> Result<String> { Ok(row.try_get(column)?) };
            let request = AppealRequest {
                policy: name("policy")?.parse().map_err(anyhow::Error::msg)?,
                rule: name("rule")?.parse().map_err(anyhow::Error::msg)?,
                reason: name("reason")?,
            };
            Ok(Appeal { device: name("device")?, at: Timestamp::from_millisecond(row.try_get("received")?)?, request })
        };
        sqlx::query(select).fetch_all(&self.pool).await?.into_iter().map(read).collect()
    }

    /// The drafts that are not published, by number.
    pub(crate) async fn drafts(&self) -> Result<BTreeMap<i64, Draft>> {
        let rows = sqlx::query("SELECT number, draft FROM draft WHERE published = 0").fetch_all(&self.pool).await?;
        let read =
            |row: sqlx::sqlite::SqliteRow| Ok((row.try_get("number")?, serde_json::from_str(row.try_get("draft")?)?));
        rows.into_iter().map(read).collect()
    }
}
