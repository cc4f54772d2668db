//! A process of the person's tries to take their worker over, from the moment it is started.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use forewarn_tests::TakeOver;

use crate::tries;

/// Whose worker it is: nobody's.
const NOBODY: u32 = 65534;
/// How long a worker lives, so that it is found.
const LIFE: Duration = Duration::from_millis(5);

/// Root starts workers as the daemon does, and as it did: as the person from the start.
pub(crate) fn attempts() {
    assert!(forewarn_host::user::is_root(), "this test is root's: run it through sudo");
    let [now, formerly] = [false, true].map(|as_person| {
        let attacker = TakeOver::begin(NOBODY).unwrap();
        for _ in 0..tries() {
            live(start(as_person));
        }
        attacker.end().unwrap()
    });
    print!(
        "{} of {} taken; of those started as their person {} of {} ... ",
        now.taken, now.tried, formerly.taken, formerly.tried
    );
    assert_eq!(now.taken, 0);
    assert!(now.tried * 2 > tries(), "only {} were tried", now.tried);
    assert!(formerly.taken > 0, "whoever tries can't do it even where it is possible: does Yama forbid it?");
}

fn start(as_person: bool) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn-daemon"));
    command.arg("worker").env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if as_person {
        command.uid(NOBODY).gid(NOBODY);
    } else {
        command.args([NOBODY, NOBODY].map(|number| number.to_string()));
    }
    command.spawn().unwrap()
}

/// Until it is its person, and a moment longer.
fn live(mut worker: Child) {
    let mut says = worker.stdout.take().unwrap();
    // One that is traced may never come to that.
    let _ = std::io::Read::read(&mut says, &mut [0]);
    std::thread::sleep(LIFE);
    let _ = worker.kill();
    worker.wait().unwrap();
}
