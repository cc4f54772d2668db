//! One module for each thing that a person does.

pub(crate) mod acknowledge;
pub(crate) mod enroll;
pub(crate) mod inventory;
pub(crate) mod mail;
pub(crate) mod snooze;
pub(crate) mod status;
pub(crate) mod why;
