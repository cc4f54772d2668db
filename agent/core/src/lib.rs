//! The agent that every system runs. It names no system: what it needs of one are its [`ports`], a handful of small traits, each
//! of which has a fake in the tests.
//!
//! ```text
//! sync ──> trust ──┐                              ┌──> store
//! Scanner ─────────┼──> agent (engine) ─ executor ┼──> notice ──> Presenter, companions ──> the person
//! questions, Alarm ┘                              ├──> Profiles
//!                                                 └──> sync (reports)
//! ```

pub mod agent;
mod executor;
mod history;
pub mod identity;
mod looks;
pub mod manners;
pub mod notice;
pub mod ports;
pub mod store;
pub mod sync;
pub mod touched;
mod trust;
pub mod turns;
pub mod words;
