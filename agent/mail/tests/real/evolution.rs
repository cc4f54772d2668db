//! Evolution's real data server: an account goes and comes back while it runs, and its cache outlives that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use crate::{COMPANY, Lab, row, wait_for};

const REGISTRY: &str = "/usr/libexec/evolution-source-registry";
const NAME: &str = "org.gnome.evolution.dataserver.Sources5";

/// A session bus and the source registry on it.
struct Session {
    bus: Child,
    registry: Child,
    address: String,
    home: PathBuf,
}

impl Session {
    fn start(home: &Path) -> Self {
        let socket = home.join(".run/bus");
        let address = format!("unix:path={}", socket.display());
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--address", &address])
            .env("HOME", home)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let bus = bus.spawn().expect("this test needs dbus-daemon: apt-get install dbus");
        wait_for("the session bus", || socket.exists());
        let mut registry = Command::new(REGISTRY);
        registry
            .env_clear()
            .env("HOME", home)
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .env("XDG_RUNTIME_DIR", home.join(".run"));
        registry
            .env("PATH", "/usr/bin:/bin")
            .env("GSETTINGS_BACKEND", "memory")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let registry = registry.spawn().expect("this test needs evolution-data-server");
        Self { bus, registry, address, home: home.to_owned() }
    }

    /// Whether the running registry has a source.
    fn has(&self, uid: &str) -> bool {
        let arguments = [
            "call",
            "--session",
            "--dest",
            NAME,
            "--object-path",
            "/org/gnome/evolution/dataserver/SourceManager",
            "--method",
            "org.freedesktop.DBus.ObjectManager.GetManagedObjects",
        ];
        let mut call = Command::new("gdbus");
        let call = call.args(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.address).env("HOME", &self.home);
        let out = call.output().expect("this test needs gdbus: apt-get install libglib2.0-bin");
        String::from_utf8_lossy(&out.stdout).contains(&format!("<'{uid}'>"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in [&mut self.registry, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// When each file of a folder was written.
fn written(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let files = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter_map(|path| Some((path.clone(), fs_err::metadata(path).ok()?.modified().ok()?))).collect()
}

pub(crate) fn check() {
    let begun = Instant::now();
    let lab = Lab::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/every-client/.config/evolution/sources");
    let to = lab.home.join(".config/evolution/sources");
    fs_err::create_dir_all(&to).unwrap();
    for entry in fs_err::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Those of an online account belong to a service that doesn't run here.
        if !name.starts_with("made-") {
            fs_err::copy(&path, to.join(name)).unwrap();
        }
    }
    let cache = lab.home.join(".cache/evolution/mail/work-account/folders");
    fs_err::create_dir_all(&cache).unwrap();
    fs_err::write(cache.join("draft"), "only here").unwrap();
    let session = Session::start(&lab.home);
    let state = || [session.has("work-account"), session.has("private-account")];
    wait_for("the registry has both accounts", || state() == [true, true]);
    // It may write what it has loaded once more, and would put back what was taken in between.
    let mut quiet = (written(&to), Instant::now());
    wait_for("the registry has settled", || {
        let now = written(&to);
        if now != quiet.0 {
            quiet = (now, Instant::now());
        }
        quiet.1.elapsed() > Duration::from_secs(3)
    });
    let (files, vault) = (lab.touched(), lab.vault());
    let whole = lab.state(&files);
    assert_eq!(vault.revoke(&lab.open(), COMPANY).unwrap().taken.len(), 1);
    wait_for("the company's account goes while the registry runs", || state() == [false, true]);
    assert!(!cache.exists(), "the registry's reaper would move it to the trash");
    assert_eq!(vault.restore(&lab.open(), COMPANY).unwrap().conflicts, []);
    wait_for("the company's account comes back while the registry runs", || state() == [true, true]);
    assert_eq!(lab.state(&files), whole);
    assert_eq!(fs_err::read_to_string(cache.join("draft")).unwrap(), "only here");
    let shown = ["company, private", "no company, private", "company, private"].map(str::to_owned);
    row("Evolution", shown, "identical", begun);
}
