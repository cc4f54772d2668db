//! Our server as a process of its own: the library that `forewarn-server` is made of, in a runtime like that one's, pushing
//! what it is told to.

use std::{num::NonZeroU32, path::PathBuf};

use anyhow::Result;
use clap::Args;
use forewarn_server::{Config, config::StreamConfig, new_tokens, start};

use super::{child::commands, wire};

#[derive(Args)]
pub(crate) struct Options {
    folder: PathBuf,
    port: u16,
}

pub(crate) fn config(folder: &std::path::Path, port: u16) -> Config {
    Config {
        state: folder.join("server"),
        listen: ([127, 0, 0, 1], port).into(),
        url: format!("https://127.0.0.1:{port}"),
        stream: StreamConfig { listen: Some(([127, 0, 0, 1], port + 1).into()), ..StreamConfig::default() },
        // They all enroll from one address, before anything is measured.
        enrolments_per_second: NonZeroU32::MAX,
        // The bench publishes to devices that never report.
        blast_limit: 100,
        ..Config::default()
    }
}

/// Commands: `push N`, `tokens N`, `code 0`, `stop`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let config = config(&options.folder, options.port);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let running = start(config.clone()).await?;
        anstream::println!("listening");
        let mut commands = commands();
        while let Some(line) = commands.recv().await {
            match line.split_once(' ') {
                Some(("push", round)) => running.feed.push_bytes(&wire::payload(round.parse()?)),
                Some(("tokens", count)) => {
                    let tokens = new_tokens(&config, &std::collections::BTreeSet::new(), count.parse()?).await?;
                    fs_err::write(options.folder.join("tokens"), tokens.join("\n"))?;
                    anstream::println!("tokens");
                }
                Some(("code", _)) => {
                    let lines = forewarn_server::greeting(&config).await?;
                    let code = lines.iter().find_map(|line| line.strip_prefix("founding code:")).unwrap_or_default();
                    fs_err::write(options.folder.join("code"), code.trim())?;
                    anstream::println!("code");
                }
                _ => break,
            }
        }
        running.stop().await;
        Ok(())
    })
}
