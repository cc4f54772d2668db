//! What crosses a boundary in Forewarn. No I/O: no clock, file, network, environment or thread.
//!
//! Data flows through these modules in this order: an admin writes a [`policy`]; the server pushes it in a
//! [`bundle`]; the device lists an [`inventory`], whose packages a [`purl`] names; what it decided goes up in a
//! [`report`] and down to the person over [`ipc`].

pub mod inventory;
pub mod purl;
