//! Who enrolled, and who may.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;
use forewarn_proto::{
    api::{Agent, Device},
    audit::Decision,
    policy::Group,
    report::Report,
};
use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::{Store, audit::append};
use crate::count::{platform, version};

/// How many documents that a device can't read are listed.
const LISTED_UNREAD: usize = 10;

/// Whether a device may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It enrolled.
    Enrolled,
    /// It did, and an admin has said that it counts no longer.
    Revoked,
    /// It did not, or was forgotten.
    Unknown,
}

/// Name, enrolment, groups, and if there are any: when it was revoked, when its report came, the report.
type DeviceRow = (String, i64, String, Option<i64>, Option<i64>, Option<String>);

fn device_of((name, enrolled, groups, revoked, heard, report): DeviceRow) -> Result<Device> {
    let moment = |at: Option<i64>| at.map(Timestamp::from_millisecond).transpose();
    // A report that another version of the server stored says nothing until the next comes.
    let report = report.and_then(|text| serde_json::from_str::<Report>(&text).ok());
    let agent = report.as_ref().map(agent_of);
    Ok(Device {
        name,
        enrolled: Timestamp::from_millisecond(enrolled)?,
        groups: serde_json::from_str(&groups)?,
        revoked: moment(revoked)?,
        heard: moment(heard)?,
        agent,
        weakened: report.map(|report| report.weakened).unwrap_or_default(),
    })
}

impl Store {
    pub(crate) async fn add_token(&self, digest: &str, groups: &BTreeSet<Group>) -> Result<()> {
        let insert = sqlx::query("INSERT INTO token (digest, device_groups) VALUES ($1, $2)").bind(digest);
        insert.bind(serde_json::to_string(groups)?).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether no token was ever made.
    pub(crate) async fn has_no_token(&self) -> Result<bool> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM token").fetch_one(&self.pool).await?;
        Ok(count == 0)
    }

    /// Whether a token can be used: asked before any work is done for whoever shows it.
    pub(crate) async fn is_token(&self, digest: &str) -> Result<bool> {
        let select = sqlx::query_scalar("SELECT count(*) FROM token WHERE digest = $1 AND used_by IS NULL");
        let count: i64 = select.bind(digest).fetch_one(&self.pool).await?;
        Ok(count == 1)
    }

    /// Uses a token up for a new device. False if it is unknown or was used before.
    pub(crate) async fn enroll(&self, token_digest: &str, device: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let update = "UPDATE token SET used_by = $1 WHERE digest = $2 AND used_by IS NULL RETURNING device_groups";
        let groups: Option<String> =
            sqlx::query_scalar(update).bind(device).bind(token_digest).fetch_optional(&mut *transaction).await?;
        let Some(groups) = groups else { return Ok(false) };
        let insert = sqlx::query("INSERT INTO device (name, enrolled, device_groups) VALUES ($1, $2, $3)").bind(device);
        insert.bind(now.as_millisecond()).bind(groups).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The names of all devices that may speak.
    pub(crate) async fn enrolled(&self) -> Result<HashSet<Box<str>>> {
        let mut names = HashSet::new();
        let mut rows =
            sqlx::query_scalar::<_, String>("SELECT name FROM device WHERE revoked IS NULL").fetch(&self.pool);
        while let Some(name) = rows.try_next().await? {
            names.insert(name.into_boxed_str());
        }
        Ok(names)
    }

    pub(crate) async fn standing(&self, device: &str) -> Result<Standing> {
        let select = sqlx::query_as("SELECT revoked FROM device WHERE name = $1").bind(device);
        let row: Option<(Option<i64>,)> = select.fetch_optional(&self.pool).await?;
        Ok(match row {
            Some((None,)) => Standing::Enrolled,
            Some((Some(_),)) => Standing::Revoked,
            None => Standing::Unknown,
        })
    }

    /// Devices that may speak.
    pub(crate) async fn count_devices(&self) -> Result<u64> {
        let select = sqlx::query_scalar("SELECT count(*) FROM device WHERE revoked IS NULL");
        let count: i64 = select.fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Up to a thousand devices after the one of this name, by name.
    pub(crate) async fn devices_after(&self, name: &str) -> Result<Vec<Device>> {
        let select = "SELECT d.name, d.enrolled, d.device_groups, d.revoked, r.received, r.report FROM device d \
                      LEFT JOIN report r ON r.device = d.name WHERE d.name > $1 ORDER BY d.name LIMIT 1000";
        // Reports pass through one at a time: a thousand may not fit in memory.
        let mut rows = sqlx::query_as::<_, DeviceRow>(select).bind(name).fetch(&self.pool);
        let mut devices = Vec::new();
        while let Some(row) = rows.try_next().await? {
            devices.push(device_of(row)?);
        }
        Ok(devices)
    }

    /// Has a device's certificate count no longer. False if there is no such device.
    pub(crate) async fn revoke_device(&self, device: &str, by: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let update = sqlx::query("UPDATE device SET revoked = $1 WHERE name = $2 AND revoked IS NULL");
        let done = update.bind(now.as_millisecond()).bind(device).execute(&mut *transaction).await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let decision = Decision::DeviceRevoked { device: device.to_owned(), by: by.to_owned() };
        append(&mut transaction, decision, now).await?;
        self.tell(&mut transaction, &super::Change::Device(device.to_owned())).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Deletes all that is known of a device, appeals and report included. False if there is no such device.
    pub(crate) async fn forget_device(&self, device: &str, by: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let everywhere = [
            "UPDATE token SET used_by = '' WHERE used_by = $1",
            "DELETE FROM appeal WHERE device = $1",
            "DELETE FROM report WHERE device = $1",
        ];
        for statement in everywhere {
            sqlx::query(statement).bind(device).execute(&mut *transaction).await?;
        }
        let gone = sqlx::query("DELETE FROM device WHERE name = $1").bind(device).execute(&mut *transaction).await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        append(&mut transaction, Decision::DeviceForgotten { by: by.to_owned() }, now).await?;
        self.tell(&mut transaction, &super::Change::Device(device.to_owned())).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// What a report says of its agent.
fn agent_of(report: &Report) -> Agent {
    let (version, platform, format) = (version(report), platform(report).to_owned(), report.format);
    Agent { version, platform, format, unread: report.unread.iter().take(LISTED_UNREAD).cloned().collect() }
}
