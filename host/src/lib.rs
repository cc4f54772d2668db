//! The only crate that asks the system who, where and when: clocks, boot, zone, whose rights a process has, who is at the other
//! end of a socket, private files, known folders, and the word to stop.

mod boot;
mod clock;
pub mod folders;
pub mod person;
pub mod private;
mod stop;
pub mod user;
mod zone;

pub use clock::{Clock, Reading, Shift};
pub use stop::Stop;
pub use zone::local_zone;
