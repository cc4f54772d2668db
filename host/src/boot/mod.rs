//! The boot: its name, and the time since it began.

mod linux;

use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;

/// The name that was read in this process, which can't outlive the boot.
static NAME: Mutex<Option<String>> = Mutex::new(None);

/// Time since boot, suspend counted.
pub(crate) fn elapsed() -> SignedDuration {
    linux::elapsed()
}

/// Names this boot; None where that can't be read, and could not be since this process began.
pub(crate) fn id() -> Option<String> {
    kept(&NAME, linux::id)
}

/// The name that is kept already, or is read now.
fn kept(place: &Mutex<Option<String>>, read: impl FnOnce() -> Option<String>) -> Option<String> {
    let mut kept = place.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.is_none() {
        *kept = read();
    }
    kept.clone()
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
        assert!(linux::id().is_some());
    }
}
