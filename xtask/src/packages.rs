//! The Debian packages that tasks need, and how they come onto the machine.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A package, and what is done with it.
type Need = (&'static str, &'static str);

/// What `cargo xtask fuzz` needs.
pub(crate) const FOR_FUZZING: [Need; 1] = [("g++", "builds libFuzzer")];

/// What `cargo xtask screenshots` needs.
pub(crate) const FOR_SCREENSHOTS: [Need; 9] = [
    ("dbus", "is the session bus"),
    ("xvfb", "is the screen"),
    ("xfce4-notifyd", "shows notices"),
    ("xfconf", "keeps the settings of that one"),
    ("xdotool", "knows where on the screen they are"),
    ("imagemagick", "takes pictures"),
    ("chromium", "shows pages"),
    ("fonts-noto-core", "has Arabic letters"),
    ("fonts-ipafont-gothic", "has Japanese letters"),
];

/// What `cargo xtask bench daemon` compares with.
pub(crate) const FOR_DAEMON_BENCH: [Need; 3] = [
    ("zabbix-agent2", "is an agent that is connected and idle"),
    ("mosquitto", "is what the next one is connected to"),
    ("mosquitto-clients", "is about the smallest program that waits for a push"),
];

/// What `cargo xtask bench push` compares with.
pub(crate) const FOR_PUSH_BENCH: [Need; 2] =
    [("mosquitto", "is a broker that is known to be small"), ("nats-server", "is one that is known to be fast")];

/// What `cargo xtask bench reports` needs.
pub(crate) const FOR_REPORTS_BENCH: [Need; 1] = [("postgresql", "is one of the two stores")];

/// What the tests need.
pub(crate) const FOR_TESTS: [Need; 27] = [
    ("dpkg", "lists this machine's packages, to be compared"),
    ("gzip", "packs what test packages are made of"),
    ("flatpak", "makes and installs a test app, to be listed"),
    ("rpm", "makes package databases, to be listed"),
    ("pacman-package-manager", "makes a package database, to be listed"),
    ("squashfs-tools", "makes the file system of an AppImage"),
    ("libdpkg-perl", "compares versions, to be agreed with"),
    ("dovecot-imapd", "is a real mail server, whose log says who has logged in"),
    ("thunderbird", "is a real mail client, before, while and after its account is revoked"),
    ("evolution-data-server", "is another"),
    ("libglib2.0-bin", "asks that one what accounts it has"),
    ("isync", "is another"),
    ("offlineimap3", "is another"),
    ("msmtp", "is another"),
    ("neomutt", "is another"),
    ("aerc", "is another"),
    ("python3", "holds Thunderbird's lock as another process would"),
    ("python3-venv", "holds what of Python's packages the tests need"),
    ("postgresql", "is a real database, shared by several servers"),
    ("procps", "says when that one's processes have ended"),
    ("openssh-client", "has a real ssh-agent, which holds an admin's key"),
    ("dbus", "is the session bus"),
    ("dunst", "is a real service that shows notifications"),
    ("xfce4-notifyd", "is another, with buttons"),
    ("xfconf", "keeps the settings of that one"),
    ("xdotool", "presses these buttons"),
    ("xvfb", "is the screen on which it shows notices"),
];

/// Installs what is missing.
pub(crate) fn install(needed: &[Need]) -> Result<()> {
    let missing: Vec<&str> = needed.iter().map(|(name, _)| *name).filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    anstream::println!("These Debian packages are needed and not installed:");
    needed
        .iter()
        .filter(|(n, _)| missing.contains(n))
        .for_each(|(name, use_)| anstream::println!("  {name:<10}{use_}"));
    apt(&["update", "--quiet"])?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt(&[&install[..], &missing].concat())
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]).output();
    query.is_ok_and(|output| output.stdout == b"installed")
}

fn apt(arguments: &[&str]) -> Result<()> {
    let root = forewarn_host::user::is_root();
    let (program, first): (&str, &[&str]) = if root { ("apt-get", &[]) } else { ("sudo", &["apt-get"]) };
    let mut command = Command::new(program);
    command.args(first).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    let status =
        command.status().with_context(|| format!("{program} can't be started; this needs Debian or Ubuntu"))?;
    if !status.success() {
        bail!("apt-get {} failed; install the packages by hand and try again", arguments.join(" "));
    }
    Ok(())
}
