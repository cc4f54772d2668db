use std::{io, os::fd::AsFd};

/// The number of the user who is at the other end, as the kernel noted it when they connected (`SO_PEERCRED`, unix(7)).
///
/// # Errors
/// When the kernel does not say.
pub fn peer(socket: &impl AsFd) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(socket)?.uid.as_raw())
}

pub(super) fn current() -> u32 {
    rustix::process::geteuid().as_raw()
}
