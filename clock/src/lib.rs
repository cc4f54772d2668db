//! The clock port: the one place where any part of Forewarn asks for the time.
//!
//! A simulated clock follows the real ones, moved by what a file says. Demonstrations and tests write that file; every
//! process that was given its path moves along. Nothing in a policy or from a server can select it.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// The device's time zone.
const LOCAL_TIME: &str = "/etc/localtime";

/// Where the kernel names the boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

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
            boot: boot() + SignedDuration::from_millis(shift.boot_ms),
            boot_id: shift.boot_id.or_else(|| kept(&BOOT, read_boot_id)),
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

/// The device's own time zone, as it was read last. Where it can't be read and never could be, that in which every local time
/// comes last, 12 hours behind UTC: no deadline comes earlier for it.
pub fn local_zone() -> TimeZone {
    if let Some(zone) = read_zone() {
        *locked(&ZONE) = Some(zone.clone());
        return zone;
    }
    locked(&ZONE).clone().unwrap_or_else(|| TimeZone::fixed(jiff::tz::offset(-12)))
}

fn read_zone() -> Option<TimeZone> {
    let zone = TimeZone::try_system().ok();
    // Where there is no such file the zone is UTC (localtime(5)).
    let is_unset = || std::env::var_os("TZ").is_none() && fs_err::symlink_metadata(LOCAL_TIME).is_err_and(is_absent);
    zone.or_else(|| is_unset().then_some(TimeZone::UTC))
}

fn is_absent(error: std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

/// What was read of the boot in this process, which can't outlive it.
static BOOT: Mutex<Option<String>> = Mutex::new(None);
/// The zone that was read last.
static ZONE: Mutex<Option<TimeZone>> = Mutex::new(None);

fn locked<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is kept already, or is read now.
fn kept(place: &Mutex<Option<String>>, read: impl FnOnce() -> Option<String>) -> Option<String> {
    let mut kept = locked(place);
    if kept.is_none() {
        *kept = read();
    }
    kept.clone()
}

#[expect(clippy::disallowed_methods, reason = "this is the clock port")]
fn wall() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

fn boot() -> SignedDuration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    SignedDuration::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap_or_default())
}

fn read_boot_id() -> Option<String> {
    let text = fs_err::read_to_string(BOOT_ID).ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_6_what_was_read_once_of_the_boot_is_kept_though_it_can_not_be_read_again() {
        let place = Mutex::new(None);
        assert_eq!(kept(&place, || None), None);
        assert_eq!(kept(&place, || Some("boot".to_owned())).as_deref(), Some("boot"));
        assert_eq!(kept(&place, || None).as_deref(), Some("boot"));
        assert!(read_boot_id().is_some());
    }

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
