//! A folder of policies under version control: planned, applied, signed by another admin, and planned again.

use std::path::PathBuf;

use forewarn_tests::{Binaries, Company, home};
use jiff::SignedDuration;
use tempfile::TempDir;

/// A company without devices, and a folder for policies.
struct Shop {
    company: Company,
    policies: PathBuf,
    _folder: TempDir,
}

/// What a command said, and its exit code.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
        let policies = folder.path().join("policies");
        fs_err::create_dir(&policies).unwrap();
        Self { company, policies, _folder: folder }
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.policies.join(name), text).unwrap();
    }

    fn alice(&self, arguments: &[&str]) -> Said {
        let path = |name: &str| self.company.path(name).to_string_lossy().into_owned();
        let (home, passphrase) = (path("alice"), path("passphrase"));
        run(self, &[&["--home", &home, "--passphrase-file", &passphrase], arguments].concat())
    }

    fn plan(&self, more: &[&str]) -> Said {
        self.alice(&[&["plan", &self.policies.to_string_lossy()], more].concat())
    }

    fn apply(&self, more: &[&str]) -> Said {
        self.alice(&[&["apply", &self.policies.to_string_lossy(), "--yes"], more].concat())
    }

    /// bob signs what alice proposed, which publishes it.
    fn sign_and_publish(&self) -> String {
        self.company.admin("bob", &["sign", "--yes"]).unwrap().ok().unwrap()
    }
}

fn ban(app: &home::WebApp, id: &str, version: u64) -> String {
    home::ban(app, id, version, "grace = \"48h\"")
}

#[test]
fn a_folder_is_planned_applied_signed_published_and_then_there_is_nothing_to_do() {
    let shop = Shop::open();
    shop.write("tiktok.toml", &ban(&home::TIKTOK, "no-tiktok", 1));
    shop.write("instagram.toml", &ban(&home::INSTAGRAM, "no-instagram", 1));
    shop.write("README.md", "Not a policy.");

    let plan = shop.plan(&[]);
    assert_eq!(plan.code, Some(2), "{} {}", plan.out, plan.err);
    assert!(
        plan.out.contains("+ no-tiktok version 1, from tiktok.toml") && plan.out.contains("2 to add"),
        "{}",
        plan.out
    );
    let applied = shop.apply(&[]);
    assert_eq!(applied.code, Some(0), "{} {}", applied.out, applied.err);
    assert!(applied.out.contains("policies: 1 of 2 signatures"), "{}", applied.out);
    assert_eq!(shop.plan(&[]).code, Some(2), "nothing is in force before another admin has signed");
    shop.sign_and_publish();
    let plan = shop.plan(&[]);
    assert_eq!(plan.code, Some(0), "{} {}", plan.out, plan.err);
    assert!(plan.out.contains("Nothing to do: 2 policies"), "{}", plan.out);
    assert_eq!(shop.apply(&[]).code, Some(0), "nothing to do is nothing to propose");

    // A changed text needs a higher version, and the plan says which.
    let changed = ban(&home::TIKTOK, "no-tiktok", 1).replace("48h", "72h");
    shop.write("tiktok.toml", &changed);
    let refused = shop.plan(&[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("tiktok.toml") && refused.err.contains("write version = 2"), "{}", refused.err);
    shop.write("tiktok.toml", &changed.replace("version = 1", "version = 2"));
    let plan = shop.plan(&[]);
    assert_eq!(plan.code, Some(2));
    assert!(
        plan.out.contains("~ no-tiktok version 1 -> 2") && plan.out.contains("deadline.grace: 48h -> 72h"),
        "{}",
        plan.out
    );

    // A policy without a file goes only where that is allowed, loudly, and in the same draft.
    fs_err::remove_file(shop.policies.join("instagram.toml")).unwrap();
    let plan = shop.plan(&[]);
    assert_eq!(plan.code, Some(2));
    assert!(plan.out.contains("DELETES no-instagram") && plan.out.contains("1 TO DELETE"), "{}", plan.out);
    let json: serde_json::Value = serde_json::from_str(&shop.plan(&["--json"]).out).unwrap();
    assert_eq!(json["deletions"][0]["id"], "no-instagram");
    let refused = shop.apply(&[]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("--allow-deletions"), "{}", refused.err);
    assert!(shop.company.admin("bob", &["sign", "--yes"]).unwrap().text.contains("no draft is open"));
    assert_eq!(shop.apply(&["--allow-deletions"]).code, Some(0));
    let signed = shop.sign_and_publish();
    assert!(signed.contains("takes out policies/no-instagram.toml"), "bob sees it too: {signed}");
    assert_eq!(shop.plan(&[]).code, Some(0));
}

#[test]
fn a_folder_is_planned_without_a_key_beside_a_verified_bundle() {
    let shop = Shop::open();
    shop.company.publish(&ban(&home::TIKTOK, "no-tiktok", 1)).unwrap();
    shop.write("tiktok.toml", &ban(&home::TIKTOK, "no-tiktok", 1));
    assert_eq!(shop.plan(&[]).code, Some(0), "alice has seen what is in force");
    // A CI runner has a bundle and a root, and no key.
    let path = |name: &str| shop.company.path(name).to_string_lossy().into_owned();
    let (bundle, root) = (path("alice/seen.json"), path("alice/root.json"));
    let (nowhere, folder) = (path("ci"), shop.policies.to_string_lossy().into_owned());
    let plan = run(&shop, &["--home", &nowhere, "plan", &folder, "--in-force", &bundle, "--root", &root]);
    assert_eq!(plan.code, Some(0), "{} {}", plan.out, plan.err);
    shop.write("instagram.toml", &ban(&home::INSTAGRAM, "no-instagram", 1));
    let plan = run(&shop, &["--home", &nowhere, "plan", &folder, "--in-force", &bundle, "--root", &root]);
    assert_eq!(plan.code, Some(2), "{} {}", plan.out, plan.err);

    // Half the question, or a wrong one, is an error and not "something has to change".
    let half = run(&shop, &["plan", &folder, "--in-force", &bundle]);
    assert_eq!(half.code, Some(1), "{}", half.err);
    // A bundle that somebody changed is no base for a plan.
    let changed = fs_err::read_to_string(&bundle).unwrap().replacen("48h", "24h", 1);
    let forged = path("forged.json");
    fs_err::write(&forged, changed).unwrap();
    let refused = run(&shop, &["--home", &nowhere, "plan", &folder, "--in-force", &forged, "--root", &root]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("forged.json"), "{}", refused.err);
    // Nor is one that is old.
    shop.company.pass(SignedDuration::from_hours(48)).unwrap();
    let home = path("alice");
    let refused = run(&shop, &["--home", &home, "plan", &folder, "--in-force", &bundle, "--root", &root]);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("expired") && refused.err.contains("/v1/bundle"), "{}", refused.err);
}

/// Runs `forewarn-admin`.
fn run(shop: &Shop, arguments: &[&str]) -> Said {
    let output = shop.company.binaries.command("forewarn-admin").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}
