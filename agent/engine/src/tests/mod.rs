//! The engine under test.
//!
//! - [`world`]: a device with movable clocks, people who look or don't, and a shell that does effects.
//! - [`model`]: what the engine should know, in a form so simple that a reader believes it.
//! - [`referee`]: what must never happen, judged by true time and by what was really shown.
//! - [`answers`], [`promises`], [`preconditions`], [`matching`], [`rollout`]: one situation a test. [`random`]: random histories. [`exhaustive`]: every short history.
//! - [`moments`]: what notices name around a deadline.
//! - [`scenarios`]: stories as text beside their transcripts.

#![expect(clippy::wildcard_enum_match_arm, reason = "an onlooker picks out what concerns it")]

mod answers;
mod exhaustive;
mod matching;
mod model;
mod moments;
mod preconditions;
mod promises;
mod purity;
mod random;
mod referee;
mod rollout;
mod scenarios;
mod story;
mod undoing;
mod unread;
mod world;
