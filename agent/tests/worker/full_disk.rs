//! A disk that is full, on the home's side and on the vault's.

use std::path::Path;
use std::process::Command;

use crate::lab::Lab;

/// Where nobody else sees what is mounted.
pub(crate) fn within(scratch: &Path) {
    let (home, vault) = (scratch.join("me"), scratch.join("vault"));
    for folder in [&home, &vault] {
        fs_err::create_dir(folder).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m,mode=755", "none"]).arg(folder).status();
        assert!(mount.unwrap().success());
    }
    let lab = Lab::new(scratch);
    let whole = lab.state();
    for full in [&home, &vault] {
        let ballast = full.join(".ballast");
        fill(&ballast);
        let said = lab.run("revoke");
        let failed = said.as_ref().and_then(|said| said.get("failed")).map(ToString::to_string);
        assert!(failed.is_some_and(|why| why.contains("is the disk full?")), "{}: {said:?}", full.display());
        fs_err::remove_file(&ballast).unwrap();
        assert!(lab.state() == whole, "{} was full, and something was touched", full.display());
    }
    // Once there is room it is done, whatever the tries have left.
    lab.done("revoke");
    let revoked = lab.state();
    assert!(revoked != whole);
    let ballast = home.join(".ballast");
    fill(&ballast);
    let said = lab.run("restore").unwrap_or_default();
    assert!(said.to_string().contains("No space left on device"), "{said}");
    fs_err::remove_file(&ballast).unwrap();
    assert!(lab.state() == revoked, "nothing is given back by halves");
    lab.done("restore");
    assert!(lab.state() == whole);
}

/// Until nothing more goes in.
fn fill(path: &Path) {
    let mut file = fs_err::File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1 << 8, 1] {
        while std::io::Write::write_all(&mut file, &vec![0; size]).is_ok() {}
    }
}
