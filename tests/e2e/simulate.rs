//! A policy simulated before it is sent, on a machine that has neither a key nor a server.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use forewarn_tests::Binaries;

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../admin/tests/data/the-mail-of-2020.toml");
/// The morning of 10 July 2020 in Seattle.
const SENT: &str = "2020-07-10T09:30[America/Los_Angeles]";

fn admin(home: &std::path::Path) -> Command {
    let mut command = Binaries::beside_test().unwrap().command("forewarn-admin");
    command.arg("--home").arg(home.join("nowhere"));
    command
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_mail_of_2020_is_simulated_from_a_made_up_fleet() {
    let folder = tempfile::tempdir().unwrap();
    let make =
        ["fleet", "synthetic", "--devices", "500", "--share", "tiktok=10%", "--zone", "America/Los_Angeles=100%"];
    let fleet = text(&admin(folder.path()).args(make).output().unwrap());
    assert_eq!(fleet, text(&admin(folder.path()).args(make).output().unwrap()), "the same options, the same fleet");

    let svg = folder.path().join("timeline.svg");
    let mut simulate = admin(folder.path());
    simulate.args(["simulate", POLICY, "--fleet", "-", "--from", SENT, "--svg"]).arg(&svg);
    let mut running = simulate.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(fleet.as_bytes()).unwrap();
    let told = text(&running.wait_with_output().unwrap());
    for expected in [
        "500 devices, 500 people",
        "The policy's written time is Fri 10 Jul 2020 23:59 PDT",
        "about 14 hours left",
        "The device's own min_notice (24h) moves every deadline",
        "The first mail would leave",
        "This is the worst case: nobody removes the app",
        "Nothing was sent to anybody",
    ] {
        assert!(told.contains(expected), "`{expected}` is not in: {told}");
    }
    let drawing = fs_err::read_to_string(&svg).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains("<title") && drawing.contains("America/Los_Angeles"));

    let file = folder.path().join("fleet.json");
    fs_err::write(&file, &fleet).unwrap();
    let simulate = |from: &str| {
        let mut simulate = admin(folder.path());
        simulate.args(["simulate", POLICY, "--json", "--from", from, "--fleet"]).arg(&file).output().unwrap()
    };
    let figures: serde_json::Value = serde_json::from_str(&text(&simulate(SENT))).unwrap();
    assert_eq!(figures["left"]["most"], 14 * 60 + 29);
    // The deadline must be ahead of when the policy is sent, not of today.
    let late = simulate("2020-07-11T09:30[America/Los_Angeles]");
    assert_eq!(late.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&late.stderr).contains("deadline.at"), "{late:?}");
    fs_err::write(&file, fleet.replacen("\"zone\"", "\"zoen\"", 1)).unwrap();
    let wrong = String::from_utf8_lossy(&simulate(SENT).stderr).into_owned();
    assert!(wrong.contains("fleet.json") && wrong.contains("devices[0]") && wrong.contains("zoen"), "{wrong}");
}
