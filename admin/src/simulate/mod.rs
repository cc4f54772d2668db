//! What a policy would do, and when, before anything is sent: the real engine, played over a fleet that is a file, by a
//! clock that jumps from one event to the next.
//!
//! ```text
//! fleet.json ──fleet──► groups ──calendar, apps──► device (the engine) ──► tracks ──figures──► words, chart, svg
//! ```
//!
//! Data in, data out: nothing here opens a file, asks a clock or prints.

mod apps;
mod calendar;
mod chance;
mod chart;
mod device;
mod exported;
mod figures;
mod fleet;
mod given;
mod missed;
mod run;
mod scene;
mod series;
mod svg;
mod synthetic;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use chart::{chart, spans};
pub(crate) use exported::export;
pub(crate) use figures::Figures;
pub(crate) use fleet::{App, Days, Fleet, MAX_FLEET_BYTES};
pub(crate) use given::{Share, Zone};
pub(crate) use run::{Simulation, run};
pub(crate) use scene::Period;
pub(crate) use svg::{SPANS, svg};
pub(crate) use synthetic::{Leave, Recipe, synthesize};
pub(crate) use words::sentences;
