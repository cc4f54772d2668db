//! From one admin's command to the devices: how soon 99 of 100 have a retraction. The real command, with a real key, on a
//! repository that two admins founded; what a device does then with its profile is not in it.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

use super::{
    child::{Process, now},
    keys::{Lab, PORT, Who},
};

/// How many policies are published and retracted before the second measurement: everything that a device is sent of them, and
/// that admins' commands read, adds up.
const FORMER: usize = 50;

/// What was seen, in milliseconds after the command began.
pub(crate) struct Row {
    /// When the middle device, 99 of 100 and the last had it.
    pub(crate) at: [f64; 3],
    /// How many devices had it.
    pub(crate) arrived: f64,
}

/// The first retraction of a server, and one after many others.
pub(crate) struct Undone {
    pub(crate) first: Row,
    pub(crate) later: Row,
}

fn policy(id: &str) -> String {
    format!(
        "id = \"{id}\"\nversion = 1\ntitle = \"An app must go\"\nmessage = {{ en = \"Please.\" }}\n[deadline]\n\
         grace = \"24h\"\n[consequence]\nmail = [\"corp.example\"]\n[[rule]]\nid = \"app\"\napp = \"tiktok\"\n"
    )
}

/// Connects so many devices, has a policy published, and takes it back; and once more after many others.
pub(crate) fn run(lab: &Lab, devices: usize) -> Result<Undone> {
    let mut server = lab.start(Who::Ours)?;
    let admins = Admins::found(lab, &mut server.process)?;
    let mut load = lab.load()?;
    load.ask(&format!("connect sse {} {devices}", Who::Ours.port()), "connected")?;
    let first = admins.undo(&mut load, "hasty", 1_000_001)?;
    print("Retraction", devices, &first);
    for number in 0..FORMER {
        let id = format!("former-{number}");
        admins.publish(&id)?;
        admins.retract(&id)?;
    }
    let later = admins.undo(&mut load, "hasty-again", 1_000_003)?;
    print(&format!("Retraction after {FORMER} policies and {FORMER} retractions"), devices, &later);
    Ok(Undone { first, later })
}

fn print(what: &str, devices: usize, row: &Row) {
    let Row { at: [middle, most, last], arrived } = row;
    anstream::println!(
        "{what}, from the command on: 50 % of {devices} have it after {middle:.0} ms, 99 % after {most:.0} ms, all {arrived} \
         after {last:.0} ms"
    );
}

/// Two admins with the real commands.
struct Admins {
    program: PathBuf,
    folder: PathBuf,
}

impl Admins {
    fn found(lab: &Lab, server: &mut Process) -> Result<Self> {
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

    fn publish(&self, id: &str) -> Result<()> {
        let file = self.folder.join("policy.toml");
        fs_err::write(&file, policy(id))?;
        self.run("alice", &["propose", &file.display().to_string()])?;
        self.run("bob", &["sign", "--yes"])
    }

    fn retract(&self, id: &str) -> Result<()> {
        self.run("alice", &["retract", id, "--reason", "sent in error"])
    }

    /// Publishes, waits until the devices have it, and takes it back. The pushes are told apart by their numbers.
    fn undo(&self, load: &mut Process, id: &str, number: u64) -> Result<Row> {
        load.ask(&format!("next {number}"), "ready")?;
        self.publish(id)?;
        load.hear("arrived")?;
        load.ask(&format!("next {}", number + 1), "ready")?;
        let began = now();
        self.retract(id)?;
        let [arrived, middle, most, last] = load.hear("arrived")?[..] else { anyhow::bail!("no figures") };
        Ok(Row { at: [middle, most, last].map(|at| at - began), arrived })
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(self.folder.join(name)).arg("--passphrase-file").arg(self.folder.join("passphrase"));
        let output = command.args(arguments).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}
