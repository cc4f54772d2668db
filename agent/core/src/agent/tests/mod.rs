//! The loop under test, with a fake behind each port.
//!
//! - [`fakes`]: a system that is made of plain values, and notes what it was asked.
//! - [`calls`]: what the loop asks of its system.
//! - [`world`]: a device on that system, whose time passes as the test says.
//! - [`story`]: the player of stories that the engine's tests have too.

#![expect(clippy::wildcard_enum_match_arm, reason = "an onlooker picks out what concerns it")]

mod calls;
mod fakes;
mod purity;
mod scenarios;
#[path = "../../../../engine/src/tests/story.rs"]
mod story;
mod world;
