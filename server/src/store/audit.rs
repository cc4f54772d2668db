//! The record of decisions, to which every decision is added in its own transaction.

use anyhow::{Context, Result};
use forewarn_proto::audit::{Chained, Decision, Entry};
use forewarn_trust::chain;
use jiff::Timestamp;
use sqlx::AnyConnection;

use super::Store;

/// The most entries that are read at once.
const PAGE: i64 = 1000;

impl Store {
    /// Up to a thousand entries after the one of this number, the oldest first.
    pub(crate) async fn audit_after(&self, number: i64) -> Result<Vec<Chained>> {
        let select = "SELECT entry, hash FROM audit WHERE number > $1 ORDER BY number LIMIT $2";
        let rows: Vec<(String, String)> = sqlx::query_as(select).bind(number).bind(PAGE).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(entry, hash)| Chained { entry, hash }).collect())
    }
}

/// Adds a decision to the record, within the transaction that carries it out. The head's row is locked until that ends,
/// so that entries stand in the order of their commits.
pub(super) async fn append(transaction: &mut AnyConnection, decision: Decision, at: Timestamp) -> Result<()> {
    let lock = "UPDATE audit_head SET number = number + 1 WHERE id = 1 RETURNING number, hash";
    let (number, former): (i64, String) = sqlx::query_as(lock).fetch_one(&mut *transaction).await?;
    let entry = Entry { number: u64::try_from(number).context("the record's head is damaged")?, at, decision };
    let text = serde_json::to_string(&entry)?;
    let hash = chain(&former, &text);
    let insert = sqlx::query("INSERT INTO audit (number, entry, hash) VALUES ($1, $2, $3)");
    insert.bind(number).bind(text).bind(&hash).execute(&mut *transaction).await?;
    sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 1").bind(hash).execute(&mut *transaction).await?;
    Ok(())
}
