//! Apps to be removed, each made and installed by the real tools.

use std::{path::Path, process::Command};

/// The apps' name among packages, and what policies call them.
const ID: &str = "org.example.Clock";

/// A policy that bans the app by this purl.
pub(crate) fn ban(purl: &str) -> String {
    format!(
        "id = \"no-clock\"\nversion = 1\ntitle = \"Clock is not permitted\"\n\n[deadline]\ngrace = \"48h\"\n\n\
         [message]\nen = \"Please remove Clock.\"\n\n[consequence]\nmail = [\"corp.example\"]\n\n\
         [[rule]]\nid = \"clock\"\napp = \"Clock\"\npurls = [\"{purl}\"]\n"
    )
}

/// The folders of a flatpak that touches nothing of this machine's, as its environment.
pub(crate) fn flatpak_environment(home: &Path, folder: &Path) -> [(&'static str, String); 5] {
    let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    [
        ("HOME", path(home.to_owned())),
        ("XDG_DATA_HOME", path(home.join(".local/share"))),
        ("XDG_CACHE_HOME", path(folder.join("cache"))),
        ("FLATPAK_SYSTEM_DIR", path(folder.join("nowhere"))),
        ("FLATPAK_CONFIG_DIR", path(folder.join("nowhere"))),
    ]
}

/// Installs the app as a flatpak of the person's: `pkg:flatpak/org.example.Clock`.
pub(crate) fn install_flatpak(home: &Path, folder: &Path) {
    let flatpak = |arguments: &[&str]| {
        let mut command = Command::new("flatpak");
        run(command.args(arguments).envs(flatpak_environment(home, folder)).current_dir(folder));
    };
    let uses = "runtime=org.example.Platform/x86_64/1\nsdk=org.example.Platform/x86_64/1\n";
    for made in ["runtime/usr", "runtime/files", "app/files/bin", "app/export"] {
        fs_err::create_dir_all(folder.join(made)).unwrap();
    }
    fs_err::write(folder.join("runtime/metadata"), format!("[Runtime]\nname=org.example.Platform\n{uses}")).unwrap();
    fs_err::write(folder.join("app/metadata"), format!("[Application]\nname={ID}\n{uses}command=clock\n")).unwrap();
    fs_err::write(folder.join("app/files/bin/clock"), "#!/bin/sh\n").unwrap();
    flatpak(&["build-export", "--disable-sandbox", "--runtime", "--arch=x86_64", "repo", "runtime", "1"]);
    flatpak(&["build-export", "--disable-sandbox", "--arch=x86_64", "repo", "app", "stable"]);
    flatpak(&["build-update-repo", "repo"]);
    flatpak(&["--user", "remote-add", "--no-gpg-verify", "local", "repo"]);
    flatpak(&["--user", "install", "-y", "--noninteractive", "--arch=x86_64", "local", ID]);
}

/// Puts the app where people keep AppImages: `pkg:appimage/Clock`. The head of an ELF file without sections, and a file
/// system by the real mksquashfs.
pub(crate) fn install_appimage(home: &Path, folder: &Path) -> std::path::PathBuf {
    let content = folder.join("content");
    fs_err::create_dir_all(&content).unwrap();
    fs_err::write(content.join("clock.desktop"), "[Desktop Entry]\nName=Clock\nX-AppImage-Version=1.0\n").unwrap();
    let image = folder.join("image");
    run(Command::new("mksquashfs").arg(&content).arg(&image).args(["-quiet", "-no-progress"]));
    let mut bytes = [0; 64];
    bytes[..11].copy_from_slice(b"\x7fELF\x02\x01\x01\0AI\x02");
    bytes[0x28] = 64;
    let app = home.join("Applications/clock.AppImage");
    fs_err::create_dir_all(app.parent().unwrap()).unwrap();
    fs_err::write(&app, [&bytes[..], &fs_err::read(image).unwrap()].concat()).unwrap();
    app
}

/// Installs the app as a Debian package on a system of its own: `pkg:deb/debian/clock`.
pub(crate) fn install_deb(root: &Path, folder: &Path) {
    let content = folder.join("deb");
    fs_err::create_dir_all(content.join("DEBIAN")).unwrap();
    fs_err::create_dir_all(content.join("usr/bin")).unwrap();
    fs_err::write(content.join("usr/bin/clock"), "#!/bin/sh\n").unwrap();
    let control =
        "Package: clock\nVersion: 1.0\nArchitecture: all\nMaintainer: A B <a@b.example>\nDescription: a clock\n";
    fs_err::write(content.join("DEBIAN/control"), control).unwrap();
    let deb = folder.join("clock.deb");
    run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&content).arg(&deb));
    for made in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs_err::create_dir_all(root.join(made)).unwrap();
    }
    fs_err::write(root.join("var/lib/dpkg/status"), "").unwrap();
    fs_err::write(root.join("var/lib/dpkg/available"), "").unwrap();
    fs_err::write(root.join("etc/os-release"), "ID=debian\n").unwrap();
    run(Command::new("dpkg").envs(dpkg_environment(root)).arg("--install").arg(&deb));
}

/// What makes dpkg work on another system than this machine's, and for who is not root.
pub(crate) fn dpkg_environment(root: &Path) -> [(&'static str, String); 3] {
    let root = root.to_string_lossy();
    [
        ("DPKG_ROOT", root.clone().into_owned()),
        ("DPKG_ADMINDIR", format!("{root}/var/lib/dpkg")),
        ("DPKG_FORCE", "not-root,bad-path".to_owned()),
    ]
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{error}: {command:?}; run `cargo xtask test`"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
