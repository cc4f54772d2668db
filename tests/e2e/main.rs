//! The real binaries, in the situations that would break a promise.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may fail, waits, and starts programs"
)]

mod admins;
mod alive;
mod apps;
mod attacks;
mod callers;
mod certificates;
mod crowd;
mod desktop;
mod drafts;
mod fleet;
mod foreign;
mod gate;
mod gitops;
mod given_again;
mod hostile;
mod interface;
mod inventory;
mod mail;
mod offline;
mod people;
mod postgres;
mod power_cut;
mod privacy;
mod push_stream;
mod refusals;
mod remove;
mod reports;
mod siege;
mod sign_in;
mod simulate;
mod story;
mod strangers;
mod told;
mod weakened;
mod wire;

use forewarn_host::Shift;
use forewarn_tests::{Binaries, Company, Device};
use jiff::SignedDuration;
use tempfile::TempDir;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A company with one device; all of it runs.
struct Stage {
    company: Company,
    device: Device,
    _folder: TempDir,
}

impl Stage {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let company = Company::found(Binaries::beside_test().unwrap(), folder.path()).unwrap();
        let mut device = device(&folder, &company, "notices = \"terminal\"");
        device.enroll(&company.token().unwrap(), &company.path("bob/root.json")).unwrap();
        device.start().unwrap();
        device.wait_for("the device is connected", |status| status.confirmed_at.is_some()).unwrap();
        Self { company, device, _folder: folder }
    }

    /// Time passes for everyone.
    fn pass(&self, length: SignedDuration) {
        self.try_pass(length).unwrap();
    }

    fn try_pass(&self, length: SignedDuration) -> anyhow::Result<()> {
        self.company.pass(length)?;
        self.device.pass(length)
    }
}

/// A device in the company's scratch folder, not enrolled.
fn device(folder: &TempDir, company: &Company, config: &str) -> Device {
    let place = folder.path().join("device");
    fs_err::create_dir(&place).unwrap();
    Device::prepare(&company.binaries, &place, &Shift::default(), config).unwrap()
}
