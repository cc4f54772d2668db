use anyhow::Result;
use clap::Args;
use forewarn_proto::ipc::{Question, Status};
use forewarn_terminal::say;

use crate::{config::Config, ipc::ask};

/// Options of `acknowledge`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app; all apps when left out.
    app: Option<String>,
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let status: Status = ask(config, &Question::Acknowledge { app: options.app.clone() }).await?;
    let read = status.obligations.iter().filter(|obligation| obligation.acknowledged.is_some());
    say!("{} of {} notices are acknowledged. This moves no deadline.", read.count(), status.obligations.len());
    Ok(())
}
