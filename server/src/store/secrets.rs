//! What the server made for itself.

use anyhow::{Context, Result};

use super::Store;

impl Store {
    /// The secret of this name; made and stored if there is none. Of two servers that make one, the first one's counts.
    pub(crate) async fn secret_or(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        if let Some(value) = self.secret(name).await? {
            return Ok(value);
        }
        let insert = sqlx::query("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        insert.bind(name).bind(make()?).execute(&self.pool).await?;
        self.secret(name).await?.context("what was just stored is gone")
    }

    /// The secret of this name.
    pub(crate) async fn secret(&self, name: &str) -> Result<Option<String>> {
        let select = sqlx::query_scalar("SELECT value FROM secret WHERE name = $1").bind(name);
        Ok(select.fetch_optional(&self.pool).await?)
    }
}
