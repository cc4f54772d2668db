//! Questions of people on this device. The kernel says who asks; each is answered about themself alone.

mod client;
mod server;

pub(crate) use client::ask;
pub(crate) use server::{Asked, serve};
