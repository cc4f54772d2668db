//! `remove`: takes away an app that a policy names, by whatever installed it.
//!
//! What it does is made from what matched: for each package one step, with fixed arguments. Nothing else is removed with
//! it: where another package needs it, its manager refuses and says so.

use std::{
    fmt,
    io::BufRead as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use forewarn_core::words::Localizer;
use forewarn_host::user;
use forewarn_proto::{
    inventory::Source,
    ipc::{MatchStatus, ObligationStatus, Question, Status},
    purl::Purl,
};
use forewarn_terminal::{ask as terminal_ask, say};
use tokio::time::{sleep, timeout};

use crate::{config::Config, ipc::ask};

/// How long the daemon may take to see that an app is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions whether it has.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Where Flatpak keeps what is installed for everyone, and for a person in their home. The administrator can name further
/// places, of which only the administrator knows what they are called.
const SYSTEM_FLATPAKS: &str = "/var/lib/flatpak/";
const OWN_FLATPAKS: &str = "/.local/share/flatpak/";

/// Options of `remove`.
#[derive(Args)]
pub(crate) struct Options {
    /// The app, in any case: TikTok.
    app: String,
    /// Print what would be done, word for word, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Run this program with these arguments, as root or as the person.
    Run { root: bool, words: Vec<String> },
    /// Move this file to the trash.
    Trash(PathBuf),
    /// Nothing here can do it.
    ByHand { package: String, source: String },
}

pub(crate) async fn run(config: &Config, options: &Options) -> Result<()> {
    let localizer = Localizer::new(&config.languages);
    let status: Status = ask(config, &Question::Status).await?;
    let steps = plan(&status, &options.app)?;
    if steps.is_empty() {
        bail!("nothing asks you to remove `{}`; see `forewarn status`", options.app);
    }
    for step in &steps {
        say!("{step}");
    }
    if options.dry_run {
        return Ok(());
    }
    ensure!(options.yes || agrees(&localizer, &options.app)?, "nothing was removed");
    steps.iter().try_for_each(Step::run)?;
    let _: Status = ask(config, &Question::Look).await?;
    timeout(PATIENCE, wait_until_gone(config, &options.app))
        .await
        .with_context(|| format!("{} is still found; see `forewarn why {}`", options.app, options.app))??;
    say!("{}. {}", localizer.fill("removed", [("app", (&options.app).into())]), localizer.say("removed-body"));
    Ok(())
}

async fn wait_until_gone(config: &Config, app: &str) -> Result<()> {
    while obliged(&ask(config, &Question::Status).await?, app).next().is_some() {
        sleep(ASK_EVERY).await;
    }
    Ok(())
}

fn agrees(localizer: &Localizer, app: &str) -> Result<bool> {
    terminal_ask(&localizer.fill("remove-asks", [("app", app.into())]));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes", "j", "ja", "o", "oui", "s", "sí", "si", "はい", "نعم"]
        .contains(&answer.trim().to_lowercase().as_str()))
}

fn obliged<'s>(status: &'s Status, app: &'s str) -> impl Iterator<Item = &'s ObligationStatus> {
    status.obligations.iter().filter(move |obligation| obligation.app.eq_ignore_ascii_case(app))
}

/// What removes an app: a step for each package that matched, once.
fn plan(status: &Status, app: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for matched in obliged(status, app).flat_map(|obligation| &obligation.matched) {
        let step = step(matched)?;
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    Ok(steps)
}

fn step(matched: &MatchStatus) -> Result<Step> {
    let MatchStatus { purl, source, found_in, .. } = matched;
    let name = purl.name();
    let run = |root, words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).chain([name.to_owned()]);
        Step::Run { root, words: words.collect() }
    };
    let step = match source {
        Source::Dpkg => run(true, &["dpkg", "--remove"]),
        Source::Rpm => run(true, &["rpm", "--erase"]),
        Source::Pacman => run(true, &["pacman", "--remove", "--noconfirm"]),
        Source::Apk => run(true, &["apk", "del"]),
        Source::Snap => run(false, &["snap", "remove"]),
        Source::Homebrew => run(false, &["brew", "uninstall"]),
        Source::Nix => run(false, &["nix", "profile", "remove"]),
        Source::Flatpak => flatpak(purl, found_in),
        Source::AppImage | Source::Desktop => return Ok(Step::Trash(found_in.into())),
        Source::Browser | Source::Editor => {
            return Ok(Step::ByHand { package: purl.to_string(), source: source.name().to_owned() });
        }
    };
    ensure!(is_plain(name), "`{name}` is no name of a package that could be removed; remove it by hand");
    Ok(step)
}

/// Whether every folder on the way to a file is root's, and none is a link. Nothing beyond the first that is not is looked at.
fn is_root_s(file: &Path) -> bool {
    let mut way: Vec<&Path> = file.ancestors().collect();
    way.reverse();
    way.into_iter().all(|part| fs_err::symlink_metadata(part).is_ok_and(|m| m.uid() == 0 && !m.is_symlink()))
}

fn flatpak(purl: &Purl, found_in: &str) -> Step {
    let installation = if found_in.starts_with(SYSTEM_FLATPAKS) {
        "--system"
    } else if found_in.contains(OWN_FLATPAKS) {
        "--user"
    } else {
        return Step::ByHand { package: purl.to_string(), source: found_in.to_owned() };
    };
    let branch = purl.qualifier("branch").filter(|branch| is_plain(branch)).unwrap_or_default();
    let reference = format!("{}//{branch}", purl.name());
    let words = ["flatpak", "uninstall", "--noninteractive", installation, &reference];
    Step::Run { root: false, words: words.map(str::to_owned).to_vec() }
}

/// Whether a package manager can't take it for anything but a name.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-._@".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

impl Step {
    /// The words that are run, by who is not root through polkit.
    fn command(root: bool, words: &[String]) -> Vec<String> {
        let asks = root && !user::is_root();
        asks.then(|| "pkexec".to_owned()).into_iter().chain(words.iter().cloned()).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "package managers are programs")]
    fn run(&self) -> Result<()> {
        match self {
            Self::Run { root, words } => {
                let words = Self::command(*root, words);
                let (program, arguments) = words.split_first().context("there is nothing to run")?;
                let status = Command::new(program).args(arguments).stdin(Stdio::null()).status();
                let status = status.with_context(|| format!("{program} can't be started"))?;
                ensure!(status.success(), "`{}` failed; what it said is above", words.join(" "));
                Ok(())
            }
            Self::Trash(file) => {
                ensure!(
                    !user::is_root() || is_root_s(file),
                    "{} is in a folder of somebody else's; run this as them",
                    file.display()
                );
                trash::delete(file).with_context(|| format!("{} can't be moved to the trash", file.display()))
            }
            Self::ByHand { package, source } => {
                bail!("{package} is one of {source}; remove it there")
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { root, words } => write!(f, "{}", Self::command(*root, words).join(" ")),
            Self::Trash(file) => write!(f, "trash {}", file.display()),
            Self::ByHand { package, source } => write!(f, "by hand: {package}, in {source}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use forewarn_proto::policy::How;

    use super::*;

    fn check(source: Source, purl: &str, found_in: &str, expected: &str) {
        let purl: Purl = serde_json::from_value(purl.into()).unwrap();
        let matched = MatchStatus { purl, source, found_in: found_in.into(), how: How::DisplayName };
        let text = match step(&matched).unwrap() {
            Step::Run { words, .. } => words.join(" "),
            step @ (Step::Trash(_) | Step::ByHand { .. }) => step.to_string(),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn each_source_has_its_own_way() {
        check(
            Source::Dpkg,
            "pkg:deb/debian/teamviewer@15.1?arch=amd64",
            "/var/lib/dpkg/status",
            "dpkg --remove teamviewer",
        );
        check(Source::Rpm, "pkg:rpm/fedora/anydesk@6.3", "/var/lib/rpm", "rpm --erase anydesk");
        check(Source::Pacman, "pkg:alpm/arch/anydesk-bin@6.3", "/x", "pacman --remove --noconfirm anydesk-bin");
        check(Source::Snap, "pkg:snap/telegram-desktop", "/x", "snap remove telegram-desktop");
        let app = "pkg:flatpak/org.example.App@1?arch=x86_64&branch=stable";
        let (system, own) =
            ("/var/lib/flatpak/app/org.example.App", "/home/me/.local/share/flatpak/app/org.example.App");
        check(Source::Flatpak, app, system, "flatpak uninstall --noninteractive --system org.example.App//stable");
        check(Source::Flatpak, app, own, "flatpak uninstall --noninteractive --user org.example.App//stable");
        check(Source::Flatpak, app, "/opt/extra/app/x", &format!("by hand: {app}, in /opt/extra/app/x"));
        check(Source::AppImage, "pkg:appimage/tool", "/home/me/tool.AppImage", "trash /home/me/tool.AppImage");
        let extension = "pkg:chrome-extension/abcdefghijklmnopabcdefghijklmnop";
        check(Source::Browser, extension, "/x", &format!("by hand: {extension}, in browser"));
    }

    #[test]
    fn a_name_that_is_an_option_is_never_run() {
        for name in ["-x", "a b", "a;b", "", "a/b", "$(x)"] {
            assert!(!is_plain(name), "{name}");
        }
        assert!(is_plain("libstdc++6") && is_plain("org.example.App"));
    }
}
