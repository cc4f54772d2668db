//! Everything that the engine asks for. Each may be done twice without harm.

use forewarn_proto::{
    id::{ProfileId, Subject},
    inventory::Scope,
    notice::Notice,
    report::Report,
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Store [`crate::Engine::state`] durably, then say [`crate::Input::Persisted`] with this generation. No notice,
    /// revoke or restore comes out before that.
    Persist(u64),
    /// List the packages and look for mail profiles, now, in every scope or in this one, by [`crate::Engine::search`]; say
    /// [`crate::Input::Looked`] of each.
    Rescan(Option<Scope>),
    /// Put this before the person; replaces what was shown about the same subject.
    ShowNotice(Notice),
    /// Take down whatever is shown about the subject.
    WithdrawNotice(Subject),
    /// Move the mail profile into the vault.
    Revoke(ProfileId),
    /// Give the mail profile back.
    Restore(ProfileId),
    /// Send this; it replaces every report that was not delivered yet.
    Report(Report),
}
