//! Tells the admins what waits for them: over a webhook, and by mail. What they do then is with their own keys.
//!
//! A message is tried for about a quarter of an hour; one that could not be delivered is in the log and counted. Whether
//! or not it arrives, `forewarn-admin inbox` says what waits.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::Mailbox,
    transport::smtp::authentication::Credentials,
};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    Server,
    config::{MailConfig, SmtpSecurity, TellConfig},
};

/// The most messages that are tried at once, and that wait behind those. Beyond that they are dropped, and counted.
const QUEUE: usize = 256;
/// The pauses before each further try.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(240),
    Duration::from_secs(600),
];
/// How long a webhook may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is told. A webhook gets this as JSON; `text` is the field that chat programs show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    /// What happened: `draft 3 waits for a signature`.
    pub(crate) subject: String,
    /// More of it, and which command is next.
    pub(crate) text: String,
}

/// The way to the admins.
#[derive(Debug, Clone)]
pub(crate) struct Teller(mpsc::Sender<Told>);

impl Teller {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Told>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), receiver)
    }
}

impl Server {
    /// Puts a message on its way to the admins.
    pub(crate) fn tell(&self, told: Told) {
        if let Err(error) = self.teller.0.try_send(told) {
            tracing::error!("too many messages to admins wait already; one is lost: {error}");
            self.numbers.untold.inc();
        }
    }
}

/// Delivers what is told, over each way that is configured, for ever.
pub(crate) async fn deliver(server: Arc<Server>, mut told: mpsc::Receiver<Told>) {
    let TellConfig { webhook, mail } = server.config.tell.clone();
    let mut under_way = JoinSet::new();
    while let Some(one) = told.recv().await {
        while under_way.len() >= QUEUE {
            under_way.join_next().await;
        }
        if let Some(webhook) = webhook.clone() {
            let one = one.clone();
            under_way.spawn(persist(server.clone(), "the webhook", async move || post(&webhook, &one).await));
        }
        if let Some(mail) = mail.clone() {
            under_way.spawn(persist(server.clone(), "the mail server", async move || send(&mail, &one).await));
        }
    }
}

/// Tries until it works, or for too long.
async fn persist(server: Arc<Server>, to: &'static str, attempt: impl AsyncFn() -> Result<()>) {
    for pause in PAUSES.into_iter().map(Some).chain([None]) {
        match (attempt().await, pause) {
            (Ok(()), _) => return,
            (Err(error), Some(pause)) => {
                tracing::warn!("{to} did not take a message to the admins, which is tried again: {error:#}");
                tokio::time::sleep(pause).await;
            }
            (Err(error), None) => {
                tracing::error!("{to} did not take a message to the admins: {error:#}");
                server.numbers.untold.inc();
            }
        }
    }
}

async fn post(webhook: &str, told: &Told) -> Result<()> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let answer = client.post(webhook).json(told).send().await.context("it can't be reached")?;
    if !answer.status().is_success() {
        bail!("it answers {}", answer.status());
    }
    Ok(())
}

async fn send(mail: &MailConfig, told: &Told) -> Result<()> {
    let mut message =
        Message::builder().from(address(&mail.from)?).subject(format!("Forewarn: {}", told.subject)).date_now();
    for to in &mail.to {
        message = message.to(address(to)?);
    }
    let message = message.body(told.text.clone())?;
    transport(mail)?.send(message).await?;
    Ok(())
}

fn address(text: &str) -> Result<Mailbox> {
    text.parse().with_context(|| format!("tell.mail: `{text}` is not a mail address"))
}

fn transport(mail: &MailConfig) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let builder = match mail.security {
        SmtpSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&mail.host)?,
        SmtpSecurity::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&mail.host)?,
        SmtpSecurity::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host),
    };
    let builder = builder.port(mail.port).timeout(Some(PATIENCE));
    Ok(match (&mail.user, &mail.password_file) {
        (Some(user), Some(file)) => {
            let password = fs_err::read_to_string(file)?.trim().to_owned();
            builder.credentials(Credentials::new(user.clone(), password)).build()
        }
        _ => builder.build(),
    })
}
