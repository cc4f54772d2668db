//! `forewarn inventory`: a person sees what the agent sees.

use std::collections::BTreeSet;

use cyclonedx_bom::prelude::{Bom, Validate as _};
use forewarn_engine::Listing;
use forewarn_host::Shift;
use forewarn_proto::inventory::{Scope, Source};
use forewarn_tests::{Binaries, Device, home};
use serde_json::Value;

/// A device that is not enrolled, with TikTok in its person's home.
fn device(folder: &std::path::Path) -> Device {
    let device = Device::prepare(&Binaries::beside_test().unwrap(), folder, &Shift::default(), "").unwrap();
    home::TIKTOK.install(&device.home).unwrap();
    device
}

fn listings(device: &Device, arguments: &[&str]) -> Vec<Listing> {
    let text = device.run(&[&["inventory", "--json"], arguments].concat()).unwrap().ok().unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["stays_on_this_device"], true);
    serde_json::from_value(document["listings"].take()).unwrap()
}

/// The names that dpkg says are unpacked, whatever state they are in.
fn said_by_dpkg() -> BTreeSet<String> {
    let format = "${db:Status-Status} ${Package} ${Version}\n";
    let output = std::process::Command::new("dpkg-query").args(["-W", "-f", format]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(status, _)| !["config-files", "not-installed"].contains(status)).map(|(_, p)| p.to_owned()).collect()
}

#[test]
fn a_person_sees_the_system_s_packages_and_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let device = device(folder.path());
    let all = listings(&device, &[]);
    let dpkg = all.iter().find(|listing| listing.source == Source::Dpkg).unwrap();
    let listed = dpkg.packages.iter().map(|p| format!("{} {}", p.purl.name(), p.purl.version().unwrap()));
    assert_eq!(listed.collect::<BTreeSet<_>>(), said_by_dpkg());
    let own = all.iter().find(|l| l.source == Source::Desktop && l.scope != Scope::System).unwrap();
    assert_eq!((own.is_complete(), own.packages.len()), (true, 1), "{own:?}");
    assert!(own.packages[0].purl.as_str().starts_with(&format!("pkg:webapp/chromium/{}", home::TIKTOK.id)));
    let banned = listings(&device, &["--app", "tiktok"]);
    assert_eq!(banned.iter().map(|listing| listing.packages.len()).sum::<usize>(), 1);
    let table = device.run(&["inventory", "--app", "tiktok"]).unwrap().ok().unwrap();
    assert!(table.contains("desktop (yours): 1 of 1 packages, complete"), "{table}");
    assert!(table.contains("dpkg (for everyone): 0 of "), "{table}");
    let counted = device.run(&["inventory", "--count", "--source", "desktop"]).unwrap().ok().unwrap();
    assert!(counted.contains("(yours): 1 packages, complete") && counted.contains("stays on this device"), "{counted}");
}

#[test]
fn the_bill_of_materials_is_one_by_cyclonedx_s_own_reader() {
    let folder = tempfile::tempdir().unwrap();
    let device = device(folder.path());
    let text = device.run(&["inventory", "--cyclonedx"]).unwrap().ok().unwrap();
    let bom = Bom::parse_from_json_v1_5(text.as_bytes()).unwrap();
    assert!(bom.validate().passed(), "{:?}", bom.validate());
    let packages: usize = listings(&device, &[]).iter().map(|listing| listing.packages.len()).sum();
    let components = bom.components.unwrap().0;
    assert_eq!(components.len(), packages);
    let aggregate = |arguments: &[&str]| {
        let text = device.run(&[&["inventory", "--cyclonedx"], arguments].concat()).unwrap().ok().unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["compositions"][0]["aggregate"].clone()
    };
    assert_eq!([aggregate(&[]), aggregate(&["--source", "dpkg"])], ["complete", "incomplete"]);
    assert!(packages > 100 && components.iter().all(|component| component.purl.is_some()));
}

#[test]
fn what_can_t_be_read_is_said_and_hides_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let device = device(folder.path());
    let broken = device.home.join(".local/share/applications/broken.desktop");
    std::os::unix::fs::symlink("/etc/shadow", &broken).unwrap();
    let own = listings(&device, &["--source", "desktop"]).pop().unwrap();
    assert_eq!((own.packages.len(), own.gaps.len()), (1, 1));
    assert_eq!((own.gaps[0].path.as_str(), own.gaps[0].offset), (broken.to_str().unwrap(), None));
    let table = device.run(&["inventory", "--source", "desktop"]).unwrap().ok().unwrap();
    assert!(table.contains("partial") && table.contains("a link or mount leads out of the home folder"), "{table}");
    let refused = device.run(&["inventory", "--app", "no-such-app"]).unwrap();
    assert!(format!("{:?}", refused.ok()).contains("no app of the catalogue is called `no-such-app`"));
}
