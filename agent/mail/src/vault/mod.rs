//! The vault: where accounts are while they are revoked.
//!
//! One vault is for one person. An entry is for one profile and one domain; an account that is set up again while one is held becomes a second entry.
//!
//! Order of a revoke: contents into the vault, journal `revoking`, the files one by one, journal `revoked`; each on the disk before the next. Of a restore: the contents that will be, journal `restoring`, the files in the reverse order, journal `restored`; an account that the person has set up again is over too, as theirs. After a crash, [`Vault::recover`] undoes a revoke and finishes a restore.

mod closed;
#[cfg(test)]
mod crash_tests;
mod entry;
mod folder;
mod give_back;
mod journal;
mod pipe;
mod sealed;
mod store;

use std::os::fd::AsFd as _;

use serde::{Deserialize, Serialize};

use self::entry::Entry;
pub use self::folder::{Folder, KEPT_AFTER_RESTORE};
use self::give_back::{ATTEMPTS, Given};
use self::journal::Journal;
pub use self::journal::Stage;
pub use self::pipe::{Folders, Pipe, serve};
pub use self::sealed::{KEY_BYTES, Keys};
pub use self::store::{Guard, Label, Store};
use crate::account::{Account, SkipReason, Skipped};
use crate::client;
use crate::error::{Error, Refusal};
use crate::find;
use crate::home::{Change, Home, NewFile};
use crate::plan::{Draft, Plan};

/// A person's revoked accounts, wherever they are kept.
pub struct Vault<S> {
    store: S,
    locks: bool,
}

/// What a revoke did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Now in the vault.
    pub taken: Vec<Account>,
    /// Not touched: their program is running. A later call takes them.
    pub waiting: Vec<Account>,
    /// What was left alone.
    pub skipped: Vec<Skipped>,
    /// What could not be taken this time, and why. A later call tries again.
    pub failed: Vec<Skipped>,
}

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoration {
    /// Back with identical bytes, mode and time of last change.
    pub exact: Vec<Account>,
    /// Back in files that were rewritten since: exactly what was taken was put into them.
    pub merged: Vec<Account>,
    /// Not touched: their program is running. A later call restores them.
    pub waiting: Vec<Account>,
    /// Not given back, because that would overwrite something of the person's.
    pub conflicts: Vec<Conflict>,
    /// What could not be given back this time, and why. A later call tries again.
    pub failed: Vec<Skipped>,
}

/// Accounts that stay in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The file, as a path from the home.
    pub path: String,
    /// What is in the way.
    pub reason: ConflictReason,
    /// Where the original was put, as a path from the home, if it could be: beside the file, as `NAME.restored-by-policy`.
    pub beside: Option<String>,
}

/// Why an account can't be given back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ConflictReason {
    /// The person has set the account up again.
    #[error("the account has been set up again since, and that one stays")]
    ThereAgain,
    /// The person has set up some of the accounts that were taken together, and not all.
    #[error("one of these accounts has been set up again since; remove it there to have all of them back")]
    PartlyThereAgain,
    /// Another account has its name.
    #[error("another account has its name or place now")]
    NameTaken,
    /// The file, or the profile, isn't there any more.
    #[error("the file is gone")]
    Gone,
    /// The file's format isn't understood any more.
    #[error("the file isn't well-formed any more")]
    Malformed,
    /// The file is not a plain file any more.
    #[error("the file can't be changed: {0}")]
    Refused(Refusal),
}

impl ConflictReason {
    /// Whether nobody has to wait for the account: who has set it up again has it, and who has done away with the profile
    /// wants none.
    pub fn is_over(self) -> bool {
        matches!(self, Self::ThereAgain | Self::Gone)
    }
}

/// An account in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The entry's number, from 1. Accounts of one profile that were taken together share it.
    pub number: u32,
    /// The domain that was revoked: `corp.example`.
    pub domain: String,
    /// The account.
    pub account: Account,
    /// How far it is; never [`Stage::SetUpAgain`] or [`Stage::Restored`].
    pub stage: Stage,
}

enum Taken {
    /// And what of the stored mail stays open.
    Done(Vec<SkipReason>),
    Waiting,
    Nothing,
}

impl<S: Store> Vault<S> {
    /// A vault whose entries are kept there.
    pub fn new(store: S) -> Self {
        Self { store, locks: false }
    }

    /// The same vault, which closes the folders of stored mail of what it takes, until that is given back.
    #[must_use]
    pub fn locking(mut self, locks: bool) -> Self {
        self.locks = locks;
        self
    }

    /// Where they are kept.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// First thing at start: undoes a revoke and finishes a restore that a crash interrupted, and removes temporary files.
    ///
    /// Calling it twice is harmless. What it can't do because the program is running stays for a later call of this, [`Vault::revoke`] or [`Vault::restore`].
    ///
    /// # Errors
    /// Any error of reading or writing; the entry stays, and so does what it holds.
    pub fn recover(&self, home: &Home) -> Result<(), Error> {
        let _guard = self.store.lock()?;
        self.finish(home).map(drop)
    }

    /// Takes the accounts of `domain` out of the home. Calling it twice is harmless.
    ///
    /// # Errors
    /// [`Error::CheckDomain`]; any error of reading or writing, after which [`Vault::recover`] restores order.
    pub fn revoke(&self, home: &Home, domain: &str) -> Result<Revocation, Error> {
        let domain = find::checked(domain)?;
        let _guard = self.store.lock()?;
        let unfinished = self.finish(home)?;
        self.clear_besides(home, &domain)?;
        let (drafts, skipped) = find::drafts(home, &domain);
        let mut revocation = Revocation { skipped, ..Revocation::default() };
        for Draft { plan, .. } in drafts {
            match unfinished.iter().find(|unfinished| unfinished.profile == plan.profile) {
                Some(Unfinished { error: None, .. }) => revocation.waiting.extend(plan.accounts),
                Some(Unfinished { error: Some(error), .. }) => revocation.failed.push(skipped_as(&plan, error.clone())),
                None => match self.take(home, &plan) {
                    // What fails for want of room fails for all, and each try would take more of it.
                    Err(error) if error.is_full_disk() => return Err(error),
                    taken => revocation.note(taken, plan),
                },
            }
        }
        Ok(revocation)
    }

    /// Gives the accounts of `domain` back to the home, the latest entry first. Calling it twice is harmless.
    ///
    /// # Errors
    /// [`Error::CheckDomain`]; any error of reading or writing, after which [`Vault::recover`] restores order.
    pub fn restore(&self, home: &Home, domain: &str) -> Result<Restoration, Error> {
        let domain = find::checked(domain)?;
        let _guard = self.store.lock()?;
        let mut restoration = Restoration::default();
        for mut entry in Entry::all(&self.store)?.into_iter().rev() {
            if entry.journal.is_over() || entry.journal.domain != domain {
                continue;
            }
            let given = give_back::give_back(home, &mut entry);
            let Journal { accounts, client, profile, .. } = entry.journal;
            match given {
                Ok(Given::Exact) => restoration.exact.extend(accounts),
                Ok(Given::Merged) => restoration.merged.extend(accounts),
                Ok(Given::Waiting) => restoration.waiting.extend(accounts),
                Ok(Given::Conflicts(conflicts)) => restoration.conflicts.extend(conflicts),
                Ok(Given::Nothing) => {}
                Err(error) if error.is_full_disk() => return Err(error),
                // One that can't be given back must not keep the others.
                Err(error) => {
                    let reason = error.into_reason(&profile);
                    restoration.failed.push(Skipped { client, profile, reason });
                }
            }
        }
        Ok(restoration)
    }

    /// The accounts that are in the vault now, oldest first. Entries that are over are kept for a while, but not listed.
    ///
    /// # Errors
    /// [`Error::ReadJournal`] and [`Error::ReadVault`]: a vault that can't be read is never an empty one.
    pub fn holdings(&self) -> Result<Vec<Holding>, Error> {
        let held = Entry::all(&self.store)?.into_iter().filter(|entry| !entry.journal.is_over());
        let holdings = held.flat_map(|entry| {
            let (number, domain, stage) = (entry.number, entry.journal.domain, entry.journal.stage);
            entry.journal.accounts.into_iter().map(move |account| Holding {
                number,
                domain: domain.clone(),
                account,
                stage,
            })
        });
        Ok(holdings.collect())
    }

    /// Undoes or finishes what was interrupted; returns what has to wait, or failed. One entry must not hold up the others.
    fn finish(&self, home: &Home) -> Result<Vec<Unfinished>, Error> {
        let mut unfinished = Vec::new();
        for mut entry in Entry::all(&self.store)?.into_iter().rev() {
            if entry.journal.is_over() {
                note_the_end(&entry);
                continue;
            }
            let settled = if entry.journal.is_unfinished() {
                give_back::give_back(home, &mut entry).map(|given| matches!(given, Given::Waiting))
            } else {
                give_back::settle_temporaries(home, &entry).map(|()| false)
            };
            let profile = entry.journal.profile;
            match settled {
                Ok(false) => {}
                Ok(true) => unfinished.push(Unfinished { profile, error: None }),
                Err(error) => {
                    let error = Some(error.into_reason(&profile));
                    unfinished.push(Unfinished { profile, error });
                }
            }
        }
        Ok(unfinished)
    }

    /// Closes the folders of the accounts' mail. What a move has put aside is where that has put it. Gives those that stay open: one that can't be closed does not keep the account.
    fn close_stores(&self, home: &Home, entry: &mut Entry<'_>, draft: &Draft) -> Result<Vec<SkipReason>, Error> {
        let mut open = Vec::new();
        for path in &draft.stores {
            let closed = match home.open_folder(path) {
                Ok(None) => continue,
                Ok(Some((folder, id))) => {
                    entry.journal.stores.push((path.clone(), id));
                    entry.save()?;
                    self.store.close_folder(folder.as_fd()).inspect_err(|_| drop(entry.journal.stores.pop()))
                }
                Err(error) => Err(error),
            };
            open.extend(
                closed.err().map(|error| SkipReason::StillOpen { path: path.clone(), error: error.to_string() }),
            );
        }
        Ok(open)
    }

    /// Removes the originals that were put beside files when the domain's accounts were given back: they hold what is to go.
    fn clear_besides(&self, home: &Home, domain: &str) -> Result<(), Error> {
        for mut entry in Entry::all(&self.store)?.into_iter().filter(|entry| entry.journal.domain == domain) {
            if give_back::clear_besides(home, &mut entry) {
                entry.save()?;
            }
        }
        Ok(())
    }

    /// Takes one profile's accounts, under the lock of its program, by a plan made under that lock.
    fn take(&self, home: &Home, seen: &Plan) -> Result<Taken, Error> {
        let Some(_lock) = client::lock(home, seen.client, &seen.profile)? else {
            return Ok(Taken::Waiting);
        };
        for _ in 0..ATTEMPTS {
            let (draft, _) = find::draft(home, seen.client, &seen.profile, &seen.domain);
            let Some(draft) = draft else {
                return Ok(Taken::Nothing);
            };
            let mut entry = Entry::create(&self.store, &draft)?;
            let executed = execute(home, &entry, &draft);
            if let Ok(true) = executed {
                let open = if self.locks { self.close_stores(home, &mut entry, &draft)? } else { Vec::new() };
                entry.journal.stage = Stage::Revoked;
                entry.save()?;
                return Ok(Taken::Done(open));
            }
            match give_back::give_back_locked(home, &mut entry)? {
                Given::Exact | Given::Merged => entry.discard()?,
                // What was taken is in the vault, and what is in the way is the person's: no further try may split it.
                Given::Waiting | Given::Conflicts(_) | Given::Nothing => break,
            }
            executed?;
        }
        Err(Error::SettleFile { path: seen.profile.clone() })
    }
}

/// A crash may have come between the journal that says that an entry is finished and the note by which it goes some day. What
/// can't be noted now is at a later call: nothing else waits for it.
fn note_the_end(entry: &Entry<'_>) {
    if entry.journal.is_finished() {
        let _ = entry.save();
    }
}

/// An entry that an earlier call left half done, and that is still so.
struct Unfinished {
    profile: String,
    /// `None`: its program runs.
    error: Option<SkipReason>,
}

impl Revocation {
    /// Notes how it went with one profile; it must not protect the others.
    fn note(&mut self, taken: Result<Taken, Error>, plan: Plan) {
        match taken {
            Ok(Taken::Done(open)) => {
                self.skipped.extend(open.into_iter().map(|reason| skipped_as(&plan, reason)));
                self.taken.extend(plan.accounts);
            }
            Ok(Taken::Waiting) => self.waiting.extend(plan.accounts),
            Ok(Taken::Nothing) => {}
            Err(error) => {
                // What the person has made of a file or a lock stays so; anything else may be better next time.
                let lasts = matches!(error, Error::LockProfile { .. } | Error::CheckFile { .. });
                let skipped = skipped_as(&plan, error.into_reason(&plan.profile));
                if lasts { self.skipped.push(skipped) } else { self.failed.push(skipped) }
            }
        }
    }
}

fn skipped_as(plan: &Plan, reason: SkipReason) -> Skipped {
    Skipped { client: plan.client, profile: plan.profile.clone(), reason }
}

/// Changes the files of a draft. `false` when one wasn't what was planned.
fn execute(home: &Home, entry: &Entry<'_>, draft: &Draft) -> Result<bool, Error> {
    for aside in &entry.journal.moves {
        home.put_aside(aside)?;
    }
    let temporaries: Vec<_> = (0..draft.files.len()).map(|index| entry.temporary(index)).collect();
    let changes = draft.files.iter().zip(&temporaries).map(|(file, temporary)| {
        let shape = file.original.shape;
        let to = file.after.as_deref().map(|bytes| NewFile { bytes, mode: shape.mode, mtime: None });
        Change { path: &file.path, temporary, from: Some(shape.sha256), to }
    });
    home.change_all(&changes.collect::<Vec<_>>())
}
