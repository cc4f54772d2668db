//! All clocks of this machine, and a simulated one.
//!
//! A simulated clock follows the real ones, moved by what a file says. Demonstrations and tests write that file; every
//! process that was given its path moves along. Nothing in a policy or from a server can select it.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::boot;

/// A source of readings.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's own clocks.
    Real,
    /// The machine's clocks, moved by the [`Shift`] in this file.
    Simulated(PathBuf),
}

/// All clocks at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, to the millisecond. It may be wrong.
    pub wall: Timestamp,
    /// Time since boot, suspend counted (`CLOCK_BOOTTIME`).
    pub boot: SignedDuration,
    /// Names this boot; None where that can't be read, and could not be since this process began.
    pub boot_id: Option<String>,
}

/// How far a simulated clock is ahead of the real ones, as JSON: `{"wall_ms":3600000,"boot_ms":3600000}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shift {
    /// How far the wall clock is ahead, in milliseconds.
    pub wall_ms: i64,
    /// How far the boot clock is ahead, in milliseconds.
    pub boot_ms: i64,
    /// Another boot's name, to simulate a reboot.
    pub boot_id: Option<String>,
}

impl Clock {
    /// The simulated clock of `file`, or the real one.
    pub fn new(file: Option<&Path>) -> Self {
        file.map_or(Self::Real, |file| Self::Simulated(file.to_owned()))
    }

    /// Whether the readings are moved by a file.
    pub fn is_simulated(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }

    /// Reads all clocks. A shift file that is missing or can't be read counts as no shift.
    pub fn read(&self) -> Reading {
        let shift = self.shift();
        Reading {
            wall: wall() + SignedDuration::from_millis(shift.wall_ms),
            boot: boot::elapsed() + SignedDuration::from_millis(shift.boot_ms),
            boot_id: shift.boot_id.or_else(boot::id),
        }
    }

    /// The wall clock alone.
    pub fn wall(&self) -> Timestamp {
        wall() + SignedDuration::from_millis(self.shift().wall_ms)
    }

    /// The shift that is in force.
    pub fn shift(&self) -> Shift {
        match self {
            Self::Real => Shift::default(),
            Self::Simulated(file) => {
                let text = fs_err::read_to_string(file).unwrap_or_default();
                serde_json::from_str(&text).unwrap_or_default()
            }
        }
    }
}

impl Shift {
    /// Writes the shift for every process that follows `file`, in one step that no reader sees half done.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        let new = file.with_extension("new");
        fs_err::write(&new, serde_json::to_vec(self)?)?;
        fs_err::rename(&new, file)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock port")]
fn wall() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_moves_with_its_file_and_the_real_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock.json");
        let clock = Clock::new(Some(&file));
        let before = clock.read();
        let shift = Shift { wall_ms: 86_400_000, boot_ms: 3_600_000, boot_id: Some("another".into()) };
        shift.write(&file).unwrap();
        let after = clock.read();
        assert!(after.wall.duration_since(before.wall) >= SignedDuration::from_hours(24));
        assert!(after.boot - before.boot >= SignedDuration::from_hours(1));
        assert_eq!(after.boot_id.as_deref(), Some("another"));
        assert!(Clock::Real.wall().duration_since(before.wall) < SignedDuration::from_hours(1));
        assert_eq!(Clock::Real.read().boot_id, before.boot_id);
    }
}
