//! `forewarn remove`, on real packages of real package managers.

use std::os::unix::fs::PermissionsExt;

use forewarn_tests::{Binaries, Company, Device, home};
use tempfile::TempDir;

use crate::{apps, device};

struct Desk {
    company: Company,
    device: Device,
    folder: TempDir,
}

impl Desk {
    fn set(config: impl Fn(&std::path::Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
        let device = device(&folder, &company, &format!("notices = \"terminal\"\n{}", config(folder.path())));
        Self { company, device, folder }
    }

    fn with(mut self, environment: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.device = environment.into_iter().fold(self.device, |device, (name, value)| device.with(name, &value));
        self
    }

    /// The app is there, banned, and told of.
    fn ban(self, purl: &str) -> Self {
        let desk = self.start();
        desk.company.publish(&apps::ban(purl)).unwrap();
        desk.device.wait_for_first_notice().unwrap();
        desk
    }

    fn start(mut self) -> Self {
        self.device.enroll(&self.company.token().unwrap(), &self.company.path("bob/root.json")).unwrap();
        self.device.start().unwrap();
        self
    }

    fn dry_run(&self) -> String {
        self.device.run(&["remove", "clock", "--dry-run"]).unwrap().ok().unwrap().trim().to_owned()
    }

    fn remove(&self) {
        let removed = self.device.run(&["remove", "Clock", "--yes"]).unwrap().ok().unwrap();
        assert!(removed.contains("Clock was removed"), "{removed}");
        assert!(self.device.status().unwrap().obligations.is_empty());
    }
}

#[test]
fn a_flatpak_is_removed_by_flatpak() {
    let desk = Desk::set(|_| String::new());
    let (home, folder) = (desk.device.home.clone(), desk.folder.path().join("flatpak"));
    fs_err::create_dir(&folder).unwrap();
    apps::install_flatpak(&home, &folder);
    let desk = desk.with(apps::flatpak_environment(&home, &folder)).ban("pkg:flatpak/org.example.Clock");
    assert_eq!(desk.dry_run(), "flatpak uninstall --noninteractive --user org.example.Clock//stable");
    let app = home.join(".local/share/flatpak/app/org.example.Clock");
    assert!(app.exists(), "a dry run removes nothing");
    desk.remove();
    assert!(!app.exists());
}

#[test]
fn a_debian_package_is_removed_by_dpkg_alone_and_nothing_with_it() {
    let desk = Desk::set(|folder| format!("root = {:?}", folder.join("system")));
    let root = desk.folder.path().join("system");
    apps::install_deb(&root, desk.folder.path());
    // Who is not root asks polkit; here that agrees.
    let tools = desk.folder.path().join("tools");
    fs_err::create_dir(&tools).unwrap();
    fs_err::write(tools.join("pkexec"), "#!/bin/sh\nexec \"$@\"\n").unwrap();
    fs_err::set_permissions(tools.join("pkexec"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", std::env::var("PATH").unwrap(), tools.display());
    let desk = desk.with(apps::dpkg_environment(&root)).with([("PATH", path)]).ban("pkg:deb/debian/clock");
    assert!(["dpkg --remove clock", "pkexec dpkg --remove clock"].contains(&desk.dry_run().as_str()));
    assert!(root.join("usr/bin/clock").exists());
    desk.remove();
    assert!(!root.join("usr/bin/clock").exists());
}

#[test]
fn an_appimage_goes_to_the_trash_from_where_it_can_be_taken_again() {
    let desk = Desk::set(|_| String::new());
    let home = desk.device.home.clone();
    let app = apps::install_appimage(&home, desk.folder.path());
    let bytes = fs_err::read(&app).unwrap();
    let data = home.join(".local/share").to_string_lossy().into_owned();
    let desk = desk.with([("HOME", home.to_string_lossy().into_owned()), ("XDG_DATA_HOME", data)]);
    let desk = desk.ban("pkg:appimage/Clock");
    assert_eq!(desk.dry_run(), format!("trash {}", app.display()));
    desk.remove();
    assert!(!app.exists());
    let trash = home.join(".local/share/Trash/files/clock.AppImage");
    assert_eq!(fs_err::read(trash).unwrap(), bytes);
}

#[test]
fn what_no_policy_asks_for_is_not_removed() {
    let desk = Desk::set(|_| String::new());
    home::TIKTOK.install(&desk.device.home).unwrap();
    let desk = desk.start();
    let refused = desk.device.run(&["remove", "TikTok", "--yes"]).unwrap();
    assert!(!refused.success && refused.text.contains("nothing asks you to remove `TikTok`"), "{}", refused.text);
}
