//! What devices reported and contest.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use forewarn_proto::{
    api::{Appeal, AppealRequest},
    policy::Group,
    report::Report,
};
use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::Store;

/// How many rules one device may contest.
const MAX_APPEALS: i64 = 100;

/// A device's newest report.
#[derive(Debug, Clone)]
pub(crate) struct StoredReport {
    pub(crate) device: String,
    pub(crate) groups: BTreeSet<Group>,
    pub(crate) report: Report,
}

type Row = (String, String, String);

impl Store {
    /// Gives the newest report of each device that may speak to `each`, by name. They pass through one at a time: a large
    /// fleet's don't fit in memory. One that can't be read, because another version of the server stored it, counts as not
    /// heard: it must not hide all others.
    pub(crate) async fn each_report(&self, mut each: impl FnMut(StoredReport) + Send) -> Result<()> {
        let select = "SELECT r.device, d.device_groups, r.report FROM report r \
                      JOIN device d ON d.name = r.device WHERE d.revoked IS NULL ORDER BY r.device";
        let mut rows = sqlx::query_as::<_, Row>(select).fetch(&self.pool);
        while let Some((device, groups, text)) = rows.try_next().await? {
            match (serde_json::from_str(&text), serde_json::from_str(&groups)) {
                (Ok(report), Ok(groups)) => each(StoredReport { device, groups, report }),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!("the stored report of {device} can't be read, until it sends another: {error}");
                }
            }
        }
        Ok(())
    }

    /// The newest report of one device.
    pub(crate) async fn report_of(&self, device: &str) -> Result<Option<Report>> {
        let select = sqlx::query_scalar("SELECT report FROM report WHERE device = $1").bind(device);
        let text: Option<String> = select.fetch_optional(&self.pool).await?;
        text.map(|text| serde_json::from_str(&text).context("a stored report is damaged")).transpose()
    }

    /// Deletes reports and appeals that came before `limit`, and says how many.
    pub(crate) async fn delete_before(&self, limit: Timestamp) -> Result<u64> {
        let mut deleted = 0;
        for statement in ["DELETE FROM report WHERE received < $1", "DELETE FROM appeal WHERE received < $1"] {
            let done = sqlx::query(statement).bind(limit.as_millisecond()).execute(&self.pool).await?;
            deleted += done.rows_affected();
        }
        Ok(deleted)
    }

    /// Stores an appeal in the place of the device's last about the same rule. False where a device has too many.
    pub(crate) async fn add_appeal(&self, device: &str, appeal: &AppealRequest, now: Timestamp) -> Result<bool> {
        let insert = "INSERT INTO appeal (device, policy, rule, received, reason) \
                      SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM appeal WHERE device = $1) < $6 \
                      ON CONFLICT (device, policy, rule) DO UPDATE SET received = excluded.received, reason = excluded.reason";
        let insert = sqlx::query(insert).bind(device).bind(appeal.policy.as_str()).bind(appeal.rule.as_str());
        let done = insert
            .bind(now.as_millisecond())
            .bind(appeal.reason.as_data())
            .bind(MAX_APPEALS)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Every appeal, the newest first.
    pub(crate) async fn appeals(&self) -> Result<Vec<Appeal>> {
        type Row = (String, String, String, i64, String);
        let select = "SELECT device, policy, rule, received, reason FROM appeal ORDER BY received DESC";
        let read = |(device, policy, rule, received, reason): Row| {
            let request = AppealRequest {
                policy: policy.parse().map_err(anyhow::Error::msg)?,
                rule: rule.parse().map_err(anyhow::Error::msg)?,
                reason: reason.into(),
            };
            Ok(Appeal { device, at: Timestamp::from_millisecond(received)?, request })
        };
        sqlx::query_as(select).fetch_all(&self.pool).await?.into_iter().map(read).collect()
    }
}
