//! `app search` and `app show`: the catalogue.

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use forewarn_proto::catalogue::{self, App};
use forewarn_terminal::say;

const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default();

/// What to look up.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    /// Find apps by name, publisher or package.
    Search {
        /// A part of what the app is called; all apps when left out.
        #[arg(default_value = "")]
        text: String,
    },
    /// Show what an app is in each ecosystem.
    Show {
        /// The app's id or name: tiktok.
        app: String,
    },
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.question {
        Question::Search { text } => search(text),
        Question::Show { app } => {
            let unknown =
                || format!("no app of the catalogue is called `{app}`; look with `forewarn-admin app search`");
            show(&catalogue::find(app).with_context(unknown)?);
            Ok(())
        }
    }
}

fn search(text: &str) -> Result<()> {
    let found: Vec<&App> = catalogue::search(text).collect();
    if found.is_empty() {
        bail!("no app of the catalogue is called like `{text}`; a policy can name its packages as `purls`");
    }
    for App { id, name, publisher, about, .. } in found {
        say!("{BOLD}{id:<24}{BOLD:#}{name} ({publisher}). {about}");
    }
    Ok(())
}

fn show(app: &App) {
    say!("{BOLD}{}{BOLD:#} by {}. {}", app.name, app.publisher, app.about);
    if !app.aliases.is_empty() {
        say!("  also      {}", app.aliases.join(", "));
    }
    for identity in &app.identities {
        say!("  {}", identity.purl);
        match &identity.confirmed {
            Some(page) => say!("            confirmed by {page}"),
            None => say!("            {WARN}not confirmed: a match only warns{WARN:#}"),
        }
    }
    say!("  in a policy: app = \"{}\"", app.id);
}
