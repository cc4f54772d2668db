//! The daemon's socket. The kernel says who speaks; each hears of themself alone, and speaks for themself alone.

mod client;
mod line;
mod server;

pub(crate) use client::{Attendance, ask, attend};
pub(crate) use server::serve;
