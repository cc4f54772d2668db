use jiff::SignedDuration;

/// Where the kernel names the boot (random(4)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// `CLOCK_BOOTTIME`.
pub(super) fn elapsed() -> SignedDuration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    SignedDuration::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap_or_default())
}

pub(super) fn id() -> Option<String> {
    let text = fs_err::read_to_string(BOOT_ID).ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}
