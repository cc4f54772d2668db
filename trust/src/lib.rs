//! Who may say what: The Update Framework (TUF 1.0.34, <https://theupdateframework.github.io/specification/v1.0.34/>)
//! over a [`forewarn_proto::bundle::Bundle`].
//!
//! | role | signed by | says |
//! |---|---|---|
//! | `root`, `targets` | a threshold of admins | who the admins are, and what each role below may do |
//! | `policies` | two admins (or more) | which policies act |
//! | `previews` | one admin | which policies are counted |
//! | `retractions` | one admin | which policies are withdrawn; it can only undo |
//! | `exemptions` | one admin | which devices are spared what, until when; it can only undo |
//! | `snapshot`, `timestamp` | the server | which of these are current |
//!
//! The device runs [`verify()`], admins make metadata with [`metadata`] and [`review()`] it before they sign, and the
//! server puts both together in a [`Repository`]. Signatures and digests are checked by `tough`; metadata is written here because its editor wants
//! every private key in one place, and ours never are.

mod admins;
mod ahead;
mod chain;
mod draft;
mod keys;
pub mod metadata;
mod rebase;
mod repository;
mod review;
mod role;
mod transport;
mod undo;
mod verify;

pub use admins::{Admins, AdminsChange, AdminsError, MIN_THRESHOLD, Wanted, change_admins, check_root};
pub use ahead::Ahead;
pub use chain::{ChainError, chain, check_chain};
pub use draft::DraftError;
pub use keys::{ADMIN_NAME, KeyError, PublicKey, SIGNED, Signer, SigningKey, digest, is_admin_name, random_secret};
pub use metadata::MAX_ADMINS;
pub use rebase::{RebaseError, rebase, signers};
pub use repository::{OnlineSigner, Repository};
pub use review::{Changes, ReviewError, review, review_founding};
pub use role::RoleError;
pub use undo::{UNDOING, newest_undo, verify_undo};
pub use verify::{Document, Scratch, Verified, verify};

/// The delegated roles, each of which governs the targets below a folder of its own name.
pub const DELEGATED: [&str; 4] = ["policies", "previews", "retractions", "exemptions"];
