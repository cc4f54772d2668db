//! What a revoke and a restore of a Thunderbird account cost, beside mail stores of different sizes: mail stays where it is, so its size must not matter.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark may fail, and measures real time")]

use std::path::Path;
use std::time::{Duration, Instant};

use forewarn_mail::{Folder, Home, Keys, Vault};

const DOMAIN: &str = "corp.example";
const ROUNDS: usize = 25;

/// In MiB, of which the first is the peer of the others.
const STORES: [u64; 3] = [0, 20, 1024];

fn main() {
    println!("{ROUNDS} rounds in turn, wall clock, medians: plan, vault, journal, files, all on the disk");
    let labs: Vec<_> = STORES.iter().map(|size| Lab::new(*size)).collect();
    let mut costs: Vec<(Vec<f64>, Vec<f64>)> = labs.iter().map(|_| Default::default()).collect();
    for _ in 0..ROUNDS {
        for (lab, (revokes, restores)) in labs.iter().zip(&mut costs) {
            revokes.push(lab.time(|vault, home| assert_eq!(vault.revoke(home, DOMAIN).unwrap().taken.len(), 1)));
            restores.push(lab.time(|vault, home| assert_eq!(vault.restore(home, DOMAIN).unwrap().exact.len(), 1)));
        }
    }
    let medians: Vec<_> = costs.into_iter().map(|(revokes, restores)| (median(revokes), median(restores))).collect();
    for (size, (revoke, restore)) in STORES.iter().zip(&medians) {
        let (first, other) = (revoke / medians[0].0, restore / medians[0].1);
        println!(
            "{size:>5} MiB of mail: revoke {revoke:.1} ms (x {first:.2}), restore {restore:.1} ms (x {other:.2}) of those without mail"
        );
    }
}

struct Lab {
    scratch: tempfile::TempDir,
}

impl Lab {
    fn new(mebibytes: u64) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/thunderbird-two-accounts");
        copy(&data, &scratch.path().join("me/.thunderbird"));
        let store = scratch.path().join("me/.thunderbird/5ee0q7cw.default-default/ImapMail/mail.corp.example");
        fs_err::create_dir_all(&store).unwrap();
        for number in 0..mebibytes {
            fs_err::write(store.join(format!("folder-{number}")), vec![b'm'; 1 << 20]).unwrap();
        }
        Self { scratch }
    }

    /// In milliseconds.
    fn time(&self, work: impl FnOnce(&Vault<Folder>, &Home)) -> f64 {
        let home = Home::open(&self.scratch.path().join("me")).unwrap();
        let keys = Keys::new(&[7; 32], &[]);
        let vault = Vault::new(Folder::open(&self.scratch.path().join("vault"), "ann", keys, Duration::ZERO).unwrap());
        let begun = Instant::now();
        work(&vault, &home);
        begun.elapsed().as_secs_f64() * 1e3
    }
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs_err::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
