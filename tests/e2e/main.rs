//! The real binaries, in the situations that would break a promise.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod story;

use forewarn_tests::{Binaries, Company, Device};
use tempfile::TempDir;

/// A company with one device, on which the banned app is installed; all of it runs.
struct Stage {
    folder: TempDir,
    company: Company,
    device: Device,
}

impl Stage {
    fn set() -> Self {
        Self::set_with("notices = \"terminal\"")
    }

    fn set_with(agent_config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binaries = Binaries::beside_test().unwrap();
        let company = Company::found(binaries.clone(), folder.path()).unwrap();
        let place = folder.path().join("device");
        fs_err::create_dir(&place).unwrap();
        let mut device = Device::prepare(&binaries, &place, &company.clock_file(), agent_config).unwrap();
        device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
        device.start().unwrap();
        device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
        Self { folder, company, device }
    }
}
