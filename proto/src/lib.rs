//! What crosses a boundary in Forewarn. No I/O: no clock, file, network, environment or thread.
//!
//! Data flows through these modules in this order: an admin writes a [`policy`], perhaps with an app of the
//! [`catalogue`]; the server pushes it as a [`bundle`]
//! in a [`push`] frame; the device lists an [`inventory`], whose packages a [`purl`] names and a [`version`] orders; what it decided goes up in
//! a [`report`] and to the person as a [`notice`], and over [`ipc`] when they ask. [`id`] names obligations, notices and
//! profiles; [`api`] holds the remaining requests to the server; [`audit`] is the record of what was decided.

pub mod api;
pub mod audit;
pub mod bundle;
pub mod catalogue;
pub mod foreign;
pub mod id;
pub mod inventory;
pub mod ipc;
mod moment;
pub mod notice;
mod person;
pub mod policy;
pub mod purl;
pub mod push;
pub mod report;
pub mod version;
