//! From one admin's command to the devices: how soon 99 of 100 have a retraction. The real command, with a real key, on a
//! repository that two admins founded; what a device does then with its profile is not in it.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

use super::{
    child::now,
    keys::{Lab, PORT, Who},
};

/// What was seen, in milliseconds after the command began.
pub(crate) struct Row {
    /// When the middle device, 99 of 100 and the last had it.
    pub(crate) at: [f64; 3],
    /// How many devices had it.
    pub(crate) arrived: f64,
}

const POLICY: &str = "id = \"hasty\"\nversion = 1\ntitle = \"An app must go\"\nmessage = { en = \"Please.\" }\n\
    [deadline]\ngrace = \"24h\"\n[consequence]\nmail = [\"corp.example\"]\n\
    [[rule]]\nid = \"app\"\napp = \"tiktok\"\n";

/// Connects so many devices, has a policy published, and takes it back.
pub(crate) fn run(lab: &Lab, devices: usize) -> Result<Row> {
    let mut server = lab.start(Who::Ours)?;
    let admins = Admins::found(lab, &mut server.process)?;
    let mut load = lab.load()?;
    load.ask(&format!("connect sse {} {devices}", Who::Ours.port()), "connected")?;
    let policy = lab.folder.join("policy.toml");
    fs_err::write(&policy, POLICY)?;
    admins.run("alice", &["propose", &policy.display().to_string()])?;
    load.ask("next 1000001", "ready")?;
    admins.run("bob", &["sign", "--yes"])?;
    load.hear("arrived")?;
    load.ask("next 1000002", "ready")?;
    let began = now();
    admins.run("alice", &["retract", "hasty", "--reason", "sent in error"])?;
    let command = now() - began;
    let [arrived, middle, most, last] = load.hear("arrived")?[..] else { anyhow::bail!("no figures") };
    let row = Row { at: [middle, most, last].map(|at| at - began), arrived };
    anstream::println!(
        "Retraction, from the command on: 50 % of {devices} have it after {:.0} ms, 99 % after {:.0} ms, all {arrived} after \
         {:.0} ms; the command, most of which is the passphrase, took {command:.0} ms",
        row.at[0],
        row.at[1],
        row.at[2]
    );
    Ok(row)
}

/// Two admins with the real commands.
struct Admins {
    program: PathBuf,
    folder: PathBuf,
}

impl Admins {
    fn found(lab: &Lab, server: &mut super::child::Process) -> Result<Self> {
        let target = std::env::current_exe()?.ancestors().nth(2).context("no target folder")?.to_owned();
        let program = target.join("forewarn-admin");
        ensure!(program.exists(), "{} is not built: cargo build --release -p forewarn-admin", program.display());
        let admins = Self { program, folder: lab.folder.clone() };
        fs_err::write(lab.folder.join("passphrase"), "correct horse battery staple\n")?;
        server.ask("code 0", "code")?;
        let code = fs_err::read_to_string(lab.folder.join("code"))?;
        let (url, ca) = (format!("https://127.0.0.1:{PORT}"), lab.folder.join("server/ca.pem").display().to_string());
        for name in ["alice", "bob"] {
            admins.run(name, &["init", "--name", name, "--server", &url, "--ca", &ca])?;
        }
        let public = |name: &str| lab.folder.join(name).join(format!("{name}.pub")).display().to_string();
        let (alice, bob) = (public("alice"), public("bob"));
        admins.run("alice", &["found", "--admin", &alice, "--admin", &bob, "--code", &code])?;
        admins.run("bob", &["sign", "--yes", "--code", &code])?;
        Ok(admins)
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(self.folder.join(name)).arg("--passphrase-file").arg(self.folder.join("passphrase"));
        let output = command.args(arguments).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
