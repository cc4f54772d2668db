//! `bench inventory`: one scan with matching, from start to end of the process.

use std::{fmt::Write as _, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use super::measure::{Cost, cost, median};
use crate::{cargo, packages};

const SIZES: [usize; 4] = [500, 2_000, 10_000, 100_000];
const ROUNDS: usize = 7;
/// How many packages rpm's database has by turns. The first are really built and installed.
const RPM_SIZES: [usize; 3] = [2_000, 10_000, 100_000];
/// How many packages the pacman database has.
const PACMAN: usize = 2_000;
/// How many Flatpaks are installed.
const FLATPAKS: usize = 40;

/// One program in a comparison.
struct Runner {
    name: &'static str,
    command: Vec<String>,
}

pub(super) fn run() -> Result<()> {
    packages::install(&packages::FOR_TESTS)?;
    let program = super::packaged()?.join("forewarn");
    let folder = tempfile::tempdir()?;
    anstream::println!(
        "Whole processes, {ROUNDS} alternated rounds; each ratio is the median over rounds of ours to theirs."
    );
    for packages in SIZES {
        let root = folder.path().join(packages.to_string());
        dpkg_database(&root, packages)?;
        let database = root.join("var/lib/dpkg").display().to_string();
        let status = format!("{database}/status");
        compare(
            &format!("dpkg, {packages} packages"),
            ours(&program, &root, "dpkg")?,
            vec![
                runner("dpkg-query -W", &["dpkg-query", "--admindir", &database, "-W"]),
                runner(
                    "apt list --installed",
                    &["apt", "-o", &format!("Dir::State::status={status}"), "list", "--installed"],
                ),
                runner("cat, the floor", &["cat", &status]),
            ],
        )?;
    }
    let root = folder.path().join("others");
    rpm_database(&root)?;
    let database = root.join("var/lib/rpm").display().to_string();
    for packages in RPM_SIZES {
        let file = grow_rpm_database(&root, packages)?;
        let rpm = runner("rpm -qa", &["rpm", "--define", "_db_backend sqlite", "--dbpath", &database, "-qa"]);
        let floor = runner("cat, the floor", &["cat", &file]);
        compare(&format!("rpm, {packages} packages"), ours(&program, &root, "rpm")?, vec![rpm, floor])?;
    }
    pacman_database(&root)?;
    let database = root.join("var/lib/pacman").display().to_string();
    let pacman = runner("pacman -Q", &["pacman", "--dbpath", &database, "-Q"]);
    compare(&format!("pacman, {PACMAN} packages"), ours(&program, &root, "pacman")?, vec![pacman])?;
    let list = flatpaks(&root)?;
    compare(&format!("flatpak, {FLATPAKS} applications"), ours(&program, &root, "flatpak")?, vec![list])?;
    anstream::println!("\nIn a process that runs");
    cargo(&["bench", "--quiet", "-p", "forewarn-inventory", "--bench", "rescan"])
}

fn runner(name: &'static str, command: &[&str]) -> Runner {
    Runner { name, command: command.iter().map(|part| (*part).to_owned()).collect() }
}

/// A scan of one source for what the catalogue knows of an app.
fn ours(program: &Path, root: &Path, source: &str) -> Result<Runner> {
    fs_err::create_dir_all(root.join("etc"))?;
    fs_err::write(root.join("etc/os-release"), "ID=debian\n")?;
    let config = root.join("agent.toml");
    fs_err::write(&config, format!("root = {root:?}\nhomes = [{root:?}]\nstate = {:?}\n", root.join("state")))?;
    let (program, config) = (program.display().to_string(), config.display().to_string());
    let command = [&program, "--config", &config, "inventory", "--source", source, "--app", "anydesk"];
    Ok(runner("forewarn", &command))
}

/// Runs all by turns, and prints each with what ours is in comparison.
fn compare(title: &str, ours: Runner, peers: Vec<Runner>) -> Result<()> {
    let runners: Vec<Runner> = std::iter::once(ours).chain(peers).collect();
    let mut costs: Vec<Vec<Cost>> = runners.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (runner, costs) in runners.iter().zip(&mut costs) {
            costs.push(cost(&runner.command)?);
        }
    }
    anstream::println!(
        "\n{title}\n{:<24}{:>10}{:>10}{:>10}{:>12}{:>12}{:>14}",
        "",
        "wall ms",
        "cpu ms",
        "MiB",
        "wall ratio",
        "cpu ratio",
        "memory ratio"
    );
    for (runner, theirs) in runners.iter().zip(&costs) {
        let of = |figure: fn(&Cost) -> f64| median(theirs.iter().map(figure).collect());
        let ratio = |figure: fn(&Cost) -> f64| {
            median(costs[0].iter().zip(theirs).map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
        };
        let (wall, cpu) = (|cost: &Cost| cost.wall.as_secs_f64() * 1e3, |cost: &Cost| cost.cpu.as_secs_f64() * 1e3);
        let memory = |cost: &Cost| cost.memory as f64 / 1024.0 / 1024.0;
        anstream::println!(
            "{:<24}{:>10.1}{:>10.1}{:>10.1}{:>12.3}{:>12.3}{:>14.3}",
            runner.name,
            of(wall),
            of(cpu),
            of(memory),
            ratio(wall),
            ratio(cpu),
            ratio(memory)
        );
    }
    Ok(())
}

/// A database of so many packages, made of this machine's own stanzas under new names.
fn dpkg_database(root: &Path, packages: usize) -> Result<()> {
    let folder = root.join("var/lib/dpkg");
    fs_err::create_dir_all(folder.join("updates"))?;
    fs_err::create_dir_all(folder.join("info"))?;
    let real = fs_err::read_to_string("/var/lib/dpkg/status")?;
    let stanzas: Vec<&str> = real.split("\n\n").filter(|s| s.contains("\nStatus: install ok installed")).collect();
    if stanzas.is_empty() {
        bail!("/var/lib/dpkg/status lists nothing");
    }
    let mut text = String::new();
    for number in 0..packages {
        let stanza = stanzas[number % stanzas.len()].trim();
        let (name, rest) = stanza.split_once('\n').context("a stanza has more than one line")?;
        writeln!(text, "{name}-{number}\n{rest}\n")?;
    }
    fs_err::write(folder.join("status"), text)?;
    Ok(())
}

/// Many packages of one specification, really built and installed.
fn rpm_database(root: &Path) -> Result<()> {
    fs_err::create_dir_all(root)?;
    let mut spec = String::from(
        "Name: base\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n%description\nd\n%files\n",
    );
    for number in 1..RPM_SIZES[0] {
        let name = format!("package-{number}");
        write!(
            spec,
            "%package -n {name}\nSummary: s\n%description -n {name}\n{}\n%files -n {name}\n",
            "words ".repeat(200)
        )?;
    }
    fs_err::write(root.join("base.spec"), spec)?;
    let top = format!("_topdir {}", root.join("build").display());
    shell(root, &format!("rpmbuild --quiet -bb --define '{top}' base.spec >/dev/null 2>&1"))?;
    let define = format!("--define '_db_backend sqlite' --dbpath {}", root.join("var/lib/rpm").display());
    shell(
        root,
        &format!(
            "rpmdb {define} --initdb && rpm {define} -i --justdb --nodeps build/RPMS/noarch/*.rpm >/dev/null 2>&1"
        ),
    )
}

/// Adds the packages that are there again and again until there are so many. Says where the database is.
fn grow_rpm_database(root: &Path, packages: usize) -> Result<String> {
    let file = root.join("var/lib/rpm/rpmdb.sqlite").display().to_string();
    let built = RPM_SIZES[0];
    let script = format!(
        "import sqlite3
database = sqlite3.connect({file:?})
count, = database.execute('SELECT count(*) FROM Packages').fetchone()
for _ in range(count, {packages}, {built}):
    database.execute('INSERT INTO Packages (blob) SELECT blob FROM Packages ORDER BY hnum LIMIT {built}')
database.commit()"
    );
    let status = Command::new("python3").args(["-c", &script]).status()?;
    if !status.success() {
        bail!("rpm's database can't be made larger");
    }
    Ok(file)
}

fn pacman_database(root: &Path) -> Result<()> {
    let local = root.join("var/lib/pacman/local");
    fs_err::create_dir_all(root.join("var/lib/pacman/sync"))?;
    fs_err::create_dir_all(&local)?;
    fs_err::write(local.join("ALPM_DB_VERSION"), "9\n")?;
    for number in 0..PACMAN {
        let folder = local.join(format!("package-{number}-1.0-1"));
        fs_err::create_dir_all(&folder)?;
        let fields = format!("%NAME%\npackage-{number}\n\n%VERSION%\n1.0-1\n\n%DESC%\nd\n\n%ARCH%\nany\n\n");
        fs_err::write(folder.join("desc"), fields)?;
        fs_err::write(folder.join("files"), "%FILES%\n")?;
    }
    Ok(())
}

/// Applications, really built and installed where the system has them; and flatpak's own command that lists them.
fn flatpaks(root: &Path) -> Result<Runner> {
    let (home, installation) = (root.join("tool"), root.join("var/lib/flatpak"));
    let environment = format!(
        "HOME={0} XDG_DATA_HOME={0} XDG_CACHE_HOME={0} FLATPAK_SYSTEM_DIR={0}/system FLATPAK_CONFIG_DIR={0}/config \
         FLATPAK_USER_DIR={1}",
        home.display(),
        installation.display()
    );
    let script = format!(
        "set -e; mkdir -p runtime/usr runtime/files; platform=org.example.Platform; export {environment}
        uses=\"runtime=$platform/x86_64/1\\nsdk=$platform/x86_64/1\"
        printf \"[Runtime]\\nname=$platform\\n$uses\\n\" > runtime/metadata
        flatpak build-export --disable-sandbox --runtime --arch=x86_64 repo runtime 1
        for number in $(seq {FLATPAKS}); do
            app=org.example.App$number; mkdir -p $app/files/bin $app/export
            printf \"[Application]\\nname=$app\\n$uses\\ncommand=a\\n\" > $app/metadata
            flatpak build-export --disable-sandbox --arch=x86_64 repo $app stable
        done
        flatpak build-update-repo repo
        flatpak --user remote-add --no-gpg-verify local repo
        flatpak --user install -y --noninteractive --arch=x86_64 local $(seq -f org.example.App%g {FLATPAKS})"
    );
    shell(root, &format!("({script}) >/dev/null 2>&1"))?;
    let list: Vec<&str> = environment.split(' ').chain(["flatpak", "--user", "list", "--all"]).collect();
    Ok(runner("flatpak list", &[&["env"], &list[..]].concat()))
}

fn shell(folder: &Path, script: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", script]).current_dir(folder).status()?;
    if !status.success() {
        bail!("`{script}` failed");
    }
    Ok(())
}
