//! Whose rights this process has, and who is at the other end of a socket.

mod linux;

pub use linux::peer;

/// The number of the system's own user.
pub const ROOT: u32 = 0;

/// The number of the user whose rights this process has.
pub fn current() -> u32 {
    linux::current()
}

/// Whether this process may do everything on this device.
pub fn is_root() -> bool {
    current() == ROOT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_end_of_a_socket_is_whoever_opened_it() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(peer(&one).unwrap(), current());
        assert_eq!(is_root(), current() == 0);
    }
}
