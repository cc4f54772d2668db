//! The engine does no I/O: it has no clock, file, network, environment, thread or randomness, and its dependencies
//! prove it.
//!
//! It turns inputs into effects: `policy x inventory x receipts x now -> obligations, effects, next wake-up`. A shell
//! feeds [`Input`]s to [`Engine::handle`] with the present readings of the clocks, does the [`Effect`]s that come out
//! and reports back. Every effect may be done twice without harm, and any may be lost with the process: what is still
//! to be done is derived anew from [`State`], which the shell stores.
//!
//! ```text
//! Input ──> State changes ──> findings ──> obligations ──> notices, profiles ──> Effect
//! ```

mod deadline;
mod delivery;
mod effect;
mod engine;
mod explain;
mod finding;
mod input;
mod listing;
mod notices;
mod obligations;
mod profiles;
mod ramp;
mod receipts;
mod report;
mod rollout;
mod settings;
mod standing;
mod state;
mod time;
mod undoing;

pub use effect::Effect;
pub use engine::Engine;
pub use forewarn_proto::{
    id::{App, NoticeId, ObligationId, ProfileId, Subject},
    notice::{Notice, NoticeKind},
};
pub use input::{Input, Look, MailOf, PolicySet, Search, SignedPolicy, Token};
pub use listing::{Gap, Listing, Package, Wanted};
pub use settings::Settings;
pub use state::State;
pub use time::{Now, TrustedTime};
pub use undoing::{Spared, Undoing};

#[cfg(test)]
mod tests;
