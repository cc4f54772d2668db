//! The power goes at random moments, on either side; the story still ends as it should.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};
use forewarn_tests::{Company, Device, home, wait_until};
use jiff::SignedDuration;

use crate::{HOUR, Stage};

/// How often the power goes.
const CUTS: usize = 20;

#[test]
fn promise_4_the_story_ends_rightly_through_twenty_power_cuts() {
    let seed = std::env::var("FOREWARN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("repeat with FOREWARN_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let Stage { company, device, _folder } = Stage::set();
    let before = home::mail_files(&device.home).unwrap();
    let (company, device) = (Arc::new(Mutex::new(company)), Arc::new(Mutex::new(device)));
    let steps: [fn(&Company, &Device) -> Result<()>; 10] = [
        |_, device| home::TIKTOK.install(&device.home),
        |company, _| publish(company, &home::ban(&home::TIKTOK, "first", 1, "grace = \"24h\""), "first"),
        |_, device| device.wait_for_first_notice().map(drop),
        |company, device| pass(company, device, HOUR * 24),
        |_, device| device.wait_for_last_call().map(drop),
        |company, device| pass(company, device, HOUR),
        |_, device| device.wait_for("revoked", |s| !s.revoked.is_empty()).map(drop),
        |_, device| home::TIKTOK.remove(&device.home),
        |_, device| device.wait_for_notice("(corp.example) is back").map(drop),
        |_, device| device.wait_for("nothing is asked", |s| s.obligations.is_empty() && s.revoked.is_empty()).map(drop),
    ];
    for step in steps {
        let cutter = cut(company.clone(), device.clone(), CUTS / steps.len(), random.fork());
        wait_until("a step succeeds", || {
            // The locks are held only while a view of the two is made, so that the power can go within the step.
            let (company, device) = (view(&company), view_device(&device));
            step(&company, &device)
        })
        .unwrap();
        cutter.join().unwrap();
    }
    let device = device.lock().unwrap();
    assert_eq!(home::mail_files(&device.home).unwrap(), before, "seed {seed}");
    let left = fs_err::read_dir(&device.home).unwrap().flatten().map(|entry| entry.file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with(".forewarn-")), "seed {seed}");
}

/// SIGKILL to one side after a random moment, and a new start, `times` over.
fn cut(
    company: Arc<Mutex<Company>>,
    device: Arc<Mutex<Device>>,
    times: usize,
    mut random: fastrand::Rng,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for _ in 0..times {
            thread::sleep(Duration::from_millis(random.u64(0..120)));
            if random.bool() {
                let mut company = company.lock().unwrap();
                company.kill_server();
                company.start_server().unwrap();
            } else {
                let mut device = device.lock().unwrap();
                device.kill();
                device.start().unwrap();
            }
        }
    })
}

fn view(company: &Mutex<Company>) -> Company {
    company.lock().unwrap().view()
}

fn view_device(device: &Mutex<Device>) -> Device {
    device.lock().unwrap().view()
}

/// Publishes, whatever of it was done before the power went.
fn publish(company: &Company, policy: &str, id: &str) -> Result<()> {
    let file = company.policy_file(policy)?;
    let proposed = company.admin("alice", &["propose", &file])?;
    if proposed.text.contains(&format!("{id}: version 1 is in force")) {
        return Ok(());
    }
    proposed.ok()?;
    for number in 1..100 {
        let number = number.to_string();
        // The last signature publishes; a draft that got it just before the power went is published by hand.
        company.admin("bob", &["sign", "--yes", &number])?;
        company.admin("bob", &["publish", &number])?;
        if company.admin("alice", &["propose", &file])?.text.contains("is in force") {
            return Ok(());
        }
    }
    ensure!(false, "no draft could be published");
    Ok(())
}

/// Both clock files are written whole, so a repeated step would let time pass twice; it never fails in between.
fn pass(company: &Company, device: &Device, length: SignedDuration) -> Result<()> {
    company.pass(length)?;
    device.pass(length)
}
