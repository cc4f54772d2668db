//! `bench daemon`: the running daemon, connected to a server. How soon it knows of a package that dpkg installs, and what it
//! costs while nothing happens.

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use forewarn_host::Shift;
use forewarn_tests::{Binaries, Company, Device, wait_until};
use jiff::Timestamp;

use super::measure::median;
use crate::{cargo, packages, workspace};

/// How often the package is installed.
const INSTALLS: usize = 20;
/// How long each program is left alone, and then watched.
const SETTLING: Duration = Duration::from_secs(20);
const WATCHED: Duration = Duration::from_secs(120);
/// How large the package is, in bytes. AnyDesk's own has some 7 MB.
const PACKAGE_BYTES: usize = 7_000_000;

const POLICY: &str = r#"id = "no-anydesk"
version = 1
title = "AnyDesk is not permitted"

[deadline]
grace = "48h"

[message]
en = "Please remove it."

[consequence]
mail = ["corp.example"]

[[rule]]
id = "anydesk"
app = "anydesk"
"#;

pub(super) fn run() -> Result<()> {
    packages::install(&packages::FOR_DAEMON_BENCH)?;
    let folder = tempfile::tempdir()?;
    build(folder.path())?;
    let root = folder.path().join("root");
    let company = found(folder.path())?;
    let mut device = device(&company, &root)?;
    install(&device, &root, folder.path())?;
    // As fresh as what it is compared with.
    device.kill();
    device.start()?;
    device.wait_for("it is connected", |status| status.connected && status.confirmed_at.is_some())?;
    idle(&device, folder.path())?;
    obliged(&device, &root, folder.path())
}

/// Gathers the agent as it is packaged, and the others, which are not measured.
fn build(folder: &Path) -> Result<()> {
    let agent = super::packaged()?;
    cargo(&["build", "--release", "--quiet", "-p", "forewarn-admin", "-p", "forewarn-server"])?;
    let programs = folder.join("programs");
    fs_err::create_dir(&programs)?;
    let others = workspace()?.join("target/release");
    let built =
        [("forewarn", &agent), ("forewarn-daemon", &agent), ("forewarn-admin", &others), ("forewarn-server", &others)];
    for (name, folder) in built {
        symlink(folder.join(name), programs.join(name))?;
    }
    Ok(())
}

fn found(folder: &Path) -> Result<Company> {
    let company = Company::found(Binaries::in_folder(&folder.join("programs"))?, folder)?;
    company.publish(POLICY)?;
    Ok(company)
}

/// A device with a system of its own, where dpkg has installed nothing yet. It goes by the real clock.
fn device(company: &Company, root: &Path) -> Result<Device> {
    for folder in ["var/lib/dpkg/updates", "var/lib/dpkg/info", "var/log", "etc"] {
        fs_err::create_dir_all(root.join(folder))?;
    }
    fs_err::write(root.join("var/lib/dpkg/status"), "")?;
    fs_err::write(root.join("etc/os-release"), "ID=debian\n")?;
    let place = company.path("device");
    fs_err::create_dir(&place)?;
    let extra = format!("notices = \"terminal\"\nroot = {root:?}");
    // As the system starts it, whoever measures: where backtraces are wanted, each error costs memory.
    let prepared = Device::prepare(&company.binaries, &place, &Shift::default(), &extra)?;
    let mut device = prepared.with("RUST_BACKTRACE", "0");
    let config = place.join("agent.toml");
    let text = fs_err::read_to_string(&config)?;
    let real: Vec<&str> = text.lines().filter(|line| !line.starts_with("simulated_clock")).collect();
    fs_err::write(&config, real.join("\n"))?;
    device.enroll(&company.token()?, &company.path("bob/root.json"))?;
    device.start()?;
    device.wait_for("the policy is in force", |status| !status.rules.is_empty())?;
    Ok(device)
}

/// Installs a banned package again and again, and compares the time at which its notice was on the terminal with dpkg's own.
fn install(device: &Device, root: &Path, folder: &Path) -> Result<()> {
    let package = package(folder)?;
    let terminal = device.folder.join("terminal");
    let (mut known_first, mut shown_first, mut lasted, mut known, mut shown) =
        (0, 0, Vec::new(), Vec::new(), Vec::new());
    anstream::println!("dpkg -i of a banned package, {INSTALLS} times");
    for _ in 0..INSTALLS {
        // So that each hint comes after a quiet time: while they go on, looks follow each other ever more seldom.
        sleep(Duration::from_secs(11));
        fs_err::write(&terminal, "")?;
        let start = SystemTime::now();
        dpkg(root, &["--install", &package])?;
        let exit = SystemTime::now();
        let status = device.wait_for("a notice", |s| s.obligations.iter().any(|o| o.shown.is_some()))?;
        let since_epoch = status.obligations[0].found_at.duration_since(Timestamp::UNIX_EPOCH);
        let found_at = SystemTime::UNIX_EPOCH + Duration::try_from(since_epoch)?;
        let shown_at = fs_err::metadata(&terminal)?.modified()?;
        known_first += usize::from(found_at < exit);
        shown_first += usize::from(shown_at < exit);
        lasted.push(milliseconds(start, exit));
        known.push(milliseconds(start, found_at));
        shown.push(milliseconds(start, shown_at));
        dpkg(root, &["--remove", "anydesk"])?;
        device.wait_for("it is gone", |status| status.obligations.is_empty())?;
    }
    anstream::println!("  before dpkg had exited, it was known {known_first} and its notice shown {shown_first} times");
    let medians = [lasted, known, shown].map(median);
    anstream::println!(
        "  after dpkg's start, in ms in the median: it was known {:.0}, its notice shown {:.0}, dpkg exited {:.0}",
        medians[1],
        medians[2],
        medians[0]
    );
    Ok(())
}

/// From one time to another, negative if the other came first.
fn milliseconds(from: SystemTime, to: SystemTime) -> f64 {
    match to.duration_since(from) {
        Ok(length) => length.as_secs_f64() * 1e3,
        Err(earlier) => -earlier.duration().as_secs_f64() * 1e3,
    }
}

/// A package called `anydesk`, of bytes that don't compress.
fn package(folder: &Path) -> Result<String> {
    let tree = folder.join("package");
    fs_err::create_dir_all(tree.join("DEBIAN"))?;
    fs_err::create_dir_all(tree.join("usr/share/anydesk"))?;
    let control =
        "Package: anydesk\nVersion: 6.3.2\nArchitecture: all\nMaintainer: n <n@example.org>\nDescription: d\n";
    fs_err::write(tree.join("DEBIAN/control"), control)?;
    let mut bytes = vec![0; PACKAGE_BYTES];
    let mut state = 1_u64;
    for byte in &mut bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = state.to_be_bytes()[0];
    }
    fs_err::write(tree.join("usr/share/anydesk/data"), bytes)?;
    let (tree, file) = (tree.display().to_string(), folder.join("anydesk.deb").display().to_string());
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "--build", &tree, &file]).stdout(Stdio::null());
    ensure!(build.status()?.success(), "the package can't be built");
    Ok(file)
}

fn dpkg(root: &Path, arguments: &[&str]) -> Result<()> {
    let mut dpkg = Command::new("dpkg");
    dpkg.arg("--root").arg(root).args(["--force-not-root", "--force-script-chrootless"]).args(arguments);
    let output = dpkg.output()?;
    ensure!(output.status.success(), "dpkg {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Watches the daemon and its peers side by side.
fn idle(device: &Device, folder: &Path) -> Result<()> {
    let daemon = device.daemon_id().context("the daemon does not run")?;
    let (agent, _broker, subscriber) = (zabbix(folder)?, broker(folder)?, Peer::start("mosquitto_sub", SUBSCRIBE)?);
    let watched = [("forewarn daemon", daemon), ("zabbix_agent2", agent.0.id()), ("mosquitto_sub", subscriber.0.id())];
    anstream::println!("\nIdle and connected; watched for {} s after {} s", WATCHED.as_secs(), SETTLING.as_secs());
    sleep(SETTLING);
    let before = watched.map(|(_, id)| switches(id));
    let begun = Instant::now();
    sleep(WATCHED);
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    anstream::println!("{:<18}{:>24}{:>10}{:>10}", "", "context switches/min", "RSS MiB", "PSS MiB");
    for ((name, id), before) in watched.into_iter().zip(before) {
        let switched = (switches(id)? - before?) as f64 / minutes;
        let (rss, pss) = (memory(id, "Rss:")?, memory(id, "Pss:")?);
        anstream::println!("{name:<18}{switched:>24.1}{rss:>10.1}{pss:>10.1}");
    }
    Ok(())
}

/// Watches the daemon while somebody has a deadline ahead, of which they were told.
fn obliged(device: &Device, root: &Path, folder: &Path) -> Result<()> {
    let daemon = device.daemon_id().context("the daemon does not run")?;
    dpkg(root, &["--install", &folder.join("anydesk.deb").display().to_string()])?;
    device.wait_for("a notice", |s| s.obligations.iter().any(|o| o.shown.is_some()))?;
    sleep(SETTLING);
    let (before, begun) = (switches(daemon)?, Instant::now());
    sleep(WATCHED);
    let switched = (switches(daemon)? - before) as f64 / (begun.elapsed().as_secs_f64() / 60.0);
    anstream::println!("{:<18}{switched:>24.1}  with an obligation open", "forewarn daemon");
    Ok(())
}

/// A program that runs beside the daemon, and ends with us.
struct Peer(Child);

impl Peer {
    fn start(program: &str, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| format!("{program} can't be started"))?))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const BROKER_PORT: &str = "18883";
const SUBSCRIBE: &[&str] = &["-h", "127.0.0.1", "-p", BROKER_PORT, "-t", "policy", "-k", "600"];

fn broker(folder: &Path) -> Result<Peer> {
    let config = folder.join("mosquitto.conf");
    fs_err::write(&config, format!("listener {BROKER_PORT} 127.0.0.1\nallow_anonymous true\n"))?;
    let broker = Peer::start("mosquitto", &["-c", &config.display().to_string()])?;
    wait_until("mosquitto listens", || Ok(std::net::TcpStream::connect(format!("127.0.0.1:{BROKER_PORT}"))?))?;
    Ok(broker)
}

fn zabbix(folder: &Path) -> Result<Peer> {
    let config = folder.join("zabbix.conf");
    let log = folder.join("zabbix.log").display().to_string();
    let socket = folder.join("zabbix.sock").display().to_string();
    let settings = format!(
        "LogFile={log}\nServer=127.0.0.1\nListenIP=127.0.0.1\nListenPort=18050\nHostname=device\n\
         ControlSocket={socket}\nPluginSocket={socket}.plugins\nPidFile={socket}.pid\n"
    );
    fs_err::write(&config, settings)?;
    let mut agent = Peer::start("zabbix_agent2", &["-f", "-c", &config.display().to_string()])?;
    sleep(Duration::from_secs(1));
    if agent.0.try_wait()?.is_some() {
        bail!("zabbix_agent2 ended: {}", fs_err::read_to_string(log).unwrap_or_default());
    }
    Ok(agent)
}

/// How often the threads of a process were switched to, of their own will and not.
fn switches(id: u32) -> Result<u64> {
    let mut sum = 0;
    for thread in fs_err::read_dir(format!("/proc/{id}/task"))? {
        let status = fs_err::read_to_string(thread?.path().join("status"))?;
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        sum += counts.map(|(_, count)| count.trim().parse::<u64>()).sum::<Result<u64, _>>()?;
    }
    Ok(sum)
}

/// A figure of the process's memory, in MiB.
fn memory(id: u32, name: &str) -> Result<f64> {
    let text = fs_err::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("there is no such figure")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
}
