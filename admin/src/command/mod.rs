//! One module for each thing that an admin does.

pub(crate) mod admins;
pub(crate) mod app;
pub(crate) mod appeals;
pub(crate) mod audit;
pub(crate) mod bring_back;
pub(crate) mod devices;
pub(crate) mod exempt;
pub(crate) mod fleet;
pub(crate) mod found;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod preview;
pub(crate) mod retract;
pub(crate) mod sign;
pub(crate) mod sign_in;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod tokens;
pub(crate) mod told;
