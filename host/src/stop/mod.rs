//! The system's word that a program is to stop.

mod linux;

pub use linux::Stop;
