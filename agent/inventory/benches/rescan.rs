//! What a look costs in a process that runs: after a change beside the bare read of the file, and when nothing changed.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::{fmt::Write as _, path::Path, time::Duration};

use forewarn_engine::Wanted;
use forewarn_inventory::{Lister, Places, sources_of};
use forewarn_proto::inventory::{Scope, Source};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 101;
/// Long after every file was written.
const LATER: Duration = Duration::from_secs(1 << 40);

fn main() {
    let wanted = Wanted::by([&"pkg:deb/debian/anydesk".parse().unwrap()]);
    println!("{ROUNDS} rounds, processor time of the thread, medians");
    for packages in [2_000, 10_000] {
        let root = tempfile::tempdir().unwrap();
        furnish(root.path(), packages);
        let places = Places { root: root.path().to_owned(), homes: Vec::new() };
        let status = root.path().join("var/lib/dpkg/status");
        let dpkg = || Lister::new(places.clone(), Source::Dpkg, Scope::System);
        let (mut read, mut list) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            read.push(cost(|| drop(fs_err::read(&status).unwrap())));
            list.push(cost(|| assert_eq!(dpkg().list(&wanted, LATER).count, packages)));
        }
        let (read, list) = (median(read), median(list));
        println!("{packages} packages: the bare read {read:.3} ms, listed anew {list:.3} ms, ratio {:.2}", list / read);
        let mut all: Vec<Lister> =
            sources_of(Scope::System).map(|source| Lister::new(places.clone(), source, Scope::System)).collect();
        let mut look = || all.iter_mut().map(|lister| lister.list(&wanted, LATER).count).sum::<usize>();
        assert_eq!(look(), packages + 150);
        let unchanged = median((0..ROUNDS).map(|_| cost(|| assert_eq!(look(), packages + 150))).collect());
        println!("{packages} packages and 150 desktop entries, nothing changed, every source: {unchanged:.3} ms");
    }
}

/// A system with so many packages of some 900 bytes each, and desktop entries.
fn furnish(root: &Path, packages: usize) {
    let (dpkg, desktop) = (root.join("var/lib/dpkg"), root.join("usr/share/applications"));
    for folder in [&dpkg.join("updates"), &desktop, &root.join("etc")] {
        fs_err::create_dir_all(folder).unwrap();
    }
    fs_err::write(root.join("etc/os-release"), "ID=debian\n").unwrap();
    let mut status = String::new();
    for number in 0..packages {
        writeln!(
            status,
            "Package: package-{number}\nStatus: install ok installed\nPriority: optional\nSection: libs\n\
             Installed-Size: {number}\nMaintainer: Somebody <somebody@example.org>\nArchitecture: amd64\n\
             Version: 1:2.{number}-3+deb12u1\nDepends: {}\nDescription: a package\n{}\n",
            "libc6 (>= 2.34), ".repeat(12),
            " A line of its description, as long as such lines are in real packages.\n .\n".repeat(5).trim_end(),
        )
        .unwrap();
    }
    fs_err::write(dpkg.join("status"), status).unwrap();
    for number in 0..150 {
        let entry = format!("[Desktop Entry]\nType=Application\nName=App {number}\nExec=app-{number}\n");
        fs_err::write(desktop.join(format!("app-{number}.desktop")), entry).unwrap();
    }
}

/// In milliseconds.
fn cost(work: impl FnOnce()) -> f64 {
    let begun = processor_time();
    work();
    (processor_time() - begun).as_secs_f64() * 1e3
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
