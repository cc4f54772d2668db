//! What is in force, and what admins proposed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use forewarn_proto::{
    api::Draft,
    audit::{Decision, SignedRole},
    bundle::Bundle,
};
use jiff::Timestamp;

use super::{Change, Store, audit::append};

/// Who sent a draft, and what of it is signed, for the record.
pub(crate) struct Proposed {
    pub(crate) by: String,
    pub(crate) roles: BTreeMap<String, SignedRole>,
}

/// The number of a draft that there is not: what an admin brought back after a backup was restored.
pub(crate) const BROUGHT_BACK: i64 = 0;

impl Store {
    /// The bundle in force and its revision; an empty one, of revision 0, before the founding.
    pub(crate) async fn bundle(&self) -> Result<(Bundle, i64)> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT files, revision FROM bundle").fetch_optional(&self.pool).await?;
        let Some((files, revision)) = row else { return Ok((Bundle::default(), 0)) };
        let damaged = "the bundle in the database is damaged; restore it from a backup";
        Ok((serde_json::from_str(&files).context(damaged)?, revision))
    }

    /// Puts the bundle that follows `revision` in force. With it, in the same transaction, a draft is marked as published
    /// and its publication recorded. False if anybody else was first, or the draft is not open any more, so that nothing was
    /// changed.
    pub(crate) async fn set_bundle(
        &self,
        bundle: &Bundle,
        revision: i64,
        from: Option<(i64, Decision)>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let upsert = "INSERT INTO bundle (id, revision, files) VALUES (1, $1 + 1, $2) ON CONFLICT (id) DO UPDATE \
                      SET revision = excluded.revision, files = excluded.files WHERE bundle.revision = $1";
        let upsert = sqlx::query(upsert).bind(revision).bind(serde_json::to_string(bundle)?);
        if upsert.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some((number, decision)) = from {
            let update = sqlx::query("UPDATE draft SET published = 1 WHERE number = $1 AND published = 0");
            let updated = update.bind(number).execute(&mut *transaction).await?.rows_affected();
            if updated == 0 && number != BROUGHT_BACK {
                return Ok(false);
            }
            append(&mut transaction, decision, now).await?;
        }
        self.tell(&mut transaction, &Change::Bundle).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Stores a draft, as a new one or in the place of the open one of this number, and gives its number; none if that one
    /// is not what it was any more.
    pub(crate) async fn keep_draft(
        &self,
        place: Option<(i64, &Draft)>,
        draft: &Draft,
        proposed: Proposed,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let text = serde_json::to_string(draft)?;
        let mut transaction = self.pool.begin().await?;
        let insert = "INSERT INTO draft (number, draft, published) \
                      SELECT coalesce(max(number), 0) + 1, $1, 0 FROM draft RETURNING number";
        let update = "UPDATE draft SET draft = $1 WHERE number = $2 AND published = 0 AND draft = $3 RETURNING number";
        let number: Option<i64> = match place {
            None => sqlx::query_scalar(insert).bind(text).fetch_optional(&mut *transaction).await?,
            Some((number, former)) => {
                let update = sqlx::query_scalar(update).bind(text).bind(number).bind(serde_json::to_string(former)?);
                update.fetch_optional(&mut *transaction).await?
            }
        };
        let Some(number) = number else { return Ok(None) };
        let Proposed { by, roles } = proposed;
        append(&mut transaction, Decision::Proposed { draft: number, by, roles }, now).await?;
        transaction.commit().await?;
        Ok(Some(number))
    }

    /// Withdraws an open draft, which then has 2 where an open one has 0 and one that was published 1: its number is not
    /// given again. False if there is none of this number.
    pub(crate) async fn withdraw_draft(&self, number: i64, by: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let update = sqlx::query("UPDATE draft SET published = 2 WHERE number = $1 AND published = 0").bind(number);
        if update.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(false);
        }
        append(&mut transaction, Decision::Withdrawn { draft: number, by: by.to_owned() }, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The drafts that are not published, by number.
    pub(crate) async fn drafts(&self) -> Result<BTreeMap<i64, Draft>> {
        let select = sqlx::query_as("SELECT number, draft FROM draft WHERE published = 0");
        let rows: Vec<(i64, String)> = select.fetch_all(&self.pool).await?;
        rows.into_iter().map(|(number, draft)| Ok((number, serde_json::from_str(&draft)?))).collect()
    }
}
