//! One module for each thing that a person does.

pub(crate) mod acknowledge;
pub(crate) mod appeal;
pub(crate) mod enroll;
mod facts;
pub(crate) mod greet;
pub(crate) mod inventory;
pub(crate) mod log;
pub(crate) mod mail;
pub(crate) mod remove;
pub(crate) mod snooze;
pub(crate) mod status;
pub(crate) mod why;
