//! The device's time zone.

use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;

/// Where the system says which zone it is in (localtime(5)).
const LOCAL_TIME: &str = "/etc/localtime";

/// The zone that was read last.
static ZONE: Mutex<Option<TimeZone>> = Mutex::new(None);

/// The device's own time zone, as it was read last. Where it can't be read and never could be, that in which every local time
/// comes last, 12 hours behind UTC: no deadline comes earlier for it.
pub fn local_zone() -> TimeZone {
    let mut last = ZONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(zone) = read() {
        *last = Some(zone);
    }
    last.clone().unwrap_or_else(|| TimeZone::fixed(jiff::tz::offset(-12)))
}

fn read() -> Option<TimeZone> {
    let zone = TimeZone::try_system().ok();
    // Where there is no such file the zone is UTC (localtime(5)).
    let is_unset = || std::env::var_os("TZ").is_none() && fs_err::symlink_metadata(LOCAL_TIME).is_err_and(is_absent);
    zone.or_else(|| is_unset().then_some(TimeZone::UTC))
}

fn is_absent(error: std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}
