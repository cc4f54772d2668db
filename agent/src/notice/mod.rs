//! Puts notices before the person: on the desktop where there is one, else on their terminals.

mod desktop;
mod terminal;
mod text;

use std::path::PathBuf;

use anyhow::{Result, bail};
use forewarn_engine::{Input, Notice, Subject};
use forewarn_proto::policy::Language;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use crate::config::NoticeWay;

pub(crate) use text::{Words, local, quoted};

/// What the notifier is asked to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Show this, and say whether it was shown.
    Show(Notice),
    /// Take down what is shown about this.
    Withdraw(Subject),
}

/// What the notifier says.
#[derive(Debug)]
pub(crate) enum News {
    /// A receipt, or the lack of one.
    Receipt(Input),
    /// The person dismissed or confirmed what was shown about this.
    Acknowledged(Subject),
}

/// How to speak to the person.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) way: NoticeWay,
    pub(crate) terminals: Option<Vec<PathBuf>>,
    pub(crate) languages: Vec<Language>,
    pub(crate) zone: TimeZone,
}

/// Works through orders for ever, one after the other.
pub(crate) async fn run(manner: Manner, mut orders: mpsc::UnboundedReceiver<Order>, news: mpsc::UnboundedSender<News>) {
    let mut desktop = desktop::Desktop::new(news.clone());
    while let Some(order) = orders.recv().await {
        match order {
            Order::Show(notice) => {
                let receipt = match show(&manner, &mut desktop, &notice).await {
                    Ok(()) => Input::NoticeShown(notice.id),
                    Err(error) => {
                        tracing::warn!("a notice could not be shown: {error:#}");
                        Input::NoticeFailed(notice.id)
                    }
                };
                if news.send(News::Receipt(receipt)).is_err() {
                    return;
                }
            }
            Order::Withdraw(subject) => desktop.withdraw(&subject).await,
        }
    }
}

async fn show(manner: &Manner, desktop: &mut desktop::Desktop, notice: &Notice) -> Result<()> {
    let words = Words::of(notice, &manner.languages, &manner.zone);
    if manner.way != NoticeWay::Terminal {
        match desktop.show(notice, &words).await {
            Ok(()) => return Ok(()),
            Err(error) if manner.way == NoticeWay::Desktop => {
                bail!("no desktop shows notices: {error:#}")
            }
            Err(error) => {
                tracing::debug!("no desktop shows notices, so terminals have to: {error:#}")
            }
        }
    }
    terminal::show(manner.terminals.as_deref(), &words)
}
