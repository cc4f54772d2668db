//! Settings that would switch a promise off.

use anyhow::{Result, bail};
use forewarn_proto::report::{Obstacle, Weakened};
use forewarn_tests::{home, wait_until};

use crate::Stage;

/// What an admin's command says once it says this.
fn says(stage: &Stage, arguments: &[&str], text: &str) -> Result<String> {
    wait_until(&format!("{arguments:?} says `{text}`"), || {
        let said = stage.company.admin("alice", arguments)?.ok()?;
        if said.contains(text) { Ok(said) } else { bail!("it says: {said}") }
    })
}

#[test]
fn promise_1_what_is_written_into_dev_null_was_shown_to_nobody_and_the_setting_is_named_everywhere() {
    let mut stage = Stage::set();
    stage.device.kill();
    let file = stage.device.folder.join("agent.toml");
    let config = fs_err::read_to_string(&file).unwrap();
    let line = config.lines().find(|line| line.starts_with("terminals = ")).unwrap();
    fs_err::write(&file, config.replace(line, "terminals = [\"/dev/null\"]")).unwrap();
    stage.device.start().unwrap();
    home::TIKTOK.install(&stage.device.home).unwrap();
    stage.company.publish(&home::ban(&home::TIKTOK, "no-tiktok", 1, "grace = \"48h\"")).unwrap();
    let tried = |status: &forewarn_proto::ipc::Status| {
        status.obligations.iter().any(|obligation| obligation.obstacle == Some(Obstacle::NoSession))
    };
    let status = stage.device.wait_for("a try to show the notice", tried).unwrap();
    assert_eq!((status.obligations[0].shown, status.obligations[0].deadline), (None, None), "{status:#?}");
    let weakened = [Weakened::SimulatedClock, Weakened::Terminals, Weakened::Notices];
    assert_eq!(status.weakened.iter().copied().collect::<Vec<_>>(), weakened);
    assert_eq!(status.report.unwrap().weakened, status.weakened);
    let said = stage.device.run(&["status"]).unwrap().ok().unwrap();
    for setting in
        ["simulated_clock: time comes from a file", "terminals: of your terminals, only those", "notices: notices come"]
    {
        assert!(said.contains(setting), "{setting} is not in: {said}");
    }
    let page = stage.device.folder.join("status.html");
    stage.device.run(&["status", "--page", &page.to_string_lossy()]).unwrap().ok().unwrap();
    assert!(fs_err::read_to_string(&page).unwrap().contains("terminals: of your terminals, only those"));
    says(&stage, &["devices"], ", weakened by simulated_clock, terminals, notices").unwrap();
    says(&stage, &["status"], "1 devices promise less than others, by their setting `terminals`").unwrap();
}

#[test]
fn promise_7_a_length_out_of_bounds_is_refused_where_the_configuration_is_read() {
    let mut stage = Stage::set();
    stage.device.kill();
    let file = stage.device.folder.join("agent.toml");
    let config = fs_err::read_to_string(&file).unwrap();
    fs_err::write(&file, format!("{config}max_staleness = \"8d\"\n")).unwrap();
    let said = stage.device.run(&["status"]).unwrap();
    assert!(
        !said.success && said.text.contains("max_staleness = \"192h\" is out of bounds; write a length from 1h to 7d"),
        "{}",
        said.text
    );
}
