//! `bench push`: thousands of devices on one server process, beside brokers. The measuring is in `server/benches/push`.

use anyhow::Result;

use super::Options;
use crate::{cargo, packages};

pub(super) fn run(options: &Options) -> Result<()> {
    packages::install(&packages::FOR_PUSH_BENCH)?;
    cargo(&["build", "--release", "--quiet", "-p", "forewarn-admin"])?;
    let devices = options.devices.map(|devices| devices.to_string());
    let mut arguments = vec!["bench", "--quiet", "-p", "forewarn-server", "--bench", "push", "--"];
    if let Some(devices) = &devices {
        arguments.extend(["--devices", devices]);
    }
    if options.quick {
        arguments.push("--quick");
    }
    cargo(&arguments)
}
