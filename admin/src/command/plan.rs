//! `plan` and `apply`: a folder of policy files, kept under version control, beside what is in force.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use forewarn_proto::{
    api::Draft,
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    policy::MAX_POLICY_BYTES,
};
use forewarn_terminal::{say, say_json, say_lines};
use forewarn_trust::{Changes, Verified, metadata, verify};
use jiff::Timestamp;

use super::sign::confirm;
use crate::{
    facts::facts,
    home::Home,
    plan::{InForce, MAX_FILES, Plan, PolicyFile},
    server::Server,
    show,
};

/// What `plan` answers where something has to change; 0 is nothing, 1 an error.
const CHANGES: u8 = 2;

/// Options of `plan`.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 nothing to do, 2 something has to change, 1 an error.")]
pub(crate) struct Options {
    #[command(flatten)]
    folder: Folder,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
    /// Compare with this bundle instead of asking the server, without a key: what the server gives at /v1/bundle.
    #[arg(long, value_name = "BUNDLE.json", requires = "root")]
    in_force: Option<PathBuf>,
    /// The root by which that bundle is verified.
    #[arg(long, value_name = "ROOT.json", requires = "in_force")]
    root: Option<PathBuf>,
}

/// Options of `apply`.
#[derive(Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    folder: Folder,
    /// Propose without asking.
    #[arg(long)]
    yes: bool,
    /// Let policies go that have no file any more.
    #[arg(long)]
    allow_deletions: bool,
}

/// The policy files.
#[derive(Args)]
struct Folder {
    /// The folder whose `*.toml` files are all policies that shall be in force.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) async fn plan(home: &Home, options: &Options) -> Result<ExitCode> {
    let now = home.clock().unwrap_or(forewarn_host::Clock::Real).wall();
    let files = options.folder.read()?;
    let in_force = match (&options.in_force, &options.root) {
        (Some(bundle), Some(root)) => verified_file(bundle, root, now).await?,
        _ => Server::looking(home)?.in_force(home).await?,
    };
    let plan = options.folder.plan(&files, &in_force, now)?;
    if options.json {
        say_json(&plan)?;
    } else {
        print(&plan);
    }
    Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CHANGES) })
}

pub(crate) async fn apply(home: &Home, options: &Apply) -> Result<()> {
    let now = home.clock()?.wall();
    let files = options.folder.read()?;
    let server = Server::acting(home)?;
    let in_force = server.in_force(home).await?;
    let plan = options.folder.plan(&files, &in_force, now)?;
    print(&plan);
    if plan.is_empty() {
        return Ok(());
    }
    let deleted: Vec<&str> = plan.deletions.iter().map(|deletion| deletion.id.as_str()).collect();
    if !deleted.is_empty() && !options.allow_deletions {
        bail!("the plan DELETES {}; nothing was proposed. If that is meant, add --allow-deletions", deleted.join(", "));
    }
    let removed = plan.removed();
    let changes = Changes { added: plan.texts.clone(), removed: removed.clone(), admins: None };
    say_lines(facts(&changes, Some(&server.status().await?))?);
    confirm(options.yes)?;
    let current = in_force.roles.get("policies").context("the server has no policies role")?;
    let next = metadata::next_targets("policies", current, &plan.texts, &removed, now)?;
    let roles = BTreeMap::from([("policies".to_owned(), next)]);
    let draft = Draft { roles, targets: plan.texts, ..Draft::default() };
    let status = server.propose(&server.signed(draft)?).await?;
    say_lines(show::progress(&status));
    Ok(())
}

impl Folder {
    fn plan(&self, files: &[PolicyFile], in_force: &Verified, now: Timestamp) -> Result<Plan> {
        let in_force = InForce::of(in_force).map_err(|problem| anyhow!(problem))?;
        Plan::of(files, &in_force, now)
            .map_err(|problems| anyhow!("{} is refused:\n  {}", self.folder.display(), problems.join("\n  ")))
    }

    /// Every policy file, by name.
    fn read(&self) -> Result<Vec<PolicyFile>> {
        let entries: Vec<_> = fs_err::read_dir(&self.folder)?.collect::<Result<_, _>>()?;
        let paths = entries.into_iter().map(|entry| entry.path());
        // What begins with a dot is an editor's.
        let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let named = paths.filter(|path| path.extension().is_some_and(|e| e == "toml") && !hidden(path));
        let mut paths: Vec<PathBuf> = named.collect();
        let limit = || format!("{}: more than {MAX_FILES} policies", self.folder.display());
        ensure!(paths.len() <= MAX_FILES, limit());
        paths.sort();
        paths.iter().map(|path| policy_file(path)).collect()
    }
}

fn policy_file(path: &Path) -> Result<PolicyFile> {
    let bytes = fs_err::metadata(path)?.len();
    ensure!(bytes <= u64::try_from(MAX_POLICY_BYTES)?, "{}: it has {bytes} bytes; split it", path.display());
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok(PolicyFile { name, text: fs_err::read_to_string(path)? })
}

/// A bundle from a file, verified as a device would. One that has expired may be older than what is in force.
async fn verified_file(bundle: &Path, root: &Path, now: Timestamp) -> Result<Verified> {
    let bytes = fs_err::metadata(bundle)?.len();
    ensure!(bytes <= u64::try_from(MAX_BUNDLE_BYTES)?, "{}: it has {bytes} bytes; it is no bundle", bundle.display());
    let place = || bundle.display().to_string();
    let read = Bundle::parse(&fs_err::read(bundle)?).with_context(place)?;
    let scratch = std::env::temp_dir();
    let verified = verify(&fs_err::read_to_string(root)?, None, &read, &scratch).await.with_context(place)?;
    verified.check_expiry(now).with_context(|| format!("{}: get it anew from the server's /v1/bundle", place()))?;
    Ok(verified)
}

/// What is new comes first, each with all that it does.
fn print(plan: &Plan) {
    for (index, line) in plan.lines().iter().enumerate() {
        say!("{line}");
        plan.additions.get(index).into_iter().for_each(|addition| say_lines(show::policy(&addition.policy)));
    }
}
