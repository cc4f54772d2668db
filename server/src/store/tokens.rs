//! Tokens for whoever has no admin's key.

use anyhow::{Context, Result};
use forewarn_proto::{
    api::{Role, Token},
    audit::Decision,
};
use jiff::Timestamp;

use super::{Store, audit::append};

type Row = (String, String, i64);

impl Store {
    /// The token of this digest, while it is good.
    pub(crate) async fn token_of(&self, digest: &str, now: Timestamp) -> Result<Option<Token>> {
        let select = sqlx::query_as("SELECT name, role, ends FROM api_token WHERE digest = $1 AND ends > $2");
        let row: Option<Row> = select.bind(digest).bind(now.as_millisecond()).fetch_optional(&self.pool).await?;
        row.map(read).transpose()
    }

    /// Every token, by name.
    pub(crate) async fn tokens(&self) -> Result<Vec<Token>> {
        let select = sqlx::query_as("SELECT name, role, ends FROM api_token ORDER BY name");
        select.fetch_all(&self.pool).await?.into_iter().map(read).collect()
    }

    /// Stores a token, by its secret's digest. False if there is one of this name that is good still.
    pub(crate) async fn add_api_token(&self, digest: &str, token: &Token, by: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let delete = sqlx::query("DELETE FROM api_token WHERE name = $1 AND ends <= $2").bind(&token.name);
        delete.bind(now.as_millisecond()).execute(&mut *transaction).await?;
        let insert = "INSERT INTO api_token (digest, name, role, made, ends) VALUES ($1, $2, $3, $4, $5) \
                      ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(digest).bind(&token.name).bind(text_of(token.role)?);
        let insert = insert.bind(now.as_millisecond()).bind(token.ends.as_millisecond());
        if insert.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let decision = Decision::TokenMade { name: token.name.clone(), role: token.role, by: by.to_owned() };
        append(&mut transaction, decision, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Stores the token of a person who signed in, in the place of the one from their last time.
    pub(crate) async fn sign_in(&self, digest: &str, token: &Token, now: Timestamp) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        let upsert = "INSERT INTO api_token (digest, name, role, made, ends) VALUES ($1, $2, $3, $4, $5) \
                      ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, role = excluded.role, \
                      made = excluded.made, ends = excluded.ends";
        let upsert = sqlx::query(upsert).bind(digest).bind(&token.name).bind(text_of(token.role)?);
        let upsert = upsert.bind(now.as_millisecond()).bind(token.ends.as_millisecond());
        upsert.execute(&mut *transaction).await?;
        append(&mut transaction, Decision::SignedIn { name: token.name.clone(), role: token.role }, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a token. False if there is none of this name.
    pub(crate) async fn end_api_token(&self, name: &str, by: &str, now: Timestamp) -> Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let gone = sqlx::query("DELETE FROM api_token WHERE name = $1").bind(name).execute(&mut *transaction).await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        append(&mut transaction, Decision::TokenEnded { name: name.to_owned(), by: by.to_owned() }, now).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn read((name, role, ends): Row) -> Result<Token> {
    let role = serde_json::from_value(role.into()).context("the stored role of a token is damaged")?;
    Ok(Token { name, role, ends: Timestamp::from_millisecond(ends)? })
}

fn text_of(role: Role) -> Result<String> {
    let text = serde_json::to_value(role)?;
    Ok(text.as_str().context("a role is a word")?.to_owned())
}
