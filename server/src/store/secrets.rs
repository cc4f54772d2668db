//! What the server made for itself.

use anyhow::Result;

use super::Store;

impl Store {
    /// The secret of this name; made and stored if there is none. Of two servers that make one, the first one's counts.
    pub(crate) async fn secret_or(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let select = || sqlx::query_scalar("SELECT value FROM secret WHERE name = $1").bind(name);
        if let Some(value) = select().fetch_optional(&self.pool).await? {
            return Ok(value);
        }
        let insert = sqlx::query("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        insert.bind(name).bind(make()?).execute(&self.pool).await?;
        Ok(select().fetch_one(&self.pool).await?)
    }
}
